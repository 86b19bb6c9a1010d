/** A group of processes that share the partitions of a log, each partition with one of them at a time. */

/** Why a partition goes: it moves to another member in order, or the group has given it away without asking. */
export type Revocation = 'moved' | 'lost';

export interface GroupHandlers {
  /** Partitions that come. To return soon: until then the group cannot change. */
  onAssigned(partitions: readonly number[]): Promise<void> | void;
  /** Partitions that go. Others may have them as soon as it returns; when `lost`, already before. */
  onRevoked(partitions: readonly number[], why: Revocation): Promise<void> | void;
}

export interface Group {
  /** Partitions that this member has. */
  readonly partitions: readonly number[];
  /**
   * When the group last heard of this member for certain, ms since 1970 by this machine's clock. An owner whose last
   * contact is half a session timeout ago must see what others have written before it writes itself.
   */
  readonly lastContactMs: number;
  /** Silence after which the group gives this member up, ms. */
  readonly sessionTimeoutMs: number;
  /** Tells lag monitors how far a partition is done. Sent with the next heartbeat; may be lost. */
  commitHint(partition: number, nextOffset: number): void;
  /** Gives up all partitions with `onRevoked`, then leaves, so that others have them at once. */
  leave(): Promise<void>;
}

/** Joins, and resolves when the first assignment is known and told. @throws LogError `log_unavailable` */
export type JoinGroup = (handlers: GroupHandlers) => Promise<Group>;
