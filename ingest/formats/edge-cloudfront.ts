/**
 * Amazon CloudFront: real-time records, standard log files (W3C) and standard logging as JSON lines.
 *
 * Fields, units and escapes: docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/real-time-logs.html and
 * …/standard-logs-reference.html. Guarantees: as in `edge.ts`. The lines themselves tell the formats apart. A `#Fields`
 * line gives the order of those after it; the reader of a body remembers it, and nothing else.
 *
 * Times are in s, bytes are those sent, headers included. Standard logs percent-encode each value once more than the
 * request had it; real-time records have the query in `cs-uri-stem` too.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { CmcdSources, EdgeLine, EdgeLineReader, EdgeScope } from './edge.ts';
import {
  CMCD_COLUMNS,
  REALTIME_COLUMNS,
  REALTIME_COLUMNS_BEFORE_S_IP,
  REALTIME_COLUMNS_MIN,
  STANDARD_COLUMNS,
} from './edge-cloudfront-columns.ts';
import {
  type ColumnOrder,
  columnOrder,
  columnsOf,
  type FieldReader,
  fieldsOf,
  firstOf,
  objectOf,
} from './edge-fields.ts';
import { type EdgeSaid, edgeLine, notJson, UNSAID } from './edge-request.ts';
import { bytesIn, clockIn, durationIn, percentDecoded } from './edge-values.ts';

const NEEDS = {
  time: ['timestamp', 'the end of the request (or `date` and `time`)'],
  status: 'sc-status',
} as const;

const REALTIME = columnOrder(REALTIME_COLUMNS);
const REALTIME_BEFORE_S_IP = columnOrder(REALTIME_COLUMNS_BEFORE_S_IP);
const STANDARD = columnOrder(STANDARD_COLUMNS);
const FIELDS_DIRECTIVE = /^#Fields:\s*/i;
const COLUMNS_MAX = 256;

/** Makes the reader of one body. `chosen` is the order of its columns where the operator has said it. */
export function createCloudfrontReader(chosen?: readonly string[]): EdgeLineReader {
  const given = chosen === undefined ? undefined : columnOrder(chosen);
  let headed: ColumnOrder | undefined;
  return (line, scope) => {
    const text = textOfBytes(line);
    if (text.startsWith('#')) {
      if (FIELDS_DIRECTIVE.test(text)) {
        headed = columnOrder(text.replace(FIELDS_DIRECTIVE, '').trim().split(/\s+/, COLUMNS_MAX));
      }
      return { kind: 'nothing' };
    }
    if (text.startsWith('{')) return readJson(line, text, scope);
    return readColumns(line, text, headed ?? given, scope);
  };
}

function readJson(line: Buffer, text: string, scope: EdgeScope): EdgeLine {
  const object = objectOf(text);
  if (object === undefined) return notJson('send it whole, one object in each line');
  return edgeLine(line, saidOf(fieldsOf(object), scope), NEEDS, scope);
}

function readColumns(
  line: Buffer,
  text: string,
  order: ColumnOrder | undefined,
  scope: EdgeScope,
): EdgeLine {
  const columns = text.split('\t', COLUMNS_MAX);
  // A record of a Kinesis stream ends with a tab.
  if (columns.at(-1) === '') columns.pop();
  const known = order ?? usualOrder(columns);
  if (known === undefined || (order !== undefined && columns.length !== order.size)) {
    return unexpected(columns.length, order?.size);
  }
  const standard = known.has('date');
  const fields = columnsOf(columns, known, standard ? percentDecoded : undefined);
  return edgeLine(line, saidOf(fields, scope), NEEDS, scope);
}

/** The order of a line of which nobody has said it: one with all fields. */
function usualOrder(columns: readonly string[]): ColumnOrder | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(columns[0] ?? '')) {
    return columns.length >= STANDARD_COLUMNS.length ? STANDARD : undefined;
  }
  if (columns.length === REALTIME_COLUMNS_MIN) return REALTIME_BEFORE_S_IP;
  const fits = columns.length > REALTIME_COLUMNS_MIN && columns.length <= REALTIME_COLUMNS.length;
  return fits ? REALTIME : undefined;
}

