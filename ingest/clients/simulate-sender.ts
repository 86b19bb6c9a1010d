/**
 * Sends what a simulation emits: items of many viewers in one body, a few bodies at a time.
 *
 * Guarantees: items of one origin go out in their order, one body after the other, so that a retry never lets a later
 * one pass; a body that is answered 429 or 503, or not at all, is sent again with the same bytes after Retry-After or a
 * growing wait, a bounded number of times; a kind whose route the server lacks is skipped from then on. Nothing is
 * dropped uncounted.
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
import { SimulateError } from './simulate-options.ts';
import type { SimulationItem } from './simulation/reports.ts';

export type SimulateKind = SimulationItem['kind'];

export const simulateKinds: readonly SimulateKind[] = ['native', 'cmcd', 'edge'];

export interface SimulateSenderLimits {
  /** Bodies of one kind under way at once. */
  readonly lanes: Readonly<Record<SimulateKind, number>>;
  /** A body is full at so many bytes or items. */
  readonly bodyBytesMax: number;
  readonly bodyItemsMax: number;
  /** Characters that wait to be sent before the simulation has to wait. */
  readonly queuedCharsMax: number;
  /** How often one body is sent at most. */
  readonly attemptsMax: number;
  /** First wait before a retry; doubles with each. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** A longer Retry-After is cut to this. */
  readonly retryAfterMsMax: number;
  /** An answer that takes longer counts as none. */
  readonly answerTimeoutMs: number;
}

export const simulateSenderLimits: SimulateSenderLimits = {
  lanes: { native: 4, cmcd: 2, edge: 2 },
  bodyBytesMax: 512 * 1024,
  bodyItemsMax: 500,
  queuedCharsMax: 64 * 1024 * 1024,
  attemptsMax: 12,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  retryAfterMsMax: 30_000,
  answerTimeoutMs: 30_000,
};

/** What became of what was sent, by kind. Reports are events, records or lines. */
export interface SimulateCounts {
  /** Bodies that got a final answer. */
  bodies: number;
  /** Reports in them. */
  reports: number;
  /** Reports that the server took: as it says, or, where it does not say, those of bodies answered 2xx. */
  accepted: number;
  rejected: number;
  /** Bodies without a 2xx answer in the end, and their reports. */
  failedBodies: number;
  failedReports: number;
  /** Reports not sent, or not taken, because the server lacks the route. */
  skipped: number;
  /** Attempts after the first. */
  retries: number;
  /** Characters of the bodies, retries left out. */
  characters: number;
  /** Final answers other than 2xx, by status and code. */
  readonly answers: Record<string, number>;
}

export interface SimulateSenderDeps {
  /** Base address, without a slash at the end. */
  readonly url: string;
  readonly key: string;
  readonly limits: SimulateSenderLimits;
}

export interface SimulateSender {
  readonly counts: Readonly<Record<SimulateKind, SimulateCounts>>;
  /** Queues an item. */
  offer(item: SimulationItem): void;
  /** Sends what is queued, where a lane is free. */
  flush(): void;
  /** Resolves when the queue has room. @throws SimulateError when sending cannot go on. */
  room(): Promise<void>;
  /** Resolves when all has been sent. @throws SimulateError when sending cannot go on. */
  drained(): Promise<void>;
}

const ROUTES: Readonly<Record<SimulateKind, { readonly path: string; readonly type: string }>> = {
  native: { path: '/v1/beats', type: 'application/json' },
  cmcd: { path: '/v1/cmcd', type: 'application/cmcd' },
  edge: { path: '/v1/edge/ndjson?time_unit=ms', type: 'application/x-ndjson' },
};

interface Lane {
  readonly kind: SimulateKind;
  queue: SimulationItem[];
  running: Promise<void> | undefined;
}

interface Body {
  readonly kind: SimulateKind;
  readonly text: string;
  readonly reports: number;
}

