/** A request as the player reports it, as what is summed. */
import { REQUEST_KINDS } from '../../schemas/beat.ts';
import { type BeatCursor, PART } from '../cursor.ts';
import { hopDelaysIn } from '../player-claims.ts';
import { type DeliveredRequest, NOTHING_SAID, urlKeyOf } from './request.ts';

/** The request part of a report; unknown is -1. */
export interface SaidRequest {
  readonly kind: number;
  readonly status: number;
  readonly bytes: number;
  readonly ttfbMs: number;
  readonly ttlbMs: number;
  readonly url: string;
  readonly cdn: string;
}

const RESPONSE_LANE = 1;

/** @param lineMs Where the report lies on the view's line, ms. The cursor stands at its event. */
export function requestOfPlayer(
  cursor: BeatCursor,
  { kind, status, bytes, ttfbMs, ttlbMs, url, cdn }: SaidRequest,
  lineMs: number,
): DeliveredRequest {
  const hops = hopsOf(cursor);
  // A response's timestamp is its request's; a native event comes when the request is over.
  const atMs = cursor.lane === RESPONSE_LANE ? lineMs : lineMs - Math.max(0, ttlbMs);
  return {
    ...NOTHING_SAID,
    source: 'player',
    atMs,
    urlKey: urlKeyOf(url),
    cdn,
    objectType: REQUEST_KINDS[kind] ?? 'other',
    status,
    bytes,
    ttfbMs,
    totalMs: ttlbMs,
    hopMs: hops.totalMs,
    hopOriginMs: hops.originMs,
  };
}

/** Delays in the servers on the way, where the report has them: CMSD rd. */
function hopsOf(cursor: BeatCursor): { totalMs: number; originMs: number } {
  for (let index = 0; index < cursor.partCount; index++) {
    if (cursor.partTypes[index] !== PART.custom) continue;
    cursor.seekPart(index);
    if (cursor.readText() === 'hop_delays_ms') return hopDelaysIn(cursor.readText());
  }
  return { totalMs: -1, originMs: -1 };
}
