/**
 * What the edges log: one line for each media request, handed over every few seconds by each edge; and what was
 * delivered, as the truth knows it.
 *
 * Guarantee: the truth counts each request once, when it is logged, whatever then becomes of its line: lines may be
 * handed over late, twice and in any order. All of them have been when `flush` was told that it is the last.
 */
import { DeliveryTruth } from './delivery-truth.ts';
import { edgeEndMs, edgeLine } from './edge-line.ts';
import type { Exchange } from './exchange.ts';
import { Random } from './random.ts';
import type { Emit, Viewer } from './reports.ts';

/** Every edge hands over its lines so often, ms. */
export const EDGE_BATCH_MS = 5_000;
/** A batch that has grown to so many lines goes at once. */
const EDGE_BATCH_LINES_MAX = 500;
const STREAM = 0xed6e;

/** How badly logs are handed over. */
export interface EdgeHandover {
  /** A line is late by up to this, evenly, ms. */
  readonly delayMs: number;
  /** Share of lines that are handed over twice, byte for byte. */
  readonly duplicateShare: number;
  /** Lines of a batch come in any order. */
  readonly shuffles: boolean;
}

export const PROMPT_HANDOVER: EdgeHandover = { delayMs: 0, duplicateShare: 0, shuffles: false };

export interface EdgeLogDeps {
  readonly seed: number;
  readonly startAtMs: number;
  readonly handover: EdgeHandover;
  readonly emit: Emit;
}

export class EdgeLog {
  readonly delivered: DeliveryTruth;
  readonly #deps: EdgeLogDeps;
  readonly #random: Random;
  /** By name of the edge, then by the moment at which they go, ms; the order of first use is the edge's origin. */
  readonly #batches = new Map<string, Map<number, string[]>>();
  #nextMs = EDGE_BATCH_MS;

  constructor(deps: EdgeLogDeps) {
    this.#deps = deps;
    this.#random = new Random(deps.seed, STREAM);
    this.delivered = new DeliveryTruth(deps.startAtMs);
  }

  /** When lines are next handed over, ms since the simulation's start. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Logs a request of a viewer. `number` counts the viewer's requests from 0. */
  add(exchange: Exchange, viewer: Viewer, number: number, nowMs: number): void {
    const { startAtMs, handover } = this.#deps;
    this.delivered.add(exchange, edgeEndMs(exchange) - exchange.edge.totalMs);
    const line = edgeLine(exchange, viewer, number, startAtMs);
    const pop = exchange.route.pop.name;
    this.#put(pop, line, nowMs);
    if (handover.duplicateShare > 0 && this.#random.chance(handover.duplicateShare))
      this.#put(pop, line, nowMs);
  }

  /** Hands over what is due at a moment. */
  flushDue(nowMs: number): void {
    this.#flush(nowMs, nowMs);
    this.#nextMs = nowMs + EDGE_BATCH_MS;
  }

  /** Hands over all that is left, in the order in which it would have gone. */
  flush(nowMs: number): void {
    this.#flush(nowMs, Number.POSITIVE_INFINITY);
  }

  #put(pop: string, line: string, nowMs: number): void {
    const { delayMs } = this.#deps.handover;
    const lateMs = delayMs > 0 ? this.#random.between(0, delayMs) : 0;
    const ticks = Math.max(0, Math.ceil((nowMs + lateMs - this.#nextMs) / EDGE_BATCH_MS));
    const goesMs = this.#nextMs + ticks * EDGE_BATCH_MS;
    const batches = this.#batches.get(pop) ?? new Map<number, string[]>();
    this.#batches.set(pop, batches);
    const lines = batches.get(goesMs) ?? [];
    batches.set(goesMs, lines);
    lines.push(line);
    if (ticks === 0 && lines.length >= EDGE_BATCH_LINES_MAX) this.#flush(nowMs, goesMs);
  }

  #flush(nowMs: number, dueMs: number): void {
    let origin = 0;
    for (const batches of this.#batches.values()) {
      const due = [...batches.keys()].filter((goesMs) => goesMs <= dueMs);
      for (const goesMs of due.sort((one, other) => one - other)) {
        const lines = batches.get(goesMs) ?? [];
        batches.delete(goesMs);
        if (this.#deps.handover.shuffles) shuffle(lines, this.#random);
        this.#emit(lines, origin, nowMs);
      }
      origin++;
    }
  }

  #emit(lines: readonly string[], origin: number, atMs: number): void {
    for (let from = 0; from < lines.length; from += EDGE_BATCH_LINES_MAX) {
      const part = lines.slice(from, from + EDGE_BATCH_LINES_MAX);
      const item = { atMs, kind: 'edge', origin } as const;
      this.#deps.emit({ ...item, payload: part.join(''), reports: part.length });
    }
  }
}

/** Every order is as likely as any other (Fisher and Yates). */
function shuffle(lines: string[], random: Random): void {
  for (let last = lines.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const line = lines[last] ?? '';
    lines[last] = lines[other] ?? '';
    lines[other] = line;
  }
}
