/**
 * nginx's access log as JSON lines (`log_format … escape=json`), its fields named like nginx's variables.
 *
 * Guarantees: as in `edge.ts`. Numbers may be texts; an empty text or `-` is nginx's way to say nothing. A line needs a
 * time (`msec`, else `time_iso8601`) and a `status`; what else it lacks is unknown: -1, or the empty text. Fields that
 * are not read, client addresses among them, are not stored.
 */
import type { EdgeRequest } from '../../schemas/records.ts';
import { textOfBytes } from './cmcd-record.ts';
import {
  cutEdgeText,
  type EdgeLine,
  type EdgeScope,
  edgeCmcd,
  edgeHost,
  edgeTarget,
  identityOf,
} from './edge.ts';
import { isObject, type JsonObject, shown } from './native-values.ts';

/** Clocks beyond (year 2248), in ms, are no clocks: a `msec` in ms or µs, for one. */
const AT_BELOW = 2 ** 43;
/** Seconds beyond are no response times (a year). */
const SECONDS_MAX = 31_536_000;
const STATUS_MAX = 999;
/** nginx's own: the client went away before the headers. */
const STATUS_CLIENT_CLOSED = 499;

/** Reads one line. A preflight is one whatever else it says. */
export function readNginxLine(line: Buffer, scope: EdgeScope): EdgeLine {
  const fields = objectOf(textOfBytes(line));
  if (fields === undefined) {
    const message = 'The line is no JSON object: log with `escape=json`, one object in each line.';
    return { kind: 'reject', code: 'line_not_json', message };
  }
  const { method, target, protocol } = requestLine(fields);
  if (method === 'OPTIONS') return { kind: 'preflight' };
  const endAt = endMs(fields);
  if (endAt === undefined) return missing('msec', 'the end of the request in s', fields);
  const status = statusOf(fields);
  if (status === undefined) return missing('status', 'the status of the answer', fields);
  const mark = target.indexOf('?');
  const query = mark < 0 ? firstText(fields, ['args', 'query_string']) : target.slice(mark + 1);
  const { view, cmcd } = edgeCmcd(cmcdHeaders(fields), query, scope);
  const { host, path } = edgeTarget(target);
  const text = (...names: readonly string[]) => cutEdgeText(firstText(fields, names), scope);
  const request: EdgeRequest = {
    identity: identityOf(line),
    endAt,
    durationMs: milliseconds(fields, 'request_time', scope),
    ttfbMs: upstreamMs(text('upstream_header_time'), scope),
    originMs: -1,
    status,
    bytes: bytesOf(fields, scope),
    aborted: isAborted(fields, status),
    method: cutEdgeText(method, scope),
    host: cutEdgeText(host || edgeHost(firstText(fields, ['host', 'http_host'])), scope),
    path: cutEdgeText(path, scope),
    protocol: cutEdgeText(protocol, scope),
    cdn: text('cdn'),
    pop: text('pop'),
    country: text('country', 'geoip_country_code'),
    asn: text('asn'),
    cache: text('upstream_cache_status'),
    cmcd,
  };
  return { kind: 'request', view, request, clientAddress: textIn(fields, 'remote_addr') };
}

function missing(field: string, meaning: string, fields: JsonObject): EdgeLine {
  const message = `The line needs \`${field}\`, ${meaning}, and has ${shown(fields[field])}: log it.`;
  return { kind: 'reject', code: 'line_fields_missing', message };
}

