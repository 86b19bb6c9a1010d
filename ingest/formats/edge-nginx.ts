/**
 * nginx's access log, as JSON lines (`log_format … escape=json`) with fields named like nginx's variables, or combined.
 *
 * Variables and formats: nginx.org/en/docs/http/ngx_http_log_module.html, …/ngx_http_core_module.html#variables,
 * …/ngx_http_upstream_module.html#variables. Guarantees: as in `edge.ts`. Numbers may be texts; an empty text or `-` is
 * nginx's way to say nothing. A JSON line needs a time (`msec`, else `time_iso8601`) and a `status`. Fields that are not
 * read, client addresses among them, are not stored.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { EdgeLine, EdgeLineReader, EdgeScope } from './edge.ts';
import { malformedLine, readCombinedLine } from './edge-combined.ts';
import { type FieldReader, fieldsOf, firstOf, objectOf } from './edge-fields.ts';
import {
  cmcdHeadersOf,
  type EdgeSaid,
  edgeLine,
  notJson,
  requestLineOf,
  UNSAID,
} from './edge-request.ts';
import { bytesIn, clockIn, durationIn } from './edge-values.ts';
import type { JsonObject } from './native-values.ts';

const NEEDS = { time: ['msec', 'the end of the request in s'], status: 'status' } as const;

/** Makes the reader of one body. `cdn` is what lines without one are said to be of. */
export function createNginxReader(cdn = ''): EdgeLineReader {
  return (line, scope) => readLine(line, cdn, scope);
}

/** Reads one line of a log whose lines say their CDN themselves. */
export const readNginxLine: EdgeLineReader = createNginxReader();

/** The first character tells the formats apart: no combined line begins with a brace. */
function readLine(line: Buffer, cdn: string, scope: EdgeScope): EdgeLine {
  const text = textOfBytes(line);
  if (!text.trimStart().startsWith('{')) {
    return (
      readCombinedLine(line, text, cdn, scope) ?? malformedLine('one JSON object in each line')
    );
  }
  const object = objectOf(text);
  if (object === undefined) return notJson('log with `escape=json`, one object in each line');
  return edgeLine(line, saidOf(object, cdn, scope), NEEDS, scope);
}

function saidOf(object: JsonObject, cdn: string, scope: EdgeScope): EdgeSaid {
  const fields = fieldsOf(object);
  const msec = fields('msec');
  const parts = requestLineOf(fields('request'));
  const upstream = upstreamMs(fields('upstream_header_time'), scope);
  const target = fields('request_uri') || parts.target || fields('uri');
  return {
    ...UNSAID,
    endAt: (clockIn(msec, 's') ?? clockIn(isoTime(fields), 's'))?.atMs,
    time: msec || fields('time_iso8601'),
    status: fields('status'),
    durationMs: durationIn(fields('request_time'), 's', scope),
    // nginx sends on as soon as it has a header: its first byte is the upstream's.
    ttfbMs: upstream,
    originMs: upstream,
    bytes: bytesIn([fields('body_bytes_sent'), fields('bytes_sent')], scope),
    // OK, or empty when the client went away; a log without it tells by the status only.
    aborted: object.request_completion === '' || object.request_completion === '-',
    method: fields('request_method') || parts.method,
    host: firstOf(fields, ['host', 'http_host']),
    target,
    query: firstOf(fields, ['args', 'query_string']),
    protocol: fields('server_protocol') || parts.protocol,
    cdn: fields('cdn') || cdn,
    pop: fields('pop'),
    country: firstOf(fields, ['country', 'geoip_country_code']),
    asn: fields('asn'),
    clientAddress: fields('remote_addr'),
    cache: fields('upstream_cache_status'),
    cmcd: { headers: cmcdHeadersOf((header) => fields(`http_cmcd_${header}`)) },
  };
}

/** A number here would be taken for a time in s. */
function isoTime(fields: FieldReader): string {
  const text = fields('time_iso8601');
  return text.includes('-') ? text : '';
}

/**
 * nginx lists a time for each server that it tried, by comma, and by colon after an internal redirect. They were tried
 * one after the other, so the first byte came after their sum; `-` stands for one that gave nothing.
 */
function upstreamMs(text: string, scope: EdgeScope): number {
  let totalMs = -1;
  for (const item of text.split(/[,:]/)) {
    const piece = item.trim();
    if (piece === '' || piece === '-') continue;
    const ms = durationIn(piece, 's', scope);
    if (ms < 0) return -1;
    totalMs = Math.max(totalMs, 0) + ms;
  }
  return totalMs;
}
