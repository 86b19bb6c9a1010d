/**
 * CMCD event mode (CTA-5004 and CTA-5004-B): the body of a report into beats, one for each view that it names.
 *
 * Guarantees: pure; never throws; time is linear in the body. One bad record never costs the good ones beside it,
 * one bad value never costs its record. Views stand in the order in which the body first names them, events in the
 * order of the wire. Records without `sid` are of the view without a name, which ingest gives one; a record that
 * cannot be placed in time (no `ts`) is a reject with its bytes.
 */
import { isAscii } from 'node:buffer';
import { cmcdContext, cmcdEvent, eventTime } from './cmcd-event.ts';
import {
  type CmcdRead,
  type CmcdRecord,
  parseCmcd,
  parseCmcdJson,
  textOf,
  textOfBytes,
} from './cmcd-record.ts';
import type { FormatBeat, FormatReject, FormatResult } from './format.ts';

export {
  type CmcdParsed,
  type CmcdRead,
  type CmcdRecord,
  type CmcdRefused,
  type CmcdValue,
  decodeCmcdHeaders,
  decodeCmcdQuery,
  parseCmcd,
  parseCmcdJson,
} from './cmcd-record.ts';

export interface CmcdLimits {
  /** Bytes of one record. */
  readonly recordBytesMax: number;
  /** Records of one body; what comes after them is one reject. */
  readonly recordsMax: number;
  /** Events of one view in one body. */
  readonly eventsPerBeatMax: number;
  /** Characters of a `sid`, without the spaces around it. The standard has 64. */
  readonly viewCharsMax: number;
  /** Keys kept with one event, in the order of their names. */
  readonly keysMax: number;
  /** Characters of the names and values of the keys kept with one event. */
  readonly keyCharsMax: number;
}

export const cmcdLimits: CmcdLimits = {
  recordBytesMax: 16_384,
  recordsMax: 10_000,
  eventsPerBeatMax: 1_000,
  viewCharsMax: 128,
  keysMax: 64,
  keyCharsMax: 4_096,
};

/** What was taken and what was left out within records that were taken. Rejects count themselves. */
export interface CmcdCounters {
  /** Records that became events. */
  events: number;
  /** Values dropped because they could not be read, or have another type than their key. */
  valuesDropped: number;
  /** Keys left out because of keysMax or keyCharsMax. */
  keysCut: number;
}

