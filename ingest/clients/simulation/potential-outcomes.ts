/**
 * What each of many viewers would have met on each CDN: the truth that no telemetry can have, because a view happens
 * once. Whoever estimates what a change of CDN would do compares the estimate with this.
 *
 * Guarantees: pure and seeded, without clock or network. Between two outcomes of one viewer only the CDN differs: person,
 * device, network, content, moment and every random number are the same. On no CDN does a player go to another.
 */
import { Assets } from './assets.ts';
import type { CdnPrice, CdnProfile, CdnProfiles } from './cdn-profile.ts';
import { Delivery } from './delivery.ts';
import type { Exchange } from './exchange.ts';
import { experienceScore } from './experience-score.ts';
import { drawHabits, type Habits, servedBy } from './habits.ts';
import { viewingOf, type World } from './player-of.ts';
import { mix, Random } from './random.ts';
import { SilentReports } from './silent-reports.ts';
import { utcHourOf } from './simulation.ts';
import { type Trouble, Troubles } from './troubles.ts';
import type { ViewTruth } from './view-figures.ts';

export interface PotentialOutcomeOptions {
  readonly seed: number;
  readonly viewers: number;
  /** Those of `cdn-defaults.ts` when absent. */
  readonly cdns?: CdnProfiles | undefined;
  /** None when absent. */
  readonly troubles?: readonly Trouble[] | undefined;
  /** Time over which viewers come, evenly, ms; a day when absent. */
  readonly withinMs?: number | undefined;
  /** Nobody stays longer, ms; ten minutes when absent. It bounds the work. */
  readonly stayMsMax?: number | undefined;
}

/** A viewer on a CDN. */
export interface Outcome {
  /** Number of the viewer from 0. */
  readonly viewer: number;
  readonly cdn: string;
  /** True on the CDN that the viewer would have been given: one outcome of each viewer. */
  readonly assigned: boolean;
  /** When the viewer came, ms since the start. */
  readonly bornMs: number;
  /** Dimensions of the view that do not depend on the CDN. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly started: boolean;
  readonly exitedBeforeStart: boolean;
  /** For a technical reason. */
  readonly failed: boolean;
  /** Time to first playing, or until it ended without, ms. */
  readonly startupMs: number;
  readonly playingMs: number;
  readonly rebufferMs: number;
  readonly rebufferCount: number;
  /** Weighted mean of the bitrate shown, bit/s; 0 when nothing was. */
  readonly bitrate: number;
  /** Mean time from a media request to its first byte, ms; `null` without one that succeeded. */
  readonly ttfbMs: number | null;
  readonly requests: number;
  readonly requestsFailed: number;
  /** As edges delivered them; those that the origin had to send them first. */
  readonly bytes: number;
  readonly originBytes: number;
  /** By the price of the CDN, in its currency. */
  readonly cost: number;
  /** 0 to 100; `null` where a view has none. */
  readonly experienceScore: number | null;
}

const DAY_MS = 86_400_000;
const STAY_MS_MAX = 600_000;
const STREAM = { view: 0x9017, born: 0xb0a4 } as const;
const GIGABYTE = 1e9;
/** What the CDN decides, and what only names the view. */
const NOT_OF_THE_VIEWER: ReadonlySet<string> = new Set([
  'cdn',
  'view_cdn_edge_pop',
  'viewer_user_id',
  'video_title',
]);

/** Every viewer on every CDN: outcomes of one viewer stand together, in the order of the CDNs. */
export function potentialOutcomes(options: PotentialOutcomeOptions): Outcome[] {
  return [...eachPotentialOutcome(options)];
}

/** The same one by one, for more than fit into memory. */
export function* eachPotentialOutcome(options: PotentialOutcomeOptions): Generator<Outcome> {
  const { seed, viewers, troubles = [] } = options;
  const delivery = new Delivery(options.cdns);
  const world = {
    delivery,
    troubles: new Troubles(seed, DAY_MS, delivery, troubles),
    utcHour: utcHourOf(seed),
    windows: { add: () => undefined, indexOf: () => 0 },
  };
  const assets = new Assets(seed);
  for (let viewer = 0; viewer < viewers; viewer++) {
    const born = bear(options, viewer, { delivery, assets });
    for (const cdn of delivery.cdns) yield outcomeOn(world, born, cdn);
  }
}

