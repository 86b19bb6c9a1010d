/**
 * Lines of nginx's JSON log, as the corpus has them, said again in every other format, as its CDN would.
 *
 * What a format cannot carry is listed with it; the figures of all others must survive.
 */
import {
  CMCD_COLUMNS,
  REALTIME_COLUMNS,
  STANDARD_COLUMNS,
} from '../../ingest/formats/edge-cloudfront-columns.ts';

export type NginxLine = Readonly<Record<string, string | number>>;

export interface Conversion {
  /** Path and parameters of the route. */
  readonly url: string;
  /** Lines before all others. */
  readonly head?: readonly string[];
  readonly lineOf: (line: NginxLine) => string;
  /** Times are known to the second. */
  readonly wholeSeconds?: true;
  /** Figures that the format cannot carry. */
  readonly lost: readonly (
    | 'durationMs'
    | 'ttfbMs'
    | 'host'
    | 'protocol'
    | 'aborted'
    | 'headerCmcd'
  )[];
}

const ms = (text: unknown) => Math.round(Number(text) * 1_000);
const endOf = (line: NginxLine) => ms(line.msec);
const startOf = (line: NginxLine) => endOf(line) - ms(line.request_time);
const isoOf = (at: number) => new Date(at).toISOString();
const left = (line: NginxLine) => line.request_completion !== 'OK';
const uriOf = (line: NginxLine) => String(line.request_uri);
const pathOf = (line: NginxLine) => uriOf(line).split('?', 1)[0] ?? '';
const queryOf = (line: NginxLine) => uriOf(line).slice(pathOf(line).length + 1);

/** nginx's millisecond of the first byte, when it asked an origin. */
function firstByteMs(line: NginxLine): number | undefined {
  const text = String(line.upstream_header_time ?? '');
  return text === '' || text === '-' ? undefined : ms(text);
}

/** The CMCD headers of a line as one dictionary. */
function headerDictionary(line: NginxLine): string {
  return ['request', 'object', 'session', 'status']
    .map((name) => String(line[`http_cmcd_${name}`] ?? ''))
    .filter((text) => text !== '')
    .join(',');
}

function combinedTime(line: NginxLine): string {
  const [, month, day, year, time] =
    /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(endOf(line)).toUTCString())?.map(String) ?? [];
  return `${month}/${day}/${year}:${time} +0000`;
}

function combined(line: NginxLine): string {
  const request = `${line.request_method} ${uriOf(line)} ${line.server_protocol}`;
  return `203.0.113.7 - - [${combinedTime(line)}] "${request}" ${line.status} ${line.body_bytes_sent} "-" "agent"`;
}

/** A value as W3C logs write it. */
function escaped(text: string): string {
  return text === '' ? '-' : encodeURI(text).replaceAll("'", '%27');
}

function cloudfront(line: NginxLine): Record<string, string> {
  const firstByte = firstByteMs(line);
  return {
    date: isoOf(endOf(line)).slice(0, 10),
    time: isoOf(endOf(line)).slice(11, 19),
    timestamp: String(line.msec),
    'time-taken': String(line.request_time),
    'time-to-first-byte': firstByte === undefined ? '-' : String(firstByte / 1_000),
    'sc-status': String(line.status).padStart(3, '0'),
    'sc-bytes': String(line.body_bytes_sent),
    'cs-method': String(line.request_method),
    'cs-protocol-version': String(line.server_protocol),
    'x-edge-result-type': left(line) ? 'Error' : 'Miss',
    'x-edge-response-result-type': 'Miss',
  };
}

function realtime(line: NginxLine): string {
  const values: Record<string, string> = {
    ...cloudfront(line),
    'cs-host': String(line.host),
    'cs-uri-stem': uriOf(line),
    'cs-uri-query': queryOf(line) || '-',
    ...cmcdColumns(headerDictionary(line)),
  };
  return REALTIME_COLUMNS.map((name) => values[name] ?? '-').join('\t');
}

function cmcdColumns(dictionary: string): Record<string, string> {
  const columns: Record<string, string> = {};
  const pairs = new Map(
    [...dictionary.matchAll(/([a-z]+)(?:=("(?:[^"\\]|\\.)*"|[^,]*))?(?:,|$)/g)].map((match) => [
      match[1] ?? '',
      match[2] ?? 'true',
    ]),
  );
  for (const [column, key] of Object.entries(CMCD_COLUMNS)) {
    const value = pairs.get(key);
    if (value !== undefined) columns[column] = bare(value);
  }
  return columns;
}

