/**
 * How fast one sender may send: a token bucket for each name, full after a second of rest.
 *
 * Guarantee: memory is bounded by the names of the last two seconds, and by `NAMES_MAX`; who is forgotten had, or would
 * soon have had, a full bucket.
 */
import { groupsOf, usableAddress } from './enrichment/addresses.ts';

/** Takes one of a name's tokens; false when it has none. `perSecondMax` 0 sets no limit. */
export type TakeToken = (name: string, perSecondMax: number) => boolean;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket is full again after so long, and then worth nothing. */
const FULL_AFTER_MS = 1_000;
const NAMES_MAX = 100_000;

/** Makes the buckets of one kind of names. `now`: ms of any clock. */
export function createRate(now: () => number): TakeToken {
  let recent = new Map<string, Bucket>();
  let older = new Map<string, Bucket>();
  let turnedAtMs = now();
  return (name, perSecondMax) => {
    if (perSecondMax === 0) return true;
    const atMs = now();
    if (Math.abs(atMs - turnedAtMs) >= FULL_AFTER_MS || recent.size >= NAMES_MAX) {
      older = recent;
      recent = new Map();
      turnedAtMs = atMs;
    }
    const bucket = recent.get(name) ?? older.get(name) ?? { tokens: perSecondMax, atMs };
    recent.set(name, bucket);
    return takeOne(bucket, perSecondMax, atMs);
  };
}

function takeOne(bucket: Bucket, perSecondMax: number, atMs: number): boolean {
  const earned = (Math.max(0, atMs - bucket.atMs) / 1_000) * perSecondMax;
  bucket.tokens = Math.min(perSecondMax, bucket.tokens + earned);
  bucket.atMs = atMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

/** Groups of an IPv6 address that name one customer's network: whoever has one has all addresses in it. */
const SITE_GROUPS = 4;

/** What an address is limited as: IPv4 alone, IPv6 with its network (/64). */
export function senderOf(text: string): string {
  const address = usableAddress(text);
  if (!address.includes(':')) return address;
  return groupsOf(address).slice(0, SITE_GROUPS).join(':');
}
