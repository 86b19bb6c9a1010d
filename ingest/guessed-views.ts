/**
 * Views of clients that name none: one for each key, address, user agent and quiet gap. Better than none, and no more
 * than a guess: two players of one household with the same browser are one view. Its row says so (`view_id_origin`).
 *
 * Guarantee: an address is neither stored nor in the view's id. It is hashed with the project's secret, kept in memory
 * until the gap is over, and the id is random. At most `guessedViewsMax` are remembered; beyond, the one that was silent
 * longest is forgotten. Each process guesses by itself: a client whose requests go to two of them has two views.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { KeyGrant } from '../platform/projects.ts';
import { GUESSED, VIEW_ID_ORIGIN } from '../schemas/catalogue/dimensions.ts';
import type { FormatBeat, FormatResult } from './formats/format.ts';

/** After so long without a word a client begins another view, ms: as long as a silent view lives. */
const QUIET_GAP_MS = 120_000;
const GUESSED_VIEWS_MAX = 100_000;

export interface GuessedViews {
  /** The view of a client that is heard of now. */
  viewOf(grant: KeyGrant, address: string, userAgent: string): string;
}

interface Guess {
  readonly view: string;
  heardMs: number;
}

export function createGuessedViews({ now }: { readonly now: () => number }): GuessedViews {
  /** By client, the one heard of last at the end. */
  const guesses = new Map<string, Guess>();
  return {
    viewOf: (grant, address, userAgent) => {
      const client = clientOf(grant, address, userAgent);
      const heardMs = now();
      const known = guesses.get(client);
      const lives = known !== undefined && heardMs - known.heardMs < QUIET_GAP_MS;
      const guess = lives ? known : { view: `${GUESSED}-${randomUUID()}`, heardMs };
      guess.heardMs = heardMs;
      guesses.delete(client);
      guesses.set(client, guess);
      forgetSilent(guesses, heardMs);
      return guess.view;
    },
  };
}

function forgetSilent(guesses: Map<string, Guess>, nowMs: number): void {
  for (const [client, { heardMs }] of guesses) {
    if (nowMs - heardMs < QUIET_GAP_MS && guesses.size <= GUESSED_VIEWS_MAX) return;
    guesses.delete(client);
  }
}

function clientOf({ project, keyId }: KeyGrant, address: string, userAgent: string): string {
  const mac = createHmac('sha256', project.viewerSecret);
  return mac.update(JSON.stringify([project.id, keyId, address, userAgent])).digest('base64');
}

/** The result with a view for what names none; `guess` is asked only if something does. */
export function nameViews(result: FormatResult, guess: () => string): FormatResult {
  const isNamed = result.beats.every(({ view }) => view !== '');
  const { session } = result;
  if (isNamed && session?.id !== '') return result;
  const view = guess();
  const beats = result.beats.map((beat) => (beat.view === '' ? withView(beat, view) : beat));
  if (session?.id !== '') return { ...result, beats };
  return { ...result, beats, session: { ...session, id: view } };
}

/** Several clients may number their reports behind one address: the numbers of a guessed view order nothing. */
function withView(beat: FormatBeat, view: string): FormatBeat {
  const context = [...beat.context, { name: VIEW_ID_ORIGIN, value: GUESSED }];
  context.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { ...beat, view, context, events: beat.events.map((event) => ({ ...event, seq: -1 })) };
}
