/**
 * Usage of `delivery_5s` under keys that only single requests know.
 *
 * The two tables say the same of the same time, unless requests are kept for a shorter time, or had too many values for
 * their window. Guarantee: what is given out is exactly what `delivery_5s` has, whatever requests say; what no request
 * accounts for is of unknown key, where unknown values meet the filters.
 */
import { shareOut } from '../../platform/prices/money.ts';
import { noVolume, type Volume } from '../../platform/prices/usage.ts';
import type { DeliveredCell, RequestedCell } from './cells.ts';

export interface Allotted {
  readonly cells: readonly DeliveredCell[];
  /** Bytes that no request accounts for. */
  readonly unaccountedBytes: bigint;
}

interface Pair {
  readonly delivered: DeliveredCell[];
  readonly requested: RequestedCell[];
}

/** `unknownMeets`: whether usage of which nothing is known belongs to the answer. */
export function allot(
  delivered: readonly DeliveredCell[],
  requested: readonly RequestedCell[],
  unknownMeets: boolean,
): Allotted {
  const pairs = new Map<string, Pair>();
  for (const cell of delivered) {
    const pair = pairs.get(cell.id) ?? { delivered: [], requested: [] };
    pair.delivered.push(cell);
    pairs.set(cell.id, pair);
  }
  for (const cell of requested) pairs.get(cell.id)?.requested.push(cell);
  const cells = new Map<string, DeliveredCell>();
  let unaccountedBytes = 0n;
  for (const pair of pairs.values()) {
    const rest = allotPiece(pair, (field, kind, amount) => {
      if (amount > 0n) volumeOf(cells, pair, field)[kind] += amount;
    });
    unaccountedBytes += rest.bytes;
    if (unknownMeets) giveRest(pair, rest, cells);
  }
  return { cells: [...cells.values()], unaccountedBytes };
}

const KINDS = ['bytes', 'requests', 'originBytes'] as const;
type Kind = (typeof KINDS)[number];

/** Gives requests their part of what was delivered; back comes what is left over. */
function allotPiece(
  { delivered, requested }: Pair,
  give: (field: string, kind: Kind, amount: bigint) => void,
): Volume {
  const left = noVolume();
  const matched = requested.filter((cell) => cell.matched);
  for (const kind of KINDS) {
    const has = sumOf(delivered, kind);
    const asked = sumOf(requested, kind);
    const own = sumOf(matched, kind);
    left[kind] = has > asked ? has - asked : 0n;
    const amount = asked > has ? (shareOut(has, [own, asked - own])[0] ?? 0n) : own;
    shareOut(
      amount,
      matched.map(({ volume }) => volume[kind]),
    ).forEach((part, index) => {
      give(matched[index]?.field ?? '', kind, part);
    });
  }
  return left;
}

/** What is left over has the key that `delivery_5s` says, in proportion. */
function giveRest(pair: Pair, rest: Volume, cells: Map<string, DeliveredCell>): void {
  for (const kind of KINDS) {
    if (rest[kind] === 0n) continue;
    const weights = pair.delivered.map(({ volume }) => volume[kind]);
    shareOut(rest[kind], weights).forEach((part, index) => {
      if (part > 0n) volumeOf(cells, pair, pair.delivered[index]?.field ?? '')[kind] += part;
    });
  }
}

function volumeOf(cells: Map<string, DeliveredCell>, { delivered }: Pair, field: string): Volume {
  const [piece] = delivered;
  if (piece === undefined) throw new RangeError('a piece without usage');
  const { id, period, cdn, country } = piece;
  const key = JSON.stringify([id, field]);
  const cell = cells.get(key) ?? { id, period, cdn, country, field, volume: noVolume() };
  cells.set(key, cell);
  return cell.volume;
}

function sumOf(cells: readonly DeliveredCell[], kind: Kind): bigint {
  return cells.reduce((sum, { volume }) => sum + volume[kind], 0n);
}