/** A value of a structured field without what belongs to its notation. */
function bare(value: string): string {
  const one = value.replace(/^\(|\)$/g, '');
  return one.startsWith('"') ? one.slice(1, -1).replace(/\\(["\\])/g, '$1') : one;
}

function standard(line: NginxLine): string {
  const values: Record<string, string> = {
    ...cloudfront(line),
    'x-host-header': String(line.host),
    'cs-uri-stem': escaped(pathOf(line)),
    'cs-uri-query': escaped(queryOf(line)),
  };
  return STANDARD_COLUMNS.map((name) => values[name] ?? '-').join('\t');
}

function fastly(line: NginxLine): string {
  const firstByte = firstByteMs(line);
  return JSON.stringify({
    'time.start': startOf(line) / 1_000,
    'time.elapsed.usec': ms(line.request_time) * 1_000,
    'time.to_first_byte': firstByte === undefined ? '' : firstByte / 1_000,
    'resp.status': line.status,
    'resp.body_bytes_written': line.body_bytes_sent,
    'resp.completed': left(line) ? 0 : 1,
    'req.method': line.request_method,
    'req.http.host': line.host,
    'req.url': line.request_uri,
    'req.proto': line.server_protocol,
    'req.http.CMCD-Request': line.http_cmcd_request,
    'req.http.CMCD-Object': line.http_cmcd_object,
    'req.http.CMCD-Session': line.http_cmcd_session,
    'req.http.CMCD-Status': line.http_cmcd_status,
  });
}

function akamaiValues(line: NginxLine): Record<string, string> {
  const firstByte = firstByteMs(line) ?? 0;
  const dictionary = headerDictionary(line);
  return {
    reqTimeSec: (startOf(line) / 1_000).toFixed(3),
    statusCode: String(line.status),
    bytes: String(line.body_bytes_sent),
    reqMethod: String(line.request_method),
    reqHost: String(line.host),
    reqPath: pathOf(line).slice(1),
    queryStr: queryOf(line) || '-',
    turnAroundTimeMSec: String(firstByte),
    transferTimeMSec: String(ms(line.request_time) - firstByte),
    timeToFirstByte: firstByteMs(line) === undefined ? '-' : String(firstByte),
    errorCode: left(line) ? 'ERR_CLIENT_ABORT' : '-',
    cmcd: dictionary === '' ? '-' : `//1.0@V/${encodeURIComponent(dictionary)}`,
  };
}

const AKAMAI_COLUMNS = [
  'reqTimeSec',
  'statusCode',
  'bytes',
  'reqMethod',
  'reqHost',
  'reqPath',
  'queryStr',
  'turnAroundTimeMSec',
  'transferTimeMSec',
  'timeToFirstByte',
  'errorCode',
  'cmcd',
];

function cloudflare(line: NginxLine): string {
  return JSON.stringify({
    EdgeStartTimestamp: isoOf(startOf(line)),
    EdgeEndTimestamp: isoOf(endOf(line)),
    EdgeTimeToFirstByteMs: firstByteMs(line),
    EdgeResponseStatus: line.status,
    EdgeResponseBodyBytes: line.body_bytes_sent,
    ClientRequestMethod: line.request_method,
    ClientRequestHost: line.host,
    ClientRequestURI: line.request_uri,
    ClientRequestProtocol: line.server_protocol,
    RequestHeaders: Object.fromEntries(
      ['request', 'object', 'session', 'status'].map((name) => [
        `cmcd-${name}`,
        line[`http_cmcd_${name}`],
      ]),
    ),
  });
}

function mapped(line: NginxLine): string {
  const firstByte = firstByteMs(line);
  return JSON.stringify({
    t: { end: endOf(line) * 1_000, took: ms(line.request_time) * 1_000 },
    first: firstByte === undefined ? null : firstByte * 1_000,
    code: line.status,
    size: line.body_bytes_sent,
    gone: left(line),
    verb: line.request_method,
    to: `https://${line.host}${uriOf(line)}`,
    version: line.server_protocol,
    client_data: headerDictionary(line),
  });
}

const MAP =
  'time:t.end,duration:t.took,ttfb:first,status:code,bytes:size,aborted:gone,method:verb,url:to,protocol:version,cmcd:client_data';

export const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  'nginx, combined': {
    url: '/v1/edge/nginx?key=dev',
    lineOf: combined,
    wholeSeconds: true,
    lost: ['durationMs', 'ttfbMs', 'host', 'aborted', 'headerCmcd'],
  },
  'CloudFront, real-time': { url: '/v1/edge/cloudfront?key=dev', lineOf: realtime, lost: [] },
  'CloudFront, standard': {
    url: '/v1/edge/cloudfront?key=dev',
    head: ['#Version: 1.0', `#Fields: ${STANDARD_COLUMNS.join(' ')}`],
    lineOf: standard,
    wholeSeconds: true,
    lost: ['headerCmcd'],
  },
  Fastly: { url: '/v1/edge/fastly?key=dev', lineOf: fastly, lost: [] },
  'Fastly, combined': {
    url: '/v1/edge/fastly?key=dev',
    lineOf: combined,
    wholeSeconds: true,
    lost: ['durationMs', 'ttfbMs', 'host', 'aborted', 'headerCmcd'],
  },
  'Akamai, JSON': {
    url: '/v1/edge/akamai?key=dev',
    lineOf: (line) => JSON.stringify(akamaiValues(line)),
    lost: ['protocol'],
  },
  'Akamai, structured': {
    url: `/v1/edge/akamai?key=dev&fields=${AKAMAI_COLUMNS.join(',')}`,
    lineOf: (line) => AKAMAI_COLUMNS.map((name) => akamaiValues(line)[name]).join(' '),
    lost: ['protocol'],
  },
  Cloudflare: { url: '/v1/edge/cloudflare?key=dev', lineOf: cloudflare, lost: ['aborted'] },
  'NDJSON with a mapping': {
    url: `/v1/edge/ndjson?key=dev&map=${MAP}&time_unit=us&duration_unit=us`,
    lineOf: mapped,
    lost: [],
  },
};