/** A look at the ends spares most of the costly exceptions that junk would raise. */
function objectOf(text: string): JsonObject | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined;
  try {
    const value: unknown = JSON.parse(trimmed);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A text, or a number as text; empty where nginx says nothing. */
function textIn(fields: JsonObject, name: string): string {
  const value = fields[name];
  if (typeof value === 'number') return String(value);
  return typeof value !== 'string' || value === '-' ? '' : value;
}

/** The first that says something. */
function firstText(fields: JsonObject, names: readonly string[]): string {
  for (const name of names) {
    const text = textIn(fields, name);
    if (text !== '') return text;
  }
  return '';
}

/** A number from 0 to `max`; undefined when not said, 'unusable' when said as something else. */
function numberIn(fields: JsonObject, name: string, max: number): number | 'unusable' | undefined {
  const text = textIn(fields, name);
  return text === '' ? undefined : numberOf(text, max);
}

function numberOf(text: string, max: number): number | 'unusable' {
  // Decimal notation only: Number() would also take 0x10, and nothing for 0.
  const value = /^\s*\d[\d.]{0,30}(?:e[+-]?\d{1,3})?\s*$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= max ? value : 'unusable';
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
}

/** From fields of their own, else from nginx's `$request`, the request line. */
function requestLine(fields: JsonObject): RequestLine {
  const line = textIn(fields, 'request');
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const whole = first >= 0 && last > first;
  return {
    method: textIn(fields, 'request_method') || (whole ? line.slice(0, first) : ''),
    target:
      textIn(fields, 'request_uri') ||
      (whole ? line.slice(first + 1, last) : '') ||
      textIn(fields, 'uri'),
    protocol: textIn(fields, 'server_protocol') || (whole ? line.slice(last + 1) : ''),
  };
}

/** End of the request, ms since 1970. */
function endMs(fields: JsonObject): number | undefined {
  const seconds = numberIn(fields, 'msec', AT_BELOW / 1_000);
  const ms = typeof seconds === 'number' ? Math.round(seconds * 1_000) : isoMs(fields);
  return ms > 0 && ms < AT_BELOW ? ms : undefined;
}

/** NaN for what is no ISO time: Date.parse() alone would read a year into almost anything. */
function isoMs(fields: JsonObject): number {
  const text = textIn(fields, 'time_iso8601');
  return /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
}

function statusOf(fields: JsonObject): number | undefined {
  const status = numberIn(fields, 'status', STATUS_MAX);
  return Number.isInteger(status) ? Number(status) : undefined;
}

function milliseconds(fields: JsonObject, name: string, { note }: EdgeScope): number {
  const seconds = numberIn(fields, name, SECONDS_MAX);
  if (seconds === 'unusable') note('value_dropped');
  return typeof seconds === 'number' ? Math.round(seconds * 1_000) : -1;
}

/**
 * nginx lists a time for each server that it tried, by comma, and by colon after an internal redirect. They were tried
 * one after the other, so the first byte came after their sum; `-` stands for one that gave nothing.
 */
function upstreamMs(text: string, { note }: EdgeScope): number {
  let totalSeconds = -1;
  for (const item of text.split(/[,:]/)) {
    const piece = item.trim();
    if (piece === '' || piece === '-') continue;
    const seconds = numberOf(piece, SECONDS_MAX);
    if (seconds === 'unusable') {
      note('value_dropped');
      return -1;
    }
    totalSeconds = Math.max(totalSeconds, 0) + seconds;
  }
  return totalSeconds < 0 ? -1 : Math.round(totalSeconds * 1_000);
}

/** Bytes of the body; -1 when not said. */
function bytesOf(fields: JsonObject, { note }: EdgeScope): number {
  for (const name of ['body_bytes_sent', 'bytes_sent']) {
    const bytes = numberIn(fields, name, Number.MAX_SAFE_INTEGER);
    if (bytes === 'unusable') note('value_dropped');
    if (typeof bytes === 'number') return Math.round(bytes);
  }
  return -1;
}

/** `request_completion` is OK, or empty when the client went away; a log without it tells by 499 only. */
function isAborted(fields: JsonObject, status: number): boolean {
  const { request_completion: completion } = fields;
  return status === STATUS_CLIENT_CLOSED || completion === '' || completion === '-';
}

function cmcdHeaders(fields: JsonObject): Record<string, string> {
  return {
    'cmcd-object': textIn(fields, 'http_cmcd_object'),
    'cmcd-request': textIn(fields, 'http_cmcd_request'),
    'cmcd-session': textIn(fields, 'http_cmcd_session'),
    'cmcd-status': textIn(fields, 'http_cmcd_status'),
  };
}