interface Born {
  readonly viewer: number;
  readonly habits: Habits;
  readonly viewKey: number;
  readonly bornMs: number;
}

function bear(
  { seed, viewers, withinMs = DAY_MS, stayMsMax = STAY_MS_MAX }: PotentialOutcomeOptions,
  viewer: number,
  { delivery, assets }: { delivery: Delivery; assets: Assets },
): Born {
  const drawn = drawHabits(new Random(mix(seed, STREAM.view), viewer), {
    assets,
    delivery,
    cmcdShare: 0,
    userIds: Math.max(1, viewers),
    origin: viewer,
    id: String(viewer),
  });
  const stayMs = Math.min(drawn.stayMs, stayMsMax);
  const viewKey = mix(mix(seed, STREAM.view), viewer);
  const bornMs = new Random(mix(seed, STREAM.born), viewer).below(Math.max(1, withinMs));
  return { viewer, habits: { ...drawn, stayMs, hasOtherCdn: false }, viewKey, bornMs };
}

function outcomeOn(world: World, born: Born, cdn: CdnProfile): Outcome {
  const { viewer, viewKey, bornMs } = born;
  const habits = servedBy(born.habits, world.delivery.routeTo(born.habits, cdn));
  const delivered = { requests: 0, bytes: 0, originBytes: 0 };
  const viewing = viewingOf(
    world,
    { habits, viewKey, bornMs },
    { reportsOf: () => new SilentReports(), onExchange: (exchange) => add(delivered, exchange) },
  );
  while (!viewing.over) viewing.wake(viewing.nextMs);
  return {
    viewer,
    cdn: cdn.id,
    assigned: born.habits.route.cdn.id === cdn.id,
    bornMs,
    dimensions: dimensionsOf(habits),
    ...figuresOf(viewing.truth(0)),
    ...delivered,
    cost: costOf(cdn.price, delivered),
  };
}

function dimensionsOf({ viewer }: Habits): Record<string, string> {
  const said = Object.entries(viewer.context);
  return Object.fromEntries(said.filter(([name]) => !NOT_OF_THE_VIEWER.has(name)));
}

function figuresOf(view: ViewTruth) {
  const { figures, started, failed, failed_business: refused } = view;
  const { media_ttfb_sum_ms: ttfbSumMs, media_ttfb_count: ttfbCount } = figures;
  const knownMs = figures.bitrate_known_ms ?? 0;
  return {
    started,
    exitedBeforeStart: view.outcome === 'exit_before_start',
    failed,
    startupMs: figures.startup_ms ?? 0,
    playingMs: figures.playing_ms ?? 0,
    rebufferMs: figures.rebuffer_ms ?? 0,
    rebufferCount: figures.rebuffer_count ?? 0,
    bitrate: knownMs > 0 ? (figures.bitrate_bit_ms ?? 0) / knownMs : 0,
    ttfbMs: ttfbSumMs !== null && ttfbCount ? ttfbSumMs / ttfbCount : null,
    requestsFailed: figures.request_failed_count ?? 0,
    experienceScore: experienceScore({ started, failed, refused, figures }),
  };
}

interface Volume {
  requests: number;
  bytes: number;
  originBytes: number;
}

function add(volume: Volume, { bytes, edge }: Exchange): void {
  volume.requests++;
  volume.bytes += bytes;
  if (edge.cache === 'MISS') volume.originBytes += bytes;
}

function costOf(price: CdnPrice, { requests, bytes, originBytes }: Volume): number {
  const carried = price.perGigabyte * bytes + price.originPerGigabyte * originBytes;
  return carried / GIGABYTE + (price.perMillionRequests * requests) / 1e6;
}
