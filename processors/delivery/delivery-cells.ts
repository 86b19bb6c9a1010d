/**
 * The cells of `delivery_5s` that an epoch touches: one for each window, source and combination of dimensions. A cell is a
 * partial sum; what an earlier epoch wrote of it stays, and what is taken back is negative.
 */
import type { RowWriter } from '../../platform/store/row-binary.ts';
import { sketchBucket } from '../../schemas/sketch.ts';
import {
  CACHE_FILLS,
  CACHE_HITS,
  deliverySketches,
  deliverySums,
} from '../../schemas/tables/delivery.ts';
import type { RowEnds } from '../interval-cells.ts';
import { OTHER, tupleDimensions } from '../tuples.ts';
import { type DeliveredRequest, statusClassOf } from './request.ts';

const WINDOW_MS = 5_000;
const HITS: ReadonlySet<string> = new Set(CACHE_HITS);
const FILLS: ReadonlySet<string> = new Set(CACHE_FILLS);
const VIDEO = tupleDimensions.indexOf('video_id');
const COUNTRY = tupleDimensions.indexOf('country');
const ASN = tupleDimensions.indexOf('asn');
const CDN = tupleDimensions.indexOf('cdn');

type Sum = (typeof deliverySums)[number]['name'];
type Sketch = (typeof deliverySketches)[number]['name'];

interface Cell {
  readonly key: string;
  readonly project: string;
  readonly window: number;
  readonly source: string;
  /** Dimensions of the view, then those of the request, in the order of the columns. */
  readonly values: readonly string[];
  readonly sums: Record<Sum, number>;
  readonly sketches: Record<Sketch, Map<number, number>>;
}

/** A sum that has come so far goes on in another row: what one request adds to it stays below 2^52. */
const FULL = 2 ** 52;

export class DeliveryCells {
  readonly #cells = new Map<string, Cell>();
  readonly #full: Cell[] = [];

  get size(): number {
    return this.#cells.size + this.#full.length;
  }

  /**
   * Adds a request, or with weight -1 takes it back. `view` holds the interval dimensions of its view, in the order of
   * tuples. False where the epoch has `cellsMax` cells, so that video, network and edge became `(other)`, and beyond
   * twice as many all values.
   */
  add(
    project: string,
    request: DeliveredRequest,
    view: readonly string[],
    weight: 1 | -1,
    cellsMax: number,
  ): boolean {
    const values = valuesOf(request, view);
    const window = Math.floor(request.atMs / WINDOW_MS);
    let cell = this.#find(project, window, request.source, values, cellsMax);
    const whole = cell !== undefined;
    cell ??= this.#find(project, window, request.source, lessened(values), 2 * cellsMax);
    const others = values.map(() => OTHER);
    cell ??= this.#find(project, window, request.source, others, Number.POSITIVE_INFINITY);
    if (cell !== undefined) this.#addTo(cell, request, weight);
    return whole;
  }

  /** Writes a row for each cell that is not all zero, then forgets the cells. */
  write(out: RowWriter, rows: RowEnds): void {
    for (const cell of [...this.#full, ...this.#cells.values()]) {
      if (isZero(cell)) continue;
      try {
        writeRow(out, cell);
        rows.end(out);
      } catch (error) {
        rows.failed(error);
      }
    }
    this.#cells.clear();
    this.#full.length = 0;
  }

  #addTo(cell: Cell, request: DeliveredRequest, weight: 1 | -1): void {
    addTo(cell, request, weight);
    const { bytes, bitrate_bit_ms } = cell.sums;
    if (Math.abs(bytes) < FULL && Math.abs(bitrate_bit_ms) < FULL) return;
    this.#cells.delete(cell.key);
    this.#full.push(cell);
  }

  #find(
    project: string,
    window: number,
    source: string,
    values: readonly string[],
    cellsMax: number,
  ): Cell | undefined {
    const key = [window, project, source, ...values].join('\0');
    const known = this.#cells.get(key);
    if (known !== undefined || this.#cells.size >= cellsMax) return known;
    const cell = { key, project, window, source, values, sums: noSums(), sketches: noSketches() };
    this.#cells.set(key, cell);
    return cell;
  }
}

