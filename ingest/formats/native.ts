/**
 * The native beat in JSON, one or an array of them, or in Avro → beats and rejects. Pure: no clock, no I/O.
 *
 * Guarantee: any bytes give a result, never a throw. One bad event never costs the good ones beside it, one bad beat
 * never the other beats; each reject gives its bytes as they came, of Avro as the JSON that says the same. A duplicate key means its last value, as in
 * JSON.parse; a `__proto__` key is a field like others, and unknown.
 */
import { type BeatEvent, REFUSED_EVENT } from '../../schemas/beat.ts';
import type { FormatBeat, FormatReject, FormatResult } from './format.ts';
import {
  elementSpans,
  lastElementEnd,
  memberSpan,
  nestsTooDeep,
  rootSpan,
  type Span,
} from './json-spans.ts';
import { readAvroBeats } from './native-avro.ts';
import { decodeEvent, refusedPlace } from './native-event.ts';
import { contextEntries, cutText, isObject, type NativeScope, shown } from './native-values.ts';

/** Longest view id, in UTF-16 units. CMCD allows 64 for `sid`. */
export const VIEW_LENGTH_MAX = 128;
const AT_BELOW = 2 ** 43;

export interface NativeLimits {
  readonly beatsPerBodyMax: number;
  readonly eventsPerBeatMax: number;
  readonly stringLengthMax: number;
}

export interface NativeDeps {
  readonly limits: NativeLimits;
  /** Names that a context may use: the dimensions of the catalogue. */
  readonly dimensions: ReadonlySet<string>;
}

/** Media types of beats in Avro. */
export const AVRO_TYPES: readonly string[] = ['application/avro', 'avro/binary'];

/** Makes the decoder of beats: Avro where the type says so, else JSON. */
export function createNativeFormat(
  deps: NativeDeps,
): (body: Buffer, type?: string) => FormatResult {
  return (body, type = '') =>
    AVRO_TYPES.includes(type) ? decodeAvro(body, deps) : decodeJson(body, deps);
}

/** What decoding one body collects. */
interface Decoding extends NativeScope {
  /** The body as JSON: what is refused is kept as it stands there. */
  readonly body: Buffer;
  readonly limits: NativeLimits;
  readonly beats: FormatBeat[];
  readonly rejects: FormatReject[];
  /** Span of the beat at a position, found on first use. */
  readonly beatSpan: (beat: number) => Span;
}

function decodeJson(body: Buffer, deps: NativeDeps): FormatResult {
  const parsed = parseJson(body);
  if (!parsed.ok) return { beats: [], rejects: [], malformed: parsed.malformed };
  if (!Array.isArray(parsed.value)) return decodeBeats([parsed.value], () => body, false, deps);
  return decodeBeats(parsed.value, () => body, true, deps);
}

/** JSON is written only where something is refused. */
function decodeAvro(body: Buffer, deps: NativeDeps): FormatResult {
  const read = readAvroBeats(body);
  if ('malformed' in read) return { beats: [], rejects: [], malformed: read.malformed };
  const { values } = read;
  return decodeBeats(values, () => Buffer.from(JSON.stringify(values)), true, deps);
}

function decodeBeats(
  values: readonly unknown[],
  json: () => Buffer,
  isArray: boolean,
  { limits, dimensions }: NativeDeps,
): FormatResult {
  let body: Buffer | undefined;
  const jsonOnce = (): Buffer => {
    body ??= json();
    return body;
  };
  const decoding: Decoding = {
    get body() {
      return jsonOnce();
    },
    limits,
    dimensions,
    stringLengthMax: limits.stringLengthMax,
    notes: { context_unknown: 0, value_dropped: 0, string_cut: 0 },
    beats: [],
    rejects: [],
    beatSpan: beatSpans(jsonOnce, isArray, limits),
  };
  const taken = Math.min(values.length, limits.beatsPerBodyMax);
  for (let beat = 0; beat < taken; beat++) decodeBeat(values[beat], beat, decoding);
  if (values.length > taken) rejectBeatsOver(values.length, taken, decoding);
  return { beats: decoding.beats, rejects: decoding.rejects, notes: decoding.notes };
}

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly malformed: { readonly code: string; readonly message: string } };

function parseJson(body: Buffer): Parsed {
  const text = body.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') return malformed('body_empty', 'the body is empty; send a beat');
  if (nestsTooDeep(body)) return malformed('body_malformed', 'the body nests too deep to be beats');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ok: true, value };
    return malformed(
      'body_malformed',
      `the body is ${shown(value)}; send a beat or an array of beats`,
    );
  } catch (error) {
    const reason = error instanceof Error ? cutText(error.message, 200) : 'unreadable';
    return malformed('body_malformed', `the body is not JSON: ${reason}`);
  }
}

function malformed(code: string, message: string): Parsed {
  return { ok: false, malformed: { code, message } };
}

