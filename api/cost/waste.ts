/**
 * What was delivered and of no use: never played, or with more pixels than the player had.
 *
 * Guarantee: both are parts of the bytes of their row, and of its cost, and never overlap. Nothing is guessed: bytes of
 * which it is not known are in neither, and counted apart.
 */
import type { KeyedUsage } from '../../platform/prices/share.ts';
import type { Usage } from '../../platform/prices/usage.ts';
import type { RequestedRow } from '../planner/cost-requests.ts';
import { type DeliveredCell, pieceIdOf } from './cells.ts';

export const UNPLAYED = 'unplayed';
export const OVERSIZED = 'oversized';
export const REST = 'rest';

export interface WastedBytes {
  readonly unplayed: bigint;
  readonly oversized: bigint;
}

export interface Wasted {
  /** Bytes of which it is known how much was played. */
  knownBytes: bigint;
  /** Played bytes of which it is known how large the player was. */
  sizedBytes: bigint;
  /** By id of the piece. */
  readonly pieces: Map<string, WastedBytes>;
}

/** By field; of requests that meet the filters. */
export function wastedOf(rows: readonly RequestedRow[]): Map<string, Wasted> {
  const fields = new Map<string, Wasted>();
  for (const row of rows) {
    if (row.q_matched !== 1) continue;
    const wasted = fields.get(row.q_field) ?? { knownBytes: 0n, sizedBytes: 0n, pieces: new Map() };
    fields.set(row.q_field, wasted);
    wasted.knownBytes += BigInt(row.q_known);
    wasted.sizedBytes += BigInt(row.q_sized);
    const bytes = { unplayed: BigInt(row.q_unplayed), oversized: BigInt(row.q_oversized) };
    wasted.pieces.set(pieceIdOf(row), bytes);
  }
  return fields;
}

/** The usage of a cell in its parts. Requests, and bytes from the origin, are the rest's. */
export function partsOf(
  { id, field, usage }: DeliveredCell & { readonly usage: Usage },
  wasted: ReadonlyMap<string, Wasted> | undefined,
  name = field,
): KeyedUsage[] {
  const found = wasted?.get(field)?.pieces.get(id);
  const bytes = BigInt(usage.bytes);
  const unplayed = smaller(found?.unplayed ?? 0n, bytes);
  const oversized = smaller(found?.oversized ?? 0n, bytes - unplayed);
  const none = { requests: 0n, originBytes: 0n };
  return [
    ...(unplayed > 0n ? [{ ...usage, ...none, bytes: unplayed, key: [name, UNPLAYED] }] : []),
    ...(oversized > 0n ? [{ ...usage, ...none, bytes: oversized, key: [name, OVERSIZED] }] : []),
    { ...usage, bytes: bytes - unplayed - oversized, key: [name, REST] },
  ];
}

function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
