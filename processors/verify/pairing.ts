/**
 * Pairs rows that should be there with rows that are there instead, so that a changed value is told as one difference
 * and not as a lost and a strange row: first by what singles a row out, then by the sorting key.
 */
import type { Pacing } from './pacing.ts';
import { differingColumns } from './shown-values.ts';
import { type RowRef, rowKey, type TableShape } from './table-shape.ts';

/** Among at most so many rows of one key the likest is looked for. */
const CANDIDATES_MAX = 16;

export interface RowPair {
  readonly expected: RowRef;
  readonly found: RowRef;
}

export interface Paired {
  readonly pairs: readonly RowPair[];
  /** Without a partner. */
  readonly expected: readonly RowRef[];
  readonly found: readonly RowRef[];
}

export async function pairRows(
  shape: TableShape,
  expected: readonly RowRef[],
  found: readonly RowRef[],
  pacing: Pacing,
): Promise<Paired> {
  let rest: Paired = { pairs: [], expected, found };
  for (const columns of [shape.identity, shape.sortingKey]) {
    if (rest.expected.length === 0 || rest.found.length === 0) return rest;
    const round = await pairBy(shape, columns, rest, pacing);
    rest = { ...round, pairs: [...rest.pairs, ...round.pairs] };
  }
  return rest;
}

async function pairBy(
  shape: TableShape,
  columns: readonly number[],
  { expected, found }: Paired,
  pacing: Pacing,
): Promise<Paired> {
  const byKey = new Map<string, RowRef[]>();
  for (const row of found) {
    const key = rowKey(shape, row, columns);
    const rows = byKey.get(key);
    if (rows === undefined) byKey.set(key, [row]);
    else rows.push(row);
    if (pacing.isDue()) await pacing.pause();
  }
  const pairs: RowPair[] = [];
  const alone: RowRef[] = [];
  for (const row of expected) {
    const candidates = byKey.get(rowKey(shape, row, columns));
    const partner = candidates && takeLikest(shape, row, candidates);
    if (partner === undefined) alone.push(row);
    else pairs.push({ expected: row, found: partner });
    if (pacing.isDue()) await pacing.pause();
  }
  return { pairs, expected: alone, found: [...byKey.values()].flat() };
}

function takeLikest(shape: TableShape, row: RowRef, candidates: RowRef[]): RowRef | undefined {
  if (candidates.length === 1 || candidates.length > CANDIDATES_MAX) return candidates.pop();
  let likest = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [index, candidate] of candidates.entries()) {
    const differing = differingColumns(shape, row, candidate).length;
    if (differing >= fewest) continue;
    fewest = differing;
    likest = index;
  }
  return likest < 0 ? undefined : candidates.splice(likest, 1)[0];
}
