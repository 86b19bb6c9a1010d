/**
 * What edge logs say of one view, CMCD request mode included (METRICS "Delivery metrics"): bitrate, starvation, startup
 * requests, buffer, throughput, media time requested. Never mixed with what the player says of its states.
 */
import type { EdgeRequest } from '../schemas/records.ts';

/** Objects whose bitrate is the picture's: audio of its own would pull the mean down. */
const PICTURE_TYPES: ReadonlySet<string> = new Set(['v', 'av', '']);
const ERROR_STATUS = 400;
/** What nothing has: values beyond count as not said. */
const BYTES_MAX = 1e13;
const DURATION_MS_MAX = 86_400_000;
const KBPS_MAX = 1e9;

/** CMCD of a request, by key, in structured-field notation. */
export type EdgeKeys = ReadonlyMap<string, string>;

export const keysOf = ({ cmcd }: EdgeRequest): EdgeKeys =>
  new Map(cmcd.map(({ name, value }) => [name, value]));

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

  /** @param startMs When it began, on the edge's clock, ms. */
  take(request: EdgeRequest, keys: EdgeKeys, startMs: number): void {
    this.firstMs = Math.min(this.firstMs, startMs);
    this.lastMs = Math.max(this.lastMs, request.endAt);
    this.requestCount++;
    if (request.bytes > 0 && request.bytes <= BYTES_MAX) this.bytes += request.bytes;
    if (request.status >= ERROR_STATUS) this.errorCount++;
    this.#takeCmcd(keys);
  }

  #takeCmcd(keys: EdgeKeys): void {
    const durationMs = mediaMsIn(keys);
    this.mediaMs += durationMs;
    if (durationMs > 0) this.bitrateBitMs += bitrateIn(keys) * durationMs;
    if (isTrue(keys.get('bs'))) this.starvationCount++;
    if (isTrue(keys.get('su'))) this.startupRequestCount++;
    const bufferMs = numberIn(keys.get('bl'), DURATION_MS_MAX);
    if (bufferMs >= 0) {
      this.bufferSumMs += bufferMs;
      this.bufferCount++;
    }
    const throughput = numberIn(keys.get('mtp'), KBPS_MAX);
    if (throughput >= 0) {
      this.throughputSumKbps += throughput;
      this.throughputCount++;
    }
  }
}

/** The first number of an item or a list in structured-field notation, rounded; -1 without one that can be. */
function numberIn(value: string | undefined, max: number): number {
  const found = value === undefined ? null : /^\(?\s*(\d{1,15}(?:\.\d{1,3})?)/.exec(value);
  const number = found === null ? -1 : Math.round(Number(found[1]));
  return number <= max ? number : -1;
}

/** Media time of a picture (CMCD d), ms; 0 where it is not said. */
export function mediaMsIn(keys: EdgeKeys): number {
  if (!PICTURE_TYPES.has(keys.get('ot') ?? '')) return 0;
  return Math.max(0, numberIn(keys.get('d'), DURATION_MS_MAX));
}

/** Encoded bitrate (CMCD br), bit/s; 0 where it is not said. */
export function bitrateIn(keys: EdgeKeys): number {
  return Math.max(0, numberIn(keys.get('br'), KBPS_MAX)) * 1_000;
}

/** The text of a string in structured-field notation (RFC 8941, 3.3.3); empty when it is none. */
export function textIn(value: string | undefined): string {
  if (value === undefined || value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) {
    return '';
  }
  return value.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '?0';
}
