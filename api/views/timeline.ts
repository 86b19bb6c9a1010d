/** The timeline of a view: its events as their clients sent them, with what the log made of them. */
import type { Entry, Part } from '../../schemas/beat.ts';
import { decodeEdgeRequest, decodeParts, type EdgeRequest } from '../../schemas/records.ts';
import type { TimelineRow } from '../planner/video-views.ts';

type Details = Record<string, unknown>;

export interface TimelineEvent {
  /** Client's clock, ms since 1970. */
  readonly viewer_time: number;
  readonly client_at: string;
  /** The log's clock, ms since 1970. */
  readonly event_time: number;
  readonly at: string;
  /** Playhead, ms; null when the event did not say. */
  readonly playback_time: number | null;
  readonly name: string;
  readonly source: string;
  readonly lane: string;
  readonly state: string;
  readonly taken: string;
  readonly seq: number | null;
  readonly details: Details;
}

export function timelineEvent(row: TimelineRow): TimelineEvent {
  const details = detailsOf(row);
  const { playhead } = details;
  return {
    viewer_time: row.client_at,
    client_at: iso(row.client_at),
    event_time: row.at_ms,
    at: iso(row.at_ms),
    playback_time: typeof playhead === 'number' ? playhead : null,
    name: row.name,
    source: row.source,
    lane: row.lane,
    state: row.state,
    taken: row.taken,
    seq: row.seq < 0 ? null : row.seq,
    details,
  };
}

/** A client's clock can say anything, also what is no date. */
function iso(timeMs: number): string {
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

/** Parts of one event as one flat object. Bytes that cannot be read say so: the rest of the event is still true. */
function detailsOf(row: Pick<TimelineRow, 'lane' | 'schema_version' | 'parts_hex'>): Details {
  try {
    if (row.lane === 'edge')
      return edgeDetails(decodeEdgeRequest(Buffer.from(row.parts_hex, 'hex')));
    const parts = decodeParts(row.schema_version, Buffer.from(row.parts_hex, 'hex'));
    if (parts === undefined) return { unreadable: `schema version ${row.schema_version}` };
    const details: Details = {};
    for (const part of parts) Object.assign(details, flat(part, details));
    return details;
  } catch {
    return { unreadable: 'malformed' };
  }
}

/** What an error event said of the error with a code; undefined when it is another, or said nothing. */
export function errorMessage(
  row: Pick<TimelineRow, 'schema_version' | 'parts_hex'>,
  code: string,
): string | undefined {
  const details = detailsOf({ ...row, lane: 'main' });
  const { error_code: saidCode, error_message: message } = details;
  return saidCode === code && typeof message === 'string' ? message : undefined;
}

/** A request as its edge saw it. */
function edgeDetails({ identity: _, cmcd, ...request }: EdgeRequest): Details {
  return { ...named('', { ...request }), cmcd: merged({}, cmcd) };
}

const PREFIX = 'streamgauge.v1.';

/** Names of a part's fields where the field alone would not say what it is about. */
const PREFIXES: Readonly<Record<string, string>> = {
  Request: 'request_',
  PlayerError: 'error_',
  Ad: 'ad_',
};

function flat(part: Part, before: Details): Details {
  const [union, body] = Object.entries(part)[0] ?? ['', {}];
  const kind = union.startsWith(PREFIX) ? union.slice(PREFIX.length) : union;
  switch (kind) {
    case 'ContextChange':
      return { context: merged(before.context, body.entries) };
    case 'Keys':
      return { keys: merged(before.keys, body.entries) };
    case 'Custom':
      return { custom: merged(before.custom, [body]) };
    default:
      return named(PREFIXES[kind] ?? '', body);
  }
}

function merged(before: unknown, entries: readonly Entry[]): object {
  const added = entries.map(({ name, value }) => [name, value]);
  return { ...(typeof before === 'object' ? before : {}), ...Object.fromEntries(added) };
}

/** Fields that may be 0 and known; of the others 0 is unknown. */
const KNOWN_ZERO = new Set([
  'playhead',
  'buffer',
  'liveLatency',
  'droppedFrames',
  'shownFrames',
  'status',
  'bytes',
  'ttfb',
  'ttlb',
  'pageLoad',
  'playerStartup',
  'drm',
  'bitrate',
]);

function named(prefix: string, body: Details): Details {
  const known = Object.entries(body).filter(
    ([name, value]) => value !== '' && value !== -1 && (value !== 0 || KNOWN_ZERO.has(name)),
  );
  return Object.fromEntries(known.map(([name, value]) => [prefix + snakeCase(name), value]));
}

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
