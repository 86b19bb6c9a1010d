/** The viewers of the simulation, each played on every CDN, in the shape of a world. */
import {
  type Outcome as Played,
  potentialOutcomes,
} from '../../../ingest/clients/simulation/potential-outcomes.ts';
import { CDNS, type Network, type Outcome, type PotentialView, type World } from './world.ts';

/** Nobody stays longer: it bounds the work, ms. */
const STAY_MS_MAX = 180_000;

export function simulateWorld(seed: number, viewers: number): World {
  const played = potentialOutcomes({ seed, viewers, stayMsMax: STAY_MS_MAX });
  const views = [...groupedBy(played, ({ viewer }) => viewer)].map(([viewer, outcomes]) =>
    viewOf(viewer, outcomes),
  );
  return { networks: networksOf(views), views };
}

function viewOf(viewer: number, played: readonly Played[]): PotentialView {
  const {
    country = '',
    asn = '',
    viewer_device_category = '',
    stream_type = '',
  } = played[0]?.dimensions ?? {};
  return {
    viewer,
    country,
    asn,
    device: viewer_device_category,
    streamType: stream_type,
    outcomes: CDNS.map((name) => outcomeOf(played.find(({ cdn }) => cdn === name))),
  };
}

function outcomeOf(played: Played | undefined): Outcome {
  if (played === undefined) throw new Error('the simulation lacks a CDN');
  const { experienceScore: score } = played;
  const scoreMilli = score === null ? null : Math.round(score * 1_000);
  return { ...played, scoreMilli };
}

/** How bad a network is: its startup against that of all. */
function networksOf(views: readonly PotentialView[]): Network[] {
  const startupOf = (some: readonly PotentialView[]): number => {
    const all = some.flatMap(({ outcomes }) => outcomes.map(({ startupMs }) => startupMs));
    return all.reduce((sum, each) => sum + each, 0) / all.length;
  };
  const overall = startupOf(views);
  return [...groupedBy(views, ({ asn }) => asn)].map(([asn, some]) => ({
    asn,
    country: some[0]?.country ?? '',
    badness: startupOf(some) / overall,
    weight: some.length,
  }));
}

function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key) {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    group.push(item);
    groups.set(keyOf(item), group);
  }
  return groups;
}
