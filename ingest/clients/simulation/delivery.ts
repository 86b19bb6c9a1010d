/**
 * Who is served by which CDN, from which of its edges, and what the way there is like.
 *
 * Guarantee: a route depends on the profiles and on where the viewer is, and on nothing else; so does the share of
 * viewers of a place that a CDN is given.
 */
import type { RequestKind } from '../../../schemas/beat.ts';
import type { Asset } from './assets.ts';
import { DEFAULT_CDNS } from './cdn-defaults.ts';
import {
  type CdnProfile,
  type CdnProfiles,
  NO_PEERING,
  type Peering,
  type PopProfile,
} from './cdn-profile.ts';
import { roundTripMs } from './geography.ts';
import type { Place } from './population.ts';

export type Whereabouts = Pick<Place, 'country' | 'region' | 'network'>;

/** The way from a viewer's network to the nearest edge of a CDN. */
export interface Route {
  readonly cdn: CdnProfile;
  readonly pop: PopProfile;
  readonly asn: number;
  /** Round trip between the network and the edge, ms. */
  readonly rttMs: number;
  /** Median wait of the edge for its origin, over a connection that is open: the way, once, and the origin's time, ms. */
  readonly originMs: number;
  /** Most that one connection carries, kbit/s. */
  readonly kilobitsMax: number;
  readonly lossShare: number;
}

/** No network is nearer to an edge, ms. */
const RTT_MS_MIN = 1;

export class Delivery {
  readonly cdns: CdnProfiles;
  readonly #routes = new Map<string, Route>();

  constructor(cdns: CdnProfiles = DEFAULT_CDNS) {
    this.cdns = cdns;
  }

  /** The CDN that a viewer of a place is given. @param drawn From 0 to below 1. */
  assign(place: Whereabouts, drawn: number): CdnProfile {
    const weights = this.cdns.map((cdn) => shareOf(cdn, place));
    let left = drawn * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, cdn] of this.cdns.entries()) {
      left -= weights[index] ?? 0;
      if (left < 0) return cdn;
    }
    return this.cdns[0];
  }

  routeTo(place: Whereabouts, cdn: CdnProfile): Route {
    const key = `${place.region.code} ${place.network.asn} ${cdn.id}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const route = nearest(place, cdn);
    this.#routes.set(key, route);
    return route;
  }

  /** The CDN that a player tries when another fails. */
  other(than: CdnProfile): CdnProfile {
    return this.cdns.find(({ id }) => id !== than.id) ?? than;
  }
}

/** Share of requests for an object of an asset that the cache of a CDN answers. */
export function hitShare({ cache }: CdnProfile, kind: RequestKind, asset: Asset): number {
  if (kind === 'manifest') return cache.manifest;
  if (asset.live) return cache.live;
  return cache.popular - (cache.popular - cache.obscure) * asset.obscurity;
}

function shareOf({ share }: CdnProfile, { country, network }: Whereabouts): number {
  return share.networks[network.asn] ?? share.countries[country.code] ?? share.base;
}

function peeringOf({ peerings }: CdnProfile, place: Whereabouts): Peering {
  const { network, region, country } = place;
  return peerings[network.asn] ?? peerings[region.code] ?? peerings[country.code] ?? NO_PEERING;
}

function rttFrom({ region, country }: Whereabouts, pop: PopProfile): number {
  return pop.rttMs[region.code] ?? pop.rttMs[country.code] ?? roundTripMs(region, pop);
}

function nearest(place: Whereabouts, cdn: CdnProfile): Route {
  const [first, ...others] = cdn.pops;
  let pop = first;
  for (const other of others) if (rttFrom(place, other) < rttFrom(place, pop)) pop = other;
  const { rttAddedMs, kilobitsMax, lossShare } = peeringOf(cdn, place);
  return {
    cdn,
    pop,
    asn: place.network.asn,
    rttMs: Math.max(RTT_MS_MIN, rttFrom(place, pop) + rttAddedMs),
    originMs: cdn.origin.thinkMs + roundTripMs(pop, cdn.origin),
    kilobitsMax,
    lossShare: cdn.lossShare + lossShare,
  };
}
