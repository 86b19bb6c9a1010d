import { describe, expect, it } from 'vitest';
import { createAkamaiReader } from '../../../ingest/formats/edge-akamai.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

const GOOD = {
  version: '2',
  streamId: '12345',
  reqId: '1239f220',
  reqTimeSec: '1795326184.100',
  bytes: '464',
  cliIP: '203.0.113.7',
  statusCode: '206',
  proto: 'HTTPS',
  reqHost: 'cdn.example',
  reqMethod: 'GET',
  reqPath: 'a/seg.m4s',
  queryStr: 'token=secret',
  UA: 'Mozilla%2F5.0',
  rspContentLen: '464',
  totalBytes: '700',
  reqEndTimeMSec: '3',
  turnAroundTimeMSec: '11',
  transferTimeMSec: '122',
  cacheStatus: '1',
  country: 'DE',
  asn: '3320',
  edgeIP: '198.51.100.1',
  errorCode: '-',
  cmcd: '//1.0@V/br=469,bl=21600,cid=%22akam-email%22,d=6006,ot=v,sf=h,sid=%22view-1%22,su',
};

const reader = createAkamaiReader();
const said = (more: object) => requestOf(reader, { ...GOOD, ...more });

describe('a JSON line of DataStream', () => {
  it('becomes a request, whose end is its begin and all its times', () => {
    const { identity, ...request } = requestOf(reader, GOOD);
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_236,
      durationMs: 136,
      ttfbMs: 14,
      originMs: -1,
      status: 206,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: '',
      cdn: 'akamai',
      pop: '',
      country: 'DE',
      asn: '3320',
      cache: 'hit',
      cmcd: {
        bl: '(21600)',
        br: '(469)',
        cid: '"akam-email"',
        d: '6006',
        ot: 'v',
        sf: 'h',
        sid: '"view-1"',
        su: '?1',
      },
      notes: {},
    });
  });

  it('has its times in ms, as far as it has them', () => {
    expect(said({ timeToFirstByte: '20' }).ttfbMs).toBe(20);
    expect(said({ reqEndTimeMSec: '-' })).toMatchObject({ ttfbMs: 11, durationMs: 133 });
    expect(said({ turnAroundTimeMSec: '-' })).toMatchObject({ ttfbMs: -1, durationMs: -1 });
    expect(said({ transferTimeMSec: undefined, downloadTime: 90 })).toMatchObject({
      durationMs: 90,
      endAt: 1_795_326_184_190,
    });
    expect(said({ bytes: '-' }).bytes).toBe(700);
    expect(said({ reqTimeSec: 1_795_326_184, transferTimeMSec: '-' }).endAt).toBe(
      1_795_326_184_000,
    );
    expect(said({ turnAroundTimeMSec: 'soon' }).notes).toEqual({ value_dropped: 1 });
  });

  it('has CMCD in a field, where the query should be, or in the query', () => {
    const encoded = encodeURIComponent('br=469,sid="q"');
    for (const more of [
      { cmcd: `//1.0@V/${encoded}` },
      { cmcd: encoded },
      { cmcd: 'br=469,sid="q"' },
      { cmcd: '-', queryStr: 'cmcd=//1.0@V/br=469,sid=%22q%22' },
      { cmcd: '-', queryStr: `x=1&CMCD=${encoded}` },
    ]) {
      expect(said(more)).toMatchObject({ view: 'q', cmcd: { br: '(469)', sid: '"q"' }, notes: {} });
    }
    expect(said({ cmcd: '//1.0@V/"' })).toMatchObject({ view: '', notes: { cmcd_unreadable: 1 } });
  });

  it('tells what the cache did, and that the client left', () => {
    expect([1, '0', '-', 'TCP_HIT'].map((cacheStatus) => said({ cacheStatus }).cache)).toEqual([
      'hit',
      'miss',
      '',
      'hit',
    ]);
    expect(said({ errorCode: 'ERR_CLIENT_ABORT' }).aborted).toBe(true);
    expect(said({ statusCode: '000' }).aborted).toBe(true);
    expect(said({ errorCode: 'ERR_ACCESS_DENIED|fwd_acl', statusCode: 403 }).aborted).toBe(false);
    expect(said({ proto: 'HTTP/2' }).protocol).toBe('HTTP/2');
  });

  it('that tries the destination tells of nothing', () => {
    expect(read(reader, { access_validation: true }).result.kind).toBe('nothing');
    expect(read(reader, '0,access_validation').result.kind).toBe('nothing');
    expect(read(reader, { access_validation: true, statusCode: 200 }).result.kind).toBe('reject');
  });

  it('without a time or a status is rejected, and a preflight is none', () => {
    for (const name of ['reqTimeSec', 'statusCode']) {
      expect(read(reader, { ...GOOD, [name]: '-' }).result).toMatchObject({
        code: 'line_fields_missing',
        message: expect.stringContaining(`\`${name}\``),
      });
    }
    expect(read(reader, { ...GOOD, reqMethod: 'OPTIONS' }).result.kind).toBe('preflight');
  });
});

describe('a structured line of DataStream', () => {
  const columns = ['reqTimeSec', 'statusCode', 'reqPath', 'cmcd', 'bytes'] as const;
  const values = columns.map((name) => GOOD[name]);

  it('has its order from the sender, between spaces or tabs', () => {
    const chosen = createAkamaiReader(columns);
    for (const separator of [' ', '\t']) {
      expect(requestOf(chosen, values.join(separator))).toMatchObject({
        view: 'view-1',
        status: 206,
        bytes: 464,
        path: '/a/seg.m4s',
        endAt: 1_795_326_184_100,
      });
    }
    expect(requestOf(chosen, GOOD).view).toBe('view-1');
  });

  it('without an order, or of another, is rejected', () => {
    expect(read(reader, values.join(' ')).result).toMatchObject({
      code: 'line_columns_unexpected',
      message: expect.stringContaining('?fields='),
    });
    expect(read(createAkamaiReader(['reqTimeSec']), values.join(' ')).result).toMatchObject({
      code: 'line_columns_unexpected',
      message: expect.stringContaining('5 columns, and should have 1'),
    });
  });

  it.each(HOSTILE)('that is hostile is a reject: %s', (_, line) => {
    for (const order of [undefined, columns]) {
      expect(read(createAkamaiReader(order), line).result.kind).toBe('reject');
    }
  });
});
