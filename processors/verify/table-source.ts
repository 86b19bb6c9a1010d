/**
 * What verify reads from the store, and the SQL that reads it.
 *
 * Rows are read as they lie there, without FINAL: what a merge has not removed yet must be right, too. An answer is a
 * piece of bounded size, so one query never holds more than that, however many rows an epoch has.
 */
import type { QueryOptions, Store } from '../../platform/store/store.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { epochs } from '../../schemas/tables/tables.ts';

/** Epochs of a partition, both ends included. */
export interface EpochRange {
  readonly partition: number;
  readonly fromEpoch: number;
  readonly toEpoch: number;
}

/** What makes rows of `views` versions of one another. */
export interface ViewKey {
  readonly project: string;
  readonly viewId: string;
  /** Days since 1970. */
  readonly startDay: number;
}

/** A viewer who was to be forgotten. */
export interface StoredForget {
  readonly project: string;
  readonly viewer: string;
  readonly epoch: number;
  /** Where the request lies in the log. */
  readonly offset: number;
}

export interface TableSource {
  /** Rows of a table as RowBinary, in the order of its declared columns: whole rows, in any order, in pieces. */
  rows(table: Table, range: EpochRange): AsyncIterable<Buffer>;
  /** The newest epoch of which `views` has a row of each of these views; one without rows is left out. */
  newestEpochs(partition: number, keys: readonly ViewKey[]): Promise<ReadonlyMap<string, number>>;
  /** Viewers that were to be forgotten after an epoch. */
  forgets(partition: number, afterEpoch: number): Promise<readonly StoredForget[]>;
  /** Rows of a table from before this moment, ms, may have gone because it had more than its budget; 0 when none have. */
  evictedBeforeMs(table: Table): Promise<number>;
}

/** The text by which `newestEpochs` names a view. */
export function viewKeyText({ project, viewId, startDay }: ViewKey): string {
  return `${project}\0${viewId}\0${startDay}`;
}

export interface SqlTableSourceOptions {
  readonly store: Store;
  /** Topic whose commits are read, with its generation. */
  readonly topic: string;
  /** Rows of one answer. */
  readonly rowsPerPieceMax?: number;
  readonly signal?: AbortSignal;
}

const ROWS_PER_PIECE_MAX = 50_000;

const IN_RANGE = `_partition = {partition:UInt16} AND _epoch BETWEEN {fromEpoch:UInt64} AND {toEpoch:UInt64}`;

const NEWEST = `SELECT project, view_id AS viewId, toUInt16(start_day) AS startDay, max(_epoch) AS epoch
  FROM views
  WHERE _partition = {partition:UInt16} AND (project, view_id) IN (
    SELECT pair.1, pair.2
    FROM (SELECT arrayJoin(arrayZip({projects:Array(String)}, {viewIds:Array(String)})) AS pair))
  GROUP BY project, viewId, startDay`;

const FORGETS = `SELECT project, viewer, _epoch AS epoch, log_offset AS offset
  FROM forgotten WHERE _partition = {partition:UInt16} AND _epoch > {afterEpoch:UInt64}`;

const EVICTED = `SELECT toUnixTimestamp64Milli(max(evicted_before)) AS beforeMs
  FROM evictions WHERE table_name = {name:String}`;

/** A query's worth of rows: epochs, and the share of them when one epoch alone is too much. */
interface Piece {
  readonly fromEpoch: number;
  readonly toEpoch: number;
  readonly share: number;
  readonly shares: number;
}

export function createSqlTableSource(options: SqlTableSourceOptions): TableSource {
  const { store, topic, signal, rowsPerPieceMax = ROWS_PER_PIECE_MAX } = options;

  function bound(params: QueryOptions['params'] & object): QueryOptions {
    return signal === undefined ? { params } : { params, signal };
  }

  /** Only commits say their topic; other tables belong to one. */
  function conditionOf(table: Table): string {
    return table === epochs ? `topic = {topic:String} AND ${IN_RANGE}` : IN_RANGE;
  }

  async function piecesOf(table: Table, range: EpochRange): Promise<Piece[]> {
    const counted = await store.query<{ epoch: number; rows: number }>(
      `SELECT _epoch AS epoch, count() AS rows FROM ${table.name} WHERE ${conditionOf(table)}
       GROUP BY epoch ORDER BY epoch`,
      bound({ ...range, topic }),
    );
    return cutPieces(counted, rowsPerPieceMax);
  }

  async function readPiece(table: Table, partition: number, piece: Piece): Promise<Buffer> {
    const columns = table.columns.map(({ name }) => name).join(', ');
    const share =
      piece.shares === 1
        ? ''
        : ` AND sipHash64(${hashedColumns(table)}) % {shares:UInt64} = {share:UInt64}`;
    const params = { ...piece, partition, topic };
    return store.queryBinary(
      `SELECT ${columns} FROM ${table.name} WHERE ${conditionOf(table)}${share}`,
      bound(params),
    );
  }

  return {
    async *rows(table, range) {
      for (const piece of await piecesOf(table, range)) {
        yield await readPiece(table, range.partition, piece);
      }
    },

    async newestEpochs(partition, keys) {
      const params = {
        partition,
        projects: keys.map(({ project }) => project),
        viewIds: keys.map(({ viewId }) => viewId),
      };
      const rows = await store.query<ViewKey & { epoch: number }>(NEWEST, bound(params));
      return new Map(rows.map((row) => [viewKeyText(row), row.epoch]));
    },

    forgets: (partition, afterEpoch) =>
      store.query<StoredForget>(FORGETS, bound({ partition, afterEpoch })),

    async evictedBeforeMs({ name }) {
      const [row] = await store.query<{ beforeMs: number }>(EVICTED, bound({ name }));
      return row?.beforeMs ?? 0;
    },
  };
}

/**
 * Alike rows have alike hashes, so a share is the same rows whatever merges do meanwhile. The hash of a null is null,
 * which is in no share.
 */
function hashedColumns({ columns }: Table): string {
  return columns
    .filter(({ type }) => !type.startsWith('Nullable'))
    .map(({ name }) => name)
    .join(', ');
}

/** Neighbouring epochs up to the limit are one piece; an epoch beyond it is several. */
function cutPieces(counted: readonly { epoch: number; rows: number }[], rowsMax: number): Piece[] {
  const pieces: Piece[] = [];
  let rowsOfLast = rowsMax;
  for (const { epoch, rows } of counted) {
    const last = pieces.at(-1);
    if (last !== undefined && rowsOfLast + rows <= rowsMax) {
      pieces[pieces.length - 1] = { ...last, toEpoch: epoch };
      rowsOfLast += rows;
      continue;
    }
    const shares = Math.ceil(rows / rowsMax);
    for (let share = 0; share < shares; share++) {
      pieces.push({ fromEpoch: epoch, toEpoch: epoch, share, shares });
    }
    rowsOfLast = shares === 1 ? rows : rowsMax;
  }
  return pieces;
}
