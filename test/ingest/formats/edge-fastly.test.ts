import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../../ingest/formats/edge.ts';
import { readFastlyLine } from '../../../ingest/formats/edge-fastly.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

const GOOD = {
  'time.start': 1_795_326_184.154,
  'time.elapsed.usec': 82_400,
  'time.to_first_byte': 0.016,
  'resp.status': 206,
  'resp.body_bytes_written': 464,
  'resp.completed': 1,
  'req.method': 'GET',
  'req.http.host': 'cdn.example',
  'req.url': '/a/seg.m4s?token=secret',
  'req.proto': 'HTTP/2',
  'fastly_info.state': 'HIT-CLUSTER',
  'server.datacenter': 'FRA',
  'client.geo.country_code': 'DE',
  'client.as.number': 3_320,
  'req.http.CMCD-Request': 'bl=100,su',
  'req.http.CMCD-Object': 'br=469,d=2000,ot=v',
  'req.http.CMCD-Session': 'sid="view-1"',
  'req.http.CMCD-Status': '',
};

describe('a JSON line of Fastly', () => {
  it('becomes a request', () => {
    const { identity, ...request } = requestOf(readFastlyLine, GOOD);
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_236,
      durationMs: 82,
      ttfbMs: 16,
      originMs: -1,
      status: 206,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: 'HTTP/2',
      cdn: 'fastly',
      pop: 'FRA',
      country: 'DE',
      asn: '3320',
      cache: 'hit',
      cmcd: { bl: '(100)', br: '(469)', d: '2000', ot: 'v', sid: '"view-1"', su: '?1' },
      notes: {},
    });
  });

  it('may have the names of the examples of Fastly', () => {
    const line = {
      timestamp: '2026-11-22T05:43:04+0000',
      client_ip: '203.0.113.7',
      host: 'cdn.example',
      url: '/a.ts?CMCD=sid%3D%22q%22',
      request_method: 'GET',
      request_protocol: 'HTTP/1.1',
      response_state: 'MISS',
      response_status: 200,
      response_body_size: 7,
      time_elapsed: 1_000_000,
    };
    expect(requestOf(readFastlyLine, line)).toMatchObject({
      view: 'q',
      endAt: 1_795_326_185_000,
      durationMs: 1_000,
      status: 200,
      bytes: 7,
      path: '/a.ts',
      cache: 'miss',
      method: 'GET',
    });
    const ends = { time_start: 1_795_326_184_000, time_end: 1_795_326_184_500, 'resp.status': 200 };
    expect(requestOf(readFastlyLine, ends).endAt).toBe(1_795_326_184_500);
  });

  it('in the log format of the documentation has every field, and nothing that is not read', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/edge-logs.md'), 'utf8');
    const [, format = ''] = /```\n(\{"time\.start"[^`]*)```/.exec(page) ?? [];
    const values: Readonly<Record<string, unknown>> = {
      ...GOOD,
      'time.start.sec': 1_795_326_184,
      'time.start.usec_frac': '154000',
      'resp.completed': 0,
    };
    const line = format
      .replace(/\n/g, '')
      .replace(/%\{(?:json\.escape\(|if\()?([\w.-]+)[^}]*\}V/g, (_, name: string) => {
        if (values[name] === undefined) throw new Error(`no value for ${name}`);
        return JSON.stringify(values[name]).replace(/^"|"$/g, '');
      });
    const { identity: _, ...request } = requestOf(readFastlyLine, line);
    const { identity: __, ...expected } = requestOf(readFastlyLine, GOOD);
    expect(request).toEqual({ ...expected, aborted: true });
    expect(Object.keys(JSON.parse(line)).sort()).toEqual(Object.keys(GOOD).sort());
  });

  it('was aborted when the answer was not completed', () => {
    const aborted = (completed: unknown) =>
      requestOf(readFastlyLine, { ...GOOD, 'resp.completed': completed }).aborted;
    expect([0, '0', false, 'false'].map(aborted)).toEqual([true, true, true, true]);
    expect([1, '1', true, '', '-'].map(aborted)).toEqual([false, false, false, false, false]);
  });

  it('may have the prefix of the line format classic, which is a part of its identity', () => {
    const line = `<134>2026-11-22T05:43:04Z cache-fra19138 streamgauge[62959]: ${JSON.stringify(GOOD)}`;
    const { identity, view } = requestOf(readFastlyLine, line);
    expect(view).toBe('view-1');
    expect(identity).toEqual(identityOf(Buffer.from(line)));
  });

  it('may be combined, of the CDN fastly', () => {
    const line = '203.0.113.7 "-" "-" [22/Nov/2026:05:43:04 +0000] "GET /a.ts HTTP/1.1" 200 7';
    expect(requestOf(readFastlyLine, line)).toMatchObject({
      cdn: 'fastly',
      path: '/a.ts',
      bytes: 7,
      endAt: 1_795_326_184_000,
    });
  });

  it('without a time or a status is rejected, and a preflight is none', () => {
    for (const name of ['time.start', 'resp.status']) {
      expect(read(readFastlyLine, { ...GOOD, [name]: 'x' }).result).toMatchObject({
        code: 'line_fields_missing',
        message: expect.stringContaining(`\`${name}\``),
      });
    }
    expect(read(readFastlyLine, { ...GOOD, 'req.method': 'OPTIONS' }).result.kind).toBe(
      'preflight',
    );
    expect(read(readFastlyLine, '{"req.url":"\\"}').result).toMatchObject({
      code: 'line_not_json',
    });
  });

  it.each(HOSTILE)('that is hostile is a reject: %s', (_, line) => {
    expect(read(readFastlyLine, line).result.kind).toBe('reject');
  });
});
