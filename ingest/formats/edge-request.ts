/**
 * What a line of an edge log says, in one shape for every format, and the request that it becomes.
 *
 * Guarantees: as in `edge.ts`. A preflight is one whatever else its line says. A line needs a time and a status; what
 * else it lacks is unknown. Texts are cut; URLs lose queries, users and tokens here and nowhere else.
 */
import type { EdgeRequest } from '../../schemas/records.ts';
import {
  type CmcdSources,
  cutEdgeText,
  type EdgeLine,
  type EdgeScope,
  edgeCmcd,
  edgeHost,
  edgeTarget,
  identityOf,
} from './edge.ts';
import { asnIn, cacheIn, countryIn, numberOf, protocolIn } from './edge-values.ts';
import { shown } from './native-values.ts';

/** What a line says. Empty texts, -1 and undefined say nothing. */
export interface EdgeSaid {
  /** End of the request, ms since 1970. */
  readonly endAt: number | undefined;
  /** What stands where the time should be, for the message when there is none. */
  readonly time: string;
  readonly status: string;
  readonly durationMs: number;
  readonly ttfbMs: number;
  readonly originMs: number;
  readonly bytes: number;
  /** The client left before the end; what the status says of that is seen without it. */
  readonly aborted: boolean;
  readonly method: string;
  readonly host: string;
  /** A path, with its query or without, or a whole URL. */
  readonly target: string;
  /** The query, where the target has none. */
  readonly query: string;
  readonly protocol: string;
  readonly cdn: string;
  readonly pop: string;
  readonly country: string;
  readonly asn: string;
  /** The client's address: looked up where country or network are not said, and never kept. */
  readonly clientAddress: string;
  readonly cache: string;
  /** CMCD, apart from that in the query. */
  readonly cmcd: Omit<CmcdSources, 'query'>;
}

/** A line that says nothing: what a format does not have. */
export const UNSAID: EdgeSaid = {
  endAt: undefined,
  time: '',
  status: '',
  durationMs: -1,
  ttfbMs: -1,
  originMs: -1,
  bytes: -1,
  aborted: false,
  method: '',
  host: '',
  target: '',
  query: '',
  protocol: '',
  cdn: '',
  pop: '',
  country: '',
  asn: '',
  clientAddress: '',
  cache: '',
  cmcd: {},
};

/** How a format calls what every line needs. */
export interface EdgeNeeds {
  /** Name of the field, and what it is. */
  readonly time: readonly [name: string, meaning: string];
  readonly status: string;
}

const STATUS_MAX = 999;
/** No answer, and nginx's own: the client went away before the headers. */
const STATUS_ABORTED: ReadonlySet<number> = new Set([0, 499]);

/** The line as a request, a preflight or a reject. */
export function edgeLine(
  line: Buffer,
  said: EdgeSaid,
  needs: EdgeNeeds,
  scope: EdgeScope,
): EdgeLine {
  if (said.method === 'OPTIONS') return { kind: 'preflight' };
  if (said.endAt === undefined) return missing(needs.time, said.time);
  const status = numberOf(said.status, STATUS_MAX);
  if (!Number.isInteger(status)) {
    return missing([needs.status, 'the status of the answer'], said.status);
  }
  const mark = said.target.indexOf('?');
  const query = mark < 0 ? said.query : said.target.slice(mark + 1);
  const { view, cmcd } = edgeCmcd({ ...said.cmcd, query }, scope);
  const facts = { endAt: said.endAt, status: Number(status), cmcd };
  const request = requestOf(line, said, facts, scope);
  return { kind: 'request', view, request, clientAddress: said.clientAddress };
}

function requestOf(
  line: Buffer,
  said: EdgeSaid,
  { endAt, status, cmcd }: Pick<EdgeRequest, 'endAt' | 'status' | 'cmcd'>,
  scope: EdgeScope,
): EdgeRequest {
  const { host, path } = edgeTarget(said.target);
  return {
    identity: identityOf(line),
    endAt,
    durationMs: said.durationMs,
    ttfbMs: said.ttfbMs,
    originMs: said.originMs,
    status,
    bytes: said.bytes,
    aborted: said.aborted || STATUS_ABORTED.has(status),
    method: cutEdgeText(said.method, scope),
    host: cutEdgeText(host || edgeHost(said.host), scope),
    path: cutEdgeText(path, scope),
    protocol: cutEdgeText(protocolIn(said.protocol), scope),
    cdn: cutEdgeText(said.cdn, scope),
    pop: cutEdgeText(said.pop, scope),
    country: cutEdgeText(countryIn(said.country), scope),
    asn: cutEdgeText(asnIn(said.asn), scope),
    cache: cacheIn(said.cache, scope),
    cmcd,
  };
}

function missing([name, meaning]: readonly [string, string], text: string): EdgeLine {
  const has = text === '' ? 'nothing' : shown(text);
  const message = `The line needs \`${name}\`, ${meaning}, and has ${has}: log it.`;
  return { kind: 'reject', code: 'line_fields_missing', message };
}

/** A line that is no JSON object, where one is wanted. */
export function notJson(how: string): EdgeLine {
  const message = `The line is no JSON object: ${how}.`;
  return { kind: 'reject', code: 'line_not_json', message };
}

/** The first line of a request, as logs have it in one text; empty texts where it is something else. */
export function requestLineOf(line: string): Pick<EdgeSaid, 'method' | 'target' | 'protocol'> {
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first < 0 || last <= first) return { method: '', target: '', protocol: '' };
  return {
    method: line.slice(0, first),
    target: line.slice(first + 1, last),
    protocol: line.slice(last + 1),
  };
}

/** The four CMCD headers, by the names that a log gives them. */
export function cmcdHeadersOf(read: (header: string) => string): Record<string, string> {
  return {
    'cmcd-object': read('object'),
    'cmcd-request': read('request'),
    'cmcd-session': read('session'),
    'cmcd-status': read('status'),
  };
}
