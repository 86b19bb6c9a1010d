/** Requests of a view as spans of time: as its player saw them, and as edges saw them. */
import type { TimelineEvent } from '../api/answers.ts';
import { bytes, duration, text } from '../figures/format.ts';

export interface RequestMark {
  readonly seenBy: 'player' | 'edge';
  /** manifest, init, segment, key, other; of an edge by CMCD's object type. */
  readonly kind: string;
  readonly failed: boolean;
  /** The edge did not have it. */
  readonly missed: boolean;
  /** The log's clock, ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly summary: string;
}

type Details = TimelineEvent['details'];

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

export const isRequest = ({ lane, details }: TimelineEvent): boolean =>
  lane === 'edge' || 'request_kind' in details;

export function requestsOf(events: readonly TimelineEvent[]): readonly RequestMark[] {
  return events
    .filter(isRequest)
    .map((event) => (event.lane === 'edge' ? ofEdge(event) : ofPlayer(event)));
}

function ofPlayer({ event_time: atMs, name, details }: TimelineEvent): RequestMark {
  const kind = stringOf(details.request_kind);
  const status = numberOf(details.request_status);
  const ttfbMs = numberOf(details.request_ttfb);
  const ttlbMs = numberOf(details.request_ttlb);
  const spanMs = ttlbMs ?? ttfbMs ?? 0;
  // A CMCD response report is dated by its request, a native one by its end.
  const fromMs = name === 'rr' ? atMs : atMs - spanMs;
  return {
    seenBy: 'player',
    kind,
    failed: hasFailed(status),
    missed: false,
    fromMs,
    toMs: fromMs + spanMs,
    summary: summaryOf([
      `${kind}${statusText(status)}`,
      sizeText(numberOf(details.request_bytes)),
      spanText('first byte', ttfbMs),
      spanText('all', ttlbMs),
      stringOf(details.request_cdn),
      fileOf(stringOf(details.request_url)),
    ]),
  };
}

/** CMCD object types by what a player would call the request. */
const OBJECT_TYPES: Readonly<Record<string, string>> = {
  m: 'manifest',
  i: 'init',
  k: 'key',
  v: 'segment',
  a: 'segment',
  av: 'segment',
  tt: 'segment',
  c: 'segment',
};

function ofEdge({ event_time: fromMs, details }: TimelineEvent): RequestMark {
  const kind = OBJECT_TYPES[objectTypeOf(details)] ?? 'other';
  const status = numberOf(details.status);
  const spanMs = numberOf(details.duration_ms) ?? 0;
  const cache = stringOf(details.cache);
  return {
    seenBy: 'edge',
    kind,
    failed: hasFailed(status) || details.aborted === true,
    missed: /miss|expired|bypass/i.test(cache),
    fromMs,
    toMs: fromMs + spanMs,
    summary: summaryOf([
      `${kind}${statusText(status)}${details.aborted === true ? ', aborted' : ''}`,
      cache,
      sizeText(numberOf(details.bytes)),
      spanText('first byte', numberOf(details.ttfb_ms)),
      spanText('all', spanMs),
      stringOf(details.pop),
      fileOf(stringOf(details.path)),
    ]),
  };
}

function objectTypeOf({ cmcd }: Details): string {
  return typeof cmcd === 'object' && cmcd !== null && 'ot' in cmcd ? stringOf(cmcd.ot) : '';
}

const hasFailed = (status: number | undefined): boolean =>
  status !== undefined && (status === 0 || status >= 400);

const statusText = (status: number | undefined): string =>
  status === undefined ? '' : status === 0 ? ' no answer' : ` ${status}`;

const sizeText = (size: number | undefined): string =>
  size === undefined ? '' : text(bytes(size));

const spanText = (name: string, spanMs: number | undefined): string =>
  spanMs === undefined ? '' : `${name} ${text(duration(spanMs))}`;

const summaryOf = (parts: readonly string[]): string =>
  parts.filter((part) => part !== '').join(' · ');

const fileOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
