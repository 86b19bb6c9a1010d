/**
 * A whole Streamgauge on the embedded engines in one process, and questions about how far it has come. They are asked
 * inside the process and cost it some CPU time, so they are asked seldom.
 */
import { startAll } from '../../main.ts';
import { loadOptions } from '../../platform/config/config.ts';
import { createLogger } from '../../platform/logging.ts';
import { epochs, epochTables, viewEvents } from '../../schemas/tables/tables.ts';
import { sinceCpu } from '../measure.ts';
import type { SubjectMethods } from '../subject-main.ts';

export interface ServerInput {
  readonly directory: string;
}

/** Rows that are committed, by table, and the epochs that they came in. */
export type Written = Readonly<Record<string, number>>;

/** Newest committed epoch of a partition. */
export interface NewestCommit {
  readonly partition: number;
  readonly epoch: number;
}

/** A row of `view_events` that a player's report became. */
export interface EventPlace {
  readonly view: string;
  readonly at: number;
  readonly partition: number;
  readonly epoch: number;
}

/** How far the processor is, and what it holds. */
export interface Progress {
  readonly caughtUp: boolean;
  /** Wall clock less the log time that is folded, of the partition furthest behind, ms. */
  readonly behindMs: number;
  readonly views: number;
  readonly checkpoints: number;
  /** Size of a checkpoint of all partitions, on average. */
  readonly checkpointMib: number;
}

export async function server({ directory }: ServerInput): Promise<SubjectMethods> {
  const loaded = loadOptions({ dataDir: directory, port: 0, logLevel: 'warn' }, {});
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  const running = await startAll(loaded.options, createLogger('warn', false));
  const { store, processor, url } = running;
  let start = process.cpuUsage();

  async function written(): Promise<Written> {
    const sums = epochTables.map(({ name }) => `sum(${name}_rows) AS ${name}`);
    const [row] = await store.query<Record<string, number>>(
      `SELECT count() AS epochs, ${sums.join(', ')} FROM ${epochs.name}`,
    );
    return row ?? {};
  }

  async function eventPlaces(): Promise<EventPlace[]> {
    const sql = `SELECT view_id AS view, client_at AS at, _partition AS partition, _epoch AS epoch
      FROM ${viewEvents.name} WHERE source != 'edge'`;
    return store.query<EventPlace>(sql);
  }

  return {
    url: () => url,
    begin: () => {
      start = process.cpuUsage();
    },
    end: () => sinceCpu(start).cpuMs,
    /** Events that the fold has taken; asks no engine. */
    folded: () =>
      processor.partitions.reduce((sum, { fold }) => sum + fold.beats.counters.eventsTaken, 0),
    written,
    /** Players' reports in the timelines. */
    listed: async () => {
      const sql = `SELECT count() AS listed FROM ${viewEvents.name} WHERE source != 'edge'`;
      return (await store.query<{ listed: number }>(sql))[0]?.listed ?? 0;
    },
    commits: () =>
      store.query<NewestCommit>(
        `SELECT _partition AS partition, max(_epoch) AS epoch FROM ${epochs.name} GROUP BY _partition`,
      ),
    eventPlaces,
    progress: (): Progress => {
      const { written: checkpoints, writtenBytes } = processor.checkpoints.counters;
      const folds = processor.partitions.map(({ fold }) => fold);
      return {
        caughtUp: processor.caughtUp,
        behindMs: Date.now() - Math.min(...folds.map(({ logTimeMs }) => logTimeMs)),
        views: folds.reduce((sum, { beats }) => sum + beats.life.size, 0),
        checkpoints,
        checkpointMib: ((writtenBytes / Math.max(1, checkpoints)) * folds.length) / 2 ** 20,
      };
    },
    residentMib: () => Math.round(process.memoryUsage().rss / 2 ** 20),
    close: () => running.stop(),
  };
}
