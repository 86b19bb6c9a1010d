/**
 * What ingest counts, as plain numbers. Guarantee: the codes are those of `errors.ts`, so the labels are bounded; any
 * other is `other`.
 */
import type { EnrichCounters } from './enrichment/enrich.ts';
import type { PlaceCounters } from './enrichment/places.ts';
import type { UserAgentCounters } from './enrichment/user-agent-cache.ts';
import { INGEST_ERRORS, NOTES, REJECTS } from './errors.ts';

export interface IngestCounters extends UserAgentCounters, PlaceCounters, EnrichCounters {
  /** Requests that a pipeline began. */
  requests: number;
  /** Bytes of bodies as sent, and after decompression. */
  bodyBytes: number;
  decompressedBytes: number;
  /** Events that are durable in the log. */
  acceptedEvents: number;
  /** Records that are durable in the log: beats, and rejects. */
  beatRecords: number;
  rejectRecords: number;
  /** Beats that were split because they were larger than a record may be. */
  splitBeats: number;
  /** Edge requests that are durable in the log, and the records that hold them. */
  edgeRequests: number;
  edgeRecords: number;
  /** Of those records, the ones written before they were full because too much was open. */
  edgeEarlyRecords: number;
  /** Lines of edge logs that were left out because they tell of a CORS preflight. */
  preflights: number;
  /** Requests that ended before they were answered. */
  abortedRequests: number;
  /** Now under way. */
  requestsInFlight: number;
  bytesInFlight: number;
  /** Records of edge requests that are being filled now. */
  edgeGroupsOpen: number;
  /** Answers that were errors, by code of INGEST_ERRORS. */
  readonly refusals: Record<string, number>;
  /** Pieces that were not taken, by code of REJECTS. */
  readonly rejects: Record<string, number>;
  /** What was left out, by code of NOTES. */
  readonly notes: Record<string, number>;
}

/** Zero in everything, every known code included. */
export function createIngestCounters(): IngestCounters {
  return {
    requests: 0,
    bodyBytes: 0,
    decompressedBytes: 0,
    acceptedEvents: 0,
    beatRecords: 0,
    rejectRecords: 0,
    splitBeats: 0,
    edgeRequests: 0,
    edgeRecords: 0,
    edgeEarlyRecords: 0,
    preflights: 0,
    abortedRequests: 0,
    requestsInFlight: 0,
    bytesInFlight: 0,
    edgeGroupsOpen: 0,
    userAgentLookups: 0,
    userAgentCacheMisses: 0,
    userAgentsUnknown: 0,
    userAgentsEvicted: 0,
    placeLookups: 0,
    placeMisses: 0,
    placeFailures: 0,
    addressesUnusable: 0,
    placeReloads: 0,
    placeReloadFailures: 0,
    cdnsByHost: 0,
    ruleMatches: 0,
    refusals: zeros(INGEST_ERRORS),
    rejects: zeros(REJECTS),
    notes: zeros(NOTES),
  };
}

function zeros(table: object): Record<string, number> {
  return Object.fromEntries([...Object.keys(table), 'other'].map((code) => [code, 0]));
}

/** Adds to the count of a code. */
export function count(counts: Record<string, number>, code: string, by = 1): void {
  const known = Object.hasOwn(counts, code) ? code : 'other';
  counts[known] = (counts[known] ?? 0) + by;
}
