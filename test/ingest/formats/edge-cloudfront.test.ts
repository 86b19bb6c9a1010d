import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EdgeLineReader } from '../../../ingest/formats/edge.ts';
import { createCloudfrontReader } from '../../../ingest/formats/edge-cloudfront.ts';
import {
  CMCD_COLUMNS,
  REALTIME_COLUMNS,
  REALTIME_COLUMNS_BEFORE_S_IP,
  STANDARD_COLUMNS,
} from '../../../ingest/formats/edge-cloudfront-columns.ts';
import { HOSTILE, read, requestOf } from './edge-reading.ts';

const REALTIME: Readonly<Record<string, string>> = {
  timestamp: '1795326184.236',
  'c-ip': '203.0.113.7',
  's-ip': '198.51.100.1',
  'time-to-first-byte': '0.016',
  'sc-status': '206',
  'sc-bytes': '1024',
  'cs-method': 'GET',
  'cs-protocol': 'https',
  'cs-host': 'CDN.example',
  'cs-uri-stem': '/a/seg.m4s?token=secret',
  'x-edge-location': 'DFW55-P3',
  'x-host-header': 'd111111abcdef8.cloudfront.net',
  'time-taken': '0.082',
  'cs-protocol-version': 'HTTP/2.0',
  'cs-user-agent': 'Mozilla/5.0%20(X11)',
  'cs-uri-query': 'token=secret',
  'x-edge-response-result-type': 'Hit',
  'x-edge-result-type': 'Hit',
  'sc-range-start': '0',
  'sc-range-end': '499',
  'x-edge-detailed-result-type': 'Hit',
  'c-country': 'US',
  'origin-fbl': '0.011',
  'origin-lbl': '0.014',
  asn: '7018',
};

const CMCD: Readonly<Record<string, string>> = {
  'cmcd-encoded-bitrate': '469',
  'cmcd-buffer-length': '21300',
  'cmcd-buffer-starvation': 'true',
  'cmcd-content-id': 'faec5fc2-ac30',
  'cmcd-object-duration': '4004',
  'cmcd-deadline': '15000',
  'cmcd-measured-throughput': '25400',
  'cmcd-next-object-request': '..%2F300kbps%2Ftrack.m4v',
  'cmcd-next-range-request': '12323-48763',
  'cmcd-object-type': 'v',
  'cmcd-playback-rate': '1.08',
  'cmcd-requested-maximum-throughput': '12000',
  'cmcd-streaming-format': 'd',
  'cmcd-session-id': '6e2fb550-c457',
  'cmcd-stream-type': 'v',
  'cmcd-startup': '1',
  'cmcd-top-bitrate': '6000',
  'cmcd-version': '1',
};

function realtime(more: Readonly<Record<string, string>> = {}, columns = REALTIME_COLUMNS): string {
  const values = { ...REALTIME, ...more };
  return columns.map((name) => values[name as keyof typeof values] ?? '-').join('\t');
}

const reader = createCloudfrontReader();

