import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EdgeLine, identityOf } from '../../../ingest/formats/edge.ts';
import { readNginxLine } from '../../../ingest/formats/edge-nginx.ts';
import { CORPUS, eventSid, readRecordings } from '../../support/corpus.ts';

const GOOD = {
  msec: '1795326184.236',
  request_method: 'GET',
  host: 'cdn.example',
  request_uri: '/a/seg.m4s?token=secret&CMCD=br%3D%28469%29%2Csid%3D%22view-1%22%2Cbs',
  server_protocol: 'HTTP/1.1',
  status: 200,
  body_bytes_sent: 464,
  request_time: '0.017',
  upstream_header_time: '0.016',
  request_completion: 'OK',
};

function read(line: object | string | Buffer) {
  const notes: Record<string, number> = {};
  const bytes = Buffer.isBuffer(line)
    ? line
    : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
  const result: EdgeLine = readNginxLine(bytes, {
    stringLengthMax: 1_024,
    note: (code, times = 1) => {
      notes[code] = (notes[code] ?? 0) + times;
    },
  });
  return { result, notes };
}

function requestOf(line: object | string | Buffer) {
  const { result, notes } = read(line);
  if (result.kind !== 'request') throw new Error(JSON.stringify(result));
  return { ...result.request, view: result.view, notes };
}

function cmcdOf(line: object) {
  return Object.fromEntries(requestOf(line).cmcd.map(({ name, value }) => [name, value]));
}

