/**
 * What edge logs say of one view, CMCD request mode included (METRICS "Delivery metrics"): bitrate, starvation, startup
 * requests, buffer, throughput, media time requested. Never mixed with what the player says of its states.
 */
import type { EdgeRequest } from '../schemas/records.ts';

/** Objects whose bitrate is the picture's: audio of its own would pull the mean down. */
const PICTURE_TYPES: ReadonlySet<string> = new Set(['v', 'av', '']);
const ERROR_STATUS = 400;

export class EdgeFigures {
  /** Start of the first request and end of the last, on the edge's clock, ms. */
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;
  requestCount = 0;
  bytes = 0;
  errorCount = 0;
  bitrateBitMs = 0;
  mediaMs = 0;
  starvationCount = 0;
  startupRequestCount = 0;
  bufferSumMs = 0;
  bufferCount = 0;
  throughputSumKbps = 0;
  throughputCount = 0;

  take(request: EdgeRequest): void {
    this.firstMs = Math.min(this.firstMs, request.endAt - Math.max(0, request.durationMs));
    this.lastMs = Math.max(this.lastMs, request.endAt);
    this.requestCount++;
    this.bytes += Math.max(0, request.bytes);
    if (request.status >= ERROR_STATUS) this.errorCount++;
    this.#takeCmcd(new Map(request.cmcd.map(({ name, value }) => [name, value])));
  }

  #takeCmcd(keys: ReadonlyMap<string, string>): void {
    const durationMs = numberIn(keys.get('d'));
    const kbps = numberIn(keys.get('br'));
    if (durationMs > 0 && PICTURE_TYPES.has(keys.get('ot') ?? '')) {
      this.mediaMs += durationMs;
      if (kbps > 0) this.bitrateBitMs += Math.round(kbps * 1_000) * durationMs;
    }
    if (isTrue(keys.get('bs'))) this.starvationCount++;
    if (isTrue(keys.get('su'))) this.startupRequestCount++;
    const bufferMs = numberIn(keys.get('bl'));
    if (bufferMs >= 0) {
      this.bufferSumMs += bufferMs;
      this.bufferCount++;
    }
    const throughput = numberIn(keys.get('mtp'));
    if (throughput >= 0) {
      this.throughputSumKbps += throughput;
      this.throughputCount++;
    }
  }
}

/** The first number of an item or a list in structured-field notation, rounded; -1 without one. */
function numberIn(value: string | undefined): number {
  const found = value === undefined ? null : /^\(?\s*(\d{1,15}(?:\.\d{1,3})?)/.exec(value);
  return found === null ? -1 : Math.round(Number(found[1]));
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '?0';
}
