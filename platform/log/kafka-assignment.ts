/**
 * Who gets which partitions: decided by one member of the group, for all, from what each says it has.
 *
 * Guarantees: shares differ by one at most; a member keeps what it has as far as its share goes; a partition that is
 * to move is given to nobody until its owner has said that it has it no more, so that no partition ever has two owners
 * who both heard of it from the group. When nothing has to move, all partitions are given.
 */

/** What a member says of itself when it joins. */
export interface MemberClaim {
  readonly member: string;
  /** Partitions that it has, or has not finished giving up. */
  readonly owned: readonly number[];
  /** Round in which it got them. */
  readonly generation: number;
}

/** Partitions by member, in ascending order. Every member is in it. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export function assignPartitions(claims: readonly MemberClaim[], partitions: number): Assignment {
  const { owners, contested } = findOwners(claims, partitions);
  const shares = sharesOf(claims, owners, partitions);
  const assignment = new Map(claims.map(({ member }): [string, number[]] => [member, []]));
  const unowned: number[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const owner = owners.get(partition);
    if (owner === undefined) {
      if (!contested.has(partition)) unowned.push(partition);
    } else if (room(owner, assignment, shares) > 0) {
      assignment.get(owner)?.push(partition);
    }
    // Else it is to move, and comes to its new owner a round later.
  }
  for (const partition of unowned) roomiest(assignment, shares)?.push(partition);
  for (const taken of assignment.values()) taken.sort((a, b) => a - b);
  return assignment;
}

/** Owner by partition. Of two claims the later generation wins; of two in the same, neither. */
function findOwners(claims: readonly MemberClaim[], partitions: number) {
  const owners = new Map<number, string>();
  const contested = new Set<number>();
  const newestFirst = [...claims].sort((a, b) => b.generation - a.generation);
  const generations = new Map<number, number>();
  for (const { member, owned, generation } of newestFirst) {
    for (const partition of owned) {
      if (!(partition >= 0 && partition < partitions)) continue;
      const before = generations.get(partition);
      if (before === undefined) {
        generations.set(partition, generation);
        owners.set(partition, member);
      } else if (before === generation) {
        owners.delete(partition);
        contested.add(partition);
      }
    }
  }
  return { owners, contested };
}

/** How many partitions each member may have. The odd ones go to those who have most. */
function sharesOf(
  claims: readonly MemberClaim[],
  owners: ReadonlyMap<number, string>,
  partitions: number,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const owner of owners.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const members = claims
    .map(({ member }) => member)
    .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1));
  const least = Math.floor(partitions / members.length);
  const odd = partitions % members.length;
  return new Map(members.map((member, index) => [member, least + (index < odd ? 1 : 0)]));
}

type Shares = ReadonlyMap<string, number>;

function room(member: string, assignment: Assignment, shares: Shares): number {
  return (shares.get(member) ?? 0) - (assignment.get(member)?.length ?? 0);
}

function roomiest(assignment: ReadonlyMap<string, number[]>, shares: Shares) {
  let best: string | undefined;
  for (const member of shares.keys()) {
    const most = best === undefined ? 0 : room(best, assignment, shares);
    if (room(member, assignment, shares) > most) best = member;
  }
  return best === undefined ? undefined : assignment.get(best);
}
