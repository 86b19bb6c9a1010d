/**
 * What the edges delivered, counted as a price book counts it: by CDN, country, and day and month of UTC.
 *
 * Guarantee: whole numbers; each request counts once, on the day on which it came to the edge.
 */
import type { Exchange } from './exchange.ts';

/** What the edges delivered, by CDN. */
export interface Delivered {
  requests: number;
  bytes: number;
  /** Answered with a status of 400 and above by the edge itself. */
  errors: number;
  /** The client went away before the end. */
  aborted: number;
}

/** Of one CDN in one country and a month (`2026-01`) or day (`2026-01-31`) of UTC. */
export interface DeliveredIn {
  readonly cdn: string;
  readonly country: string;
  readonly period: string;
  requests: number;
  bytes: number;
  /** Bytes that the cache did not have: the origin sent them to the edge. */
  origin_bytes: number;
}

const MONTH_LENGTH = '2026-01'.length;

export class DeliveryTruth {
  readonly byCdn = new Map<string, Delivered>();
  readonly #startAtMs: number;
  readonly #days = new Map<string, DeliveredIn>();

  constructor(startAtMs: number) {
    this.#startAtMs = startAtMs;
  }

  /** @param cameMs When the request came to the edge, ms since the simulation's start. */
  add(exchange: Exchange, cameMs: number): void {
    const { route, bytes, edge } = exchange;
    const counts = this.byCdn.get(route.cdn.id) ?? zero();
    this.byCdn.set(route.cdn.id, counts);
    counts.requests++;
    counts.bytes += bytes;
    if (!edge.complete) counts.aborted++;
    else if (edge.status >= 400) counts.errors++;
    const period = new Date(this.#startAtMs + cameMs).toISOString().slice(0, 10);
    const originBytes = edge.cache === 'MISS' ? bytes : 0;
    const { cdn, country } = route;
    sumInto(this.#days, {
      cdn: cdn.id,
      country,
      period,
      requests: 1,
      bytes,
      origin_bytes: originBytes,
    });
  }

  get days(): readonly DeliveredIn[] {
    return sorted(this.#days);
  }

  get months(): readonly DeliveredIn[] {
    const months = new Map<string, DeliveredIn>();
    for (const day of this.#days.values())
      sumInto(months, { ...day, period: day.period.slice(0, MONTH_LENGTH) });
    return sorted(months);
  }
}

function zero(): Delivered {
  return { requests: 0, bytes: 0, errors: 0, aborted: 0 };
}

function sumInto(sums: Map<string, DeliveredIn>, more: DeliveredIn): void {
  const key = `${more.period} ${more.cdn} ${more.country}`;
  const known = sums.get(key);
  if (known === undefined) {
    sums.set(key, more);
    return;
  }
  known.requests += more.requests;
  known.bytes += more.bytes;
  known.origin_bytes += more.origin_bytes;
}

function sorted(sums: ReadonlyMap<string, DeliveredIn>): readonly DeliveredIn[] {
  const keys = [...sums.keys()].sort();
  return keys.flatMap((key) => sums.get(key) ?? []);
}
