/**
 * How much may be under way at once, and how fast one key may send.
 *
 * Guarantee: bodies held in memory stay below `bytesInFlightMax` plus one decompression for each of the thread pool's
 * threads, whoever sends. A request gives back what it took, however it ends.
 */
import type { IngestCounters } from './counters.ts';

export interface AdmissionLimits {
  readonly requestsInFlightMax: number;
  readonly bytesInFlightMax: number;
  /** 0 sets no limit. */
  readonly keyRequestsPerSecondMax: number;
}

/** What one request holds. */
export interface Ticket {
  /** Takes bytes; false when there is no room, and then nothing was taken. */
  hold(bytes: number): boolean;
  /** Gives back some of what was taken. */
  give(bytes: number): void;
  /** Gives back everything. */
  release(): void;
}

export interface Admission {
  /** Begins a request; undefined when too many are under way. */
  enter(): Ticket | undefined;
  /** Counts a request against its key's rate; false when it is over. */
  withinRate(keyId: string): boolean;
}

export function createAdmission(
  limits: AdmissionLimits,
  deps: { readonly now: () => number; readonly counters: IngestCounters },
): Admission {
  const { counters } = deps;
  return {
    enter: () => {
      if (counters.requestsInFlight >= limits.requestsInFlightMax) return undefined;
      counters.requestsInFlight++;
      return createTicket(limits.bytesInFlightMax, counters);
    },
    withinRate: createRate(limits.keyRequestsPerSecondMax, deps.now),
  };
}

function createTicket(bytesInFlightMax: number, counters: IngestCounters): Ticket {
  let heldBytes = 0;
  return {
    hold: (bytes) => {
      if (counters.bytesInFlight + bytes > bytesInFlightMax) return false;
      counters.bytesInFlight += bytes;
      heldBytes += bytes;
      return true;
    },
    give: (bytes) => {
      counters.bytesInFlight -= bytes;
      heldBytes -= bytes;
    },
    release: () => {
      counters.bytesInFlight -= heldBytes;
      counters.requestsInFlight--;
      heldBytes = 0;
    },
  };
}

/** Buckets of keys that are not used any more go when there are so many. */
const BUCKETS_MAX = 10_000;

/** A token bucket for each key: full after a second of rest. */
function createRate(perSecondMax: number, now: () => number): (keyId: string) => boolean {
  if (perSecondMax === 0) return () => true;
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (keyId) => {
    const atMs = now();
    const bucket = buckets.get(keyId) ?? { tokens: perSecondMax, atMs };
    const earned = (Math.max(0, atMs - bucket.atMs) / 1_000) * perSecondMax;
    const tokens = Math.min(perSecondMax, bucket.tokens + earned);
    if (buckets.size >= BUCKETS_MAX && !buckets.has(keyId)) buckets.clear();
    buckets.set(keyId, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
    return tokens >= 1;
  };
}