function accessLines(name: string): string[] {
  return readFileSync(join(CORPUS, name, 'access.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

describe('a line of nginx', () => {
  it('becomes a request, without the query of its URL', () => {
    const { identity, ...request } = requestOf(GOOD);
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_236,
      durationMs: 17,
      ttfbMs: 16,
      originMs: 16,
      status: 200,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: 'HTTP/1.1',
      cdn: '',
      pop: '',
      country: '',
      asn: '',
      cache: '',
      cmcd: [
        { name: 'br', value: '(469)' },
        { name: 'bs', value: '?1' },
        { name: 'sid', value: '"view-1"' },
      ],
      notes: {},
    });
    expect(JSON.stringify(request)).not.toContain('secret');
  });

  it('has the XXH64 of its bytes as identity, those that are not stored included', () => {
    // A published vector of XXH64 with seed 0.
    expect(identityOf(Buffer.from('abc')).toString('hex')).toBe('44bc2cf5ad770999');
    const line = JSON.stringify(GOOD);
    expect(requestOf(line).identity).toEqual(identityOf(Buffer.from(line)));
    expect(requestOf({ ...GOOD, remote_port: 1 }).identity).not.toEqual(
      requestOf({ ...GOOD, remote_port: 2 }).identity,
    );
  });

  it('may give numbers as texts, and say nothing by an empty text or a dash', () => {
    const texts = { status: '206', body_bytes_sent: '7', request_time: 0.5, msec: 1_795_326_184.5 };
    expect(requestOf({ ...GOOD, ...texts })).toMatchObject({
      status: 206,
      bytes: 7,
      durationMs: 500,
      endAt: 1_795_326_184_500,
    });
    for (const none of ['', '-', null, undefined]) {
      const line = { ...GOOD, upstream_header_time: none, request_time: none, host: none };
      expect(requestOf({ ...line, body_bytes_sent: none, request_uri: none })).toMatchObject({
        ttfbMs: -1,
        durationMs: -1,
        host: '',
        bytes: -1,
        path: '',
        cmcd: [],
        notes: {},
      });
    }
  });

  it('may be as short as a time and a status', () => {
    expect(requestOf({ msec: 1, status: 0 })).toMatchObject({ endAt: 1_000, status: 0, view: '' });
    expect(requestOf({ time_iso8601: '2026-11-22T05:43:04+01:00', status: '200' }).endAt).toBe(
      Date.parse('2026-11-22T04:43:04Z'),
    );
  });

  it('sums the times of the servers that were tried', () => {
    const ttfb = (text: string) => requestOf({ ...GOOD, upstream_header_time: text });
    expect(ttfb('0.100, 0.020 : 0.003').ttfbMs).toBe(123);
    expect(ttfb('-, 0.020').ttfbMs).toBe(20);
    expect(ttfb('-, -').ttfbMs).toBe(-1);
    expect(ttfb('soon')).toMatchObject({ ttfbMs: -1, notes: { value_dropped: 1 } });
  });

  it('was aborted when its completion is empty, or its status 499', () => {
    const aborted = (more: object) => requestOf({ ...GOOD, ...more }).aborted;
    expect(aborted({ request_completion: '' })).toBe(true);
    expect(aborted({ request_completion: '-' })).toBe(true);
    expect(aborted({ status: 499 })).toBe(true);
    expect(aborted({ request_completion: undefined })).toBe(false);
  });

  it('takes the request line apart where its pieces have no fields', () => {
    const line = { msec: 1, status: 200, request: 'GET /a b?x=1&CMCD=sid%3D%22s%22 HTTP/2.0' };
    expect(requestOf(line)).toMatchObject({
      method: 'GET',
      path: '/a b',
      protocol: 'HTTP/2',
      view: 's',
    });
    expect(read({ ...line, request: 'OPTIONS /a HTTP/2.0' }).result.kind).toBe('preflight');
    expect(requestOf({ ...line, request: '\u0016\u0003' })).toMatchObject({ method: '', path: '' });
  });

  it('keeps what the edge says of itself', () => {
    const said = { cdn: 'fastly', pop: 'FRA', country: 'DE', asn: 3_320 };
    expect(requestOf({ ...GOOD, ...said, upstream_cache_status: 'HIT' })).toMatchObject({
      ...said,
      asn: '3320',
      cache: 'hit',
    });
  });

  it.each([
    ['/a/b.m4s?x#y', '/a/b.m4s'],
    ['http://me:secret@Host.example:81/a?b', '/a'],
    ['http://host.example', '/'],
    ['/hdnts=exp=1~acl=*~hmac=secret/a.m3u8', '/-/a.m3u8'],
    ['/bcdn_token=secret&expires=1&token_path=%2F/a.ts', '/-/a.ts'],
    ['/v/eyJhbGciOiJub25l.eyJzdWIiOiIx.secret/a.ts', '/v/-/a.ts'],
    ['/a.ts;jsessionid=secret', '/a.ts;-'],
    ['/a%3Ftoken%3Dsecret', '/-'],
    ['/out/video=1500000/seg-12.m4s', '/out/video=1500000/seg-12.m4s'],
  ])('stores of %s only %s', (target, path) => {
    expect(requestOf({ ...GOOD, request_uri: target }).path).toBe(path);
  });

  it('strips the host', () => {
    const host = (text: string, target = '/') =>
      requestOf({ ...GOOD, host: text, request_uri: target }).host;
    expect(host('CDN.example:8080')).toBe('cdn.example');
    expect(host('[::1]:80')).toBe('[::1]');
    expect(host('a', 'https://me@B.example:1/x')).toBe('b.example');
  });

  it.each([
    ['nothing', {}],
    ['no time', { status: 200 }],
    ['a time in ms', { msec: 1_795_326_184_236, status: 200 }],
    ['a time that is a word', { msec: 'now', time_iso8601: '1', status: 200 }],
    ['no status', { msec: 1 }],
    ['half a status', { msec: 1, status: 20.5 }],
    ['a status in an array', { msec: 1, status: [200] }],
  ])('with %s is rejected', (_, line) => {
    expect(read(line).result).toMatchObject({
      kind: 'reject',
      code: 'line_fields_missing',
      message: expect.stringMatching(/^The line needs `(msec|status)`/),
    });
  });

  it.each(['{"msec":1', '{"a":"\\x22"}', '{', '{]}'])(
    'that is broken JSON is rejected: %s',
    (line) => {
      expect(read(line).result).toMatchObject({ kind: 'reject', code: 'line_not_json' });
    },
  );

  it.each(['', 'x', '[]', '1', '['.repeat(60_000), 'null', '"a"'])(
    'that is neither JSON nor combined is rejected: %.12s',
    (line) => {
      expect(read(line).result).toMatchObject({ kind: 'reject', code: 'line_malformed' });
    },
  );

  it('is not upset by depth, nor by names that objects have anyway', () => {
    const deep = `{"msec":1,"status":200,"host":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`;
    expect(requestOf(deep).host).toBe('');
    expect(requestOf('{"msec":1,"status":200,"__proto__":{"host":"a"}}').host).toBe('');
  });

  it('never throws, and leaves only texts that are well-formed', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.double());
    const line = fc.dictionary(fc.constantFrom(...Object.keys(GOOD), 'request', 'cdn'), value);
    fc.assert(
      fc.property(fc.oneof(line, fc.jsonValue()), (any) => {
        const { result } = read(JSON.stringify(any) ?? '');
        if (result.kind !== 'request') return;
        for (const text of Object.values(result.request)) {
          if (typeof text === 'string') expect(/\p{Surrogate}/u.test(text)).toBe(false);
          if (typeof text === 'number') expect(Number.isSafeInteger(text)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('CMCD of a line', () => {
  const uri = (cmcd: string) => ({
    ...GOOD,
    request_uri: `/a?x=1&CMCD=${encodeURIComponent(cmcd)}`,
  });
  const headers = {
    http_cmcd_request: 'bl=100,su',
    http_cmcd_object: 'br=469,d=2000,ot=v',
    http_cmcd_session: 'sid="h",cid="evt \\"a\\""',
    http_cmcd_status: '-',
  };

  it('is read from the four headers', () => {
    expect(cmcdOf({ ...GOOD, request_uri: '/a', ...headers })).toEqual({
      bl: '(100)',
      br: '(469)',
      cid: '"evt \\"a\\""',
      d: '2000',
      ot: 'v',
      sid: '"h"',
      su: '?1',
    });
  });

  it('of the headers is taken whole where the query has some too, even if it cannot be read', () => {
    const both = { ...uri('sid="q",mtp=5'), ...headers };
    expect(requestOf(both)).toMatchObject({ view: 'h', notes: { cmcd_doubled: 1 } });
    expect(cmcdOf(both)).not.toHaveProperty('mtp');
    const unreadable = { http_cmcd_object: '"', http_cmcd_request: '', http_cmcd_session: '' };
    expect(requestOf({ ...both, ...unreadable })).toMatchObject({
      view: '',
      cmcd: [],
      notes: { cmcd_doubled: 1, cmcd_unreadable: 1 },
    });
  });

  it('is named in capitals only', () => {
    for (const name of ['cmcd', 'Cmcd', 'xCMCD']) {
      const line = { ...GOOD, request_uri: `/a?${name}=sid%3D%22s%22` };
      expect(requestOf(line)).toMatchObject({ view: '', cmcd: [], notes: {} });
    }
  });

  it('that cannot be read, or is of a later version, costs only itself', () => {
    const costs = (cmcd: string, note: string) =>
      expect(requestOf(uri(cmcd))).toMatchObject({
        view: '',
        cmcd: [],
        status: 200,
        notes: { [note]: 1 },
      });
    costs('"', 'cmcd_unreadable');
    costs('v=3,sid="s"', 'cmcd_version_unknown');
    expect(requestOf(uri('d="x",sid="s"'))).toMatchObject({
      view: 's',
      notes: { value_dropped: 1 },
    });
  });

  it('with a sid that no view can have leaves the request without a view', () => {
    expect(requestOf(uri(`sid="${'s'.repeat(129)}"`))).toMatchObject({
      view: '',
      notes: { value_dropped: 1 },
    });
    expect(requestOf(uri(`sid=" ${'s'.repeat(128)} "`)).view).toHaveLength(128);
  });

  it('keeps no query of the next object, and not more keys than are useful', () => {
    expect(cmcdOf(uri('nor="..%2Fa.m4v%3Ftoken=secret"')).nor).toBe('("..%2Fa.m4v")');
    const many = Array.from({ length: 70 }, (_, index) => `com.example-k${index}=1`).join(',');
    const { cmcd, notes } = requestOf(uri(many));
    expect([cmcd.length, notes.keys_cut]).toEqual([64, 6]);
  });
});

describe('recorded access logs', () => {
  const sids = new Map(readRecordings().map((one) => [one.name, eventSid(one)]));

  it.each(readdirSync(CORPUS).filter((name) => !name.includes('.')))(
    '%s: every line is a request of its view, or a preflight',
    (name) => {
      const results = accessLines(name).map((line) => read(line));
      const views = new Set<string>();
      for (const { result, notes } of results) {
        expect(result.kind).not.toBe('reject');
        expect(notes).toEqual({});
        if (result.kind !== 'request') continue;
        views.add(result.view);
        expect(result.request.path).not.toMatch(/[?#]|CMCD/);
      }
      const sid = sids.get(name);
      if (sid !== undefined) expect([...views]).toContain(sid);
      const named = [...views].filter((view) => view !== '');
      expect(named).toHaveLength(1);
    },
  );

  it('give back a content id with quotes, commas and a raw latin-1 byte, escaped or raw', () => {
    const line = accessLines('dash-v1h-throttled').find((text) => text.includes('cid='));
    if (line === undefined) throw new Error('no such line');
    const cid = (bytes: Buffer) => requestOf(bytes).cmcd.find(({ name }) => name === 'cid')?.value;
    const escaped = cid(Buffer.from(line));
    expect(escaped).toBe('"evt/2024 \\"final\\", ü=1"');
    // As nginx writes it: the byte itself, which is no UTF-8.
    expect(cid(Buffer.from(line, 'latin1'))).toBe(escaped);
  });
});
