/**
 * Viewers with everything that could have come of their views: what each came to on each of three CDNs.
 *
 * Networks differ, CDNs suit them differently, and a policy sends the views of poor networks where it likes: so a plain
 * difference of means mistakes the networks for the CDN. Rebuffering is rare and heavy-tailed, viewers come back, some
 * leave before anything plays, and who is annoyed leaves earlier.
 */
import { seeded } from '../../support/rows.ts';

export const CDNS = ['alder', 'birch', 'cedar'] as const;

export interface Outcome {
  readonly started: boolean;
  readonly failed: boolean;
  readonly startupMs: number;
  readonly playingMs: number;
  readonly rebufferMs: number;
  /** Thousandths; null for those who left within a second. */
  readonly scoreMilli: number | null;
}

export interface PotentialView {
  readonly viewer: number;
  readonly country: string;
  readonly asn: string;
  readonly device: string;
  readonly streamType: string;
  /** By CDN, in the order of CDNS. */
  readonly outcomes: readonly Outcome[];
}

export interface Network {
  readonly asn: string;
  readonly country: string;
  readonly badness: number;
  readonly weight: number;
}

interface MadeNetwork extends Network {
  /** By CDN: what it makes of the badness. */
  readonly suits: readonly number[];
}

export interface World {
  readonly networks: readonly Network[];
  readonly views: readonly PotentialView[];
}

const COUNTRIES = ['BR', 'DE', 'IN', 'US'];
const DEVICES = [
  ['desktop', 0.9],
  ['phone', 1.3],
  ['tv', 0.7],
] as const;
const NETWORKS_PER_COUNTRY = 3;

export type Random = () => number;

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const logNormal = (random: Random, median: number, spread: number): number =>
  median * Math.exp(spread * normal(random));

export function createWorld(seed: number, viewers: number): World {
  const random = seeded(seed);
  const networks = COUNTRIES.flatMap((country, place) =>
    Array.from({ length: NETWORKS_PER_COUNTRY }, (_, nth) =>
      networkOf(random, country, place, nth),
    ),
  );
  const views = Array.from({ length: viewers }, (_, viewer) => viewsOf(random, viewer, networks));
  return { networks, views: views.flat() };
}

function networkOf(random: Random, country: string, place: number, nth: number): MadeNetwork {
  return {
    asn: String(64_512 + place * 10 + nth),
    country,
    badness: logNormal(random, 0.7 + 0.2 * place, 0.5),
    suits: CDNS.map((_, cdn) => logNormal(random, 1 + 0.12 * cdn, 0.35)),
    weight: 1 / (1 + nth),
  };
}

export function weighted<Item>(
  random: Random,
  items: readonly Item[],
  weightOf: (item: Item) => number,
): Item {
  const total = items.reduce((sum, item) => sum + weightOf(item), 0);
  let left = random() * total;
  const found = items.find((item) => {
    left -= weightOf(item);
    return left < 0;
  });
  return found ?? (items.at(-1) as Item);
}

function viewsOf(
  random: Random,
  viewer: number,
  networks: readonly MadeNetwork[],
): readonly PotentialView[] {
  const network = weighted(random, networks, ({ weight }) => weight);
  const [device, burden] = DEVICES[Math.floor(random() * DEVICES.length)] ?? DEVICES[0];
  const own = logNormal(random, burden, 0.4);
  const count = 1 + Math.floor(-0.8 * Math.log(1 - random()));
  return Array.from({ length: count }, () => {
    const streamType = random() < 0.3 ? 'live' : 'on-demand';
    const luck = logNormal(random, streamType === 'live' ? 1.2 : 1, 0.3);
    const wantsMs = logNormal(random, 480_000, 1.1);
    const patienceMs = 1_500 - 12_000 * Math.log(1 - random());
    const outcomes = network.suits.map((suits) =>
      outcomeOf(random, network.badness * suits * own * luck, wantsMs, patienceMs),
    );
    const { country, asn } = network;
    return { viewer, country, asn, device, streamType, outcomes };
  });
}

function outcomeOf(random: Random, badness: number, wantsMs: number, patienceMs: number): Outcome {
  const nothing = { started: false, startupMs: 0, playingMs: 0, rebufferMs: 0 };
  const startupMs = Math.round(300 + logNormal(random, 600 * badness, 0.6));
  if (random() < 0.012 * badness) return { ...nothing, failed: true, scoreMilli: 0 };
  if (startupMs > patienceMs) return { ...nothing, failed: false, scoreMilli: 40_000 };
  const stalls = random() < 1 - Math.exp(-0.12 * badness);
  const rebufferMs = stalls ? Math.round(logNormal(random, 2_500 * Math.sqrt(badness), 1.1)) : 0;
  const stays = random() < Math.min(0.8, rebufferMs / 20_000) ? random() : 1;
  const playingMs = Math.round(wantsMs * stays);
  const smooth = stalls
    ? 100_000 * Math.exp((-10 * rebufferMs) / (rebufferMs + playingMs))
    : 100_000;
  const scoreMilli = Math.round(Math.sqrt(smooth * (100_000 * (8_000 / (8_000 + startupMs)))));
  return { started: true, failed: false, startupMs, playingMs, rebufferMs, scoreMilli };
}
