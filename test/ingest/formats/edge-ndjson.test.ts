import { describe, expect, it } from 'vitest';
import {
  createNdjsonReader,
  mappingNamesIn,
  type NdjsonMapping,
} from '../../../ingest/formats/edge-ndjson.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

function reader(map = '', more: Partial<NdjsonMapping> = {}) {
  const names = mappingNamesIn(map);
  if (typeof names === 'string') throw new Error(names);
  return createNdjsonReader({ names, timeUnit: 'auto', durationUnit: 'ms', cdn: '', ...more });
}

const OWN = {
  time: '2026-11-22T05:43:04.236Z',
  duration: 82,
  ttfb: 16,
  origin: 11,
  status: 206,
  bytes: 464,
  method: 'get',
  url: 'https://cdn.example/a/seg.m4s?token=secret',
  protocol: 'HTTP/2.0',
  cdn: 'mine',
  pop: 'fra1',
  country: 'de',
  asn: 'AS3320',
  cache: 'TCP_HIT',
  cmcd: 'br=469,sid="view-1"',
};

describe('a line with our own names', () => {
  it('becomes a request', () => {
    const { identity, ...request } = requestOf(reader(), OWN);
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_236,
      durationMs: 82,
      ttfbMs: 16,
      originMs: 11,
      status: 206,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: 'HTTP/2',
      cdn: 'mine',
      pop: 'fra1',
      country: 'DE',
      asn: '3320',
      cache: 'hit',
      cmcd: { br: '(469)', sid: '"view-1"' },
      notes: {},
    });
  });

  it('may say when it began instead of when it ended', () => {
    const line = { ...OWN, time: undefined, start: 1_795_326_184.154 };
    expect(requestOf(reader(), line).endAt).toBe(1_795_326_184_236);
  });

  it('has CMCD in headers, in the query, or in one field', () => {
    const { cmcd: _, ...rest } = OWN;
    expect(
      requestOf(reader(), { ...rest, cmcd_session: 'sid="h"', cmcd_object: 'br=1' }),
    ).toMatchObject({ view: 'h', cmcd: { br: '(1)' } });
    expect(requestOf(reader(), { ...rest, url: '/a', query: 'CMCD=sid%3D%22q%22' }).view).toBe('q');
  });

  it('was aborted when it says so', () => {
    const aborted = (value: unknown) => requestOf(reader(), { ...OWN, aborted: value }).aborted;
    expect([true, 1, 'true', 'yes'].map(aborted)).toEqual([true, true, true, true]);
    expect([false, 0, 'no', null, undefined].map(aborted)).toEqual(Array(5).fill(false));
  });
});

describe('a mapping', () => {
  it('names fields, paths into objects, units and the CDN', () => {
    const mapped = reader('time:ts,status:http.status,bytes:b,url:request.uri,ttfb:t.f', {
      timeUnit: 'us',
      durationUnit: 's',
      cdn: 'mine',
    });
    const line = {
      ts: 1_795_326_184_236_000,
      http: { status: 404 },
      b: '7',
      request: { uri: '/a.ts?x' },
      't.f': 0.25,
      duration: 0.5,
    };
    expect(requestOf(mapped, line)).toMatchObject({
      endAt: 1_795_326_184_236,
      status: 404,
      bytes: 7,
      path: '/a.ts',
      ttfbMs: 250,
      durationMs: 500,
      cdn: 'mine',
    });
  });

  it('is asked for in its own words when a line lacks what it names', () => {
    expect(read(reader('status:http.status'), { time: 1_795_326_184 }).result).toMatchObject({
      code: 'line_fields_missing',
      message: 'The line needs `http.status`, the status of the answer, and has nothing: log it.',
    });
  });

  it('never reaches what every object has', () => {
    const names = 'host:constructor.name,cdn:__proto__.x,pop:toString,url:http.constructor.name';
    expect(requestOf(reader(names), { time: 1_795_326_184, status: 200, http: {} })).toMatchObject({
      host: '',
      cdn: '',
      pop: '',
      path: '',
    });
  });

  it('of unknown names, or of no pairs, is told what is wrong', () => {
    expect(mappingNamesIn('')).toEqual(new Map());
    expect(mappingNamesIn('time:a:b,')).toEqual(new Map([['time', 'a:b']]));
    expect(mappingNamesIn('tme:ts')).toContain('knows no tme');
    const long = 'a.'.repeat(128);
    expect(mappingNamesIn(`time:${long}`)).toEqual(new Map([['time', long]]));
    expect(mappingNamesIn(`time:${long}b`)).toContain('more than 256 characters for time');
    expect(mappingNamesIn(`${'x'.repeat(9_999)}:b`)).toHaveLength(
      String(mappingNamesIn(`${'x'.repeat(40)}:b`)).length,
    );
    for (const text of ['time', 'time:', ':ts', 'time:a,b']) {
      expect(mappingNamesIn(text)).toEqual(expect.any(String));
    }
  });

  it.each(HOSTILE)('of a hostile line gives a reject: %s', (_, line) => {
    expect(read(reader('time:a.b.c'), line).result.kind).toBe('reject');
  });
});
