import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowIndex } from '../../processors/verify/row-index.ts';

/** Rows of few values, so that many are alike. */
const anyRow = fc
  .array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes));

const add = (index: RowIndex, row: Buffer): void => index.add(row, 0, row.length);
const take = (index: RowIndex, row: Buffer): boolean => index.take(row, 0, row.length);

describe('RowIndex', () => {
  it('gives each row back as often as it was added, and no other', () => {
    fc.assert(
      fc.property(fc.array(anyRow), fc.array(anyRow), (added, taken) => {
        const index = new RowIndex();
        const counts = new Map<string, number>();
        const countOf = (row: Buffer) => counts.get(row.toString('hex')) ?? 0;
        for (const row of added) {
          add(index, row);
          counts.set(row.toString('hex'), countOf(row) + 1);
        }
        for (const row of taken) {
          expect(take(index, row)).toBe(countOf(row) > 0);
          counts.set(row.toString('hex'), Math.max(0, countOf(row) - 1));
        }
        const left = [...index.left()].map(({ bytes, start, end }) => bytes.subarray(start, end));
        const expected = [...counts].flatMap(([hex, count]) => Array<string>(count).fill(hex));
        expect(left.map((row) => row.toString('hex')).sort()).toEqual(expected.sort());
        expect(index.size).toBe(left.length);
      }),
    );
  });

  it('finds rows among many more than it began with room for, wherever they lie', () => {
    const index = new RowIndex();
    const width = 3;
    const rows = 20_000;
    const bytes = Buffer.alloc(rows * width);
    for (let row = 0; row < rows; row++) bytes.writeUIntBE(row, row * width, width);
    for (let at = 0; at < bytes.length; at += width) index.add(bytes, at, at + width);
    const other = Buffer.concat([Buffer.from('before'), bytes]);
    for (let at = 6; at < other.length; at += width) {
      expect(index.take(other, at, at + width)).toBe(true);
      expect(index.take(other, at, at + width)).toBe(false);
    }
    expect(index.size).toBe(0);
  });
});
