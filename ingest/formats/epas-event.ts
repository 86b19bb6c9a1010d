/**
 * One event of the Eyevinn Player Analytics Specification (EPAS) as an event of a beat.
 *
 * Guarantees: never throws; a value that cannot be taken is dropped alone and noted. What no part carries stays among
 * the event's keys. `seeked` and `buffered` say that something is over, not what is now: the fold knows whether the
 * view was paused before, so they have no state here (`processors/epas-states.ts`).
 */
import {
  type BeatEvent,
  type Entry,
  type Part,
  type PlayerState,
  part,
} from '../../schemas/beat.ts';
import { cleanUrl, withoutQueries } from './cmcd-request.ts';
import {
  contextEntries,
  cutText,
  Fields,
  isObject,
  type JsonObject,
  type NativeScope,
  shown,
} from './native-values.ts';

/** Why an event is not taken. */
export interface EpasRefusal {
  readonly code: string;
  readonly message: string;
}

/** In ms since 1970: the year 2248. */
const AT_BELOW = 2 ** 43;
const BITRATE_KILOBITS_MAX = 1e7;
const PIXELS_MAX = 65_535;
/** A browser's duration is in seconds and seldom whole; a whole one of this length is in ms, as other SDKs send. */
const WHOLE_MS_LEAST = 10_000;
const KEYS_MAX = 32;

const STATES: Readonly<Record<string, PlayerState>> = {
  loading: 'starting',
  playing: 'playing',
  paused: 'paused',
  buffering: 'rebuffering',
  seeking: 'seeking',
};

const STOP_REASONS: ReadonlyMap<unknown, PlayerState> = new Map([
  ['ended', 'ended'],
  ['error', 'failed'],
  ['aborted', 'quit'],
]);

/** Events of the specification. */
const EVENTS: ReadonlySet<string> = new Set([
  ...Object.keys(STATES),
  ...['init', 'metadata', 'heartbeat', 'loaded', 'buffered', 'seeked', 'bitrate_changed'],
  ...['stopped', 'error', 'warning'],
]);

/** Decodes one event; its session is its caller's. */
export function decodeEpasEvent(value: unknown, scope: NativeScope): BeatEvent | EpasRefusal {
  if (!isObject(value)) {
    return { code: 'event_not_object', message: `an event is an object, not ${shown(value)}` };
  }
  const { event, timestamp } = value;
  if (typeof event !== 'string' || !EVENTS.has(event)) {
    return { code: 'event_type_unknown', message: `event ${shown(event)} is none of EPAS` };
  }
  const at = typeof timestamp === 'number' ? Math.round(timestamp) : Number.NaN;
  if (!(at > 0 && at < AT_BELOW)) {
    const message = `timestamp is the client's clock in ms since 1970, not ${shown(timestamp)}`;
    return { code: 'at_invalid', message };
  }
  return { seq: -1, at, lane: 'main', name: event, parts: partsOf(event, value, scope) };
}

function partsOf(event: string, value: JsonObject, scope: NativeScope): Part[] {
  const payload = isObject(value.payload) ? value.payload : {};
  const taken = new Set<string>();
  const parts = [
    ...stateParts(event, payload, taken),
    ...namedParts(event, payload, taken, scope),
    ...playheadParts(value),
  ];
  const entries = keyEntries(payload, taken, scope);
  if (entries.length > 0) parts.push(part.keys(entries));
  return parts;
}

/** A stop whose reason is none of the known ones was somebody's wish. */
function stateParts(event: string, payload: JsonObject, taken: Set<string>): Part[] {
  if (event === 'stopped') {
    const state = STOP_REASONS.get(payload.reason);
    if (state !== undefined) taken.add('reason');
    return [part.state(state ?? 'quit')];
  }
  const state = STATES[event];
  return state === undefined ? [] : [part.state(state)];
}

function namedParts(
  event: string,
  payload: JsonObject,
  taken: Set<string>,
  scope: NativeScope,
): Part[] {
  switch (event) {
    case 'bitrate_changed':
      return renditionParts(payload, taken, scope);
    case 'error':
    case 'warning':
      return [errorPart(event, payload, taken, scope)];
    case 'metadata':
      return contextParts(payload, taken, scope);
    default:
      return [];
  }
}