/** What a request says of where it was served counts before what is known of its view. */
function valuesOf(request: DeliveredRequest, view: readonly string[]): string[] {
  const values = tupleDimensions.map((_, index) => view[index] ?? '');
  if (request.cdn !== '') values[CDN] = request.cdn;
  if (request.country !== '') values[COUNTRY] = request.country;
  if (request.asn !== '') values[ASN] = request.asn;
  if (values[VIDEO] === '') values[VIDEO] = request.videoId;
  const { pop, objectType, status, protocol } = request;
  values.push(pop, objectType, statusClassOf(status), protocol);
  return values;
}

/** Without the dimensions that have many values. */
function lessened(values: readonly string[]): string[] {
  const pop = tupleDimensions.length;
  return values.map((value, at) => (at === VIDEO || at === ASN || at === pop ? OTHER : value));
}

function addTo({ sums, sketches }: Cell, request: DeliveredRequest, weight: 1 | -1): void {
  const { cache, status, ttfbMs, totalMs, originMs, mediaMs, bitrate } = request;
  const bytes = Math.max(0, request.bytes) * weight;
  sums.requests += weight;
  sums.bytes += bytes;
  if (request.bytes >= 0) sums.sized_requests += weight;
  if (HITS.has(cache) || FILLS.has(cache)) {
    sums.cache_requests += weight;
    sums.cache_bytes += bytes;
    if (HITS.has(cache)) {
      sums.hit_requests += weight;
      sums.hit_bytes += bytes;
    } else {
      sums.origin_bytes += bytes;
    }
  }
  if (status === 0) sums.unanswered += weight;
  else if (status >= 500) sums.server_errors += weight;
  else if (status >= 400) sums.client_errors += weight;
  if (request.aborted) sums.aborted += weight;
  if (request.starved) sums.starvation_count += weight;
  if (request.startup) sums.startup_request_count += weight;
  if (mediaMs > 0) {
    sums.media_ms += mediaMs * weight;
    sums.media_bytes += bytes;
    if (bitrate > 0) {
      sums.bitrate_bit_ms += bitrate * mediaMs * weight;
      sums.bitrate_known_ms += mediaMs * weight;
    }
  }
  if (status < 200 || status >= 400) return;
  if (ttfbMs >= 0) {
    sums.ttfb_sum_ms += ttfbMs * weight;
    sums.ttfb_count += weight;
    weigh(sketches.ttfb_sketch, ttfbMs, weight);
  }
  if (totalMs >= 0) {
    sums.total_sum_ms += totalMs * weight;
    sums.total_count += weight;
    weigh(sketches.total_sketch, totalMs, weight);
  }
  if (totalMs > 0 && request.bytes >= 0) {
    sums.transfer_bytes += bytes;
    sums.transfer_ms += totalMs * weight;
  }
  if (originMs >= 0) {
    sums.origin_sum_ms += originMs * weight;
    sums.origin_count += weight;
    weigh(sketches.origin_sketch, originMs, weight);
  }
}

function weigh(sketch: Map<number, number>, value: number, weight: number): void {
  const bucket = sketchBucket(value);
  sketch.set(bucket, (sketch.get(bucket) ?? 0) + weight);
}

function noSums(): Record<Sum, number> {
  return Object.fromEntries(deliverySums.map(({ name }) => [name, 0])) as Record<Sum, number>;
}

function noSketches(): Record<Sketch, Map<number, number>> {
  return { ttfb_sketch: new Map(), total_sketch: new Map(), origin_sketch: new Map() };
}

function isZero({ sums, sketches }: Cell): boolean {
  return (
    deliverySums.every(({ name }) => sums[name] === 0) &&
    deliverySketches.every(({ name }) => [...sketches[name].values()].every((count) => count === 0))
  );
}

function writeRow(out: RowWriter, { project, window, source, values, sums, sketches }: Cell): void {
  out.string(project);
  out.uint32((window * WINDOW_MS) / 1_000);
  out.string(source);
  for (const value of values) out.string(value);
  for (const { name } of deliverySums) out.int64(sums[name]);
  for (const { name } of deliverySketches) writeSketch(out, sketches[name]);
}

function writeSketch(out: RowWriter, sketch: ReadonlyMap<number, number>): void {
  const filled = [...sketch].filter(([, count]) => count !== 0);
  out.varuint(filled.length);
  for (const [bucket, count] of filled) {
    out.uint16(bucket);
    out.int64(count);
  }
}