/** The body is gone through once, however many of its beats are refused. */
function beatSpans(
  json: () => Buffer,
  isArray: boolean,
  { beatsPerBodyMax }: NativeLimits,
): (beat: number) => Span {
  let root: Span | undefined;
  let spans: readonly Span[] | undefined;
  return (beat) => {
    const body = json();
    root ??= rootSpan(body);
    if (!isArray) return root;
    spans ??= elementSpans(body, root, beatsPerBodyMax + 1);
    return spans[beat] ?? root;
  };
}

function decodeBeat(value: unknown, beat: number, decoding: Decoding): void {
  const refused = beatRefusal(value);
  if (!isObject(value) || refused !== undefined) {
    const { code, message } = refused ?? {
      code: 'beat_not_object',
      message: 'a beat is an object',
    };
    rejectBeat(code, message, beat, decoding);
    return;
  }
  const view = cutText(String(value.view), VIEW_LENGTH_MAX);
  const events = decodeEvents(value.events as readonly unknown[], { view, beat, decoding });
  if (events.every(({ name }) => name === REFUSED_EVENT)) return;
  decoding.beats.push({
    view,
    source: 'native',
    sentAt: sentAtOf(value.sentAt, decoding),
    context: contextEntries(value.context, decoding),
    events,
    position: beat,
  });
}

/** Why a whole beat cannot be taken. */
function beatRefusal(value: unknown): { code: string; message: string } | undefined {
  if (!isObject(value)) {
    return { code: 'beat_not_object', message: `a beat is an object, not ${shown(value)}` };
  }
  const { view, events } = value;
  if (typeof view !== 'string' || view === '') {
    return {
      code: 'view_missing',
      message: `view is the id of the view, a text, not ${shown(view)}`,
    };
  }
  if (view.length > VIEW_LENGTH_MAX) {
    const message = `view has ${view.length} characters; at most ${VIEW_LENGTH_MAX} are taken`;
    return { code: 'view_too_long', message };
  }
  if (!Array.isArray(events) || events.length === 0) {
    const got = Array.isArray(events) ? 'an empty one' : shown(events);
    return { code: 'events_missing', message: `events is an array of events, not ${got}` };
  }
  return undefined;
}

interface BeatPlace {
  readonly view: string;
  readonly beat: number;
  readonly decoding: Decoding;
}

function decodeEvents(values: readonly unknown[], place: BeatPlace): readonly BeatEvent[] {
  const { view, beat, decoding } = place;
  const taken = Math.min(values.length, decoding.limits.eventsPerBeatMax);
  const spans = eventSpans(place);
  const events: BeatEvent[] = [];
  for (let event = 0; event < taken; event++) {
    const decoded = decodeEvent(values[event], decoding);
    if (!('refused' in decoded)) {
      events.push(decoded);
      continue;
    }
    const { code, message } = decoded;
    decoding.rejects.push({ code, message, view, beat, event, bytes: spans(event) });
    const kept = refusedPlace(values[event]);
    if (kept !== undefined) events.push(kept);
  }
  if (values.length > taken) {
    const message = `the beat has ${values.length} events; the first ${taken} were taken, send the others in another beat`;
    const bytes = spans(taken);
    decoding.rejects.push({ code: 'too_many_events', message, view, beat, event: taken, bytes });
  }
  return events;
}

/**
 * Bytes of an event of a beat, of those beyond the limit all together. The beat is gone through once, however many are
 * refused.
 */
function eventSpans({ beat, decoding }: BeatPlace): (event: number) => Buffer {
  const { eventsPerBeatMax } = decoding.limits;
  let array: Span | undefined;
  let spans: readonly Span[] | undefined;
  return (event) => {
    if (array === undefined) {
      const beatSpan = decoding.beatSpan(beat);
      array = memberSpan(decoding.body, beatSpan, 'events') ?? beatSpan;
    }
    spans ??= elementSpans(decoding.body, array, eventsPerBeatMax + 1);
    const { start, end } = spans[event] ?? array;
    const isRest = event === eventsPerBeatMax;
    return decoding.body.subarray(start, isRest ? lastElementEnd(decoding.body, array) : end);
  };
}

/** 0, not said, also when it cannot be a time: a beat's events have their own. */
function sentAtOf(value: unknown, { notes }: Decoding): number {
  if (value === undefined || value === null) return 0;
  const sentAt = typeof value === 'number' ? Math.round(value) : Number.NaN;
  if (sentAt > 0 && sentAt < AT_BELOW) return sentAt;
  notes.value_dropped++;
  return 0;
}

function rejectBeat(code: string, message: string, beat: number, decoding: Decoding): void {
  const { start, end } = decoding.beatSpan(beat);
  const bytes = decoding.body.subarray(start, end);
  decoding.rejects.push({ code, message, view: '', beat, bytes });
}

function rejectBeatsOver(count: number, taken: number, decoding: Decoding): void {
  const { start } = decoding.beatSpan(taken);
  decoding.rejects.push({
    code: 'too_many_beats',
    message: `the body has ${count} beats; the first ${taken} were taken, send the others in another body`,
    view: '',
    beat: taken,
    bytes: decoding.body.subarray(start),
  });
}
