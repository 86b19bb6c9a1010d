import { describe, expect, it } from 'vitest';
import { readCloudflareLine } from '../../../ingest/formats/edge-cloudflare.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

const GOOD = {
  ClientIP: '203.0.113.7',
  ClientASN: 3_320,
  ClientCountry: 'de',
  ClientRequestHost: 'cdn.example',
  ClientRequestMethod: 'GET',
  ClientRequestProtocol: 'HTTP/2',
  ClientRequestURI: '/a/seg.m4s?token=secret',
  ClientRequestPath: '/a/seg.m4s',
  ClientRequestSource: 'eyeball',
  EdgeStartTimestamp: '2026-11-22T05:43:04.1Z',
  EdgeEndTimestamp: '2026-11-22T05:43:04.236Z',
  EdgeResponseStatus: 206,
  EdgeResponseBodyBytes: 464,
  EdgeResponseBytes: 1_024,
  EdgeTimeToFirstByteMs: 16,
  EdgeColoCode: 'FRA',
  CacheCacheStatus: 'hit',
  OriginResponseDurationMs: 0,
  RayID: '8f0',
  RequestHeaders: {
    'cmcd-object': 'br=469,d=2000,ot=v',
    'cmcd-session': 'sid="view-1"',
  },
};

const said = (more: object) => requestOf(readCloudflareLine, { ...GOOD, ...more });

describe('a line of Logpush', () => {
  it('becomes a request', () => {
    const { identity, ...request } = requestOf(readCloudflareLine, GOOD);
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_236,
      durationMs: 136,
      ttfbMs: 16,
      originMs: -1,
      status: 206,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: 'HTTP/2',
      cdn: 'cloudflare',
      pop: 'FRA',
      country: 'DE',
      asn: '3320',
      cache: 'hit',
      cmcd: { br: '(469)', d: '2000', ot: 'v', sid: '"view-1"' },
      notes: {},
    });
  });

  it('has times in each form that a job can have; those to the second give no duration', () => {
    const times = (start: unknown, end: unknown) => {
      const { endAt, durationMs } = said({ EdgeStartTimestamp: start, EdgeEndTimestamp: end });
      return [endAt, durationMs];
    };
    const [ns, ms] = ['"EdgeEndTimestamp":1795326184236000000', 1_795_326_184_236];
    const line = JSON.stringify({ ...GOOD, EdgeStartTimestamp: 1, EdgeEndTimestamp: 2 })
      .replace('"EdgeStartTimestamp":1', '"EdgeStartTimestamp":1795326184100000000')
      .replace('"EdgeEndTimestamp":2', ns);
    expect(requestOf(readCloudflareLine, line)).toMatchObject({ endAt: ms, durationMs: 136 });
    expect(times(1_795_326_184, 1_795_326_186)).toEqual([1_795_326_186_000, -1]);
    expect(times('2026-11-22T05:43:04Z', '2026-11-22T05:43:06Z')).toEqual([1_795_326_186_000, -1]);
    expect(times('2026-11-22T05:43:04.1Z', undefined)).toEqual([1_795_326_184_100, -1]);
  });

  it('has the time and the bytes of the origin and the edge as far as it says', () => {
    expect(said({ OriginResponseDurationMs: 31 }).originMs).toBe(31);
    expect(
      said({ OriginResponseDurationMs: undefined, OriginResponseTime: 31_400_000 }),
    ).toMatchObject({ originMs: 31 });
    expect(said({ EdgeResponseBodyBytes: undefined }).bytes).toBe(1_024);
    expect(said({ CacheCacheStatus: 'dynamic', ClientCountry: 'xx' })).toMatchObject({
      cache: 'bypass',
      country: '',
    });
    expect(said({ EdgeResponseStatus: 499 }).aborted).toBe(true);
  });

  it('has CMCD in its query or in custom fields, however they are written', () => {
    const query = { ClientRequestURI: '/a?CMCD=sid%3D%22q%22' };
    expect(said({ ...query, RequestHeaders: {} }).view).toBe('q');
    expect(said(query)).toMatchObject({ view: 'view-1', notes: { cmcd_doubled: 1 } });
    expect(said({ RequestHeaders: { 'CMCD-Session': 'sid="h"' } }).view).toBe('h');
    for (const RequestHeaders of ['sid="h"', [], null, { 'cmcd-session': { sid: 'h' } }]) {
      expect(said({ RequestHeaders })).toMatchObject({ view: '', cmcd: {}, notes: {} });
    }
    const names = JSON.stringify(GOOD).replace('"cmcd-object"', '"__proto__"');
    expect(requestOf(readCloudflareLine, names).view).toBe('view-1');
  });

  it('that tries the destination, or comes from a Worker, tells of nothing', () => {
    for (const content of ['test', 'tests']) {
      expect(read(readCloudflareLine, { content }).result.kind).toBe('nothing');
    }
    expect(read(readCloudflareLine, { content: 'other' }).result.kind).toBe('reject');
    expect(read(readCloudflareLine, { content: 'test', EdgeResponseStatus: 1 }).result.kind).toBe(
      'reject',
    );
    const kind = (source: string) =>
      read(readCloudflareLine, { ...GOOD, ClientRequestSource: source }).result.kind;
    expect(['edgeWorkerFetch', 'healthcheck', 'purge'].map(kind)).toEqual(Array(3).fill('nothing'));
    expect(['eyeball', 'orangeToOrange', ''].map(kind)).toEqual(Array(3).fill('request'));
  });

  it('without a time or a status is rejected, and a preflight is none', () => {
    const timeless = { EdgeStartTimestamp: undefined, EdgeEndTimestamp: 'x' };
    for (const more of [timeless, { EdgeResponseStatus: '' }]) {
      expect(read(readCloudflareLine, { ...GOOD, ...more }).result).toMatchObject({
        code: 'line_fields_missing',
      });
    }
    const preflight = { ...GOOD, ClientRequestMethod: 'OPTIONS' };
    expect(read(readCloudflareLine, preflight).result.kind).toBe('preflight');
  });

  it.each(HOSTILE)('that is hostile is a reject: %s', (_, line) => {
    expect(read(readCloudflareLine, line).result.kind).toBe('reject');
  });
});
