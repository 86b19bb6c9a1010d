/**
 * What texts cost that were made to cost much: twice the text may cost about twice the time, not four times.
 *
 * Times are CPU of this process, compared with each other; a quotient must fail three times in a row, and so the test
 * holds on a machine that does other things too.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { withCoarseAddresses } from '../../../ingest/enrichment/addresses.ts';
import { cdnOfHost } from '../../../ingest/enrichment/cdn.ts';
import { brandsOf, NO_HINTS } from '../../../ingest/enrichment/client-hints.ts';
import { matches } from '../../../ingest/enrichment/rules.ts';
import { readUserAgent } from '../../../ingest/enrichment/user-agent.ts';
import { claimParts } from '../../../ingest/formats/cmcd-claims.ts';
import { parseCmcd, parseCmcdJson } from '../../../ingest/formats/cmcd-record.ts';
import { cleanUrl, withoutQueries } from '../../../ingest/formats/cmcd-request.ts';
import { edgeTarget, isTokenName } from '../../../ingest/formats/edge.ts';
import { createAkamaiReader } from '../../../ingest/formats/edge-akamai.ts';
import { readCloudflareLine } from '../../../ingest/formats/edge-cloudflare.ts';
import { createCloudfrontReader } from '../../../ingest/formats/edge-cloudfront.ts';
import { readFastlyLine } from '../../../ingest/formats/edge-fastly.ts';
import { createNdjsonReader, mappingNamesIn } from '../../../ingest/formats/edge-ndjson.ts';
import { readNginxLine } from '../../../ingest/formats/edge-nginx.ts';
import { redactedLine } from '../../../ingest/formats/edge-redact.ts';
import { clockIn, numberOf, percentDecoded } from '../../../ingest/formats/edge-values.ts';
import { ingestLimits } from '../../../platform/config/config.ts';
import { cpuMsSince } from './oracles.ts';
import { fuzzTarget } from './target.ts';

const scope = { stringLengthMax: 1_024, note: () => undefined };

type Reader = (text: string) => unknown;

const lineOf =
  (read: (line: Buffer, scopeOf: typeof scope) => unknown): Reader =>
  (text) =>
    read(Buffer.from(text), scope);

function cmsd(text: string): unknown {
  const read = parseCmcd(`cmsdd="${Buffer.from(text).toString('base64')}"`);
  return 'record' in read ? claimParts(read.record) : undefined;
}

const READERS: readonly (readonly [string, Reader])[] = [
  ['redacted line', lineOf(redactedLine)],
  ['coarse addresses', lineOf(withCoarseAddresses)],
  ['user agent', (text) => readUserAgent(text, { ...NO_HINTS, brands: text.slice(0, 512) })],
  ['brands', brandsOf],
  ['CMSD', cmsd],
  ['CMCD', parseCmcd],
  ['CMCD as JSON', (text) => parseCmcdJson(`{"sid":${JSON.stringify(text)}}`)],
  ['clean URL', cleanUrl],
  ['message with URLs', withoutQueries],
  ['target of an edge', edgeTarget],
  ['name of a token', isTokenName],
  ['host', (text) => cdnOfHost(text, new Map())],
  ['rule', (text) => matches(text, '*a*a=*:*"*b')],
  ['time', (text) => [clockIn(text, 'auto'), clockIn(`2026-11-22T${text}`, 'auto')]],
  ['number', (text) => [numberOf(text, 9), numberOf(`1${text}`, 9)]],
  ['percent sequences', percentDecoded],
  ['nginx', lineOf(readNginxLine)],
  ['nginx, combined', (text) => lineOf(readNginxLine)(`- [22/Nov/2026:05:43:04 +0000] "${text}`)],
  ['CloudFront', lineOf(createCloudfrontReader())],
  ['CloudFront, fields', (text) => lineOf(createCloudfrontReader())(`#Fields: ${text}`)],
  ['Fastly', lineOf(readFastlyLine)],
  ['Fastly, syslog', (text) => lineOf(readFastlyLine)(`<134>${text}`)],
  ['Akamai', lineOf(createAkamaiReader(['a', 'b']))],
  [
    'Cloudflare',
    (text) => lineOf(readCloudflareLine)(`{"ClientRequestURI":${JSON.stringify(text)}}`),
  ],
];

/** Pieces that, repeated, make expressions go back: each alone, after an opening, before a wrong end. */
const PIECES: readonly string[] = [
  ...[
    'a',
    ' ',
    '\t',
    '"',
    "'",
    '\\',
    '\\"',
    '"\\',
    '[',
    '(',
    '{',
    '<',
    ',',
    ';',
    '=',
    '%',
    '/',
    '.',
    ':',
  ],
  ...[
    'a=',
    'a.',
    '1.',
    ':a',
    '::',
    'f:',
    'eyJ',
    'eyJa.',
    'eyJa.b.',
    '%25',
    '%253d',
    '%3d',
    'token=',
  ],
  ...[
    'http://',
    '://',
    '//@',
    '?a=',
    '/a;',
    '&~',
    '\\u0026',
    '\\u003d',
    '1.1.1.1',
    'a b',
    '""',
    '";v="',
  ],
  ...[
    'Android 1; ',
    'Mozilla/5.0 (',
    'HbbTV/1 (;',
    'VIDAA/1(',
    '; KF',
    'AFT',
    'GET / ',
    '*a',
    '-',
    '\ud800',
  ],
];
const LENGTH = 8_000;

function textsOf(length: number): string[] {
  return PIECES.map((piece) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length));
}

