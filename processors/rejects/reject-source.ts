/** Rejects as the store has them: counted by reason, one by one, or all of them in pages. Values are bound. */
import type { RejectId } from '../../platform/control/reject-id.ts';
import type { RejectFilter } from '../../platform/control/rejects-program.ts';
import type { QueryOptions, Store } from '../../platform/store/store.ts';

/** Rejects of one project, way and reason. */
export interface RejectGroup {
  readonly project: string;
  readonly route: string;
  readonly code: string;
  /** Rejects, those that one row sums up included. */
  readonly rejects: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** That of the last. */
  readonly message: string;
}

/** One row. */
export interface StoredReject extends RejectId {
  readonly atMs: number;
  readonly project: string;
  readonly view: string;
  readonly route: string;
  readonly code: string;
  readonly message: string;
  readonly bytes: Buffer;
  /** Rejects that the row stands for. */
  readonly rejects: number;
  /** Events lost with them that ingest had accepted. */
  readonly events: number;
  readonly epoch: number;
}

/** Rows of one page: at most some MB, as bytes of one are limited. */
const PAGE_ROWS = 50;

const COLUMNS = `_partition AS partition, log_offset AS offset, event, toUnixTimestamp64Milli(at) AS atMs,
  project, view_id AS view, route, code, message, rejects, events, _epoch AS epoch`;

interface Condition {
  readonly where: string;
  readonly params: QueryOptions['params'] & object;
}

/** Most frequent first. */
export function rejectGroups(
  store: Store,
  filter: RejectFilter,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<RejectGroup[]> {
  const { where, params } = conditionOf(filter);
  return store.query<RejectGroup>(
    `SELECT project, route, code, sum(rejected.rejects) AS rejects, toUnixTimestamp64Milli(min(at)) AS firstMs,
       toUnixTimestamp64Milli(max(at)) AS lastMs, argMax(rejected.message, at) AS message
     FROM rejected WHERE ${where} GROUP BY project, route, code
     ORDER BY rejects DESC, project, route, code LIMIT {limit:UInt32}`,
    { params: { ...params, limit }, signal },
  );
}

/** Newest first, without their bytes. */
export function newestRejects(
  store: Store,
  filter: RejectFilter,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<Omit<StoredReject, 'bytes'>[]> {
  const { where, params } = conditionOf(filter);
  return store.query(
    `SELECT ${COLUMNS} FROM rejected WHERE ${where}
     ORDER BY at DESC, partition DESC, offset DESC, event DESC LIMIT {limit:UInt32}`,
    { params: { ...params, limit }, signal },
  );
}

/** All of them in the order of time, with their bytes; those that come meanwhile are left out. */
export async function* everyReject(
  store: Store,
  filter: RejectFilter,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredReject[]> {
  const { where, params } = conditionOf(filter);
  const [end] = await store.query<{ atMs: number }>(
    'SELECT toUnixTimestamp64Milli(max(at)) AS atMs FROM rejected',
    { signal },
  );
  const endMs = end?.atMs ?? 0;
  let after = { afterMs: -1, afterPartition: 0, afterOffset: 0, afterEvent: -1 };
  for (;;) {
    const rows = await store.query<Omit<StoredReject, 'bytes'> & { bytes: string }>(
      `SELECT ${COLUMNS}, base64Encode(rejected.bytes) AS bytes FROM rejected
       WHERE ${where} AND at <= fromUnixTimestamp64Milli({endMs:Int64})
         AND (toUnixTimestamp64Milli(at), _partition, log_offset, event) >
           ({afterMs:Int64}, {afterPartition:UInt16}, {afterOffset:UInt64}, {afterEvent:Int64})
       ORDER BY atMs, partition, offset, event LIMIT ${PAGE_ROWS}`,
      { params: { ...params, ...after, endMs }, signal },
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => ({ ...row, bytes: Buffer.from(row.bytes, 'base64') }));
    after = {
      afterMs: last.atMs,
      afterPartition: last.partition,
      afterOffset: last.offset,
      afterEvent: last.event,
    };
  }
}

function conditionOf(filter: RejectFilter): Condition {
  const { project, code, route, fromMs, toMs, ids } = filter;
  const parts = ['1'];
  const params: Record<string, string | number | readonly number[]> = {};
  for (const [name, value] of Object.entries({ project, code, route })) {
    if (value === undefined) continue;
    parts.push(`${name} = {${name}:String}`);
    params[name] = value;
  }
  for (const [name, sign, ms] of [
    ['fromMs', '>=', fromMs],
    ['toMs', '<=', toMs],
  ] as const) {
    if (ms === undefined) continue;
    parts.push(`at ${sign} fromUnixTimestamp64Milli({${name}:Int64})`);
    params[name] = ms;
  }
  if (ids !== undefined) {
    parts.push(`(_partition, log_offset, event) IN (SELECT id.1, id.2, id.3 FROM (SELECT arrayJoin(
      arrayZip({partitions:Array(UInt16)}, {offsets:Array(UInt64)}, {events:Array(Int64)})) AS id))`);
    params.partitions = ids.map(({ partition }) => partition);
    params.offsets = ids.map(({ offset }) => offset);
    params.events = ids.map(({ event }) => event);
  }
  return { where: parts.join(' AND '), params };
}
