/**
 * Who watches, from where, over what, on what: the fixed tables that viewers are drawn from.
 *
 * Autonomous systems are numbers for private use (RFC 6996); their quality is the same in every run, so that a bad one
 * is there to be found.
 */
import type { Point } from './geography.ts';
import type { Random, Weighted } from './random.ts';

export interface Network extends Weighted {
  readonly asn: number;
  /** Multiplies the rate of every access. */
  readonly quality: number;
  /** Share of the rate that the evening takes. */
  readonly eveningDip: number;
}

export interface Country extends Weighted {
  readonly code: string;
  readonly utcOffsetHours: number;
  readonly regions: readonly [Region, ...Region[]];
  readonly networks: readonly [Network, ...Network[]];
}

/** A part of a country, as far from an edge as its middle. */
export interface Region extends Weighted, Point {
  /** ISO 3166-2. */
  readonly code: string;
}

export interface Access extends Weighted {
  readonly name: 'fiber' | 'cable' | 'wifi' | '4g' | '5g';
  readonly connectionType: 'wired' | 'wifi' | 'cellular';
  /** Median rate while the network is good, kbit/s. */
  readonly kilobits: number;
  /** Spread of the rate within a state, as standard deviation of its logarithm. */
  readonly spread: number;
  /** Time that the access itself adds to a round trip, ms. */
  readonly rttMs: number;
  /** Mean time in the good state, ms. */
  readonly goodMs: number;
  /** Probability that a network that leaves a middle state gets worse. */
  readonly fall: number;
}

export interface Device extends Weighted {
  readonly category: string;
  readonly system: string;
  readonly player: string;
  /** Streaming format that its player speaks, CMCD token. */
  readonly format: 'h' | 'd';
  readonly userAgent: string;
  /** Player on the page, and on the whole screen, device pixels. */
  readonly inline: readonly [number, number];
  readonly screen: readonly [number, number];
  /** Tallest rendition that it plays. */
  readonly heightMax: number;
  readonly droppedFrameShare: number;
  /** Says `rebuffering` while it waits for a seek, though the standard forbids it. */
  readonly waitsInSeek: boolean;
  readonly accesses: readonly [Access, ...Access[]];
}

const ASN_FIRST = 64_512;

function country(
  index: number,
  code: string,
  weight: number,
  utcOffsetHours: number,
  regions: Country['regions'],
): Country {
  const network = (nth: number, quality: number, share: number, eveningDip: number): Network => ({
    asn: ASN_FIRST + index * 10 + nth,
    quality,
    weight: share,
    eveningDip,
  });
  const networks = [
    network(0, 1.2, 0.5, 0.1),
    network(1, 0.9, 0.35, 0.3),
    network(2, 0.45, 0.15, 0.55),
  ] as const;
  return { code, weight, utcOffsetHours, regions, networks: [...networks] };
}

function region(code: string, weight: number, latitude: number, longitude: number): Region {
  return { code, weight, latitude, longitude };
}

export const COUNTRIES: readonly [Country, ...Country[]] = [
  country(0, 'US', 30, -6, [
    region('US-NY', 5, 41, -74),
    region('US-TX', 3, 31, -98),
    region('US-CA', 4, 36, -120),
  ]),
  country(1, 'DE', 14, 1, [region('DE-BY', 3, 49, 12), region('DE-BE', 2, 52, 13)]),
  country(2, 'IN', 14, 5.5, [region('IN-MH', 3, 19, 75), region('IN-WB', 2, 23, 88)]),
  country(3, 'BR', 12, -3, [region('BR-SP', 4, -22, -48), region('BR-AM', 1, -4, -62)]),
  country(4, 'GB', 10, 0, [region('GB-ENG', 4, 52, -1), region('GB-SCT', 1, 57, -4)]),
  country(5, 'FR', 9, 1, [region('FR-IDF', 3, 49, 2), region('FR-OCC', 1, 44, 2)]),
  country(6, 'JP', 6, 9, [region('JP-13', 3, 36, 140), region('JP-01', 1, 43, 142)]),
  country(7, 'AU', 3, 10, [region('AU-NSW', 3, -33, 151), region('AU-WA', 1, -32, 116)]),
  country(8, 'NG', 2, 1, [region('NG-LA', 3, 6, 3), region('NG-KN', 1, 12, 8)]),
];

