import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions, type MemberClaim } from '../../../platform/log/kafka-assignment.ts';

/** A group as it stands: what each member has. */
type Members = ReadonlyMap<string, readonly number[]>;

function claimsOf(members: Members, generation: number): MemberClaim[] {
  return [...members].map(([member, owned]) => ({ member, owned, generation }));
}

/** Rounds as members do them: what is not assigned is given up, and the next round gives it away. */
function settle(members: Members, partitions: number) {
  let current = members;
  for (let round = 1; ; round += 1) {
    const assigned = assignPartitions(claimsOf(current, round), partitions);
    for (const [member, taken] of assigned) {
      for (const partition of taken) {
        const owners = [...current].filter(([, owned]) => owned.includes(partition));
        expect(owners.every(([owner]) => owner === member)).toBe(true);
      }
    }
    const gaveUp = [...current].some(([member, owned]) =>
      owned.some((partition) => !assigned.get(member)?.includes(partition)),
    );
    current = assigned;
    if (!gaveUp) return { members: current, rounds: round };
  }
}

function expectFair(members: Members, partitions: number): void {
  const all = [...members.values()].flat().sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
  const counts = [...members.values()].map(({ length }) => length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
}

function moves(before: Members, after: Members): number {
  return [...after].reduce((sum, [member, taken]) => {
    const had = before.get(member) ?? [];
    return sum + taken.filter((partition) => !had.includes(partition)).length;
  }, 0);
}

describe('assigning partitions', () => {
  const group = fc.record({
    partitions: fc.integer({ min: 1, max: 40 }),
    changes: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }),
  });

  it('ends fair after two rounds at most, whoever comes and goes, and takes nothing from its owner', () => {
    fc.assert(
      fc.property(group, ({ partitions, changes }) => {
        let members: Members = new Map([['first', []]]);
        for (const change of changes) {
          const next = new Map(members);
          // Who is there leaves, who is not comes; somebody always stays.
          if (!next.delete(`member ${change}`)) next.set(`member ${change}`, []);
          const { members: settled, rounds } = settle(next, partitions);
          expectFair(settled, partitions);
          expect(rounds).toBeLessThanOrEqual(2);
          members = settled;
        }
      }),
    );
  });

  it('moves no more than it must', () => {
    const twelve = settle(new Map([['a', []]]), 12).members;
    const two = settle(new Map([...twelve, ['b', []]]), 12).members;
    expect(moves(twelve, two)).toBe(6);
    const three = settle(new Map([...two, ['c', []]]), 12).members;
    expect(moves(two, three)).toBe(4);
    const without = new Map([...three].filter(([member]) => member !== 'a'));
    expect(moves(three, settle(without, 12).members)).toBe(4);
    expect(moves(three, settle(three, 12).members)).toBe(0);
  });

  it('leaves members without partitions when there are more members', () => {
    const members = new Map(['a', 'b', 'c'].map((name) => [name, []]));
    expectFair(settle(members, 2).members, 2);
  });

  it('believes the later of two who say they have a partition', () => {
    const assigned = assignPartitions(
      [
        { member: 'stopped for long', owned: [0, 1], generation: 3 },
        { member: 'took over', owned: [0, 1], generation: 4 },
      ],
      2,
    );
    expect(assigned.get('stopped for long')).toEqual([]);
    expect(assigned.get('took over')).toEqual([0]);
  });

  it('gives to nobody what two claim alike, until they have given it up', () => {
    const claims = ['a', 'b'].map((member) => ({ member, owned: [0, 1], generation: 3 }));
    expect([...assignPartitions(claims, 2).values()]).toEqual([[], []]);
  });

  it('does not listen to claims of partitions that there are not', () => {
    const assigned = assignPartitions([{ member: 'a', owned: [-1, 7, 0.5], generation: 1 }], 2);
    expect(assigned.get('a')).toEqual([0, 1]);
  });
});
