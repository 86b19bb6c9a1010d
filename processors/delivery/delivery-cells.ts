/** The sums of `delivery_5s` that an epoch touches, and which of them a request adds to. */
import { sketchBucket } from '../../schemas/sketch.ts';
import {
  CACHE_FILLS,
  CACHE_HITS,
  deliverySketches,
  deliverySums,
} from '../../schemas/tables/delivery.ts';
import { positionsOf, WindowCells } from '../window-cells.ts';
import type { DeliveredRequest } from './request.ts';

const SUM = positionsOf(deliverySums);
const SKETCH = positionsOf(deliverySketches);
const HITS: ReadonlySet<string> = new Set(CACHE_HITS);
const FILLS: ReadonlySet<string> = new Set(CACHE_FILLS);

export class DeliveryCells extends WindowCells {
  constructor() {
    super(deliverySums, deliverySketches);
  }

  /** Adds a request, or with weight -1 takes it back. */
  addRequest(slot: number, request: DeliveredRequest, weight: 1 | -1): void {
    const { status } = request;
    const bytes = request.bytes > 0 ? request.bytes * weight : 0;
    this.add(slot, SUM.requests, weight);
    if (request.bytes >= 0) {
      this.add(slot, SUM.bytes, bytes);
      this.add(slot, SUM.sized_requests, weight);
    }
    if (request.cache !== '') this.#addCache(slot, request.cache, bytes, weight);
    if (status === 0) this.add(slot, SUM.unanswered, weight);
    else if (status >= 500) this.add(slot, SUM.server_errors, weight);
    else if (status >= 400) this.add(slot, SUM.client_errors, weight);
    if (request.aborted) this.add(slot, SUM.aborted, weight);
    if (request.starved) this.add(slot, SUM.starvation_count, weight);
    if (request.startup) this.add(slot, SUM.startup_request_count, weight);
    if (request.mediaMs > 0) this.#addMedia(slot, request, bytes, weight);
    if (status >= 200 && status < 400) this.#addTimes(slot, request, bytes, weight);
  }

  #addCache(slot: number, cache: string, bytes: number, weight: number): void {
    const hit = HITS.has(cache);
    if (!hit && !FILLS.has(cache)) return;
    this.add(slot, SUM.cache_requests, weight);
    this.add(slot, SUM.cache_bytes, bytes);
    if (hit) this.add(slot, SUM.hit_requests, weight);
    this.add(slot, hit ? SUM.hit_bytes : SUM.origin_bytes, bytes);
  }

  #addMedia(slot: number, request: DeliveredRequest, bytes: number, weight: number): void {
    const { mediaMs, bitrate } = request;
    this.add(slot, SUM.media_ms, mediaMs * weight);
    this.add(slot, SUM.media_bytes, bytes);
    if (bitrate <= 0) return;
    this.add(slot, SUM.bitrate_bit_ms, bitrate * mediaMs * weight);
    this.add(slot, SUM.bitrate_known_ms, mediaMs * weight);
  }

  #addTimes(slot: number, request: DeliveredRequest, bytes: number, weight: number): void {
    const { ttfbMs, totalMs, originMs } = request;
    if (ttfbMs >= 0) {
      this.add(slot, SUM.ttfb_sum_ms, ttfbMs * weight);
      this.add(slot, SUM.ttfb_count, weight);
      this.addToSketch(slot, SKETCH.ttfb_sketch, sketchBucket(ttfbMs), weight);
    }
    if (totalMs >= 0) {
      this.add(slot, SUM.total_sum_ms, totalMs * weight);
      this.add(slot, SUM.total_count, weight);
      this.addToSketch(slot, SKETCH.total_sketch, sketchBucket(totalMs), weight);
    }
    if (totalMs > 0 && request.bytes >= 0) {
      this.add(slot, SUM.transfer_bytes, bytes);
      this.add(slot, SUM.transfer_ms, totalMs * weight);
    }
    if (originMs >= 0) {
      this.add(slot, SUM.origin_sum_ms, originMs * weight);
      this.add(slot, SUM.origin_count, weight);
      this.addToSketch(slot, SKETCH.origin_sketch, sketchBucket(originMs), weight);
    }
  }
}
