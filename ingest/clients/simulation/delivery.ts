/** The CDNs: where their edges are, how far that is, how often they have what is asked for, how fast they answer. */
import type { Asset } from './assets.ts';
import { COUNTRIES, type Country } from './population.ts';
import type { Weighted } from './random.ts';

export interface Pop {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Cdn extends Weighted {
  readonly name: string;
  readonly host: string;
  readonly pops: readonly [Pop, ...Pop[]];
  /** Median time to answer from the cache, ms. */
  readonly serverMs: number;
  /** Median time that the origin adds, ms. */
  readonly originMs: number;
  /** Share of VOD requests for the least popular title that the cache answers. */
  readonly tailHitShare: number;
}

/** The way from a country to the nearest edge of a CDN. */
export interface Route {
  readonly cdn: Cdn;
  readonly pop: Pop;
  /** Round trip between the country's exchange and the edge, ms. */
  readonly rttMs: number;
}

const places = {
  iad: [39, -77],
  sjc: [37, -122],
  fra: [50, 9],
  lhr: [51, 0],
  cdg: [49, 2],
  gru: [-23, -46],
  bom: [19, 73],
  nrt: [36, 140],
  syd: [-34, 151],
  los: [6, 3],
} as const;

type City = keyof typeof places;

function cdn(
  name: string,
  weight: number,
  cities: readonly [City, ...City[]],
  rest: Pick<Cdn, 'serverMs' | 'originMs' | 'tailHitShare'>,
): Cdn {
  const pop = (city: City): Pop => ({
    name: `${city}-${name}`,
    latitude: places[city][0],
    longitude: places[city][1],
  });
  const [first, ...others] = cities;
  const pops = [pop(first), ...others.map(pop)] as const;
  return { name, weight, host: `${name}.cdn.example`, pops: [...pops], ...rest };
}

export const CDNS: readonly [Cdn, Cdn, Cdn] = [
  cdn('alder', 5, ['iad', 'sjc', 'fra', 'lhr', 'gru', 'bom', 'nrt', 'syd', 'los'], {
    serverMs: 6,
    originMs: 110,
    tailHitShare: 0.6,
  }),
  cdn('birch', 3, ['iad', 'fra', 'cdg', 'bom', 'nrt'], {
    serverMs: 9,
    originMs: 160,
    tailHitShare: 0.5,
  }),
  cdn('cedar', 2, ['iad', 'lhr', 'gru'], { serverMs: 15, originMs: 220, tailHitShare: 0.35 }),
];

const LIVE_HIT_SHARE = 0.985;
const TOP_HIT_SHARE = 0.99;
/** Light in glass, km in a millisecond, and by how much cables are longer than the way. */
const KM_PER_MS = 200;
const DETOUR = 1.5;
const EXCHANGE_RTT_MS = 2;
const EARTH_RADIUS_KM = 6_371;

function distanceKm(from: Country, to: Pop): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const latitude = Math.sin(radians(to.latitude - from.latitude) / 2) ** 2;
  const longitude = Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  const scale = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(latitude + scale * longitude));
}

function nearest(from: Country, of: Cdn): Route {
  const routes = of.pops.map((pop) => ({
    cdn: of,
    pop,
    rttMs: EXCHANGE_RTT_MS + (2 * DETOUR * distanceKm(from, pop)) / KM_PER_MS,
  }));
  routes.sort((a, b) => a.rttMs - b.rttMs);
  return routes[0] ?? { cdn: of, pop: of.pops[0], rttMs: EXCHANGE_RTT_MS };
}

const ROUTES: ReadonlyMap<string, Route> = new Map(
  COUNTRIES.flatMap((from) =>
    CDNS.map((of): [string, Route] => [`${from.code} ${of.name}`, nearest(from, of)]),
  ),
);

export function routeTo(from: Country, of: Cdn): Route {
  return ROUTES.get(`${from.code} ${of.name}`) ?? nearest(from, of);
}

/** The CDN that a player tries when another fails. */
export function otherCdn(than: Cdn): Cdn {
  return CDNS.find(({ name }) => name !== than.name) ?? than;
}

/** Share of requests for an asset that the cache of a CDN answers. */
export function hitShare({ tailHitShare }: Cdn, { live, obscurity }: Asset): number {
  return live ? LIVE_HIT_SHARE : TOP_HIT_SHARE - (TOP_HIT_SHARE - tailHitShare) * obscurity;
}