function unexpected(count: number, expected: number | undefined): EdgeLine {
  const wanted =
    expected === undefined
      ? 'fits no log with all fields: name its fields in order, `?fields=timestamp,sc-status,…`'
      : `should have ${expected}: name the fields that it has, in order`;
  const message = `The line has ${count} columns, and ${wanted}.`;
  return { kind: 'reject', code: 'line_columns_unexpected', message };
}

function saidOf(fields: FieldReader, scope: EdgeScope): EdgeSaid {
  const end = endOf(fields);
  return {
    ...UNSAID,
    endAt: clockIn(end, 'auto')?.atMs,
    time: end,
    status: fields('sc-status'),
    durationMs: durationIn(fields('time-taken'), 's', scope),
    ttfbMs: durationIn(fields('time-to-first-byte'), 's', scope),
    originMs: durationIn(fields('origin-fbl'), 's', scope),
    bytes: bytesIn([fields('sc-bytes')], scope),
    aborted: isAborted(fields),
    method: fields('cs-method'),
    host: hostOf(fields),
    target: fields('cs-uri-stem'),
    query: singlyEncoded(fields('cs-uri-query')),
    protocol: fields('cs-protocol-version'),
    cdn: 'cloudfront',
    pop: fields('x-edge-location'),
    country: fields('c-country'),
    clientAddress: fields('c-ip'),
    asn: fields('asn'),
    // What it was before the client could leave.
    cache: firstOf(fields, ['x-edge-response-result-type', 'x-edge-result-type']),
    cmcd: { keys: cmcdKeysOf(fields) },
  };
}

function endOf(fields: FieldReader): string {
  const date = fields('date');
  return date === ''
    ? firstOf(fields, ['timestamp', 'timestamp(ms)'])
    : `${date}T${fields('time')}Z`;
}

/** Real-time records have the viewer's host in `cs-host`; standard logs have the distribution's in `cs(Host)`. */
function hostOf(fields: FieldReader): string {
  return fields('cs-host') || firstOf(fields, ['x-host-header', 'cs(Host)']);
}

const LEFT: ReadonlySet<string> = new Set(['ClientCommError', 'ClientHungUpRequest']);

/** An error that was none when the answer began: the client left. */
function isAborted(fields: FieldReader): boolean {
  const before = fields('x-edge-response-result-type');
  const left = fields('x-edge-result-type') === 'Error' && before !== '' && before !== 'Error';
  return left || LEFT.has(fields('x-edge-detailed-result-type'));
}

/** Some deliveries escape the query once more than the request did: then even the `=` of CMCD's keys are `%253D`. */
function singlyEncoded(query: string): string {
  const start = query.indexOf('CMCD=');
  if (start < 0) return query;
  const end = query.indexOf('&', start);
  const value = query.slice(start, end < 0 ? query.length : end);
  return value.includes('%253D') && !value.includes('%3D') ? percentDecoded(query) : query;
}

const FLAGS: ReadonlySet<string> = new Set(['bs', 'su']);
const TEXTS: ReadonlySet<string> = new Set(['cid', 'nor', 'nrr', 'sid', 'ot', 'sf', 'st']);

function cmcdKeysOf(fields: FieldReader): NonNullable<CmcdSources['keys']> {
  const keys: Record<string, string | number | boolean> = {};
  for (const [column, key] of Object.entries(CMCD_COLUMNS)) {
    const text = fields(column);
    if (text === '') continue;
    if (TEXTS.has(key)) keys[key] = unquoted(text);
    else if (!FLAGS.has(key)) keys[key] = /^-?[\d.]{1,20}$/.test(text) ? Number(text) : text;
    else if (!/^(?:\?0|0|false)$/i.test(text)) keys[key] = true;
  }
  return keys;
}

/** A text may still have the quotes of the structured field. */
function unquoted(text: string): string {
  const plain = percentDecoded(text);
  return plain.length > 1 && plain.startsWith('"') && plain.endsWith('"')
    ? plain.slice(1, -1)
    : plain;
}
