/**
 * The CDNs of a simulation without a file: a dear one near everyone, a cheaper one that is strong in Europe and weak
 * elsewhere, and a cheap one with few edges.
 *
 * Each is better than the others for some networks and worse for others, and the cheap ones are given more viewers where
 * their price counts most: who compares the CDNs' means compares their viewers.
 */
import { type CdnProfile, type CdnProfiles, NO_PEERING, type PopProfile } from './cdn-profile.ts';

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

function pops(of: string, cities: readonly [City, ...City[]]): CdnProfile['pops'] {
  const pop = (city: City): PopProfile => {
    const [latitude, longitude] = places[city];
    return { name: `${city}-${of}`, latitude, longitude, rttMs: {} };
  };
  const [first, ...others] = cities;
  return [pop(first), ...others.map(pop)];
}

/** A network that is only reached by a detour and a narrow way. */
const FAR = { rttAddedMs: 45, kilobitsMax: 6_000, lossShare: 2e-4 };
/** One that is reached over a full exchange. */
const FULL = { rttAddedMs: 15, kilobitsMax: 14_000, lossShare: 5e-5 };
/** One with caches inside. */
const INSIDE = { ...NO_PEERING, rttAddedMs: -6 };

export const DEFAULT_CDNS: CdnProfiles = [
  {
    id: 'alder',
    host: 'alder.cdn.example',
    price: {
      name: 'alder-list',
      currency: 'USD',
      perGigabyte: 0.045,
      originPerGigabyte: 0.02,
      perMillionRequests: 0.75,
    },
    pops: pops('alder', ['iad', 'sjc', 'fra', 'lhr', 'gru', 'bom', 'nrt', 'syd', 'los']),
    edgeMs: 6,
    origin: { latitude: 39, longitude: -77, thinkMs: 45 },
    cache: { manifest: 0.97, live: 0.985, popular: 0.99, obscure: 0.6 },
    lossShare: 1e-5,
    errorShare: 0.0001,
    // It reaches the third network of Germany and the second of India badly.
    peerings: { '64524': FAR, '64533': FULL, '64512': INSIDE, '64572': INSIDE },
    share: { base: 5, countries: { IN: 2, BR: 3, NG: 2 }, networks: { '64513': 7, '64514': 8 } },
  },
  {
    id: 'birch',
    host: 'birch.cdn.example',
    price: {
      name: 'birch-2026',
      currency: 'USD',
      perGigabyte: 0.024,
      originPerGigabyte: 0.02,
      perMillionRequests: 0.6,
    },
    pops: pops('birch', ['iad', 'fra', 'cdg', 'bom', 'nrt']),
    edgeMs: 9,
    origin: { latitude: 50, longitude: 9, thinkMs: 60 },
    cache: { manifest: 0.96, live: 0.985, popular: 0.99, obscure: 0.5 },
    lossShare: 2e-5,
    errorShare: 0.0002,
    peerings: { '64522': INSIDE, '64524': INSIDE, '64533': INSIDE, '64514': FAR, '64553': FULL },
    share: { base: 3, countries: { DE: 5, FR: 4, IN: 3 }, networks: { '64512': 1.5 } },
  },
  {
    id: 'cedar',
    host: 'cedar.cdn.example',
    price: {
      name: 'cedar-flat',
      currency: 'USD',
      perGigabyte: 0.009,
      originPerGigabyte: 0.02,
      perMillionRequests: 0.4,
    },
    pops: pops('cedar', ['iad', 'lhr', 'gru']),
    edgeMs: 15,
    origin: { latitude: 39, longitude: -77, thinkMs: 110 },
    cache: { manifest: 0.94, live: 0.98, popular: 0.985, obscure: 0.35 },
    lossShare: 3e-5,
    errorShare: 0.0005,
    peerings: { '64513': INSIDE, '64543': INSIDE, '64523': FULL, '64534': FAR, '64564': FAR },
    share: {
      base: 2,
      countries: { BR: 5, IN: 4, NG: 5, JP: 0.5 },
      networks: { '64514': 1, '64544': 7 },
    },
  },
];
