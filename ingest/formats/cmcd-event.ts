/**
 * One CMCD record as an event of a beat.
 *
 * Guarantees: what a part says is said once. A key that no part carries, because it has no metric or its value is
 * absurd, stays among the event's keys, so that a timeline shows what the player sent. Key names and units are
 * those of CTA-5004-B; states and their reading those of METRICS.md.
 */

import {
  type AdEvent,
  type BeatEvent,
  type Entry,
  type Part,
  type PlayerState,
  part,
  type RenditionPart,
  type StatusPart,
} from '../../schemas/beat.ts';
import { SOURCE_TYPES, STREAM_TYPES } from '../../schemas/cmcd-tokens.ts';
import { claimParts, cmsdText } from './cmcd-claims.ts';
import { type CmcdRecord, itemsOf, numberOf, textOf, tokenOf } from './cmcd-record.ts';
import { cleanUrl, responseRequest } from './cmcd-request.ts';
import { isInnerList, type SfItem, type SfMember, serializeMember } from './structured-fields.ts';

export interface CmcdEventLimits {
  /** Keys kept with one event, in the order of their names. */
  readonly keysMax: number;
  /** Characters of the names and values of the keys kept with one event. */
  readonly keyCharsMax: number;
}

export interface CmcdEventCounters {
  /** Keys left out because of keysMax or keyCharsMax. */
  keysCut: number;
}

/** Bitrates beyond, in kbit/s, are no bitrates (10 Gbit/s). */
export const bitrateKilobitsMax = 10_000_000;

const states: Readonly<Record<string, PlayerState>> = {
  d: 'preloading',
  s: 'starting',
  p: 'playing',
  r: 'rebuffering',
  w: 'rebuffering',
  k: 'seeking',
  a: 'paused',
  e: 'ended',
  f: 'failed',
  q: 'quit',
};

/** A map, because an event may have any name: one of `Object`'s own would be found in an object. */
const ads: ReadonlyMap<string, AdEvent> = new Map([
  ['as', 'start'],
  ['ae', 'end'],
  ['abs', 'break_start'],
  ['abe', 'break_end'],
  ['sk', 'skip'],
]);

/** Low latency and HESP: the dimension says less than the token, which therefore stays with the event. */
const COARSE_TOKENS: ReadonlySet<string> = new Set(['ll', 'e']);

/** Object types by which the items of a list are told apart (`1600;v`). */
const OBJECT_TYPES: ReadonlySet<string> = new Set(['m', 'a', 'v', 'av', 'i', 'c', 'tt', 'k', 'o']);

/** The dimension that each context key gives, in the order of the dimensions' names. */
const contextOf: readonly (readonly [string, string, (record: CmcdRecord) => string])[] = [
  ['cdn', 'cdn', (record) => textOf(record, 'cdn')],
  ['sf', 'source_type', (record) => SOURCE_TYPES.get(tokenOf(record, 'sf')) ?? ''],
  ['st', 'stream_type', (record) => STREAM_TYPES.get(tokenOf(record, 'st')) ?? ''],
  ['cid', 'video_id', (record) => textOf(record, 'cid')],
];

/** The time of an event: ms since 1970, as the client says; undefined when it says none. */
export function eventTime(record: CmcdRecord): number | undefined {
  const at = whole(record, 'ts');
  return at < 0 ? undefined : at;
}

/** Events of an ad: the `cid` of their records is the ad's, not the view's. */
const AD_TOKENS: ReadonlySet<string> = new Set(['as', 'ae', 'sk']);

/** What the records of one view say of it, sorted by name; the last word wins. */
export function cmcdContext(records: readonly CmcdRecord[]): Entry[] {
  const entries: Entry[] = [];
  for (const [, name, read] of contextOf) {
    for (let index = records.length - 1; index >= 0; index--) {
      const record = records[index];
      const isOther =
        record === undefined || (name === 'video_id' && AD_TOKENS.has(tokenOf(record, 'e')));
      const value = isOther ? '' : read(record);
      if (value === '') continue;
      entries.push({ name, value });
      break;
    }
  }
  return entries;
}

