/**
 * How much may be under way at once.
 *
 * Guarantee: bodies held in memory stay below `bytesInFlightMax` plus one decompression for each of the thread pool's
 * threads, whoever sends. A request gives back what it took, however it ends.
 */
import type { IngestCounters } from './counters.ts';

export interface AdmissionLimits {
  readonly requestsInFlightMax: number;
  readonly bytesInFlightMax: number;
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
}

export function createAdmission(
  limits: AdmissionLimits,
  { counters }: { readonly counters: IngestCounters },
): Admission {
  return {
    enter: () => {
      if (counters.requestsInFlight >= limits.requestsInFlightMax) return undefined;
      counters.requestsInFlight++;
      return createTicket(limits.bytesInFlightMax, counters);
    },
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
