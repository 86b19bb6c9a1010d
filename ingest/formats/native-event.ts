/**
 * One event of a native beat → parts, or one reason why not.
 *
 * What rejects an event: its `seq`, `at` or `type`; a `state` or `mode` that is none; and nothing usable in a
 * `rendition`, `status`, `timing`, `custom` or `context` event, which would say nothing. Everything else that is wrong
 * drops that value only: an error without a readable code is still an error, a request without its size a request.
 * Unknown fields are ignored, so that a newer SDK can talk to an older server.
 */

import { nearestHint } from '../../platform/nearest.ts';
import {
  AD_EVENTS,
  type AdEvent,
  type BeatEvent,
  type Fatality,
  type Part,
  PLAYBACK_MODES,
  PLAYER_STATES,
  part,
  REFUSED_EVENT,
  REQUEST_KINDS,
} from '../../schemas/beat.ts';
import { withoutQueries } from './cmcd-request.ts';
import {
  COUNT_MAX,
  contextEntries,
  Fields,
  isObject,
  type NativeScope,
  shown,
} from './native-values.ts';

/** Why an event was not taken. */
export interface EventRefusal {
  readonly refused: true;
  readonly code: string;
  readonly message: string;
}

const SEQ_MAX = 2 ** 31;
/** In ms since 1970: the year 2248. */
const AT_BELOW = 2 ** 43;
const BITRATE_MAX = 1e10;
const PIXELS_MAX = 65_535;
const FRAME_RATE_MAX = 1_000;
const DURATION_MS_MAX = 86_400_000;
const PLAYHEAD_MS_MAX = AT_BELOW;
const HTTP_STATUS_MAX = 999;
const PLACEMENTS = ['preroll', 'midroll', 'postroll'] as const;

type Decode = (fields: Fields, scope: NativeScope) => readonly Part[] | EventRefusal;

/** Decoder of each event type, as the table of the native beat lists them. */
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['state', decodeState],
  ['rendition', decodeRendition],
  ['playback_mode', decodePlaybackMode],
  ['status', decodeStatus],
  ['request', decodeRequest],
  ['error', decodeError],
  ['timing', decodeTiming],
  ['context', decodeContext],
  ['custom', decodeCustom],
  ...AD_EVENTS.map((what): [string, Decode] => [`ad_${what}`, (fields) => decodeAd(what, fields)]),
]);

/** Native event types. */
export const NATIVE_EVENT_TYPES: readonly string[] = [...DECODERS.keys()];

/** Decodes one event. */
export function decodeEvent(value: unknown, scope: NativeScope): BeatEvent | EventRefusal {
  if (!isObject(value))
    return refuse('event_not_object', `an event is an object, not ${shown(value)}`);
  const { seq, at, type } = value;
  if (!Number.isInteger(seq) || Number(seq) < 0 || Number(seq) > SEQ_MAX) {
    return refuse('seq_invalid', `seq is a whole number from 0 to ${SEQ_MAX}, not ${shown(seq)}`);
  }
  const atMs = typeof at === 'number' ? Math.round(at) : Number.NaN;
  if (!(atMs > 0 && atMs < AT_BELOW)) {
    return refuse('at_invalid', `at is the client's clock in ms since 1970, not ${shown(at)}`);
  }
  const decode = typeof type === 'string' ? DECODERS.get(type) : undefined;
  if (decode === undefined || typeof type !== 'string') return refuseType(type);
  const parts = decode(new Fields(value, scope), scope);
  if ('refused' in parts) return parts;
  return { seq: Number(seq) + 0, at: atMs, lane: 'main', name: type, parts };
}

/** The place of a refused event in its sequence, where it has one: what came is no gap. */
export function refusedPlace(value: unknown): BeatEvent | undefined {
  if (!isObject(value)) return undefined;
  const { seq, at } = value;
  const atMs = typeof at === 'number' ? Math.round(at) : Number.NaN;
  const placed = Number.isInteger(seq) && Number(seq) >= 0 && Number(seq) <= SEQ_MAX;
  if (!placed || !(atMs > 0 && atMs < AT_BELOW)) return undefined;
  return { seq: Number(seq) + 0, at: atMs, lane: 'main', name: REFUSED_EVENT, parts: [] };
}

function refuse(code: string, message: string): EventRefusal {
  return { refused: true, code, message };
}

function refuseType(type: unknown): EventRefusal {
  const hint = typeof type === 'string' ? nearestHint(type, NATIVE_EVENT_TYPES) : '';
  return refuse('event_type_unknown', `type ${shown(type)} is no event type${hint}`);
}

/** The event would say nothing: of all its fields none was usable. */
function refuseEmpty(type: string, names: string, fields: Fields): EventRefusal {
  const dropped = fields.firstDropped === '' ? 'none was said' : fields.firstDropped;
  return refuse('field_invalid', `a ${type} event needs a usable ${names}; ${dropped}`);
}