/** The event of a record. `at` is its time, `context` what its beat says of the view. */
export function cmcdEvent(
  record: CmcdRecord,
  context: readonly Entry[],
  limits: CmcdEventLimits,
  counters: CmcdEventCounters,
): BeatEvent {
  const name = tokenOf(record, 'e');
  const taken = new Set(['e', 'sid', 'sn', 'ts']);
  const parts = name === 'rr' ? responseParts(record, taken) : mainParts(record, name, taken);
  for (const [key, dimension, read] of contextOf) {
    // A value that the beat's context does not repeat, such as an ad's `cid`, stays with its event.
    const said = context.find((entry) => entry.name === dimension);
    const exact = !COARSE_TOKENS.has(tokenOf(record, key));
    if (exact && said !== undefined && read(record) === said.value) taken.add(key);
  }
  parts.push(...claimParts(record));
  const entries = keyEntries(record, taken, limits, counters);
  if (entries.length > 0) parts.push(part.keys(entries));
  const seq = numberOf(record, 'sn');
  return {
    seq: seq !== undefined && Number.isSafeInteger(seq) && seq >= 0 ? seq : -1,
    at: whole(record, 'ts'),
    lane: name === 'rr' ? 'response' : 'main',
    name,
    parts,
  };
}

/** A response report: its state and buffer may be half a minute old, so only what belongs to the response counts. */
function responseParts(record: CmcdRecord, taken: Set<string>): Part[] {
  const parts: Part[] = [];
  // `br` is here the requested object's, not what the player selected.
  addRendition(parts, record, 'pb', taken);
  addStatus(parts, { liveLatency: take(record, 'ltc', taken) });
  parts.push(part.request(responseRequest(record, taken)));
  return parts;
}

function mainParts(record: CmcdRecord, name: string, taken: Set<string>): Part[] {
  const parts: Part[] = [];
  const state = states[tokenOf(record, 'sta')];
  if (state !== undefined) {
    parts.push(part.state(state));
    taken.add('sta');
  }
  addRendition(parts, record, 'pb', taken);
  addRendition(parts, record, 'br', taken);
  addStatus(parts, {
    playhead: take(record, 'pt', taken),
    buffer: takeBuffer(record, taken),
    liveLatency: take(record, 'ltc', taken),
    droppedFrames: take(record, 'dfa', taken),
  });
  addNamed(parts, record, name, taken);
  return parts;
}

/** What only the event's own name makes true: a sticky `ec` or `bg` on another event is no new error or mode. */
function addNamed(parts: Part[], record: CmcdRecord, name: string, taken: Set<string>): void {
  if (name === 'e') {
    parts.push(part.error({ code: errorCode(record), fatal: 'unknown' }));
    taken.add('ec');
  } else if (name === 'b') {
    const bg = record.get('bg');
    const background = bg !== undefined && !isInnerList(bg) && bg.value === true;
    parts.push(part.playbackMode(background ? 'background' : 'inline'));
    taken.add('bg');
  } else if (name === 'pe') {
    parts.push(part.playbackMode('fullscreen'));
  } else if (name === 'pc') {
    parts.push(part.playbackMode('inline'));
  }
  const what = ads.get(name);
  if (what !== undefined) parts.push(part.ad({ what, placement: '', code: '' }));
}

function errorCode(record: CmcdRecord): string {
  const codes: string[] = [];
  for (const { value } of itemsOf(record, 'ec')) {
    if (typeof value === 'string') codes.push(value);
    else if (typeof value === 'object' && 'token' in value) codes.push(value.token);
    else if (typeof value === 'number') codes.push(String(value));
  }
  return codes.join(',');
}

function addRendition(
  parts: Part[],
  record: CmcdRecord,
  key: 'pb' | 'br',
  taken: Set<string>,
): void {
  const bitrate = bitsOf(itemsOf(record, key));
  if (bitrate < 0) return;
  const basis: RenditionPart['basis'] = key === 'pb' ? 'shown' : 'selected';
  parts.push(part.rendition({ bitrate, basis }));
  taken.add(key);
}

function addStatus(parts: Part[], status: Partial<StatusPart>): void {
  if (Object.values(status).some((value) => value >= 0)) parts.push(part.status(status));
}

/** The value of an integer key, rounded, and the key taken; -1 for none that can be. */
function take(record: CmcdRecord, key: string, taken: Set<string>): number {
  const value = whole(record, key);
  if (value >= 0) taken.add(key);
  return value;
}

