import { describe, expect, it } from 'vitest';
import { identityOf } from '../../../ingest/formats/edge.ts';
import { readFastlyLine } from '../../../ingest/formats/edge-fastly.ts';
import { createNginxReader } from '../../../ingest/formats/edge-nginx.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

const nginx = createNginxReader('own');
const LINE =
  '203.0.113.7 - alice [22/Nov/2026:05:43:04 +0000] "GET /a/seg.m4s?token=secret&CMCD=br%3D469%2Csid%3D%22view-1%22 HTTP/2.0" 206 464 "https://player.example/" "Mozilla/5.0 (X11)"';

describe('a combined line', () => {
  it('becomes a request; its address, user, referrer and agent are not stored', () => {
    const { identity, ...request } = requestOf(nginx, LINE);
    expect(request).toEqual({
      view: 'view-1',
      endAt: 1_795_326_184_000,
      durationMs: -1,
      ttfbMs: -1,
      originMs: -1,
      status: 206,
      bytes: 464,
      aborted: false,
      method: 'GET',
      host: '',
      path: '/a/seg.m4s',
      protocol: 'HTTP/2',
      cdn: 'own',
      pop: '',
      country: '',
      asn: '',
      cache: '',
      cmcd: { br: '(469)', sid: '"view-1"' },
      notes: {},
    });
    expect(identity).toEqual(identityOf(Buffer.from(LINE)));
    expect(JSON.stringify(request)).not.toMatch(/203\.0|alice|secret|Mozilla|player\.example/);
  });

  it('may be common, have columns after it, or the name of the server before it', () => {
    const common = '::1 - - [22/Nov/2026:05:43:04 +0000] "GET /a.ts HTTP/1.1" 200 7';
    for (const line of [common, `${common} 0.017 "HIT"`, `www.example:443 ${common}`]) {
      expect(requestOf(nginx, line)).toMatchObject({ path: '/a.ts', status: 200, bytes: 7 });
    }
  });

  it('may say nothing by a dash, and has its escapes undone', () => {
    const line = (request: string) => `- - - [22/Nov/2026:05:43:04 +0000] "${request}" 200 -`;
    expect(requestOf(nginx, line('GET /a\\x22\\xC3\\xBC.ts HTTP/1.1'))).toMatchObject({
      path: '/a%22%C3%BC.ts',
      bytes: -1,
    });
    expect(requestOf(nginx, line('GET /a?CMCD=sid=\\x22q\\x22 HTTP/1.1')).view).toBe('q');
    expect(requestOf(nginx, line('GET /a?CMCD=sid=\\"q\\" HTTP/1.1')).view).toBe('q');
    expect(requestOf(nginx, line('\\x16\\x03'))).toMatchObject({ method: '', path: '' });
    expect(requestOf(nginx, line('-'))).toMatchObject({ method: '', path: '' });
    expect(read(nginx, line('OPTIONS /a HTTP/1.1')).result.kind).toBe('preflight');
  });

  it('of a client that left was aborted', () => {
    const line = (status: string) =>
      `- - - [22/Nov/2026:05:43:04 +0000] "GET / HTTP/1.1" ${status} 0`;
    expect(requestOf(nginx, line('499')).aborted).toBe(true);
    expect(requestOf(nginx, line('000'))).toMatchObject({ aborted: true, status: 0 });
    expect(requestOf(nginx, line('404')).aborted).toBe(false);
  });

  it('without a time or a status is rejected, and one of another shape too', () => {
    expect(read(nginx, LINE.replace('22/Nov/2026:05:43:04 +0000', 'today')).result).toMatchObject({
      kind: 'reject',
      code: 'line_fields_missing',
      message: expect.stringContaining('"today"'),
    });
    expect(read(nginx, LINE.replace(' 206 ', ' - ')).result).toMatchObject({
      code: 'line_fields_missing',
    });
    for (const line of [LINE.replace('"', ''), LINE.slice(0, 60), 'GET /', LINE.replace('[', '')]) {
      expect(read(nginx, line).result).toMatchObject({ kind: 'reject', code: 'line_malformed' });
    }
  });

  it.each(HOSTILE)('that is hostile is a reject: %s', (_, line) => {
    for (const reader of [nginx, readFastlyLine]) {
      expect(read(reader, line).result.kind).toBe('reject');
    }
  });
});