const access = {
  fiber: { name: 'fiber', connectionType: 'wired', kilobits: 120_000, spread: 0.3, rttMs: 3 },
  cable: { name: 'cable', connectionType: 'wired', kilobits: 60_000, spread: 0.4, rttMs: 9 },
  wifi: { name: 'wifi', connectionType: 'wifi', kilobits: 25_000, spread: 0.5, rttMs: 12 },
  g4: { name: '4g', connectionType: 'cellular', kilobits: 12_000, spread: 0.6, rttMs: 40 },
  g5: { name: '5g', connectionType: 'cellular', kilobits: 50_000, spread: 0.6, rttMs: 18 },
} as const;

const trouble = {
  fiber: { goodMs: 300_000, fall: 0.05 },
  cable: { goodMs: 120_000, fall: 0.1 },
  wifi: { goodMs: 60_000, fall: 0.2 },
  g4: { goodMs: 25_000, fall: 0.35 },
  g5: { goodMs: 40_000, fall: 0.25 },
} as const;

function over(name: keyof typeof access, weight: number): Access {
  return { ...access[name], ...trouble[name], weight };
}

const FIXED: readonly [Access, ...Access[]] = [over('fiber', 4), over('cable', 3), over('wifi', 3)];
const MOBILE: readonly [Access, ...Access[]] = [over('wifi', 5), over('g4', 3), over('g5', 2)];

function device(
  [category, system, player]: readonly [string, string, string],
  format: 'h' | 'd',
  weight: number,
  rest: Pick<Device, 'inline' | 'screen' | 'heightMax' | 'droppedFrameShare' | 'accesses'>,
): Device {
  const userAgent = `Mozilla/5.0 (${system}) StreamgaugeSimulation/1.0 ${player}`;
  const waitsInSeek = player !== 'dash.js' && player !== 'AVPlayer';
  return { category, system, player, format, userAgent, weight, waitsInSeek, ...rest };
}

const DESKTOP = {
  inline: [1280, 720],
  screen: [1920, 1080],
  heightMax: 1080,
  droppedFrameShare: 0.002,
  accesses: FIXED,
} as const;
const PHONE = {
  inline: [1080, 608],
  screen: [2340, 1080],
  heightMax: 720,
  droppedFrameShare: 0.006,
  accesses: MOBILE,
} as const;
const TV = {
  inline: [1920, 1080],
  screen: [3840, 2160],
  heightMax: 1080,
  droppedFrameShare: 0.001,
  accesses: FIXED,
} as const;

export const DEVICES: readonly [Device, ...Device[]] = [
  device(['desktop', 'Windows', 'hls.js'], 'h', 20, DESKTOP),
  device(['desktop', 'Windows', 'dash.js'], 'd', 8, DESKTOP),
  device(['desktop', 'macOS', 'hls.js'], 'h', 8, DESKTOP),
  device(['phone', 'Android', 'ExoPlayer'], 'd', 22, PHONE),
  device(['phone', 'iOS', 'AVPlayer'], 'h', 18, PHONE),
  device(['tablet', 'iPadOS', 'AVPlayer'], 'h', 6, { ...PHONE, heightMax: 1080 }),
  device(['tv', 'Tizen', 'Shaka Player'], 'd', 10, TV),
  device(['tv', 'Android TV', 'ExoPlayer'], 'd', 8, { ...TV, droppedFrameShare: 0.02 }),
];

/** Share of the rate that is left at an hour of the day (UTC, 0 to 24): the evening is busy. */
export function dayShare({ utcOffsetHours }: Country, network: Network, utcHour: number): number {
  const busy = Math.max(0, Math.cos(((utcHour + utcOffsetHours - 21) / 12) * Math.PI));
  return 1 - network.eveningDip * busy * busy;
}

/** Where a viewer is and what it watches on. */
export interface Place {
  readonly country: Country;
  readonly region: Region;
  readonly network: Network;
  readonly device: Device;
  readonly access: Access;
}

export function drawPlace(random: Random): Place {
  const from = random.weighted(COUNTRIES);
  const within = random.weighted(from.regions);
  const network = random.weighted(from.networks);
  const on = random.weighted(DEVICES);
  const access = random.weighted(on.accesses);
  return { country: from, region: within, network, device: on, access };
}
