/**
 * Keeps the table `rejected` within its budget of bytes: beyond it the oldest rows go, counted.
 *
 * Guarantee: no row goes of an epoch that may still be written or settled. Rows go by their time, and only those from
 * `MARGIN_MS` before the log time up to which every partition is committed; what comes later is of later epochs, however
 * long a processor was away. What is to go is said in `evictions` first: who compares rows with the log finds out before
 * they are missing. Whoever does it a second time finds nothing to do.
 */
import type { Log } from '../../platform/log/log.ts';
import { RowWriter } from '../../platform/store/row-binary.ts';
import type { Store } from '../../platform/store/store.ts';
import { evictions, rejected } from '../../schemas/tables/tables.ts';

/** Append times may step back, where another broker leads with another clock, by less than this. */
const MARGIN_MS = 600_000;
/** Rows go by slots of this length. */
const SLOT_MS = 300_000;
const DAY_MS = 86_400_000;
/** So much of the budget is left: the table is not rewritten for every row beyond it. */
const KEPT_PERCENT = 90;

/** Bytes of a row as they count: its texts, and some for its numbers. */
export const REJECT_ROW_BYTES = 'length(bytes) + length(message) + length(view_id) + 64';

const BEFORE = 'at < fromUnixTimestamp64Milli({beforeMs:Int64})';

export interface RejectBudgetCounters {
  evictedRows: number;
  evictedBytes: number;
  /** Looks and removals that the store refused; the next look does it again. */
  evictionsFailed: number;
}

/** What went, or what is to go. */
export interface Eviction {
  /** Every row from before this moment, ms. */
  readonly beforeMs: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface RejectBudgetDeps {
  readonly store: Store;
  readonly log: Pick<Log, 'topic' | 'partitions'>;
  /** 0 sets no limit. */
  readonly bytesMax: number;
}

/** Rows of the table within one slot of time. */
interface Slot {
  readonly fromMs: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Looks at the table once, and removes what is too much. Returns what went; undefined when nothing had to, or could. */
export type EnforceRejectBudget = () => Promise<Eviction | undefined>;

export function createRejectBudget({
  store,
  log,
  bytesMax,
}: RejectBudgetDeps): EnforceRejectBudget {
  let rowsSeen = -1;

  /** Counting rows costs nothing, adding up their bytes reads them: not while the table stays as it was. */
  async function bytesBeyond(): Promise<number> {
    const [count] = await store.query<{ rows: number }>(`SELECT count() AS rows FROM rejected`);
    const rows = count?.rows ?? 0;
    if (rows === rowsSeen) return 0;
    const [sum] = await store.query<{ bytes: number }>(
      `SELECT sum(${REJECT_ROW_BYTES}) AS bytes FROM rejected`,
    );
    const bytes = sum?.bytes ?? 0;
    if (bytes > bytesMax) return bytes - Math.floor((bytesMax * KEPT_PERCENT) / 100);
    rowsSeen = rows;
    return 0;
  }

  /** Log time up to which every partition is committed, ms; undefined while one has no commit. */
  async function committedToMs(): Promise<number | undefined> {
    let committedMs = Number.POSITIVE_INFINITY;
    for (let partition = 0; partition < log.partitions; partition++) {
      const [commit] = await store.query<{ timeMs: number }>(
        `SELECT toUnixTimestamp64Milli(log_time) AS timeMs FROM epochs
         WHERE topic = {topic:String} AND _partition = {partition:UInt16}
         ORDER BY _epoch DESC LIMIT 1`,
        { params: { topic: log.topic, partition } },
      );
      if (commit === undefined) return undefined;
      committedMs = Math.min(committedMs, commit.timeMs);
    }
    return committedMs;
  }

  async function slotsBefore(beforeMs: number): Promise<Slot[]> {
    return store.query<Slot>(
      `SELECT intDiv(toUnixTimestamp64Milli(at), ${SLOT_MS}) * ${SLOT_MS} AS fromMs,
         count() AS rows, sum(${REJECT_ROW_BYTES}) AS bytes
       FROM rejected WHERE ${BEFORE} GROUP BY fromMs ORDER BY fromMs`,
      { params: { beforeMs } },
    );
  }

  async function tell(eviction: Eviction, atMs: number): Promise<void> {
    const out = new RowWriter(64);
    out.string(rejected.name);
    out.dateTime64Ms(eviction.beforeMs);
    out.uint64(eviction.rows);
    out.uint64(eviction.bytes);
    out.dateTime64Ms(atMs);
    out.endRow();
    await store.insert(evictions.name, out.take(), {
      columns: evictions.columns.map(({ name }) => name),
      token: `${log.topic}/${rejected.name}/${eviction.beforeMs}/${eviction.rows}`,
    });
  }

  /** Whole days go at once, and only the last one is rewritten. */
  async function remove(slots: readonly Slot[], beforeMs: number): Promise<void> {
    const days = new Set(slots.map(({ fromMs }) => Math.floor(fromMs / DAY_MS)));
    for (const day of days) {
      if ((day + 1) * DAY_MS > beforeMs) continue;
      const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
      await store.command('ALTER TABLE rejected DROP PARTITION {date:String}', {
        params: { date },
      });
      days.delete(day);
    }
    if (days.size === 0) return;
    await store.command(`ALTER TABLE rejected DELETE WHERE ${BEFORE} SETTINGS mutations_sync = 2`, {
      params: { beforeMs },
    });
  }

  return async () => {
    if (bytesMax === 0) return undefined;
    const beyond = await bytesBeyond();
    if (beyond <= 0) return undefined;
    const committedMs = await committedToMs();
    if (committedMs === undefined) return undefined;
    const latestMs = Math.floor((committedMs - MARGIN_MS) / SLOT_MS) * SLOT_MS;
    const slots = oldestSlots(await slotsBefore(latestMs), beyond);
    const last = slots.at(-1);
    if (last === undefined) return undefined;
    const beforeMs = last.fromMs + SLOT_MS;
    const eviction = { beforeMs, rows: sum(slots, 'rows'), bytes: sum(slots, 'bytes') };
    await tell(eviction, committedMs);
    await remove(slots, beforeMs);
    return eviction;
  };
}

/** As many as have these bytes, or all. */
function oldestSlots(slots: readonly Slot[], bytes: number): readonly Slot[] {
  let taken = 0;
  const enough = slots.findIndex((slot) => {
    taken += slot.bytes;
    return taken >= bytes;
  });
  return enough < 0 ? slots : slots.slice(0, enough + 1);
}

function sum(slots: readonly Slot[], what: 'rows' | 'bytes'): number {
  return slots.reduce((total, slot) => total + slot[what], 0);
}