export function createCmcdCounters(): CmcdCounters {
  return { events: 0, valuesDropped: 0, keysCut: 0 };
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ARRAY_OPEN = 0x5b;
const ARRAY_CLOSE = 0x5d;
const OBJECT_OPEN = 0x7b;
const OBJECT_CLOSE = 0x7d;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a body: records separated by line ends, or JSON objects, alone, in an array or in lines.
 *
 * The first byte decides, because a dictionary cannot begin like JSON; the content type only decides for a body
 * that can be neither. `malformed` is set when not one record could be read; such a body has no rejects.
 */
export function decodeCmcdBody(
  body: Buffer,
  contentType: string,
  limits: CmcdLimits = cmcdLimits,
  counters: CmcdCounters = createCmcdCounters(),
): FormatResult {
  const { pieces, json, read: readAt } = readCmcdRecords(body, contentType, limits);
  const views = new Map<string, CmcdRecord[]>();
  const rejects: FormatReject[] = [];
  let readable = 0;
  for (const [index, piece] of pieces.entries()) {
    const read = readAt(index);
    const placed = 'record' in read ? place(read, views, limits) : read;
    const unread = placed?.code === 'cmcd_malformed' || index === limits.recordsMax;
    if (!unread) readable++;
    if (placed !== undefined) {
      rejects.push({ ...placed, view: shortView(placed.view, limits), bytes: piece, beat: index });
    } else if ('record' in read) {
      counters.events++;
      counters.valuesDropped += read.dropped.length;
    }
  }
  if (readable === 0 && pieces.length > 0) return unreadable(json);
  const beats = Array.from(views, ([view, records]) => toBeat(view, records, limits, counters));
  return { beats, rejects };
}

/** The records of a body, in its order, before they are placed in views. */
export interface CmcdRecords {
  /** Bytes of each, as they came. */
  readonly pieces: readonly Buffer[];
  /** The body is JSON. */
  readonly json: boolean;
  /** Reads the record at a position. */
  readonly read: (index: number) => CmcdRead | CmcdFault;
}

/** Takes a body apart into its records. */
export function readCmcdRecords(
  body: Buffer,
  contentType: string,
  limits: CmcdLimits = cmcdLimits,
): CmcdRecords {
  const marked = body.subarray(0, 3).equals(BYTE_ORDER_MARK);
  const bytes = trimmed(marked ? body.subarray(3) : body);
  const first = bytes[0];
  const json = first === OBJECT_OPEN || first === ARRAY_OPEN || saysJson(contentType, first);
  const pieces = json ? jsonPieces(bytes, limits.recordsMax) : lines(bytes, limits.recordsMax);
  const form = { json, ascii: isAscii(bytes) };
  const read = (index: number) => readPiece(pieces[index] ?? NOTHING, index, form, limits);
  return { pieces, json, read };
}

const NOTHING = Buffer.alloc(0);

/** Why a record is no event. */
export interface CmcdFault {
  readonly code: string;
  readonly message: string;
  readonly view: string;
}

/** The record of a piece of the body; cheap checks of the bytes come before any parser. */
function readPiece(
  piece: Buffer,
  index: number,
  form: { readonly json: boolean; readonly ascii: boolean },
  limits: CmcdLimits,
): CmcdRead | CmcdFault {
  if (index === limits.recordsMax) {
    const message = `The body has more than ${limits.recordsMax} records: send smaller batches.`;
    return { code: 'too_many_events', message, view: '' };
  }
  if (piece.length > limits.recordBytesMax) {
    const message = `The record has ${piece.length} bytes: send at most ${limits.recordBytesMax}.`;
    return { code: 'event_too_large', message, view: '' };
  }
  const text = form.ascii ? piece.toString('latin1') : textOfBytes(piece);
  return form.json ? parseCmcdJson(text) : parseCmcd(text);
}

/** Puts a record into its view; or says why it cannot be an event of one. */
function place(
  { record }: CmcdRead,
  views: Map<string, CmcdRecord[]>,
  limits: CmcdLimits,
): CmcdFault | undefined {
  const view = textOf(record, 'sid').trim();
  if (view.length > limits.viewCharsMax) {
    const message = `The sid has ${view.length} characters: send at most ${limits.viewCharsMax}.`;
    return { code: 'sid_too_long', message, view };
  }
  if (eventTime(record) === undefined) {
    const message = 'The event has no time: send `ts`, in milliseconds since 1970.';
    return { code: 'missing_ts', message, view };
  }
  const records = views.get(view) ?? [];
  if (records.length >= limits.eventsPerBeatMax) {
    const message = `The body has more than ${limits.eventsPerBeatMax} events of one view: send smaller batches.`;
    return { code: 'too_many_events', message, view };
  }
  if (records.push(record) === 1) views.set(view, records);
  return undefined;
}

function shortView(view: string, limits: CmcdLimits): string {
  const short = view.trim();
  return short.length > limits.viewCharsMax ? '' : short;
}

function unreadable(json: boolean): FormatResult {
  const message = json
    ? 'No record could be read: send a JSON object of CMCD keys, or an array of them.'
    : 'No record could be read: send one structured-field dictionary (RFC 8941) of CMCD in each line.';
  return { beats: [], rejects: [], malformed: { code: 'malformed', message } };
}

function toBeat(
  view: string,
  records: readonly CmcdRecord[],
  limits: CmcdLimits,
  counters: CmcdCounters,
): FormatBeat {
  const context = cmcdContext(records);
  const events = records.map((record) => cmcdEvent(record, context, limits, counters));
  return { view, source: 'cmcd', sentAt: 0, context, events };
}

/** Some players say JSON and send a dictionary; a body that begins like a key is read as one. */
function saysJson(contentType: string, first: number | undefined): boolean {
  const likeKey = first === undefined || first === 0x2a || (first >= 0x61 && first <= 0x7a);
  return !likeKey && contentType.toLowerCase().includes('json');
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LF || byte === CR || byte === TAB;
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

/** Lines that hold something, without the spaces around them; beyond `max` the rest of the body as one. */
function lines(body: Buffer, max: number): Buffer[] {
  const found: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    if (found.length === max) {
      found.push(body.subarray(start));
      return found;
    }
    const lineFeed = body.indexOf(LF, start);
    const end = lineFeed < 0 ? body.length : lineFeed;
    const line = trimmed(body.subarray(start, end));
    if (line.length > 0) found.push(line);
    start = end + 1;
  }
  return found;
}

/**
 * The outermost values of a JSON body, the brackets around them left out, each to be read by itself: one bad
 * element, or an array cut short, does not cost the others, and each keeps its bytes as they came. Beyond `max` the
 * rest of the body is one.
 */
function jsonPieces(body: Buffer, max: number): Buffer[] {
  const found: Buffer[] = [];
  let depth = 0;
  let start = body[0] === ARRAY_OPEN ? 1 : 0;
  let inString = false;
  const cut = (end: number): void => {
    const piece = trimmed(body.subarray(start, end));
    if (piece.length > 0) found.push(piece);
    start = end + 1;
  };
  for (let index = start; index < body.length && found.length < max; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OBJECT_OPEN || byte === ARRAY_OPEN) depth++;
    else if (depth > 0) {
      if (byte === OBJECT_CLOSE || byte === ARRAY_CLOSE) depth--;
    } else if (byte === COMMA || byte === LF || byte === ARRAY_CLOSE) cut(index);
  }
  cut(body.length);
  return found;
}
