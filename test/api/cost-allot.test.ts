import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allot } from '../../api/cost/allot.ts';
import type { DeliveredCell, RequestedCell } from '../../api/cost/cells.ts';
import type { Volume } from '../../platform/prices/usage.ts';

const KINDS = ['bytes', 'requests', 'originBytes'] as const;
const PIECES = ['a', 'b', 'c'];

const amount = fc.bigInt({ min: 0n, max: 10n ** 14n });
const volume = fc.record({ bytes: amount, requests: amount, originBytes: amount });

function piece(name: string, field: string, of: Volume): DeliveredCell {
  return { id: name, period: 0, cdn: name, country: '', field, volume: of };
}

const delivered = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...PIECES), fc.constantFrom('', 'x', 'y'), volume), {
    selector: ([name, field]) => `${name} ${field}`,
  })
  .map((cells) => cells.map(([name, field, of]) => piece(name, field, of)));
const requested = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom(...PIECES, 'd'), fc.constantFrom('', 'p', 'q'), fc.boolean(), volume),
    { selector: ([name, field, matched]) => `${name} ${field} ${matched}` },
  )
  .map((cells) =>
    cells.map(
      ([name, field, matched, of]): RequestedCell => ({ ...piece(name, field, of), matched }),
    ),
  );

const sumOf = (cells: readonly DeliveredCell[], name?: string): Volume => {
  const sum = { bytes: 0n, requests: 0n, originBytes: 0n };
  for (const { id, volume: of } of cells) {
    if (name !== undefined && id !== name) continue;
    for (const kind of KINDS) sum[kind] += of[kind];
  }
  return sum;
};
const inverse = (cells: readonly RequestedCell[]): RequestedCell[] =>
  cells.map((cell) => ({ ...cell, matched: !cell.matched }));

describe('usage under keys that only requests know', () => {
  it('is what was delivered, whatever requests say: a filter and its contrary have all of it', () => {
    fc.assert(
      fc.property(delivered, requested, (cells, requests) => {
        const [met, others] = [
          allot(cells, requests, true),
          allot(cells, inverse(requests), false),
        ];
        for (const name of PIECES) {
          const both = sumOf([...met.cells, ...others.cells], name);
          expect(both).toEqual(sumOf(cells, name));
        }
      }),
    );
  });

  it('is what requests say, where both tables say the same', () => {
    fc.assert(
      fc.property(requested, fc.boolean(), (requests, unknownMeets) => {
        const cells = PIECES.map((name) => piece(name, '', sumOf(requests, name)));
        const { cells: found, unaccountedBytes } = allot(cells, requests, unknownMeets);
        expect(unaccountedBytes).toBe(0n);
        for (const { id, field, matched, volume: of } of requests) {
          if (!matched || id === 'd') continue;
          const cell = found.find((each) => each.id === id && each.field === field);
          expect(cell?.volume ?? { bytes: 0n, requests: 0n, originBytes: 0n }).toEqual(of);
        }
      }),
    );
  });

  it('is the same in sum whatever it is divided by', () => {
    fc.assert(
      fc.property(delivered, requested, fc.boolean(), (cells, requests, unknownMeets) => {
        const undivided = new Map<string, RequestedCell>();
        for (const cell of requests) {
          const id = `${cell.id} ${cell.matched}`;
          const sum = sumOf([cell, ...(undivided.has(id) ? [undivided.get(id) ?? cell] : [])]);
          undivided.set(id, { ...cell, field: '', volume: sum });
        }
        const whole = allot(cells, [...undivided.values()], unknownMeets);
        const divided = allot(cells, requests, unknownMeets);
        for (const name of PIECES) {
          expect(sumOf(divided.cells, name)).toEqual(sumOf(whole.cells, name));
        }
        expect(divided.unaccountedBytes).toBe(whole.unaccountedBytes);
      }),
    );
  });

  it('of which requests do not tell is of unknown key, or of the key that is known of it', () => {
    const of = (bytes: bigint): Volume => ({ bytes, requests: 0n, originBytes: 0n });
    const cells = [piece('a', 'x', of(60n)), piece('a', 'y', of(40n))];
    const requests = [{ ...piece('a', 'x', of(10n)), matched: true }];
    const { cells: found, unaccountedBytes } = allot(cells, requests, true);
    expect(unaccountedBytes).toBe(90n);
    expect(found.map(({ field, volume: { bytes } }) => [field, bytes])).toEqual([
      ['x', 64n],
      ['y', 36n],
    ]);
    expect(allot(cells, requests, false).cells.map(({ volume: { bytes } }) => bytes)).toEqual([
      10n,
    ]);
  });
});