describe('a real-time record of CloudFront', () => {
  it('becomes a request', () => {
    const { identity, ...request } = requestOf(reader, realtime());
    expect(identity).toHaveLength(8);
    expect(request).toEqual({
      view: '',
      endAt: 1_795_326_184_236,
      durationMs: 82,
      ttfbMs: 16,
      originMs: 11,
      status: 206,
      bytes: 1_024,
      aborted: false,
      method: 'GET',
      host: 'cdn.example',
      path: '/a/seg.m4s',
      protocol: 'HTTP/2',
      cdn: 'cloudfront',
      pop: 'DFW55-P3',
      country: 'US',
      asn: '7018',
      cache: 'hit',
      cmcd: {},
      notes: {},
    });
  });

  it('has CMCD in eighteen columns', () => {
    expect(Object.keys(CMCD_COLUMNS)).toHaveLength(18);
    expect(requestOf(reader, realtime(CMCD))).toMatchObject({
      view: '6e2fb550-c457',
      notes: {},
      cmcd: {
        bl: '(21300)',
        br: '(469)',
        bs: '?1',
        cid: '"faec5fc2-ac30"',
        d: '4004',
        dl: '15000',
        mtp: '(25400)',
        nor: '("../300kbps/track.m4v")',
        nrr: '"12323-48763"',
        ot: 'v',
        pr: '1.08',
        rtp: '12000',
        sf: 'd',
        sid: '"6e2fb550-c457"',
        st: 'v',
        su: '?1',
        tb: '(6000)',
        v: '1',
      },
    });
  });

  it('may quote its texts, deny its flags, and have nothing in a column', () => {
    const more = { ...CMCD, 'cmcd-session-id': '%22q%22', 'cmcd-startup': 'false' };
    const { view, cmcd } = requestOf(reader, realtime({ ...more, 'cmcd-buffer-starvation': '-' }));
    expect(view).toBe('q');
    expect(cmcd).not.toHaveProperty('su');
    expect(cmcd).not.toHaveProperty('bs');
    const odd = requestOf(reader, realtime({ ...CMCD, 'cmcd-encoded-bitrate': 'fast' }));
    expect(odd.notes).toEqual({ value_dropped: 1 });
    expect(odd.view).toBe('6e2fb550-c457');
  });

  it('has the CMCD of its query first, encoded once or twice', () => {
    const query = 'CMCD=br%3D800%2Csid%3D%22q%22';
    for (const text of [query, query.replaceAll('%', '%25')]) {
      const record = realtime({ ...CMCD, 'cs-uri-stem': '/a.m4s', 'cs-uri-query': text });
      expect(requestOf(reader, record)).toMatchObject({
        view: 'q',
        cmcd: { br: '(800)', sid: '"q"' },
        notes: {},
      });
    }
    expect(requestOf(reader, realtime({ 'cs-uri-stem': `/a?${query}` })).view).toBe('q');
  });

  it('of all fields may be from before some of them', () => {
    const old = realtime(CMCD, REALTIME_COLUMNS_BEFORE_S_IP);
    const first = realtime(CMCD, REALTIME_COLUMNS.slice(0, REALTIME_COLUMNS.indexOf('r-host')));
    for (const record of [old, first, `${realtime(CMCD)}\t`]) {
      expect(requestOf(reader, record)).toMatchObject({ view: '6e2fb550-c457', ttfbMs: 16 });
    }
  });

  it('of chosen fields has their order from the sender', () => {
    const columns = ['timestamp', 'sc-status', 'cs-uri-stem', 'cmcd-session-id'];
    const chosen = createCloudfrontReader(columns);
    expect(requestOf(chosen, realtime(CMCD, columns))).toMatchObject({
      endAt: 1_795_326_184_236,
      path: '/a/seg.m4s',
      view: '6e2fb550-c457',
      bytes: -1,
    });
    expect(read(reader, realtime(CMCD, columns)).result).toMatchObject({
      code: 'line_columns_unexpected',
      message: expect.stringContaining('?fields='),
    });
    expect(read(chosen, realtime(CMCD)).result).toMatchObject({
      code: 'line_columns_unexpected',
      message: 'The line has 69 columns, and should have 4: name the fields that it has, in order.',
    });
  });

  it('tells by its result types that the client left', () => {
    const aborted = (more: Record<string, string>) => requestOf(reader, realtime(more)).aborted;
    expect(aborted({ 'x-edge-result-type': 'Error' })).toBe(true);
    expect(aborted({ 'x-edge-detailed-result-type': 'ClientCommError' })).toBe(true);
    expect(aborted({ 'sc-status': '000' })).toBe(true);
    const failed = { 'x-edge-result-type': 'Error', 'x-edge-response-result-type': 'Error' };
    expect(aborted({ ...failed, 'sc-status': '404' })).toBe(false);
    const left = requestOf(reader, realtime({ 'x-edge-result-type': 'Error' }));
    expect(left.cache).toBe('hit');
  });

  it('without a time or a status is rejected', () => {
    for (const name of ['timestamp', 'sc-status']) {
      for (const text of ['-', 'x', '-5']) {
        expect(read(reader, realtime({ [name]: text })).result).toMatchObject({
          kind: 'reject',
          code: 'line_fields_missing',
          message: expect.stringContaining(`\`${name}\``),
        });
      }
    }
    expect(read(reader, realtime({ 'cs-method': 'OPTIONS' })).result.kind).toBe('preflight');
  });
});

const HEAD = ['#Version: 1.0', `#Fields: ${STANDARD_COLUMNS.join(' ')}`];
const STANDARD: Readonly<Record<string, string>> = {
  ...REALTIME,
  date: '2026-11-22',
  time: '05:43:04',
  'cs(Host)': 'd111111abcdef8.cloudfront.net',
  'x-host-header': 'cdn.example',
  'cs-uri-stem': '/a%2520b/seg.m4s',
  'cs-uri-query': 'token=secret&CMCD=br%253D469%252Csid%253D%2522view-1%2522',
};

