/**
 * Forgetting a viewer: every row that tells of them goes, sums that name nobody stay.
 *
 * A forget is an epoch of its own, and what it removes goes before its commit: a crash between the two does it again.
 * Deletes rewrite the parts that hold such rows, so that the bytes go too, not only out of sight.
 */
import avro from 'avsc';
import { type QueryValue, type Store, StoreError } from '../../platform/store/store.ts';
import type { SealedEpoch } from './epoch-store.ts';

const RETRY_MS = 1_000;

export interface ForgottenViewer {
  readonly project: string;
  /** As ingest stores it. */
  readonly viewer: string;
  /** Epoch of the request. */
  readonly epoch: number;
}

export interface Forgets {
  /** Removes every row of the viewers that the epoch names. Asks a store that is away again. */
  purge(epoch: SealedEpoch, signal?: AbortSignal): Promise<void>;
  /** Viewers that were to be forgotten, in one partition. */
  list(partition: number): Promise<readonly ForgottenViewer[]>;
}

export interface ForgetsDeps {
  readonly store: Store;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly logger: { error(fields: object, message: string): void };
}

/** Views named in one statement. */
const VIEWS_PER_DELETE = 1_000;
/** Name of the dimension that says who watches. */
const VIEWER = 'viewer_user_id';
const VIEWER_ALIAS = 'viewer_id';

/** Bytes hold what a context says of the viewer, by either name of the dimension. */
function saidIn(bytes: string): string {
  return `(position(${bytes}, unhex({entry:String})) > 0 OR position(${bytes}, unhex({aliasEntry:String})) > 0)`;
}

const VIEWS_OF = `SELECT view_id FROM views
    WHERE project = {project:String} AND _partition = {partition:UInt16} AND viewer_user_id = {viewer:String}
  UNION DISTINCT
  SELECT view_id FROM view_events
    WHERE project = {project:String} AND _partition = {partition:UInt16} AND ${saidIn('parts')}`;

/**
 * What a context says of a viewer, as Avro writes it: both texts with their lengths, so that a short id is not found in
 * the middle of another.
 */
function avroEntry(name: string, viewer: string): string {
  return Buffer.concat([avroText(name), avroText(viewer)]).toString('hex');
}

/** A text with its length before it, as Avro writes it. */
export function avroText(text: string): Buffer {
  return TEXT.toBuffer(text);
}

const TEXT = avro.Type.forSchema('string');

export function createForgets({ store, sleep, logger }: ForgetsDeps): Forgets {
  async function purgeViewer(partition: number, project: string, viewer: string): Promise<void> {
    const deleteWhere = (table: string, condition: string, params: Record<string, QueryValue>) =>
      store.command(
        `ALTER TABLE ${table} DELETE WHERE _partition = {partition:UInt16} AND ${condition}
         SETTINGS mutations_sync = 2`,
        { params: { project, partition, ...params } },
      );
    const entries = {
      entry: avroEntry(VIEWER, viewer),
      aliasEntry: avroEntry(VIEWER_ALIAS, viewer),
    };
    const found = await store.queryOnWriter<{ view_id: string }>(VIEWS_OF, {
      params: { project, partition, viewer, ...entries },
    });
    const ids = found.map(({ view_id }) => view_id);
    for (let from = 0; from < ids.length; from += VIEWS_PER_DELETE) {
      const some = { ids: ids.slice(from, from + VIEWS_PER_DELETE) };
      // The rows of `views` name the others, so they go last.
      for (const table of ['view_events', 'requests', 'rejected', 'views']) {
        await deleteWhere(
          table,
          'project = {project:String} AND view_id IN {ids:Array(String)}',
          some,
        );
      }
    }
    // Records as the log has them, and what was rejected as it came: JSON, with the id as it is stored in place of its own.
    // A record that could not be read at all is of no project.
    const said = `project IN ({project:String}, '')
      AND (${saidIn('bytes')} OR position(bytes, {quoted:String}) > 0)`;
    await deleteWhere('rejected', said, { ...entries, quoted: JSON.stringify(viewer) });
  }

  return {
    async purge({ forgets, partition, epoch }, signal) {
      for (const { project, viewer } of forgets) {
        for (;;) {
          try {
            await purgeViewer(partition, project, viewer);
            break;
          } catch (error) {
            if (!(error instanceof StoreError) || error.code === 'store_closed') throw error;
            logger.error(
              { error, partition, epoch },
              'a viewer is not forgotten yet; it is tried again',
            );
          }
          await sleep(RETRY_MS, signal);
        }
      }
    },
    list: (partition) =>
      store.queryOnWriter<ForgottenViewer>(
        `SELECT DISTINCT project, viewer, _epoch AS epoch FROM forgotten
         WHERE _partition = {partition:UInt16} ORDER BY epoch`,
        { params: { partition } },
      ),
  };
}
