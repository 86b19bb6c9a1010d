/**
 * What one request says of itself, from whichever side: an edge's log or the player's report. Every figure of delivery is
 * a sum over these, so that taking one back and adding it elsewhere moves it and changes no total.
 */
import type { RequestSource } from '../../schemas/tables/delivery.ts';

/** Sizes and times beyond what anything has count as not said. */
export const BYTES_MAX = 1e13;
export const DURATION_MS_MAX = 86_400_000;

/** Unknown is -1, for texts empty; media time and bitrate 0. Times in ms, bitrate in bit/s. */
export interface DeliveredRequest {
  readonly source: RequestSource;
  /** When it began, on the log's clock. */
  readonly atMs: number;
  /** Hash of its path; 0 unknown. */
  readonly urlKey: number;
  readonly cdn: string;
  readonly pop: string;
  readonly country: string;
  readonly asn: string;
  readonly videoId: string;
  readonly objectType: string;
  readonly protocol: string;
  readonly cache: string;
  readonly status: number;
  readonly bytes: number;
  readonly ttfbMs: number;
  readonly totalMs: number;
  readonly originMs: number;
  /** CMSD rd over all servers on the way, and of the one next to the origin. */
  readonly hopMs: number;
  readonly hopOriginMs: number;
  readonly mediaMs: number;
  readonly bitrate: number;
  readonly aborted: boolean;
  readonly starved: boolean;
  readonly startup: boolean;
}

/** Nobody says anything. */
export const NOTHING_SAID: Omit<DeliveredRequest, 'source' | 'atMs'> = {
  urlKey: 0,
  cdn: '',
  pop: '',
  country: '',
  asn: '',
  videoId: '',
  objectType: 'other',
  protocol: '',
  cache: '',
  status: -1,
  bytes: -1,
  ttfbMs: -1,
  totalMs: -1,
  originMs: -1,
  hopMs: -1,
  hopOriginMs: -1,
  mediaMs: 0,
  bitrate: 0,
  aborted: false,
  starved: false,
  startup: false,
};

/** 1xx to 5xx; none without an answer; empty where the status is not known or is none. */
export function statusClassOf(status: number): string {
  if (status === 0) return 'none';
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : '';
}

/** A number that can be, else unknown. */
export function within(value: number, max: number): number {
  return value >= 0 && value <= max ? value : -1;
}

/** Hash of the path of a URL or of a path: the same whatever host, query or escaping it came with; 0 of none. */
export function urlKeyOf(url: string): number {
  const path = decoded(pathOf(url));
  return path === '' || path === '/' ? 0 : hash53(path);
}

function pathOf(url: string): string {
  const scheme = url.indexOf('://');
  const from = scheme < 0 && !url.startsWith('//') ? 0 : url.indexOf('/', Math.max(scheme + 3, 2));
  if (from < 0) return '';
  const cut = url.slice(from).search(/[?#]/);
  return cut < 0 ? url.slice(from) : url.slice(from, from + cut);
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Two FNV-1a hashes over UTF-16 units, joined into 53 bits. */
function hash53(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}