function decodeState({ object }: Fields): readonly Part[] | EventRefusal {
  const state = PLAYER_STATES.find((known) => known === object.state);
  if (state !== undefined) return [part.state(state)];
  const hint = typeof object.state === 'string' ? nearestHint(object.state, PLAYER_STATES) : '';
  const valid = PLAYER_STATES.join(', ');
  return refuse('state_unknown', `state is one of ${valid}, not ${shown(object.state)}${hint}`);
}

function decodeRendition(fields: Fields): readonly Part[] | EventRefusal {
  const value = {
    bitrate: fields.whole('bitrate', BITRATE_MAX),
    width: fields.whole('width', PIXELS_MAX, 0),
    height: fields.whole('height', PIXELS_MAX, 0),
    milliFps: fields.scaled('frameRate', FRAME_RATE_MAX, 1_000, 0),
    codec: fields.text('codec'),
  };
  if (fields.takenCount > 0) return [part.rendition(value)];
  return refuseEmpty('rendition', 'bitrate, width, height, frameRate or codec', fields);
}

function decodePlaybackMode({ object }: Fields): readonly Part[] | EventRefusal {
  const mode = PLAYBACK_MODES.find((known) => known === object.mode);
  if (mode !== undefined) return [part.playbackMode(mode)];
  const valid = PLAYBACK_MODES.join(', ');
  return refuse('field_invalid', `mode is one of ${valid}, not ${shown(object.mode)}`);
}

function decodeStatus(fields: Fields): readonly Part[] | EventRefusal {
  const value = {
    playhead: fields.whole('playhead', PLAYHEAD_MS_MAX),
    buffer: fields.whole('buffer', DURATION_MS_MAX),
    liveLatency: fields.whole('liveLatency', DURATION_MS_MAX),
    droppedFrames: fields.whole('droppedFrames', COUNT_MAX),
    shownFrames: fields.whole('shownFrames', COUNT_MAX),
    playerWidth: fields.whole('playerWidth', PIXELS_MAX, 0),
    playerHeight: fields.whole('playerHeight', PIXELS_MAX, 0),
  };
  if (fields.takenCount > 0) return [part.status(value)];
  return refuseEmpty('status', 'playhead, buffer, liveLatency, frame count or player size', fields);
}

function decodeRequest(fields: Fields): readonly Part[] {
  const value = {
    kind: fields.word('kind', REQUEST_KINDS) ?? 'other',
    status: fields.whole('status', HTTP_STATUS_MAX),
    bytes: fields.whole('bytes', COUNT_MAX),
    ttfb: fields.whole('ttfb', DURATION_MS_MAX),
    ttlb: fields.whole('ttlb', DURATION_MS_MAX),
    url: bareUrl(fields.text('url')),
    cdn: fields.text('cdn'),
    host: fields.text('host'),
  };
  return [part.request(value)];
}

/** Query, fragment and user info may hold tokens: they never reach the log. */
function bareUrl(url: string): string {
  return url.replace(/[?#].*$/su, '').replace(/^([A-Za-z][\w+.-]*:)?\/\/[^/]*@/u, '$1//');
}

/** An error is not fatal unless it says so; one that says it unreadably may be. */
function decodeError(fields: Fields): readonly Part[] {
  const fatal = fields.flag('fatal');
  const fatality: Fatality = fatal === 'unusable' ? 'unknown' : fatal === true ? 'yes' : 'no';
  const value = {
    code: fields.text('code'),
    message: withoutQueries(fields.text('message')),
    fatal: fatality,
    business: fields.flag('business') === true,
  };
  return [part.error(value)];
}

function decodeTiming(fields: Fields): readonly Part[] | EventRefusal {
  const value = {
    pageLoad: fields.whole('pageLoad', DURATION_MS_MAX),
    playerStartup: fields.whole('playerStartup', DURATION_MS_MAX),
    drm: fields.whole('drm', DURATION_MS_MAX),
  };
  if (fields.takenCount > 0) return [part.timing(value)];
  return refuseEmpty('timing', 'pageLoad, playerStartup or drm', fields);
}

/** Unknown dimensions are dropped; an event that knows none is still a report. */
function decodeContext({ object }: Fields, scope: NativeScope): readonly Part[] | EventRefusal {
  if (!isObject(object.context)) {
    const got = shown(object.context);
    return refuse('field_invalid', `context is an object of dimensions, not ${got}`);
  }
  const entries = contextEntries(object.context, scope);
  return entries.length === 0 ? [] : [part.context(entries)];
}

function decodeAd(what: AdEvent, fields: Fields): readonly Part[] {
  const placement = fields.word('kind', PLACEMENTS) ?? '';
  return [part.ad({ what, placement, code: fields.text('code') })];
}

function decodeCustom(fields: Fields): readonly Part[] | EventRefusal {
  const name = fields.text('name');
  if (name === '') return refuseEmpty('custom', 'name', fields);
  return [part.custom({ name, value: fields.text('value') })];
}
