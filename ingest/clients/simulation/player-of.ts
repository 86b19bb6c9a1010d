/**
 * A viewer and its player, put together: streams of random numbers, network, downloads, playback.
 *
 * Guarantee: each part draws from a stream of its own that only the viewer's key names. What a CDN does moves times, and
 * with them what follows; it never moves which numbers another part draws.
 */

import type { Delivery } from './delivery.ts';
import { Downloads } from './downloads.ts';
import type { Exchange } from './exchange.ts';
import type { Habits } from './habits.ts';
import { NetworkTrace } from './network-trace.ts';
import { Playback } from './playback.ts';
import { dayShare } from './population.ts';
import { mix, Random } from './random.ts';
import { RateAdaptation } from './rate-adaptation.ts';
import type { PlayerView, Reports } from './reports.ts';
import type { Troubles } from './troubles.ts';
import { type ActiveWindows, TruthClock } from './truth-clock.ts';
import { Viewing } from './viewing.ts';

const STREAM = { network: 0x4e70, acts: 0xac75, player: 0x91a7, luck: 0x10c4 } as const;
const HOUR_MS = 3_600_000;
const FIRST_GUESS_SHARE = 0.15;
const FIRST_GUESS_KILOBITS_MAX = 4_000;

/** What all players of a simulation share. */
export interface World {
  readonly delivery: Delivery;
  readonly troubles: Troubles;
  /** Hour of the day at the start, UTC. */
  readonly utcHour: number;
  readonly windows: ActiveWindows;
}

export interface Told {
  readonly reportsOf: (player: PlayerView) => Reports;
  /** Each request once, when it ends. */
  readonly onExchange: (exchange: Exchange, nowMs: number) => void;
}

/** @param viewKey Names the viewer's streams. */
export function viewingOf(
  world: World,
  { habits, viewKey, bornMs }: { habits: Habits; viewKey: number; bornMs: number },
  told: Told,
): Viewing {
  const random = (stream: number): Random => new Random(viewKey, stream);
  const playback = new Playback(
    {
      ...told,
      habits,
      random: random(STREAM.player),
      downloads: downloadsOf(world, habits, viewKey, bornMs),
      truth: new TruthClock(bornMs, habits.route.cdn.id, world.windows, habits.vanishes),
    },
    bornMs,
  );
  return new Viewing(habits, random(STREAM.acts), playback, bornMs);
}

function downloadsOf(world: World, habits: Habits, viewKey: number, bornMs: number): Downloads {
  const { country, network, access, device, route, viewer, safety, hasOtherCdn } = habits;
  const shareAt = (atMs: number): number =>
    network.quality * dayShare(country, network, world.utcHour + atMs / HOUR_MS);
  const guessKilobits = Math.min(FIRST_GUESS_KILOBITS_MAX, FIRST_GUESS_SHARE * access.kilobits);
  const { heightMax } = device;
  return new Downloads(route, {
    asset: viewer.asset,
    delivery: world.delivery,
    place: habits,
    access,
    trace: new NetworkTrace(new Random(viewKey, STREAM.network), access, bornMs, shareAt),
    luckKey: mix(viewKey, STREAM.luck),
    adaptation: new RateAdaptation({ safety, heightMax, guessKilobits }),
    troubles: world.troubles,
    hasOtherCdn,
    manifest: device.format === 'h' ? 'index.m3u8' : 'manifest.mpd',
  });
}
