/** What there is to watch: titles with a popularity after Zipf, live channels, the ladder, the sizes of segments. */
import { mix, mixFraction, type Random } from './random.ts';

/** One rendition of the ladder. */
export interface Rung {
  /** bit/s; whole kbit/s, so that CMCD says it exactly. */
  readonly bitrate: number;
  readonly width: number;
  readonly height: number;
}

export const LADDER: readonly Rung[] = [
  { bitrate: 400_000, width: 426, height: 240 },
  { bitrate: 800_000, width: 640, height: 360 },
  { bitrate: 1_400_000, width: 854, height: 480 },
  { bitrate: 2_800_000, width: 1280, height: 720 },
  { bitrate: 5_000_000, width: 1920, height: 1080 },
];

export interface Asset {
  readonly id: string;
  readonly title: string;
  readonly live: boolean;
  readonly segmentMs: number;
  /** Infinite for live. */
  readonly durationMs: number;
  /** 0 for the most popular, towards 1 for the least. */
  readonly obscurity: number;
  /** Seeds the sizes of its segments. */
  readonly key: number;
}

const TITLES = 300;
const CHANNELS = 4;
const ZIPF_EXPONENT = 0.9;
const VOD_SEGMENT_MS = 4_000;
const LIVE_SEGMENT_MS = 2_000;
const MANIFEST_BYTES = 2_400;
const INIT_BYTES = 900;

/** Time of the live picture at the simulation's start, ms: channels are on the air long before. */
const LIVE_ORIGIN_MS = 36_000_000;
/** A live segment can be fetched so long after its last frame, ms. */
const PUBLISH_MS = 300;

export class Assets {
  readonly titles: readonly Asset[];
  readonly channels: readonly Asset[];
  /** Popularity of the titles up to each, summed. */
  readonly #popularity: readonly number[];

  constructor(seed: number) {
    this.titles = Array.from({ length: TITLES }, (_, rank) => title(seed, rank));
    this.channels = Array.from({ length: CHANNELS }, (_, rank) => channel(seed, rank));
    let sum = 0;
    this.#popularity = this.titles.map((_, rank) => {
      sum += 1 / (rank + 1) ** ZIPF_EXPONENT;
      return sum;
    });
  }

  drawTitle(random: Random): Asset {
    const wanted = random.fraction() * (this.#popularity.at(-1) ?? 0);
    let low = 0;
    let high = this.titles.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#popularity[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return this.titles[low] ?? title(0, 0);
  }

  drawChannel(random: Random): Asset {
    // Each channel has half the viewers of the one before.
    let rank = 0;
    while (rank + 1 < CHANNELS && random.chance(0.5)) rank++;
    return this.channels[rank] ?? channel(0, 0);
  }
}

function title(seed: number, rank: number): Asset {
  const key = mix(seed, rank + 1);
  const minutes = 2 + 58 * mixFraction(key, 1) ** 2;
  return {
    id: `title-${rank + 1}`,
    title: `Title ${rank + 1}`,
    live: false,
    segmentMs: VOD_SEGMENT_MS,
    durationMs: Math.round((minutes * 60_000) / VOD_SEGMENT_MS) * VOD_SEGMENT_MS,
    obscurity: rank / TITLES,
    key,
  };
}

function channel(seed: number, rank: number): Asset {
  return {
    id: `channel-${rank + 1}`,
    title: `Channel ${rank + 1}`,
    live: true,
    segmentMs: LIVE_SEGMENT_MS,
    durationMs: Number.POSITIVE_INFINITY,
    obscurity: 0,
    key: mix(seed, 10_000 + rank),
  };
}

/** Bytes of a segment: the same for whoever asks for it. */
export function segmentBytes(asset: Asset, index: number, rung: Rung): number {
  const factor = 0.75 + 0.5 * mixFraction(asset.key, index);
  return Math.round((rung.bitrate * asset.segmentMs * factor) / 8_000);
}

export function manifestBytes(asset: Asset): number {
  return MANIFEST_BYTES + (asset.key % 800);
}

export function initBytes(asset: Asset): number {
  return INIT_BYTES + (asset.key % 100);
}

/** Media time of what the camera sees now, ms. */
export function liveTimeMs(nowMs: number): number {
  return nowMs + LIVE_ORIGIN_MS;
}

/** When a live segment can be fetched, ms since the simulation's start. */
export function publishedMs(asset: Asset, index: number): number {
  return (index + 1) * asset.segmentMs - LIVE_ORIGIN_MS + PUBLISH_MS;
}

/** The newest live segment that can be fetched. */
export function newestSegment(asset: Asset, nowMs: number): number {
  return Math.floor((nowMs - PUBLISH_MS + LIVE_ORIGIN_MS) / asset.segmentMs) - 1;
}
