/**
 * Sends a body until the server says what became of it, as a careful client does: what is not answered, or answered
 * with "later", is sent again byte for byte.
 *
 * On purpose it also does what clients on bad networks do: it hangs up before the answer, or loses it, and sends again
 * what the server has long had.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../ingest/clients/simulation/random.ts';
import type { Body } from './tally-words.ts';

export interface PostCounters {
  bodies: number;
  /** Sent again because no answer came, or one that says so. */
  retries: number;
  /** Hung up on before the answer. */
  hungUp: number;
  /** Answers thrown away. */
  lost: number;
  /** 429 and 503. */
  later: number;
}

/** An answer that asks to come again. */
export interface Later {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

export interface PostDeps {
  readonly url: string;
  readonly key: string;
  readonly counters: PostCounters;
  /** Gives up: nothing is known then of what was under way. */
  readonly signal: AbortSignal;
  readonly onLater?: (later: Later) => void;
}

/** A 2xx answer; the object is empty where the route says nothing. */
export interface Heard {
  readonly accepted?: number;
  readonly rejected?: readonly { readonly beat: number; readonly event?: number }[];
  readonly rejectedTotal?: number;
}

const RETRY_MS_MIN = 40;
const RETRY_MS_MAX = 400;
const ANSWER_MS_MAX = 30_000;
const HUNG_UP_SHARE = 0.04;
const LOST_SHARE = 0.06;

/** @throws when the answer is one that a correct body never gets. */
export async function post(body: Body, random: Random, deps: PostDeps): Promise<Heard> {
  const { counters, signal } = deps;
  counters.bodies++;
  if (random.chance(HUNG_UP_SHARE)) await hangUp(body, random.between(0, 6), deps);
  let losses = random.chance(LOST_SHARE) ? 1 + random.below(2) : 0;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask(body, AbortSignal.timeout(ANSWER_MS_MAX), deps);
    if (answer === undefined || answer.status === 429 || answer.status === 503) {
      counters.retries++;
      if (answer !== undefined) {
        counters.later++;
        deps.onLater?.(answer);
      }
      await sleep(random.between(RETRY_MS_MIN, RETRY_MS_MAX));
    } else if (!answer.ok) {
      throw new Error(`${body.path} answered ${answer.status}: ${answer.text}`);
    } else if (losses-- > 0) {
      counters.lost++;
    } else {
      return answer.text === '' ? {} : (JSON.parse(answer.text) as Heard);
    }
  }
}

async function hangUp(body: Body, afterMs: number, deps: PostDeps): Promise<void> {
  deps.counters.hungUp++;
  await ask(body, AbortSignal.timeout(Math.round(afterMs)), deps);
}

/** Undefined when no answer came. */
async function ask({ path, type, text }: Body, signal: AbortSignal, { url, key }: PostDeps) {
  try {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${key}` },
      body: text,
      signal,
    });
    const retryAfter = answer.headers.get('retry-after');
    return { ok: answer.ok, status: answer.status, retryAfter, text: await answer.text() };
  } catch {
    return undefined;
  }
}
