/**
 * EPAS: one event, or an array of them, as JSON → beats, one for each session.
 *
 * Guarantees: any bytes give a result, never a throw; one bad event never costs the good ones beside it. Events without
 * a `sessionId` are of the view without a name, which ingest gives one. `reply` is what the SDK is told: an `init`
 * expects its session and an interval for heartbeats, every other event whether it was taken.
 */
import type { BeatEvent } from '../../schemas/beat.ts';
import { decodeEpasEvent, type EpasRefusal } from './epas-event.ts';
import type { FormatBeat, FormatReject, FormatResult, ToldSession } from './format.ts';
import { elementSpans, nestsTooDeep, rootSpan, type Span } from './json-spans.ts';
import { type NativeDeps, VIEW_LENGTH_MAX } from './native.ts';
import { cutText, isObject, type NativeScope, shown } from './native-values.ts';

/** Makes the decoder of EPAS bodies. */
export function createEpasFormat(deps: NativeDeps): (body: Buffer) => FormatResult {
  return (body) => decodeBody(body, deps);
}

function decodeBody(body: Buffer, { limits, dimensions }: NativeDeps): FormatResult {
  const parsed = parseJson(body);
  if ('malformed' in parsed) return { beats: [], rejects: [], malformed: parsed.malformed };
  const values: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  const notes = { context_unknown: 0, value_dropped: 0, string_cut: 0 };
  const scope = { stringLengthMax: limits.stringLengthMax, dimensions, notes };
  const spans = spansOf(body, Array.isArray(parsed.value), limits.eventsPerBeatMax + 1);
  const views = new Map<string, BeatEvent[]>();
  const rejects: FormatReject[] = [];
  for (const [index, value] of values.entries()) {
    const view = sessionOf(value);
    const events = views.get(view) ?? [];
    const decoded = index < limits.eventsPerBeatMax ? decode(value, scope) : TOO_MANY;
    if ('code' in decoded) {
      rejects.push({
        ...decoded,
        bytes: bytesAt(body, spans(index)),
        view: shortView(view),
        beat: index,
      });
      if (decoded === TOO_MANY) break;
    } else if (events.push(decoded) === 1) views.set(view, events);
  }
  return { beats: Array.from(views, toBeat), rejects, notes, session: replyOf(values) };
}

const TOO_MANY: EpasRefusal = {
  code: 'too_many_events',
  message: 'the body has more events than are taken at once: send the others in another body',
};

function decode(value: unknown, scope: NativeScope): BeatEvent | EpasRefusal {
  const view = sessionOf(value);
  if (view.length <= VIEW_LENGTH_MAX) return decodeEpasEvent(value, scope);
  const message = `sessionId has ${view.length} characters; at most ${VIEW_LENGTH_MAX} are taken`;
  return { code: 'view_too_long', message };
}

type Parsed =
  | { readonly value: unknown }
  | { readonly malformed: { readonly code: string; readonly message: string } };

function parseJson(body: Buffer): Parsed {
  const text = body.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') return malformed('body_empty', 'the body is empty; send an event');
  if (nestsTooDeep(body))
    return malformed('body_malformed', 'the body nests too deep to be events');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { value };
    return malformed('body_malformed', `the body is ${shown(value)}; send an event or an array`);
  } catch (error) {
    const reason = error instanceof Error ? cutText(error.message, 200) : 'unreadable';
    return malformed('body_malformed', `the body is not JSON: ${reason}`);
  }
}

function malformed(code: string, message: string): Parsed {
  return { malformed: { code, message } };
}

/** The session of an event; empty when it names none. */
function sessionOf(value: unknown): string {
  if (!isObject(value)) return '';
  const { sessionId } = value;
  return typeof sessionId === 'string' ? cutText(sessionId, sessionId.length).trim() : '';
}

function shortView(view: string): string {
  return view.length > VIEW_LENGTH_MAX ? '' : view;
}

function toBeat([view, events]: readonly [string, readonly BeatEvent[]]): FormatBeat {
  return { view, source: 'epas', sentAt: 0, context: [], events };
}

/** The answer is about the first event: SDKs send one at a time. */
function replyOf(values: readonly unknown[]): ToldSession {
  const [first] = values;
  return { id: sessionOf(first), begins: isObject(first) && first.event === 'init' };
}

function spansOf(body: Buffer, isArray: boolean, most: number): (index: number) => Span {
  let root: Span | undefined;
  let spans: readonly Span[] | undefined;
  return (index) => {
    root ??= rootSpan(body);
    if (!isArray) return root;
    spans ??= elementSpans(body, root, most);
    return spans[index] ?? root;
  };
}

function bytesAt(body: Buffer, { start, end }: Span): Buffer {
  return body.subarray(start, end);
}
