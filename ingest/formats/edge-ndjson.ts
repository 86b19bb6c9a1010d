/**
 * JSON lines of any other edge, by a mapping of its fields that the sender gives in the URL:
 *
 *   ?map=time:ts,status:http.status,bytes:b,url:u&time_unit=ms&duration_unit=us&cdn=mine
 *
 * Guarantees: as in `edge.ts`. What the mapping leaves out is looked for under our own name. A field with dots is a
 * field of that very name, else a path into objects. A mapping that cannot be is refused before the body is read.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { EdgeLineReader, EdgeScope } from './edge.ts';
import { deepFieldOf, type FieldPath, fieldPath, objectOf } from './edge-fields.ts';
import { cmcdHeadersOf, type EdgeSaid, edgeLine, notJson, UNSAID } from './edge-request.ts';
import { bytesIn, clockIn, durationIn, type TimeUnit } from './edge-values.ts';
import { cutText } from './native-values.ts';

/** Our names. */
export const NDJSON_NAMES = [
  'time',
  'start',
  'duration',
  'ttfb',
  'origin',
  'status',
  'bytes',
  'method',
  'url',
  'query',
  'host',
  'protocol',
  'cdn',
  'pop',
  'country',
  'asn',
  'client',
  'cache',
  'aborted',
  'cmcd',
  'cmcd_object',
  'cmcd_request',
  'cmcd_session',
  'cmcd_status',
] as const;

export type NdjsonName = (typeof NDJSON_NAMES)[number];

export interface NdjsonMapping {
  /** Our name → the edge's. */
  readonly names: ReadonlyMap<NdjsonName, string>;
  readonly timeUnit: TimeUnit | 'auto';
  readonly durationUnit: TimeUnit;
  /** The CDN of lines that do not say theirs. */
  readonly cdn: string;
}

/** Makes the reader of one body. */
export function createNdjsonReader(mapping: NdjsonMapping): EdgeLineReader {
  const paths = Object.fromEntries(
    NDJSON_NAMES.map((name) => [name, fieldPath(mapping.names.get(name) ?? name)]),
  ) as Readonly<Record<NdjsonName, FieldPath>>;
  const needs = {
    time: [paths.time.name, 'the end of the request'],
    status: paths.status.name,
  } as const;
  return (line, scope) => {
    const object = objectOf(textOfBytes(line));
    if (object === undefined) return notJson('send one object in each line');
    const said = saidOf((name) => deepFieldOf(object, paths[name]), mapping, scope);
    return edgeLine(line, said, needs, scope);
  };
}

function saidOf(
  fields: (name: NdjsonName) => string,
  { timeUnit, durationUnit, cdn }: NdjsonMapping,
  scope: EdgeScope,
): EdgeSaid {
  const ms = (name: NdjsonName) => durationIn(fields(name), durationUnit, scope);
  const durationMs = ms('duration');
  const start = clockIn(fields('start'), timeUnit);
  const startEnd = start === undefined ? undefined : start.atMs + Math.max(durationMs, 0);
  return {
    ...UNSAID,
    endAt: clockIn(fields('time'), timeUnit)?.atMs ?? startEnd,
    time: fields('time') || fields('start'),
    status: fields('status'),
    durationMs,
    ttfbMs: ms('ttfb'),
    originMs: ms('origin'),
    bytes: bytesIn([fields('bytes')], scope),
    aborted: /^(?:1|true|yes)$/i.test(fields('aborted')),
    method: fields('method').toUpperCase(),
    host: fields('host'),
    target: fields('url'),
    query: fields('query'),
    protocol: fields('protocol'),
    cdn: fields('cdn') || cdn,
    pop: fields('pop'),
    country: fields('country'),
    clientAddress: fields('client'),
    asn: fields('asn'),
    cache: fields('cache'),
    cmcd: {
      headers: cmcdHeadersOf((header) => fields(`cmcd_${header}` as NdjsonName)),
      text: fields('cmcd'),
    },
  };
}

/** Messages of rejects name the field. */
const FIELD_LENGTH_MAX = 256;

/** Reads the `map` parameter; a text says what is wrong with it. */
export function mappingNamesIn(text: string): ReadonlyMap<NdjsonName, string> | string {
  const names = new Map<NdjsonName, string>();
  for (const pair of text.split(',')) {
    if (pair === '') continue;
    const colon = pair.indexOf(':');
    const ours = pair.slice(0, Math.max(colon, 0)).trim();
    const theirs = pair.slice(colon + 1).trim();
    const name = NDJSON_NAMES.find((known) => known === ours);
    if (colon < 0 || theirs === '')
      return `\`map\` needs pairs NAME:FIELD with commas between them`;
    if (name === undefined)
      return `\`map\` knows no ${cutText(ours, 40)}, only ${NDJSON_NAMES.join(', ')}`;
    if (theirs.length > FIELD_LENGTH_MAX) {
      return `\`map\` has a field of more than ${FIELD_LENGTH_MAX} characters for ${name}`;
    }
    names.set(name, theirs);
  }
  return names;
}
