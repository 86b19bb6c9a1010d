/**
 * One viewer at birth: where it is, what it watches, how patient it is, how and when it leaves. All that a person
 * decides is drawn here or from the viewer's own stream, never from what others do.
 */
import type { Asset, Assets } from './assets.ts';
import type { Delivery, Route } from './delivery.ts';
import { drawPlace, type Place } from './population.ts';
import type { Random } from './random.ts';
import type { Viewer } from './reports.ts';

export interface Habits extends Place {
  readonly viewer: Viewer;
  readonly route: Route;
  readonly speaks: 'native' | 'cmcd';
  /** Share of the measured throughput that its player uses: the two arms of the experiment differ in it. */
  readonly safety: number;
  /** Time between two beats, ms. */
  readonly beatMs: number;
  /** Time from birth to `starting`, in which the player preloads; 0 for none. */
  readonly preloadMs: number;
  readonly pageLoadMs: number;
  readonly playerStartupMs: number;
  /** The browser refuses to start by itself: the viewer has to press play. */
  readonly autoplayBlocked: boolean;
  /** May not watch: the player fails for a business reason after the manifest. */
  readonly refused: boolean;
  readonly hasOtherCdn: boolean;
  /** Leaves so long after its birth, ms, if nothing drives it away before. */
  readonly stayMs: number;
  /** Leaves by closing the tab, without a word. */
  readonly vanishes: boolean;
  /** Waits so long for the start, or for playing to go on, ms. */
  readonly startPatienceMs: number;
  readonly stallPatienceMs: number;
  /** Mean time between two acts (pause, seek), ms. */
  readonly actMeanMs: number;
  /** Something that happens once, so long after first playing; infinite for nothing. */
  readonly extra: 'ad' | 'fullscreen';
  readonly extraAfterMs: number;
}

export interface HabitOptions {
  readonly assets: Assets;
  readonly delivery: Delivery;
  /** Share of viewers that speak CMCD. */
  readonly cmcdShare: number;
  /** Viewers from which user ids are drawn. */
  readonly userIds: number;
  /** Where the viewer watches; drawn when absent. */
  readonly asset?: Asset | undefined;
  readonly origin: number;
  readonly id: string;
}

const LIVE_SHARE = 0.4;
const ZAPPER_SHARE = 0.15;
const SUB_PROPERTIES = ['web', 'web', 'app', 'partner'] as const;
const ARMS = [
  { name: 'safety/bold', safety: 0.9 },
  { name: 'safety/shy', safety: 0.65 },
] as const;

export function drawHabits(random: Random, options: HabitOptions): Habits {
  const place = drawPlace(random);
  const live = random.chance(LIVE_SHARE);
  const drawn = live ? options.assets.drawChannel(random) : options.assets.drawTitle(random);
  const asset = options.asset ?? drawn;
  const { delivery } = options;
  const route = delivery.routeTo(place, delivery.assign(place, random.fraction()));
  const speaks = random.chance(options.cmcdShare) ? 'cmcd' : 'native';
  const arm = random.chance(0.5) ? ARMS[0] : ARMS[1];
  const userId = `user-${random.below(options.userIds)}`;
  const subProperty = SUB_PROPERTIES[random.below(SUB_PROPERTIES.length)] ?? 'web';
  const context = {
    ...contextOf(place, asset, route),
    viewer_user_id: userId,
    sub_property_id: subProperty,
    experiment_name: arm.name,
  };
  const { id, origin } = options;
  const viewer: Viewer = { id, userId, origin, asset, device: place.device, context };
  const base = { ...place, viewer, route, speaks, safety: arm.safety } as const;
  return { ...base, ...drawStart(random, speaks), ...drawTemper(random, asset) };
}

/** The same viewer, served by another CDN. */
export function servedBy(habits: Habits, route: Route): Habits {
  const context = { ...habits.viewer.context, ...cdnContext(route) };
  return { ...habits, route, viewer: { ...habits.viewer, context } };
}

function cdnContext({ cdn, pop }: Route): Record<string, string> {
  return { cdn: cdn.id, view_cdn_edge_pop: pop.name };
}

function contextOf(place: Place, asset: Asset, route: Route): Record<string, string> {
  const { country, region, network, access, device } = place;
  return {
    video_id: asset.id,
    video_title: asset.title,
    stream_type: asset.live ? 'live' : 'on-demand',
    source_type: device.format === 'h' ? 'hls' : 'dash',
    ...cdnContext(route),
    country: country.code,
    region: region.code,
    asn: String(network.asn),
    viewer_connection_type: access.connectionType,
    custom_1: access.name,
    viewer_device_category: device.category,
    operating_system: device.system,
    player_name: device.player,
  };
}

function drawStart(random: Random, speaks: 'native' | 'cmcd') {
  return {
    beatMs: Math.round(random.between(5_000, 10_000)),
    preloadMs: random.chance(0.1) ? Math.round(random.exponential(2_000)) + 1 : 0,
    pageLoadMs: Math.round(random.logNormal(900, 0.5)),
    playerStartupMs: Math.round(random.logNormal(120, 0.5)),
    autoplayBlocked: random.chance(0.03),
    // CMCD has no words for a business reason.
    refused: random.chance(0.005) && speaks === 'native',
    hasOtherCdn: random.chance(0.4),
  };
}

function drawTemper(random: Random, asset: Asset) {
  const zapper = random.chance(ZAPPER_SHARE);
  const stayMs = random.logNormal(zapper ? 12_000 : asset.live ? 600_000 : 300_000, 0.9);
  const hasExtra = random.chance(0.15);
  const extra: 'ad' | 'fullscreen' = !asset.live && random.chance(0.5) ? 'ad' : 'fullscreen';
  const extraAfterMs = hasExtra ? Math.round(random.exponential(25_000)) : Number.POSITIVE_INFINITY;
  return {
    stayMs: Math.round(Math.max(500, stayMs)),
    vanishes: random.chance(0.2),
    startPatienceMs: Math.round(random.logNormal(12_000, 0.7)),
    stallPatienceMs: Math.round(random.logNormal(20_000, 0.8)),
    actMeanMs: asset.live ? 600_000 : 120_000,
    extra,
    extraAfterMs,
  };
}
