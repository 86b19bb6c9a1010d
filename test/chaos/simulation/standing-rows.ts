/** Rows that stand in the engine, one by one. */
import { RowReader } from '../../../platform/store/row-reader.ts';
import type { Table } from '../../../schemas/tables/table.ts';
import { type Row, readRows } from '../../support/row-reader.ts';
import { type EngineModel, type StandingPart, shareOf } from './engine-model.ts';

const readers = new Map<Table, RowReader>();

export function partsIn(engine: EngineModel, table: Table): StandingPart[] {
  return [...engine.standingIn(table.name)].flat();
}

export function rowsOf(table: Table, part: StandingPart): Row[] {
  return readRows(table, Buffer.concat(rowBytesOf(table, part)));
}

/** The bytes of each row of a part. */
export function rowBytesOf(table: Table, { block, share, left }: StandingPart): readonly Buffer[] {
  if (left !== undefined) return left;
  const [from, to] = shareOf(block, share);
  return cut(table, block.bytes).slice(from, to);
}

/** The bytes of each row. */
export function cut(table: Table, bytes: Buffer): Buffer[] {
  const reader = readers.get(table) ?? new RowReader(table.columns);
  readers.set(table, reader);
  const rows: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = reader.endOf(bytes, start);
    rows.push(bytes.subarray(start, end));
    start = end;
  }
  return rows;
}
