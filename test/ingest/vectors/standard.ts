/** Vectors that say what a collector must read: payload, records expected, freedom left. */
import { type Carrier, readVector } from './reading.ts';
import { differences, type Expected, type Freedom } from './values.ts';
import type { Verdict } from './verdict.ts';

export interface StandardVector {
  readonly id: string;
  readonly carrier: Carrier;
  readonly input: unknown;
  readonly expect: readonly Expected[];
  readonly expect_any?: readonly (readonly Expected[])[];
  readonly may?: readonly string[];
  readonly must_not?: readonly string[];
  readonly rejected?: number;
}

export function checkStandard(vectors: readonly StandardVector[]): Verdict[] {
  return vectors.map((vector) => ({ id: vector.id, found: check(vector), decidedBy: '' }));
}

function check(vector: StandardVector): string[] {
  const {
    carrier,
    input,
    expect,
    expect_any: others = [],
    may = [],
    must_not: mustNot = [],
  } = vector;
  const { records, rejected } = readVector(carrier, input);
  const readings = [expect, ...others].map((expected) => {
    if (records.length !== expected.length) {
      return [`${records.length} records read, ${expected.length} expected`];
    }
    return records.flatMap((record, index) =>
      differ(record, expected[index] ?? {}, { may, mustNot }),
    );
  });
  const first = readings[0] ?? [];
  const found = readings.some(({ length }) => length === 0) ? [] : first;
  if (vector.rejected === undefined || rejected === vector.rejected) return found;
  return [...found, `${rejected} rejects, ${vector.rejected} expected`];
}

function differ(record: Parameters<typeof differences>[0], expected: Expected, freedom: Freedom) {
  return differences(record, expected, freedom).map(({ text }) => text);
}