export function createSimulateSender(deps: SimulateSenderDeps): SimulateSender {
  const { limits } = deps;
  const counts = { native: newCounts(), cmcd: newCounts(), edge: newCounts() };
  const lanes = lanesOf(limits);
  const lacking = new Set<SimulateKind>();
  let queuedChars = 0;
  let reached = false;
  let failure: SimulateError | undefined;

  async function attempt(body: Body): Promise<Answer> {
    try {
      const answer = await post(body, deps);
      reached = true;
      return answer;
    } catch (cause) {
      // Before the first answer an address that refuses is a wrong one; later, a server that restarts.
      if (!reached) throw unreachable(deps.url, cause);
      return { status: 0, retryAfterMs: undefined, said: {} };
    }
  }

  async function settle(body: Body): Promise<Answer> {
    for (let attempts = 1; ; attempts++) {
      const answer = await attempt(body);
      if (!isTemporary(answer.status) || attempts >= limits.attemptsMax) return answer;
      counts[body.kind].retries++;
      await sleep(waitMs(answer, attempts, limits));
    }
  }

  async function send(body: Body): Promise<void> {
    if (lacking.has(body.kind)) {
      counts[body.kind].skipped += body.reports;
      return;
    }
    const answer = await settle(body);
    count(counts[body.kind], body, answer);
    if (isLacking(answer.status)) lacking.add(body.kind);
    if (isRefusedKey(answer.status)) throw refusedKey(answer.status);
  }

  async function run(lane: Lane): Promise<void> {
    try {
      while (lane.queue.length > 0 && failure === undefined) {
        const { body, rest, chars } = fill(lane, limits);
        lane.queue = rest;
        await send(body);
        queuedChars -= chars;
      }
    } catch (error) {
      if (!(error instanceof SimulateError)) throw error;
      failure ??= error;
    } finally {
      lane.running = undefined;
    }
  }

  function flush(): void {
    for (const lane of lanes.all) if (lane.queue.length > 0) lane.running ??= run(lane);
  }

  async function settleUntil(enough: () => boolean): Promise<void> {
    while (failure === undefined && !enough()) {
      flush();
      await Promise.race(lanes.all.flatMap(({ running }) => (running ? [running] : [])));
    }
    if (failure !== undefined) throw failure;
  }

  return {
    counts,
    offer(item) {
      if (lacking.has(item.kind)) {
        counts[item.kind].skipped += item.reports;
        return;
      }
      queuedChars += item.payload.length;
      lanes.of(item).queue.push(item);
    },
    flush,
    room: () => settleUntil(() => queuedChars <= limits.queuedCharsMax),
    drained: () =>
      settleUntil(() => lanes.all.every(({ queue, running }) => queue.length === 0 && !running)),
  };
}

function lanesOf({ lanes }: SimulateSenderLimits) {
  const make = (kind: SimulateKind): Lane[] =>
    Array.from({ length: lanes[kind] }, () => ({ kind, queue: [], running: undefined }));
  const byKind = { native: make('native'), cmcd: make('cmcd'), edge: make('edge') };
  return {
    all: Object.values(byKind).flat(),
    of({ kind, origin }: SimulationItem): Lane {
      const lane = byKind[kind][origin % byKind[kind].length];
      if (lane === undefined) throw new RangeError(`no lane for ${kind}`);
      return lane;
    },
  };
}

/** A body of what a lane has queued, as full as it may be; at least one item. */
function fill({ kind, queue }: Lane, limits: SimulateSenderLimits) {
  let chars = 0;
  let reports = 0;
  let taken = 0;
  for (const item of queue) {
    const full = taken >= limits.bodyItemsMax || chars + item.payload.length > limits.bodyBytesMax;
    if (full && taken > 0) break;
    // All text is ASCII: characters are bytes.
    chars += item.payload.length + (kind === 'native' ? 1 : 0);
    reports += item.reports;
    taken++;
  }
  const payloads = queue.slice(0, taken).map(({ payload }) => payload);
  const text = kind === 'native' ? `[${payloads.join(',')}]` : payloads.join('');
  const queuedChars = payloads.reduce((sum, { length }) => sum + length, 0);
  return { body: { kind, text, reports }, rest: queue.slice(taken), chars: queuedChars };
}

function newCounts(): SimulateCounts {
  return {
    bodies: 0,
    reports: 0,
    accepted: 0,
    rejected: 0,
    failedBodies: 0,
    failedReports: 0,
    skipped: 0,
    retries: 0,
    characters: 0,
    answers: {},
  };
}

async function post({ kind, text }: Body, deps: SimulateSenderDeps): Promise<Answer> {
  const { path, type } = ROUTES[kind];
  const response = await fetch(deps.url + path, {
    method: 'POST',
    headers: {
      'content-type': type,
      authorization: `Bearer ${deps.key}`,
      'user-agent': 'streamgauge-simulate',
    },
    body: text,
    redirect: 'manual',
    signal: AbortSignal.timeout(deps.limits.answerTimeoutMs),
  });
  return {
    status: response.status,
    retryAfterMs: readRetryAfter(response.headers.get('retry-after')),
    said: readObject(await response.text()),
  };
}

function isTemporary(status: number): boolean {
  return status === 0 || status === 429 || status === 503;
}

function isRefusedKey(status: number): boolean {
  return status === 401 || status === 403 || status === 410;
}

function count(counts: SimulateCounts, body: Body, answer: Answer): void {
  const taken = answer.status >= 200 && answer.status < 300;
  if (!taken) {
    const name = answerName(answer);
    counts.answers[name] = (counts.answers[name] ?? 0) + 1;
  }
  if (isLacking(answer.status)) {
    counts.skipped += body.reports;
    return;
  }
  counts.bodies++;
  counts.reports += body.reports;
  counts.characters += body.text.length;
  if (taken) {
    const { accepted, rejected } = countRecords(answer, body.reports);
    counts.rejected += rejected;
    counts.accepted += accepted;
  } else {
    counts.failedBodies++;
    counts.failedReports += body.reports;
  }
}

function unreachable(url: string, cause: unknown): SimulateError {
  return new SimulateError(
    'simulate_unreachable',
    `No ingest answers at ${url}: start one with "npm start", or give its address with --url.`,
    { cause },
  );
}

function refusedKey(status: number): SimulateError {
  return new SimulateError(
    'simulate_key_refused',
    `The server refuses the write key (${status}): give one of its keys with --key.`,
  );
}