function renditionParts(payload: JsonObject, taken: Set<string>, scope: NativeScope): Part[] {
  const fields = new Fields(numbersOf(payload, ['bitrate', 'width', 'height']), scope);
  const bitrate = fields.scaled('bitrate', BITRATE_KILOBITS_MAX, 1_000, -1);
  const width = fields.whole('width', PIXELS_MAX, 0);
  const height = fields.whole('height', PIXELS_MAX, 0);
  for (const name of ['bitrate', 'width', 'height']) taken.add(name);
  if (bitrate <= 0 && width === 0) return [];
  return [part.rendition({ bitrate: bitrate > 0 ? bitrate : -1, width, height })];
}

/** The specification shows these numbers as texts, its SDKs send numbers. */
function numbersOf(payload: JsonObject, names: readonly string[]): JsonObject {
  const numbers: Record<string, unknown> = {};
  for (const name of names) {
    const value = payload[name];
    const isText = typeof value === 'string' && value.trim() !== '';
    numbers[name] = isText ? Number(value) : value;
  }
  return numbers;
}

/** EPAS calls fatal what is an `error`. URLs in messages hold tokens. */
function errorPart(
  event: string,
  payload: JsonObject,
  taken: Set<string>,
  scope: NativeScope,
): Part {
  const fields = new Fields(payload, scope);
  taken.add('code').add('message').add('data');
  return part.error({
    code: fields.text('code'),
    message: withoutQueries(fields.text('message')),
    fatal: event === 'error' ? 'yes' : 'no',
  });
}

/** Fields of the metadata that are dimensions. */
const DIMENSION_OF: readonly (readonly [field: string, dimension: string])[] = [
  ['contentId', 'video_id'],
  ['contentTitle', 'video_title'],
  ['userId', 'viewer_user_id'],
  ['deviceModel', 'viewer_device_name'],
];

/** Device types that are categories; `web` and the like are none, and would hide what the user agent says. */
const CATEGORY_OF: ReadonlyMap<string, string> = new Map([
  ['desktop', 'desktop'],
  ['phone', 'phone'],
  ['mobile', 'phone'],
  ['tablet', 'tablet'],
  ['tv', 'tv'],
  ['console', 'console'],
]);

const FORMAT_OF_SUFFIX: ReadonlyMap<string, string> = new Map([
  ['m3u8', 'hls'],
  ['mpd', 'dash'],
]);

function contextParts(payload: JsonObject, taken: Set<string>, scope: NativeScope): Part[] {
  const said: Record<string, unknown> = {};
  for (const [field, dimension] of DIMENSION_OF) {
    const value = payload[field];
    if (value === undefined || value === null || value === '') continue;
    said[dimension] = value;
    taken.add(field);
  }
  const { contentUrl, deviceType, live } = payload;
  const category = CATEGORY_OF.get(String(deviceType).toLowerCase());
  if (category !== undefined) {
    said.viewer_device_category = category;
    taken.add('deviceType');
  }
  if (typeof live === 'boolean') {
    said.stream_type = live ? 'live' : 'on-demand';
    taken.add('live');
  }
  const suffix = typeof contentUrl === 'string' ? cleanUrl(contentUrl).split('.').pop() : undefined;
  const format = FORMAT_OF_SUFFIX.get(suffix?.toLowerCase() ?? '');
  if (format !== undefined) said.source_type = format;
  const entries = contextEntries(said, scope);
  return entries.length === 0 ? [] : [part.context(entries)];
}

function playheadParts({ playhead, duration }: JsonObject): Part[] {
  if (typeof playhead !== 'number' || !(playhead >= 0)) return [];
  const inMs = isWhole(playhead) && isWhole(duration) && Number(duration) >= WHOLE_MS_LEAST;
  const playheadMs = Math.round(inMs ? playhead : playhead * 1_000);
  return playheadMs < AT_BELOW ? [part.status({ playhead: playheadMs })] : [];
}

function isWhole(value: unknown): boolean {
  return Number.isInteger(value);
}

/** What nobody took, sorted by name; nested values are not kept. */
function keyEntries(payload: JsonObject, taken: ReadonlySet<string>, scope: NativeScope): Entry[] {
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(payload)) {
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    if (taken.has(name) || !isPlain || entries.length === KEYS_MAX) continue;
    const text = typeof value === 'string' ? cleanText(name, value) : String(value);
    const { stringLengthMax } = scope;
    entries.push({ name: cutText(name, stringLengthMax), value: cutText(text, stringLengthMax) });
  }
  return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The URL of the content may be relative; of other texts only what looks like a URL is one. */
function cleanText(name: string, text: string): string {
  const isUrl = name === 'contentUrl' || text.trimStart().startsWith('//');
  return isUrl ? cleanUrl(text.trim()) : withoutQueries(text);
}
