/** Usage summed as far as no price can tell the difference: by CDN, country, month, and which contracts hold anywhere. */
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
  // Of every CDN: what moves to another one meets its contracts there.
  const edges = contracts.flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  const cellOf = rememberDaily(({ cdn, country, atMs }) => {
    const passed = edges.filter((edge) => edge <= atMs).length;
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