function whole(record: CmcdRecord, key: string): number {
  const value = numberOf(record, key);
  return value !== undefined && value >= 0 ? Math.round(value) : -1;
}

/** Playback stalls when the first of its media buffers is empty, so the least one counts. Subtitles do not stall. */
function takeBuffer(record: CmcdRecord, taken: Set<string>): number {
  let least = -1;
  for (const item of itemsOf(record, 'bl')) {
    const type = objectType(item);
    if (type !== '' && type !== 'v' && type !== 'a' && type !== 'av') continue;
    if (typeof item.value !== 'number' || item.value < 0) continue;
    if (least < 0 || item.value < least) least = item.value;
  }
  if (least < 0) return -1;
  taken.add('bl');
  return Math.round(least);
}

/** `1600;v`, or `1600;ot=v` as drafts had it; empty for an untyped item. */
function objectType(item: SfItem): string {
  for (const { name, value } of item.params) {
    if (name === 'ot' && typeof value === 'object' && 'token' in value) return value.token;
    if (value === true && OBJECT_TYPES.has(name)) return name;
  }
  return '';
}

/**
 * Bits per second of a list in kbit/s; -1 when it says none.
 * Muxed (`av`) as it is, else video plus audio, else the untyped. Of several of one type, as of two camera angles or
 * of untyped items of which nobody knows what they are, the largest: a sum could count one stream twice.
 */
function bitsOf(items: readonly SfItem[]): number {
  let muxed = -1;
  let video = -1;
  let audio = -1;
  let untyped = -1;
  for (const item of items) {
    const kilobits = item.value;
    if (typeof kilobits !== 'number' || kilobits <= 0 || kilobits > bitrateKilobitsMax) continue;
    const type = objectType(item);
    if (type === 'av') muxed = Math.max(muxed, kilobits);
    else if (type === 'v') video = Math.max(video, kilobits);
    else if (type === 'a') audio = Math.max(audio, kilobits);
    else if (type === '') untyped = Math.max(untyped, kilobits);
  }
  const typed = Math.max(video, 0) + Math.max(audio, 0);
  const kilobits = muxed > 0 ? muxed : typed > 0 ? typed : untyped;
  return kilobits > 0 ? Math.round(kilobits * 1000) : -1;
}

/** The keys that nobody took, sorted by name, values in structured-field notation, URLs without their queries. */
export function keyEntries(
  record: CmcdRecord,
  taken: ReadonlySet<string>,
  limits: CmcdEventLimits,
  counters: CmcdEventCounters,
): Entry[] {
  const names: string[] = [];
  for (const name of record.keys()) if (!taken.has(name)) names.push(name);
  names.sort();
  const entries: Entry[] = [];
  let chars = 0;
  for (const name of names) {
    const member = record.get(name);
    if (member === undefined) continue;
    const value = serializeMember(shownMember(name, member));
    if (
      entries.length === limits.keysMax ||
      chars + name.length + value.length > limits.keyCharsMax
    ) {
      counters.keysCut++;
      continue;
    }
    chars += name.length + value.length;
    entries.push({ name, value });
  }
  return entries;
}

/** As it may be kept: URLs without queries, copies of CMSD headers as the text that they are. */
function shownMember(name: string, member: SfMember): SfMember {
  if (name === 'nor' || name === 'url') return withoutQueries(member);
  if ((name !== 'cmsdd' && name !== 'cmsds') || isInnerList(member)) return member;
  const text = typeof member.value === 'string' ? cmsdText(member.value) : '';
  return text === '' ? member : { value: text, params: member.params };
}

/** Queries hold tokens. Version 1 percent-encodes `nor`, so its question mark may be encoded. */
function withoutQueries(member: SfMember): SfMember {
  if (isInnerList(member)) {
    return { items: member.items.map(withoutQuery), params: member.params };
  }
  return withoutQuery(member);
}

function withoutQuery(item: SfItem): SfItem {
  if (typeof item.value !== 'string') return item;
  const cut = item.value.search(/%3f|%23/i);
  const value = cleanUrl(cut < 0 ? item.value : item.value.slice(0, cut));
  return { value, params: item.params };
}
