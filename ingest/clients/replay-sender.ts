/**
 * Sends the requests of a replay to an ingest and counts what became of each.
 *
 * Guarantees: a request that is answered 429 or 503, or whose answer never came, is sent again after Retry-After or a
 * growing wait, a bounded number of times; a form whose route the server lacks is sent once and skipped from then on;
 * nothing is dropped uncounted. What may have arrived twice is for the fold to recognise.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Answer,
  answerName,
  countRecords,
  isLacking,
  readObject,
  readRetryAfter,
  waitMs,
} from './answers.ts';
import { ReplayError, type ReplayForm, type ReplayRequest } from './replay-plan.ts';

export interface ReplaySenderLimits {
  /** How often one request is sent at most. */
  readonly attemptsMax: number;
  /** First wait before a retry; doubles with each. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** A longer Retry-After is cut to this. */
  readonly retryAfterMsMax: number;
  /** An answer that takes longer counts as none. */
  readonly answerTimeoutMs: number;
}

export const replaySenderLimits: ReplaySenderLimits = {
  attemptsMax: 10,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  retryAfterMsMax: 30_000,
  answerTimeoutMs: 30_000,
};

/** What became of the requests of one form. */
export interface ReplayCounts {
  /** Requests that got a final answer, 2xx or not. */
  requests: number;
  /** Records the server took: as it says, or, where it does not say, those of bodies answered 2xx. */
  acceptedRecords: number;
  /** Records the server refused, one by one or with their body. */
  rejectedRecords: number;
  /** Requests without a 2xx answer in the end. */
  failed: number;
  /** Requests not sent, or not taken, because the server lacks the route. */
  skipped: number;
  /** Attempts after the first. */
  retries: number;
  /** Final answers other than 2xx, by status and code, like `400 body_malformed`. */
  readonly answers: Record<string, number>;
}

export interface ReplaySenderDeps {
  /** Base address, without a slash at the end. */
  readonly url: string;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly limits: ReplaySenderLimits;
}

export interface ReplaySender {
  readonly counts: Readonly<Record<ReplayForm, ReplayCounts>>;
  /**
   * Sends one request until it has a final answer.
   * @throws ReplayError `replay_unreachable`; the signal's reason when it is aborted.
   */
  send(request: ReplayRequest): Promise<void>;
}

export function createReplaySender(deps: ReplaySenderDeps): ReplaySender {
  const counts = { cmcd: newCounts(), epas: newCounts(), edge: newCounts() };
  const lacking = new Set<ReplayForm>();
  let reached = false;

  async function attempt(request: ReplayRequest): Promise<Answer> {
    try {
      const answer = await post(request, deps);
      reached = true;
      return answer;
    } catch (cause) {
      deps.signal.throwIfAborted();
      // Before the first answer an address that refuses is a wrong one; later, a server that restarts.
      if (!reached) throw unreachable(deps.url, cause);
      return { status: 0, retryAfterMs: undefined, said: {} };
    }
  }

  async function settle(request: ReplayRequest): Promise<Answer> {
    for (let attempts = 1; ; attempts += 1) {
      const answer = await attempt(request);
      if (!isTemporary(answer.status) || attempts >= deps.limits.attemptsMax) return answer;
      counts[request.form].retries += 1;
      await sleep(waitMs(answer, attempts, deps.limits), undefined, { signal: deps.signal });
    }
  }

  return {
    counts,
    async send(request) {
      const formCounts = counts[request.form];
      if (lacking.has(request.form)) {
        formCounts.skipped += 1;
        return;
      }
      const answer = await settle(request);
      if (isLacking(answer.status)) lacking.add(request.form);
      count(formCounts, request, answer);
    },
  };
}

function newCounts(): ReplayCounts {
  return {
    requests: 0,
    acceptedRecords: 0,
    rejectedRecords: 0,
    failed: 0,
    skipped: 0,
    retries: 0,
    answers: {},
  };
}

function isTemporary(status: number): boolean {
  return status === 0 || status === 429 || status === 503;
}

async function post(request: ReplayRequest, deps: ReplaySenderDeps): Promise<Answer> {
  const response = await fetch(deps.url + request.path, {
    method: 'POST',
    headers: { ...request.headers, authorization: `Bearer ${deps.key}` },
    // Bytes, because with a string fetch would add a content type where the recording has none.
    body: Buffer.from(request.body),
    redirect: 'manual',
    signal: AbortSignal.any([deps.signal, AbortSignal.timeout(deps.limits.answerTimeoutMs)]),
  });
  return {
    status: response.status,
    retryAfterMs: readRetryAfter(response.headers.get('retry-after')),
    said: readObject(await response.text()),
  };
}

function count(counts: ReplayCounts, request: ReplayRequest, answer: Answer): void {
  const taken = answer.status >= 200 && answer.status < 300;
  if (!taken) {
    const name = answerName(answer);
    counts.answers[name] = (counts.answers[name] ?? 0) + 1;
  }
  if (isLacking(answer.status)) {
    counts.skipped += 1;
    return;
  }
  counts.requests += 1;
  if (taken) {
    const { accepted, rejected } = countRecords(answer, request.records);
    counts.rejectedRecords += rejected;
    counts.acceptedRecords += accepted;
  } else {
    counts.failed += 1;
    counts.rejectedRecords += request.records;
  }
}

function unreachable(url: string, cause: unknown): ReplayError {
  return new ReplayError(
    'replay_unreachable',
    `No ingest answers at ${url}: start one with "npm start", or give its address with --url.`,
    { cause },
  );
}
