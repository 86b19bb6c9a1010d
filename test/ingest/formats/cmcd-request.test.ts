import { describe, expect, it } from 'vitest';
import { parseCmcd } from '../../../ingest/formats/cmcd-record.ts';
import { cleanUrl, hostOf, responseRequest } from '../../../ingest/formats/cmcd-request.ts';
import { kindOfUrl } from '../../../schemas/request-kinds.ts';

function request(text: string) {
  const parsed = parseCmcd(text);
  if (!('record' in parsed)) throw new Error(parsed.message);
  const taken = new Set<string>();
  return { ...responseRequest(parsed.record, taken), taken };
}

describe('cleanUrl', () => {
  it.each([
    ['https://user:pa@ss@cdn.example:8443/a/b.m4s?token=1#x', 'https://cdn.example:8443/a/b.m4s'],
    ['https://cdn.example?x', 'https://cdn.example'],
    ['http://u@h', 'http://h'],
    ['//u@cdn/a@b.m4s', '//cdn/a@b.m4s'],
    ['video/seg@5.m4v?x', 'video/seg@5.m4v'],
    ['/a//b@c/d?x', '/a//b@c/d'],
    ['a/http://u@h/x', 'a/http://u@h/x'],
    ['?x', ''],
    ['', ''],
  ])('%s is stored as %s', (url, expected) => {
    expect(cleanUrl(url)).toBe(expected);
  });
});

describe('hostOf', () => {
  it.each([
    ['https://CDN.Example:8443/a', 'cdn.example'],
    ['http://[2001:db8::1]:80/a', '[2001:db8::1]'],
    ['http://[2001:db8::1]/a', '[2001:db8::1]'],
    ['//cdn/a', 'cdn'],
    ['video/a.m4s', ''],
    ['/video//a.m4s', ''],
    ['', ''],
  ])('%s has the host %s', (url, expected) => {
    expect(hostOf(url)).toBe(expected);
  });
});

describe('kindOfUrl', () => {
  it.each([
    ['http://h/live.M3U8', 'manifest'],
    ['http://h/live.mpd', 'manifest'],
    ['http://h/init-0.mp4', 'init'],
    ['http://h/v/INIT.m4s', 'init'],
    ['http://h/init/seg-1.m4s', 'segment'],
    ['http://h/a.ts', 'segment'],
    ['http://h/a.cmfa', 'segment'],
    ['http://h/a.vtt', 'other'],
    ['http://h/initial', 'other'],
    ['http://h/', 'other'],
    ['', 'other'],
  ])('%s is a request for: %s', (url, expected) => {
    expect(kindOfUrl(url)).toBe(expected);
  });
});

describe('responseRequest', () => {
  it('says all that the record says', () => {
    const text =
      'e=rr,ot=av,rc=503,ttfb=12,ttlb=40.4,url="https://k:s@cdn.example:1/a.m4s?t=1",cdn="c1"';
    expect(request(text)).toEqual({
      kind: 'segment',
      status: 503,
      ttfb: 12,
      ttlb: 40,
      url: 'https://cdn.example:1/a.m4s',
      cdn: 'c1',
      host: 'cdn.example',
      taken: new Set(['url', 'ttfb', 'ttlb', 'rc', 'ot', 'cdn']),
    });
  });

  it('takes the object type before the name', () => {
    for (const [token, kind] of Object.entries({
      m: 'manifest',
      i: 'init',
      v: 'segment',
      a: 'segment',
      k: 'key',
      c: 'other',
      tt: 'other',
      o: 'other',
    })) {
      expect(request(`ot=${token},url="a.m3u8"`).kind, token).toBe(kind);
    }
  });

  it('drops an absurd time alone', () => {
    expect(request('ttfb=1795326021071,ttlb=220')).toMatchObject({ ttfb: -1, ttlb: 220 });
    expect(request('ttfb=1221,ttlb=220')).toMatchObject({ ttfb: -1, ttlb: 220 });
    expect(request('ttfb=1220,ttlb=220')).toMatchObject({ ttfb: 1220, ttlb: 220 });
    expect(request('ttfb=30,ttlb=1795326021071')).toMatchObject({ ttfb: 30, ttlb: -1 });
    expect(request('ttfb=-1,ttlb=3600000')).toMatchObject({ ttfb: -1, ttlb: 3_600_000 });
    expect(request('ttfb=3600001')).toMatchObject({ ttfb: -1, ttlb: -1 });
  });

  it('leaves what it could not use to the keys', () => {
    const { taken } = request('ttfb=1795326021071,rc=99999,url="http://h/a",h="other"');
    for (const key of ['ttfb', 'rc', 'h']) expect(taken.has(key), key).toBe(false);
  });

  it('knows no answer (0) from nothing said (-1)', () => {
    expect(request('rc=0').status).toBe(0);
    expect(request('d=1').status).toBe(-1);
    expect(request('rc=200.5').status).toBe(-1);
  });

  it('takes no user from `h`', () => {
    expect(request('url="video/5.m4v",h="me:pw@CDN.example:8080"').host).toBe('cdn.example');
    expect(request('url="video/5.m4v",h="me@CDN.example"').host).toBe('cdn.example');
  });

  it('takes the host from `h` where the URL is relative', () => {
    expect(request('url="video/5.m4v?x",h="CDN.example:8080"')).toMatchObject({
      host: 'cdn.example',
      url: 'video/5.m4v',
      kind: 'segment',
    });
  });
});
