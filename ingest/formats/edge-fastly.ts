/**
 * Fastly's log streaming: JSON lines named like VCL variables or like Fastly's own examples, or a combined format.
 *
 * Variables and units: fastly.com/documentation/reference/vcl/variables (client-request, client-response,
 * miscellaneous, geolocation); prefixes: …/guides/integrations/streaming-logs/changing-log-line-formats. Guarantees: as
 * in `edge.ts`. The format is the operator's; `docs/edge-logs.md` has the one to use, with its units: the begin
 * in s since 1970, the time elapsed in µs, the first byte in s, bytes of the body.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { EdgeLine, EdgeScope } from './edge.ts';
import { malformedLine, readCombinedLine } from './edge-combined.ts';
import { type FieldReader, fieldsOf, firstOf, objectOf } from './edge-fields.ts';
import { cmcdHeadersOf, type EdgeSaid, edgeLine, notJson, UNSAID } from './edge-request.ts';
import { bytesIn, clockIn, durationIn } from './edge-values.ts';

const NEEDS = {
  time: ['time.start', 'the begin of the request in s'],
  status: 'resp.status',
} as const;

/** What the line format `classic` puts before each line: `<134>2026-11-22T05:43:04Z host name[1]: `. */
const SYSLOG_PREFIX = /^<\d{1,3}>[^{"]{1,300}?\]: /;

/** Reads one line. The identity is that of the line as it came, prefix included. */
export function readFastlyLine(line: Buffer, scope: EdgeScope): EdgeLine {
  const text = textOfBytes(line).replace(SYSLOG_PREFIX, '');
  if (!text.trimStart().startsWith('{')) {
    return (
      readCombinedLine(line, text, 'fastly', scope) ??
      malformedLine('the log format of the documentation')
    );
  }
  const object = objectOf(text);
  if (object === undefined) {
    return notJson('use json.escape() for texts, and newlines between the lines');
  }
  return edgeLine(line, saidOf(fieldsOf(object), scope), NEEDS, scope);
}

function saidOf(fields: FieldReader, scope: EdgeScope): EdgeSaid {
  const elapsed = firstOf(fields, ['time.elapsed.usec', 'time_elapsed']);
  const durationMs =
    elapsed === ''
      ? durationIn(fields('time.elapsed'), 's', scope)
      : durationIn(elapsed, 'us', scope);
  const time = firstOf(fields, END_FIELDS) || firstOf(fields, START_FIELDS);
  return {
    ...UNSAID,
    endAt: endOf(fields, durationMs),
    time,
    status: firstOf(fields, ['resp.status', 'response_status', 'status']),
    durationMs,
    ttfbMs: durationIn(fields('time.to_first_byte'), 's', scope),
    bytes: bytesIn(
      ['resp.body_bytes_written', 'response_body_size', 'resp.bytes_written'].map(fields),
      scope,
    ),
    aborted: /^(?:0|false)$/.test(fields('resp.completed')),
    method: firstOf(fields, ['req.method', 'req.request', 'request_method', 'request']),
    host: firstOf(fields, ['req.http.host', 'req.http.Fastly-Orig-Host', 'host']),
    target: firstOf(fields, ['req.url', 'url']),
    protocol: firstOf(fields, ['req.proto', 'request_protocol', 'protocol']),
    cdn: 'fastly',
    pop: firstOf(fields, ['server.datacenter', 'pop', 'datacenter']),
    country: firstOf(fields, ['client.geo.country_code', 'geo_country_code']),
    clientAddress: firstOf(fields, ['client.ip', 'client_ip']),
    asn: firstOf(fields, ['client.as.number', 'asn']),
    cache: firstOf(fields, ['fastly_info.state', 'response_state', 'cache_status']),
    cmcd: { headers: cmcdHeadersOf((header) => headerIn(fields, header)) },
  };
}

const END_FIELDS = ['time.end.usec', 'time.end.msec', 'time_end'];
const START_FIELDS = [
  'time.start',
  'time.start.usec',
  'time.start.msec',
  'time_start',
  'timestamp',
  'time.start.sec',
];

/** Where only the begin is known, the end is later by the time elapsed. */
function endOf(fields: FieldReader, durationMs: number): number | undefined {
  const end = clockIn(firstOf(fields, END_FIELDS), 'auto');
  if (end !== undefined) return end.atMs;
  const start = clockIn(firstOf(fields, START_FIELDS), 'auto');
  return start === undefined ? undefined : start.atMs + Math.max(durationMs, 0);
}

function headerIn(fields: FieldReader, header: string): string {
  const capital = header.replace(/^./, (letter) => letter.toUpperCase());
  return firstOf(fields, [`req.http.CMCD-${capital}`, `req.http.cmcd-${header}`, `cmcd_${header}`]);
}
