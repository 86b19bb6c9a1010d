/** A request as the player reports it, as what is summed. */
import { REQUEST_KINDS } from '../../schemas/beat.ts';
import { type BeatCursor, PART } from '../cursor.ts';
import { hopDelaysIn } from '../player-claims.ts';
import { DeliveredRequest } from './request.ts';

const RESPONSE_LANE = 1;
const HOPS = Buffer.from('hop_delays_ms');
/** Filled again and again: whoever keeps one copies it. */
const scratch = new DeliveredRequest();

/**
 * The request part of a report; unknown is -1. Good until the next call.
 * @param kind Place among the kinds.
 * @param lineMs Where the report lies on the view's line, ms. The cursor stands at its event.
 */
export function requestOfPlayer(
  cursor: BeatCursor,
  kind: number,
  said: Pick<DeliveredRequest, 'status' | 'bytes' | 'ttfbMs' | 'totalMs' | 'urlKey' | 'cdn'>,
  lineMs: number,
): DeliveredRequest {
  const { totalMs } = said;
  scratch.source = 'player';
  // A response's timestamp is its request's; a native event comes when the request is over.
  scratch.atMs = cursor.lane === RESPONSE_LANE ? lineMs : lineMs - Math.max(0, totalMs);
  scratch.urlKey = said.urlKey;
  scratch.cdn = said.cdn;
  scratch.objectType = REQUEST_KINDS[kind] ?? 'other';
  scratch.status = said.status;
  scratch.bytes = said.bytes;
  scratch.ttfbMs = said.ttfbMs;
  scratch.totalMs = totalMs;
  scratch.hopMs = -1;
  scratch.hopOriginMs = -1;
  takeHops(cursor);
  return scratch;
}

/** Delays in the servers on the way, where the report has them: CMSD rd. */
function takeHops(cursor: BeatCursor): void {
  for (let index = 0; index < cursor.partCount; index++) {
    if (cursor.partTypes[index] !== PART.custom) continue;
    cursor.seekPart(index);
    if (!cursor.readsText(HOPS)) continue;
    const { totalMs, originMs } = hopDelaysIn(cursor.readText());
    scratch.hopMs = totalMs;
    scratch.hopOriginMs = originMs;
    return;
  }
}
