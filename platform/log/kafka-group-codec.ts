/**
 * What members of the group tell each other through Kafka, which does not look into it.
 *
 * The outer form is that of Kafka's own consumers, so that its tools can show who has which partition. Inside is what
 * a member has, as JSON, because tools that one day look at it are people.
 */
import { AssignerProtocol } from 'kafkajs';

/** Members must know the same protocol; a change of the rules or the form takes a new name. */
export const GROUP_PROTOCOL = 'streamgauge-sticky-1';
const VERSION = 0;

export interface Claim {
  readonly owned: readonly number[];
  readonly generation: number;
}

export function encodeClaim(topic: string, owned: readonly number[], generation: number): Buffer {
  const userData = Buffer.from(JSON.stringify({ owned, generation }));
  return AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics: [topic], userData });
}

/** Who cannot be understood has nothing. */
export function decodeClaim(bytes: Buffer): Claim {
  const nothing = { owned: [], generation: -1 };
  try {
    const userData = AssignerProtocol.MemberMetadata.decode(bytes)?.userData;
    if (userData === undefined || userData === null) return nothing;
    const claim = JSON.parse(userData.toString()) as Partial<Claim>;
    const owned = Array.isArray(claim.owned) ? claim.owned.filter(Number.isInteger) : [];
    return { owned, generation: Number(claim.generation ?? -1) };
  } catch {
    return nothing;
  }
}

export function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  return AssignerProtocol.MemberAssignment.encode({
    version: VERSION,
    assignment: { [topic]: [...partitions] },
    userData: Buffer.alloc(0),
  });
}

export function decodeAssignment(bytes: Buffer, topic: string): readonly number[] {
  return AssignerProtocol.MemberAssignment.decode(bytes)?.assignment[topic] ?? [];
}