function standard(columns = STANDARD_COLUMNS, more: Readonly<Record<string, string>> = {}): string {
  const values = { ...STANDARD, ...more };
  return columns.map((name) => values[name as keyof typeof values] ?? '-').join('\t');
}

function readAll(lines: readonly string[], from: EdgeLineReader = createCloudfrontReader()) {
  return lines.map((line) => read(from, line).result);
}

describe('a standard log of CloudFront', () => {
  it('becomes requests; its header is none', () => {
    const [version, fields, request] = readAll([...HEAD, standard()]);
    expect([version?.kind, fields?.kind]).toEqual(['nothing', 'nothing']);
    expect(request).toMatchObject({
      kind: 'request',
      view: 'view-1',
      request: {
        endAt: 1_795_326_184_000,
        durationMs: 82,
        ttfbMs: 16,
        status: 206,
        bytes: 1_024,
        host: 'cdn.example',
        path: '/a%20b/seg.m4s',
        protocol: 'HTTP/2',
        cdn: 'cloudfront',
        pop: 'DFW55-P3',
        cache: 'hit',
      },
    });
  });

  it('is read by its header, and by the next one', () => {
    const first = ['date', 'time', 'sc-status', 'sc-bytes'];
    const second = ['sc-bytes', 'sc-status', 'time', 'date'];
    const lines = [first, second].flatMap((columns) => [
      `#Fields: ${columns.join(' ')}`,
      standard(columns),
    ]);
    const [, one, , two] = readAll(lines);
    for (const result of [one, two]) {
      expect(result).toMatchObject({ kind: 'request', request: { status: 206, bytes: 1_024 } });
    }
    expect(readAll([...HEAD, standard(first)])[2]).toMatchObject({
      code: 'line_columns_unexpected',
    });
  });

  it('without a header has the usual columns, and remembers nothing of another body', () => {
    expect(readAll([standard()])[0]?.kind).toBe('request');
    expect(readAll([standard([...STANDARD_COLUMNS, 'cs-new'])])[0]?.kind).toBe('request');
    expect(readAll([standard(STANDARD_COLUMNS.slice(0, 9))])[0]?.kind).toBe('reject');
    readAll(['#Fields: sc-status date time', standard(['sc-status', 'date', 'time'])]);
    expect(readAll([standard(['sc-status', 'date', 'time'])])[0]?.kind).toBe('reject');
  });

  it('may be JSON', () => {
    const { date, time, ...rest } = STANDARD;
    const json = { ...rest, date, time, 'cs-uri-stem': '/a.m4s', 'cs-uri-query': '-' };
    expect(requestOf(reader, json)).toMatchObject({ status: 206, path: '/a.m4s', ttfbMs: 16 });
    const clock = { 'timestamp(ms)': '1795326184236', 'sc-status': 200 };
    expect(requestOf(reader, clock)).toMatchObject({ endAt: 1_795_326_184_236, status: 200 });
    expect(read(reader, '{"sc-status":').result).toMatchObject({ code: 'line_not_json' });
  });

  it('with a header of strange names reads nothing from them', () => {
    const strange = createCloudfrontReader();
    read(strange, '#Fields: __proto__ constructor date time sc-status');
    expect(requestOf(strange, 'x\ty\t2026-11-22\t05:43:04\t200')).toMatchObject({ status: 200 });
    read(strange, `#Fields: ${'a '.repeat(20_000)}`);
    expect(read(strange, 'x').result.kind).toBe('reject');
  });

  it.each(HOSTILE)('that is hostile is a reject: %s', (_, line) => {
    for (const order of [undefined, ['timestamp', 'sc-status']]) {
      expect(read(createCloudfrontReader(order), line).result.kind).toBe('reject');
    }
  });

  it('never throws, and leaves only whole numbers', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('-', '', '1', '%', '0.1'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 69, maxLength: 69 }), (columns) => {
        const line = ['1795326184', ...columns.slice(1)].join('\t');
        const { result } = read(createCloudfrontReader(), line);
        if (result.kind !== 'request') return;
        const { endAt, durationMs, ttfbMs, originMs, bytes } = result.request;
        for (const number of [endAt, durationMs, ttfbMs, originMs, bytes]) {
          expect(Number.isSafeInteger(number)).toBe(true);
        }
      }),
    );
  });
});
