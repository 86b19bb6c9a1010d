import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../platform/partition.ts';

describe('partition of a view', () => {
  // The whole 32-bit hashes, from another implementation of XXH32 that gives 0x02cc5d05 for no bytes and
  // 0x550d7456 for `a`, as published.
  it.each([
    ['default', 'view-1', 922_424_399],
    ['default', '', 2_531_829_192],
    ['', '', 3_479_547_966],
    ['projet-é', 'b1946ac9-2492-4d23-8f6f-1a2b3c4d5e6f', 3_421_850_809],
  ])('of %j, %j never changes', (project, view, hash) => {
    expect(partitionOf(project, view, 2 ** 32)).toBe(hash);
    expect(partitionOf(project, view, 12)).toBe(hash % 12);
  });

  it('keeps project and view apart', () => {
    expect(partitionOf('ab', 'c', 2 ** 32)).not.toBe(partitionOf('a', 'bc', 2 ** 32));
  });

  it('spreads views evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let view = 0; view < 4_000; view++) {
      const partition = partitionOf('default', `view-${view}`, 4);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });
});
