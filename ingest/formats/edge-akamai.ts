/**
 * Akamai DataStream 2: JSON lines with their JSON keys, or structured lines with columns in the order of the stream.
 *
 * Keys and units: techdocs.akamai.com/datastream2/docs/data-set-parameters; formats: …/docs/log-format-1. Guarantees: as
 * in `edge.ts`. `reqTimeSec` is when the request was accepted: its end is later by the times, in ms, to read the request
 * (`reqEndTimeMSec`), to begin the answer (`turnAroundTimeMSec`) and to send it (`transferTimeMSec`). Values are
 * percent-encoded, paths have no slash before them, and `proto` is the scheme. A stream has no name of the POP.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { EdgeLine, EdgeLineReader, EdgeScope } from './edge.ts';
import {
  type ColumnOrder,
  columnOrder,
  columnsOf,
  type FieldReader,
  fieldsOf,
  objectOf,
} from './edge-fields.ts';
import { type EdgeSaid, edgeLine, notJson, UNSAID } from './edge-request.ts';
import { bytesIn, clockIn, durationIn, percentDecoded } from './edge-values.ts';
import type { JsonObject } from './native-values.ts';

const NEEDS = {
  time: ['reqTimeSec', 'the begin of the request in s'],
  status: 'statusCode',
} as const;

/** What DataStream sends to try a destination, as a structured line. */
const VALIDATION_LINE = /^\d+,access_validation$/;

/** Makes the reader of one body. `chosen` is the order of the columns of structured lines. */
export function createAkamaiReader(chosen?: readonly string[]): EdgeLineReader {
  const order = chosen === undefined ? undefined : columnOrder(chosen);
  return (line, scope) => {
    const text = textOfBytes(line).trim();
    if (text.startsWith('{')) return readJson(line, text, scope);
    if (VALIDATION_LINE.test(text)) return { kind: 'nothing' };
    return readColumns(line, text, order, scope);
  };
}

function readJson(line: Buffer, text: string, scope: EdgeScope): EdgeLine {
  const object = objectOf(text);
  if (object === undefined) return notJson('send it whole, one object in each line');
  if (isValidation(object)) return { kind: 'nothing' };
  return edgeLine(line, saidOf(fieldsOf(object), scope), NEEDS, scope);
}

function isValidation(object: JsonObject): boolean {
  return Object.hasOwn(object, 'access_validation') && Object.keys(object).length === 1;
}

function readColumns(
  line: Buffer,
  text: string,
  order: ColumnOrder | undefined,
  scope: EdgeScope,
): EdgeLine {
  const columns = text.split(text.includes('\t') ? '\t' : ' ');
  if (columns.length !== order?.size) return unexpected(columns.length, order);
  return edgeLine(line, saidOf(columnsOf(columns, order), scope), NEEDS, scope);
}

function unexpected(count: number, order: ColumnOrder | undefined): EdgeLine {
  const found = `The line is no JSON object and has ${count} columns`;
  const message =
    order === undefined
      ? `${found}: log as JSON, or name the stream's fields in order, \`?fields=reqTimeSec,…\`.`
      : `${found}, and should have ${order.size}: name the fields that it has, in order.`;
  return { kind: 'reject', code: 'line_columns_unexpected', message };
}

function saidOf(fields: FieldReader, scope: EdgeScope): EdgeSaid {
  const ms = (name: string) => durationIn(fields(name), 'ms', scope);
  const [request, turnAround, transfer] = [
    ms('reqEndTimeMSec'),
    ms('turnAroundTimeMSec'),
    ms('transferTimeMSec'),
  ];
  const firstByte = ms('timeToFirstByte');
  const begun = firstByte >= 0 ? firstByte : summed(turnAround, request);
  const whole = turnAround < 0 ? -1 : summed(transfer, summed(turnAround, request));
  const durationMs = whole >= 0 ? whole : ms('downloadTime');
  const start = clockIn(fields('reqTimeSec'), 's');
  return {
    ...UNSAID,
    endAt: start === undefined ? undefined : start.atMs + Math.max(durationMs, 0),
    time: fields('reqTimeSec'),
    status: fields('statusCode'),
    durationMs,
    ttfbMs: begun,
    bytes: bytesIn([fields('bytes'), fields('totalBytes')], scope),
    aborted: /client_abort/i.test(fields('errorCode')),
    method: fields('reqMethod'),
    host: fields('reqHost'),
    target: targetOf(fields('reqPath')),
    query: fields('queryStr'),
    protocol: /^HTTP\/\d/i.test(fields('proto')) ? fields('proto') : '',
    cdn: 'akamai',
    country: fields('country'),
    clientAddress: fields('cliIP'),
    asn: fields('asn'),
    cache: cacheOf(fields('cacheStatus')),
    cmcd: { text: cmcdOf(fields) },
  };
}

/** A time that is known, and the one before it where that is known too. */
function summed(ms: number, beforeMs: number): number {
  return ms < 0 ? -1 : ms + Math.max(beforeMs, 0);
}

function targetOf(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}

/** 1: served from a cache. Everything else came from further away. */
function cacheOf(status: string): string {
  if (status === '') return '';
  if (!/^\d$/.test(status)) return status;
  return status === '0' ? 'miss' : 'hit';
}

const CMCD_PREFIX = /^(?:cmcd=)?(?:\/\/[\d.]{1,8}@V\/)?/i;

/** `//1.0@V/bl=21600,…`, in a field of its own or where the query should be; encoded in whole or in part. */
function cmcdOf(fields: FieldReader): string {
  const query = fields('queryStr');
  const said = fields('cmcd') || (/^cmcd=\/\//i.test(query) ? query : '');
  return percentDecoded(said.replace(CMCD_PREFIX, ''));
}