function cpuMsOf(read: Reader, text: string): number {
  const before = process.cpuUsage();
  read(text);
  return cpuMsSince(before);
}

/** Cheaper than this at four times the length, nothing can be told from a quotient, and nothing is wrong. */
const CHEAP_MS = 12;
/** Of four times the text: linear is 4, the square is 16. */
const QUOTIENT_MAX = 10;

function growsBeyond(read: Reader, small: string, large: string): boolean {
  for (let attempt = 0; attempt < 3; attempt++) {
    const largeMs = cpuMsOf(read, large);
    if (largeMs < CHEAP_MS) return false;
    if (largeMs <= QUOTIENT_MAX * Math.max(cpuMsOf(read, small), 0.2)) return false;
  }
  return true;
}

describe('the cost of a text', () => {
  it.each(READERS)('grows no faster than the text: %s', (_, read) => {
    const small = textsOf(LENGTH);
    const large = textsOf(4 * LENGTH);
    const steep = PIECES.filter((_piece, index) =>
      growsBeyond(read, small[index] ?? '', large[index] ?? ''),
    );
    expect(steep).toEqual([]);
  });
});

/** A quarter of the limit, so that the second also holds on a machine that is slower or busy. */
const BODY_BYTES = ingestLimits().decompressedBytesMax / 4;
const AT = 1_795_326_184_236;

/** A piece as often as it fits. */
function filled(piece: string, between = ',', open = '', close = ''): Buffer {
  const unit = piece + between;
  const room = BODY_BYTES - open.length - piece.length - close.length;
  const units = Buffer.alloc(room - (room % unit.length), unit);
  return Buffer.concat([Buffer.from(open), units, Buffer.from(piece + close)]);
}

const BEATS = '/v1/beats?key=dev';
const CMCD = '/v1/cmcd?key=dev';
const EPAS = '/v1/epas?key=dev';
const EVENTS = ['{"view":"v","events":[', ']}'] as const;
const LIST = ['[', ']'] as const;
const quoted = Buffer.from(`"${'\\"'.repeat(3_000)}`).toString('base64');
const badEvent = `{"seq":0,"at":${AT},"type":"${'stat'.repeat(50)}"}`;
const goodEvent = `{"seq":0,"at":${AT},"type":"error","message":"${'a://'.repeat(2_000)}"}`;
const epasOf = (payload: object) =>
  JSON.stringify({ event: 'error', sessionId: 's', timestamp: AT, payload });
const URLS = 'http://'.repeat(4_000);

const HEAVY: readonly (readonly [string, string, () => Buffer])[] = [
  ['native: arrays in arrays', BEATS, () => Buffer.alloc(BODY_BYTES, '[')],
  ['native: beats that are none', BEATS, () => filled('1', ',', ...LIST)],
  ['native: empty beats', BEATS, () => filled('{"view":"v","events":[{}]}', ',', ...LIST)],
  ['native: events that are none', BEATS, () => filled('{}', ',', ...EVENTS)],
  ['native: keys', BEATS, () => filled('"k":1', ',', '{', '}')],
  ['native: types that are nearly one', BEATS, () => filled(badEvent, ',', ...EVENTS)],
  ['native: messages of URLs', BEATS, () => filled(goodEvent, ',', ...EVENTS)],
  ['native: viewers', BEATS, () => filled('{"viewer_id":"a"}', ',', ...EVENTS)],
  ['CMCD: keys', CMCD, () => filled('a=1')],
  ['CMCD: lines of keys', CMCD, () => filled('a=1,b=(1 2),c="x"', '\n')],
  ['CMCD: texts without end', CMCD, () => filled('a="b', '\n')],
  ['CMCD: copies of CMSD', CMCD, () => filled(`ts=1,cmsdd="${quoted}"`, '\n')],
  ['CMCD: views', CMCD, () => filled('ts=1,sid="v"', '\n')],
  ['CMCD: JSON', CMCD, () => filled('{"ts":1,"nor":["a","b"],"ec":[1]}', ',', ...LIST)],
  ['CMCD: brackets', CMCD, () => Buffer.alloc(BODY_BYTES, '{')],
  ['EPAS: events that are none', EPAS, () => filled('1', ',', ...LIST)],
  ['EPAS: messages of URLs', EPAS, () => filled(epasOf({ message: URLS }), ',', ...LIST)],
  ['EPAS: texts of URLs', EPAS, () => filled(epasOf({ a: URLS, contentUrl: URLS }), ',', ...LIST)],
];

describe('a large body is answered within a second of CPU', () => {
  it.each(HEAVY)('%s', async (_, url, bodyOf) => {
    const { send } = await fuzzTarget();
    const type = url === CMCD ? 'text/cmcd' : 'application/json';
    const headers = { 'content-type': type, 'content-encoding': 'gzip' };
    const { statusCode } = await send({ url, headers, body: gzipSync(bodyOf(), { level: 1 }) });
    expect(statusCode).toBeLessThan(500);
  });

  it('a chunk of short lines, whatever the mapping names', () => {
    const names = mappingNamesIn(`time:${'a.'.repeat(128)}`);
    if (typeof names === 'string') throw new Error(names);
    const read = createNdjsonReader({ names, timeUnit: 'auto', durationUnit: 'ms', cdn: '' });
    const line = Buffer.from('{}');
    const before = process.cpuUsage();
    for (let lines = 0; lines < 65_536 / 3; lines++) read(line, scope);
    expect(cpuMsSince(before)).toBeLessThan(1_000);
  });
});
