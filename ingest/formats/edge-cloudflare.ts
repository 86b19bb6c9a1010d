/**
 * Cloudflare Logpush, dataset `http_requests`: JSON lines.
 *
 * Fields: developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests; request headers with CMCD are
 * custom fields, …/logpush-job/custom-fields; the upload that tries a destination, …/enable-destinations/http. Guarantees:
 * as in `edge.ts`. Times since 1970 may be in s or ns, or RFC 3339, as the job says; where both are known to the second
 * only (`unix`, `rfc3339`), the duration is unknown. `Ms` fields are ms.
 */
import { textOfBytes } from './cmcd-record.ts';
import type { EdgeLine, EdgeScope } from './edge.ts';
import { type FieldReader, fieldsOf, firstOf, objectOf } from './edge-fields.ts';
import { cmcdHeadersOf, type EdgeSaid, edgeLine, notJson, UNSAID } from './edge-request.ts';
import { bytesIn, clockIn, durationIn } from './edge-values.ts';
import { isObject, type JsonObject } from './native-values.ts';

const NEEDS = {
  time: ['EdgeEndTimestamp', 'the end of the request (or `EdgeStartTimestamp`)'],
  status: 'EdgeResponseStatus',
} as const;

/**
 * Values of `ClientRequestSource` (…/logs/reference/clientrequestsource) that may be viewers: themselves, or seen through
 * another zone. All others are Cloudflare's own, a Worker behind the viewer's request for one.
 */
const VIEWERS: ReadonlySet<string> = new Set(['', 'unknown', 'eyeball', 'orangeToOrange']);

/** Reads one line. */
export function readCloudflareLine(line: Buffer, scope: EdgeScope): EdgeLine {
  const object = objectOf(textOfBytes(line));
  if (object === undefined) return notJson('let the job write NDJSON');
  if (isTestUpload(object)) return { kind: 'nothing' };
  const fields = fieldsOf(object);
  if (!VIEWERS.has(fields('ClientRequestSource'))) return { kind: 'nothing' };
  return edgeLine(line, saidOf(object, fields, scope), NEEDS, scope);
}

/** A new job sends `{"content":"tests"}`; it is made only if that is answered 2xx. */
function isTestUpload({ content, ...rest }: JsonObject): boolean {
  return typeof content === 'string' && /^tests?$/.test(content) && Object.keys(rest).length === 0;
}

function saidOf(object: JsonObject, fields: FieldReader, scope: EdgeScope): EdgeSaid {
  const start = clockIn(fields('EdgeStartTimestamp'), 'auto');
  const end = clockIn(fields('EdgeEndTimestamp'), 'auto');
  const isKnown = start !== undefined && end !== undefined && !(start.isWhole && end.isWhole);
  const headers = headersOf(object.RequestHeaders);
  return {
    ...UNSAID,
    endAt: (end ?? start)?.atMs,
    time: firstOf(fields, ['EdgeEndTimestamp', 'EdgeStartTimestamp']),
    status: fields('EdgeResponseStatus'),
    durationMs: isKnown ? Math.max(end.atMs - start.atMs, 0) : -1,
    ttfbMs: durationIn(fields('EdgeTimeToFirstByteMs'), 'ms', scope),
    originMs: originMs(fields, scope),
    bytes: bytesIn([fields('EdgeResponseBodyBytes'), fields('EdgeResponseBytes')], scope),
    method: fields('ClientRequestMethod'),
    host: fields('ClientRequestHost'),
    target: firstOf(fields, ['ClientRequestURI', 'ClientRequestPath']),
    protocol: fields('ClientRequestProtocol'),
    cdn: 'cloudflare',
    pop: fields('EdgeColoCode'),
    country: fields('ClientCountry'),
    clientAddress: fields('ClientIP'),
    asn: fields('ClientASN'),
    cache: fields('CacheCacheStatus'),
    cmcd: { headers: cmcdHeadersOf((header) => headers(`cmcd-${header}`)) },
  };
}

/** 0 stands for an origin that was not asked. The older field is in ns. */
function originMs(fields: FieldReader, scope: EdgeScope): number {
  const said = fields('OriginResponseDurationMs');
  const ms =
    said === ''
      ? durationIn(fields('OriginResponseTime'), 'ns', scope)
      : durationIn(said, 'ms', scope);
  return ms === 0 ? -1 : ms;
}

/** Custom fields; their names are in lower case unless the job says otherwise. */
function headersOf(value: unknown): FieldReader {
  if (!isObject(value)) return () => '';
  const lower = Object.entries(value).map(([name, text]) => [name.toLowerCase(), text]);
  return fieldsOf(Object.fromEntries(lower));
}
