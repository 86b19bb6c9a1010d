/** Names of rows of `rejected`: where the record lies in the log and, where it has one, the position of the event in it. */

export interface RejectId {
  readonly partition: number;
  readonly offset: number;
  /** -1 for the whole record. */
  readonly event: number;
}

const ID = /^(\d{1,5})-(\d{1,15})(?:-(\d{1,9}))?$/;
const PARTITION_MAX = 65_535;

/** `PARTITION-OFFSET`, or `PARTITION-OFFSET-EVENT`. */
export function rejectIdText({ partition, offset, event }: RejectId): string {
  const record = `${partition}-${offset}`;
  return event < 0 ? record : `${record}-${event}`;
}

/** Undefined for what is no id. */
export function parseRejectId(text: string): RejectId | undefined {
  const [, partition, offset, event = '-1'] = ID.exec(text) ?? [];
  if (partition === undefined || Number(partition) > PARTITION_MAX) return undefined;
  return { partition: Number(partition), offset: Number(offset), event: Number(event) };
}
