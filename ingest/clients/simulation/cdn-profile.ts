/**
 * A CDN as data: what it costs, where its edges are, how often they have what is asked for, how far its origin is, with
 * which networks it has good ways, and which viewers it is given. `delivery.ts` makes routes of it.
 */
import type { Point } from './geography.ts';

export interface PopProfile extends Point {
  readonly name: string;
  /** Round trip from a country (`DE`) or region (`US-CA`), ms, where it is not what the distance says. */
  readonly rttMs: Readonly<Record<string, number>>;
}

/** What a CDN's way into a network, a region or a country does to what goes over it. */
export interface Peering {
  readonly rttAddedMs: number;
  /** Most that one connection carries, kbit/s; infinite without a limit. */
  readonly kilobitsMax: number;
  /** Share of packets lost, added to that of the CDN. */
  readonly lossShare: number;
}

/** Figures of the truth only: nothing that is sent says them. */
export interface CdnPrice {
  /** Name of the price list. */
  readonly name: string;
  readonly currency: string;
  /** For 10⁹ bytes that edges delivered, and that the origin sent them. */
  readonly perGigabyte: number;
  readonly originPerGigabyte: number;
  readonly perMillionRequests: number;
}

/** Shares of requests that caches answer. */
export interface CacheShares {
  readonly manifest: number;
  readonly live: number;
  /** Of the most and of the least popular title; between them by rank. */
  readonly popular: number;
  readonly obscure: number;
}

export interface OriginProfile extends Point {
  /** Median time that the origin itself takes, ms; the way there and back comes on top. */
  readonly thinkMs: number;
}

/** How many viewers a CDN is given, as a weight beside those of the others: of the network, else country, else base. */
export interface ShareProfile {
  readonly base: number;
  readonly countries: Readonly<Record<string, number>>;
  readonly networks: Readonly<Record<string, number>>;
}

export interface CdnProfile {
  readonly id: string;
  readonly host: string;
  readonly price: CdnPrice;
  readonly pops: readonly [PopProfile, ...PopProfile[]];
  /** Median time of an edge to answer from its cache, ms. */
  readonly edgeMs: number;
  readonly origin: OriginProfile;
  readonly cache: CacheShares;
  /** Share of packets lost on the way, and of requests that an edge answers with 500. */
  readonly lossShare: number;
  readonly errorShare: number;
  /** By autonomous system, region or country; the first of these that is there counts. */
  readonly peerings: Readonly<Record<string, Peering>>;
  readonly share: ShareProfile;
}

export type CdnProfiles = readonly [CdnProfile, ...CdnProfile[]];

export const NO_PEERING: Peering = {
  rttAddedMs: 0,
  kilobitsMax: Number.POSITIVE_INFINITY,
  lossShare: 0,
};
