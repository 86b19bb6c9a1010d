/**
 * What one request says of itself, from whichever side: an edge's log or the player's report. Every figure of delivery is
 * a sum over these, so that taking one back and adding it elsewhere moves it and changes no total.
 */
import type { RequestSource } from '../../schemas/tables/delivery.ts';

/** Sizes and times beyond what anything has count as not said. */
export const BYTES_MAX = 1e13;
export const DURATION_MS_MAX = 86_400_000;

/** Unknown is -1, for texts empty; media time and bitrate 0. Times in ms, bitrate in bit/s. */
export class DeliveredRequest {
  source: RequestSource = 'edge';
  /** When it began, on the log's clock. */
  atMs = 0;
  /** Hash of its path; 0 unknown. */
  urlKey = 0;
  cdn = '';
  pop = '';
  country = '';
  asn = '';
  videoId = '';
  objectType = 'other';
  protocol = '';
  cache = '';
  status = -1;
  bytes = -1;
  ttfbMs = -1;
  totalMs = -1;
  originMs = -1;
  /** CMSD rd over all servers on the way, and of the one next to the origin. */
  hopMs = -1;
  hopOriginMs = -1;
  mediaMs = 0;
  bitrate = 0;
  aborted = false;
  starved = false;
  startup = false;

  static from(said: Partial<DeliveredRequest>): DeliveredRequest {
    return Object.assign(new DeliveredRequest(), said);
  }
}

/** 1xx to 5xx; none without an answer; empty where the status is not known or is none. */
export function statusClassOf(status: number): string {
  if (status === 0) return 'none';
  return STATUS_CLASSES[Math.floor(status / 100) - 1] ?? '';
}

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];

/** A number that can be, else unknown. */
export function within(value: number, max: number): number {
  return value >= 0 && value <= max ? value : -1;
}
