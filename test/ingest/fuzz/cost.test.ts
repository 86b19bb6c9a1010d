/**
 * What texts cost that were made to cost much: twice the text may cost about twice the time, not four times.
 *
 * Times are CPU of this process, compared with each other; a quotient must fail three times in a row, and so the test
 * holds on a machine that does other things too.
 */
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
import { createNativeFormat } from '../../../ingest/formats/native.ts';
import { cmcdRoute, epasRoute } from '../../../ingest/routes.ts';
import { ingestLimits } from '../../../platform/config/config.ts';
import { clientDimensions } from '../../../schemas/catalogue/dimensions.ts';
import { cpuMsSince } from './oracles.ts';

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

const limits = ingestLimits();
const deps = { limits, dimensions: clientDimensions };
const native = createNativeFormat(deps);
const { decode: cmcd } = cmcdRoute(deps);
const { decode: epas } = epasRoute(deps);
const AT = 1_795_326_184_236;
const MEBIBYTE = 1_048_576;

/** As many as a body may have. */
function filled(piece: string, open = '', close = ''): Buffer {
  const times = Math.floor((MEBIBYTE - open.length - close.length) / (piece.length + 1));
  return Buffer.from(open + Array.from({ length: times }, () => piece).join(',') + close);
}

const quoted = Buffer.from(`"${'\\"'.repeat(3_000)}`).toString('base64');
const epasOf = (payload: object) =>
  JSON.stringify({ event: 'error', sessionId: 's', timestamp: AT, payload });
const MESSAGE = 'http://'.repeat(4_000);

describe('a body of the largest size is read within a second of CPU', () => {
  it.each<readonly [string, () => unknown]>([
    ['native: arrays in arrays', () => native(Buffer.alloc(MEBIBYTE, '['))],
    [
      'native: closed arrays in arrays',
      () => native(Buffer.from('['.repeat(MEBIBYTE / 2) + ']'.repeat(MEBIBYTE / 2))),
    ],
    ['native: beats that are none', () => native(filled('1', '[', ']'))],
    ['native: events that are none', () => native(filled('{}', '{"view":"v","events":[', ']}'))],
    ['native: keys', () => native(filled('"k":1', '{', '}'))],
    [
      'native: a name that is nearly one',
      () =>
        native(
          filled(
            `{"seq":0,"at":${AT},"type":"${'stat'.repeat(50)}"}`,
            '{"view":"v","events":[',
            ']}',
          ),
        ),
    ],
    ['CMCD: keys', () => cmcd(filled('a=1'), 'application/cmcd')],
    ['CMCD: texts without end', () => cmcd(Buffer.alloc(MEBIBYTE, 'a="b\n'), 'application/cmcd')],
    [
      'CMCD: copies of CMSD',
      () =>
        cmcd(
          Buffer.from(filled(`ts=1,cmsdd="${quoted}"`).toString().replaceAll(',ts', '\nts')),
          'application/cmcd',
        ),
    ],
    [
      'CMCD: JSON',
      () => cmcd(filled('{"ts":1,"nor":["a","b"],"ec":[1]}', '[', ']'), 'application/json'),
    ],
    ['CMCD: brackets', () => cmcd(Buffer.alloc(MEBIBYTE, '{'), 'application/json')],
    ['EPAS: events that are none', () => epas(filled('1', '[', ']'), 'application/json')],
    [
      'EPAS: messages of URLs',
      () => epas(filled(epasOf({ message: MESSAGE }), '[', ']'), 'application/json'),
    ],
    [
      'EPAS: texts of URLs',
      () => epas(filled(epasOf({ a: MESSAGE, contentUrl: MESSAGE }), '[', ']'), 'application/json'),
    ],
  ])('%s', (_, read) => {
    const before = process.cpuUsage();
    read();
    expect(cpuMsSince(before)).toBeLessThan(1_000);
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
