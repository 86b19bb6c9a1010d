/**
 * What every wire format does: bytes of one request in, beats and rejects out. Pure: no clock, no I/O.
 *
 * Bad data is a value. One bad event never costs the good ones beside it.
 */
import type { Beat } from '../../schemas/beat.ts';

/**
 * A beat before ingest adds what only the key knows: project and trust in the clock. An empty `view` is a client that
 * names none: ingest guesses one.
 */
export interface FormatBeat extends Omit<Beat, 'project' | 'trustedClock'> {
  /** Position in the body, from 0, where the format has one. Never written to the log. */
  readonly position?: number;
}

/** Something that could not be taken, with its original bytes. */
export interface FormatReject {
  /** Stable code, from the table in `ingest/errors.ts`. */
  readonly code: string;
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
  /** The offending piece as it came. */
  readonly bytes: Buffer;
  /** View that it names, empty when it names none. */
  readonly view: string;
  /** Position of the beat (or record) in the body, from 0. */
  readonly beat: number;
  /** Position of the event in the beat; absent when the whole beat is rejected. */
  readonly event?: number;
}

/** The session of which an answer tells its client. */
export interface ToldSession {
  /** Empty when the client names none: it is told the view that ingest takes its events for. */
  readonly id: string;
  /** The client began it with this request. */
  readonly begins: boolean;
}

export interface FormatResult {
  readonly beats: readonly FormatBeat[];
  readonly rejects: readonly FormatReject[];
  /** What the route's answer tells of a session, where it does. */
  readonly session?: ToldSession;
  /** What was left out of things that were taken, by code: how often. Codes from `ingest/errors.ts`, `NOTES`. */
  readonly notes?: Readonly<Record<string, number>>;
  /** The body as a whole could not be read: answer 400 with this code and sentence. */
  readonly malformed?: { readonly code: string; readonly message: string };
}
