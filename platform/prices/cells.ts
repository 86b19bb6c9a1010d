/** Usage summed as far as no price can tell the difference: by CDN, country, month, and which contracts hold. */
import type { PriceBook } from './contract.ts';
import { rememberDaily } from './daily.ts';
import { monthOf } from './months.ts';
import { addTo, noVolume, type Usage, type Volume } from './usage.ts';

/** The sum of a cell; `atMs` is any instant in it. */
export interface Cell extends Volume {
  readonly cdn: string;
  readonly country: string;
  readonly atMs: number;
}

export type Cells = ReadonlyMap<string, Cell>;

export interface CellSums {
  sumsOf(usage: Iterable<Usage>): Cells;
  /** Of each cell the larger amounts. */
  largest(left: Cells, right: Cells): Cells;
}

export function createCells({ contracts }: PriceBook): CellSums {
  const edges = new Map<string, number[]>();
  for (const { cdn, fromMs, toMs } of contracts) {
    edges.set(cdn, [...(edges.get(cdn) ?? []), fromMs, toMs]);
  }
  const cellOf = rememberDaily(({ cdn, country, atMs }) => {
    const passed = edges.get(cdn)?.filter((edge) => edge <= atMs).length ?? 0;
    return JSON.stringify([cdn, country, monthOf(atMs), passed]);
  });
  const sumsOf = (usage: Iterable<Usage>): Cells => {
    const cells = new Map<string, Cell>();
    for (const row of usage) {
      const { cdn, country, atMs } = row;
      const id = cellOf(row);
      const cell = cells.get(id) ?? { cdn, country, atMs, ...noVolume() };
      addTo(cell, row);
      cells.set(id, cell);
    }
    return cells;
  };
  return { sumsOf, largest };
}

function largest(left: Cells, right: Cells): Cells {
  const cells = new Map(left);
  for (const [id, cell] of right) {
    const other = cells.get(id) ?? cell;
    cells.set(id, {
      ...cell,
      bytes: larger(cell.bytes, other.bytes),
      requests: larger(cell.requests, other.requests),
      originBytes: larger(cell.originBytes, other.originBytes),
    });
  }
  return cells;
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
