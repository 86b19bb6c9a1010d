/**
 * Proof that each safeguard matters: taken away, one at a time, the simulation must fail within the default seeds. The
 * product knows nothing of this; what is taken away is taken by what stands around it.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { Lane } from '../../processors/lane.ts';
import type { Checkpoints } from '../../processors/shell/checkpoints.ts';
import type {
  CheckpointStore,
  EpochStore,
  SealedEpoch,
} from '../../processors/shell/epoch-store.ts';
import type { Sink } from '../../processors/shell/sink.ts';
import type { Plan } from './simulation/plan.ts';
import type { Tampering } from './simulation/shell-life.ts';
import { simulate } from './simulation/simulation.ts';

/** As many as `simulation.test.ts` runs. */
const SEEDS = 3_000;
/** Only ends what hangs, on a machine however busy. */
const PATIENCE_MS = 1_800_000;

type Replan = (plan: Plan) => Plan;

/** The first seed that fails, and what it says. */
async function firstFailure(
  tampering: Tampering,
  replan: Replan = (plan) => plan,
): Promise<string | undefined> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failures } = await simulate(seed, { tampering, replan });
    if (failures.length > 0) return `seed ${seed}: ${failures[0]}`;
  }
  return undefined;
}

/** The rows that this process has inserted last, by table and epoch. */
class Inserted {
  readonly #rows = new Map<string, number>();

  wrap(store: EpochStore): Pick<EpochStore, 'insertRows'> {
    return {
      insertRows: async (part, at) => {
        await store.insertRows(part, at);
        this.set(part.table.name, at.partition, at.epoch, part.rows);
      },
    };
  }

  get(table: string, partition: number, epoch: number): number | undefined {
    return this.#rows.get([table, partition, epoch].join('/'));
  }

  set(table: string, partition: number, epoch: number, rows: number): void {
    this.#rows.set([table, partition, epoch].join('/'), rows);
  }
}

/** Rows are inserted again without a look at what stands; only after that they are counted. */
function insertBlindly(store: EpochStore): EpochStore {
  const inserted = new Inserted();
  return {
    ...store,
    ...inserted.wrap(store),
    countRows: async (tables, partition, epoch) => {
      const counts = await store.countRows(tables, partition, epoch);
      const [table] = tables;
      const isBefore =
        tables.length === 1 && inserted.get(table?.name ?? '', partition, epoch) === undefined;
      return isBefore ? new Map() : counts;
    },
  };
}

/** Nobody counts: what was inserted is taken to stand, and nothing else. */
function countNothing(store: EpochStore): EpochStore {
  const inserted = new Inserted();
  return {
    ...store,
    ...inserted.wrap(store),
    countRows: async (tables, partition, epoch) => {
      await store.countRows(tables, partition, epoch);
      return new Map(
        tables.map(({ name }) => [name, inserted.get(name, partition, epoch) ?? 0] as const),
      );
    },
  };
}

/** Tables are counted one by one while they are settled; all at once, before the commit, they are not. */
function readNothingBack(store: EpochStore): EpochStore {
  const inserted = new Inserted();
  return {
    ...store,
    ...inserted.wrap(store),
    countRows: async (tables, partition, epoch) => {
      const counts = await store.countRows(tables, partition, epoch);
      if (tables.length === 1) {
        for (const [name, rows] of counts) inserted.set(name, partition, epoch, rows);
        return counts;
      }
      return new Map(
        tables.map(({ name }) => [name, inserted.get(name, partition, epoch) ?? 0] as const),
      );
    },
  };
}

/** The commit is stored, if the store lets it be, and then the rows. */
function commitFirst(sink: Sink, epochs: EpochStore): Sink {
  return {
    counters: sink.counters,
    lastCommit: sink.lastCommit,
    write: async (epoch, inDoubt, signal) => {
      await epochs.insertCommit(epoch, 0).catch(() => undefined);
      await sink.write(epoch, inDoubt, signal);
    },
  };
}

/** An epoch is committed only after a checkpoint of it was written, where one is due; a newer checkpoint is trusted. */
function checkpointFirst(): Tampering {
  const owed = new Map<number, () => Promise<void>>();
  const underWay = new Map<number, Promise<void>>();
  const pay = (partition: number): Promise<void> => {
    const write = owed.get(partition);
    owed.delete(partition);
    const before = underWay.get(partition) ?? Promise.resolve();
    const paid = before.then(() => write?.());
    paid.catch(() => undefined);
    underWay.set(partition, paid);
    return paid;
  };
  return {
    sink: (sink) => {
      owed.clear();
      underWay.clear();
      return {
        counters: sink.counters,
        lastCommit: sink.lastCommit,
        write: async (epoch, inDoubt, signal) => {
          await pay(epoch.partition);
          owed.set(epoch.partition, () => sink.write(epoch, inDoubt, signal));
        },
      };
    },
    checkpoints: (checkpoints) =>
      around(checkpoints, {
        save: async (fold, head, encoded) => {
          const saved = await checkpoints.save(fold, head, encoded);
          await pay(head.partition);
          return saved;
        },
        load: (partition, wanted) =>
          checkpoints.load(partition, { ...wanted, epochMax: Number.MAX_SAFE_INTEGER }),
      }),
  };
}

/** Checkpoints with some of their methods replaced; `busy` must be asked anew each time. */
function around(checkpoints: Checkpoints, replaced: Partial<Checkpoints>): Checkpoints {
  const { counters, save, load, prune, dropHolding, list } = checkpoints;
  return {
    counters,
    save,
    load,
    prune,
    dropHolding,
    list,
    ...replaced,
    get busy() {
      return checkpoints.busy;
    },
  };
}

/** What was found is whole, and every hash fits. */
function believeChunks(store: CheckpointStore): CheckpointStore {
  const hashes = new Map<string, string>();
  return {
    ...store,
    list: async (partition) => {
      const entries = await store.list(partition);
      const chunksMax = Math.max(1, ...entries.map(({ chunks }) => chunks));
      return entries.map((entry) => ({ ...entry, chunks: entry.chunks || chunksMax }));
    },
    readChunk: async (partition, epoch, chunk) => {
      const found = await store.readChunk(partition, epoch, chunk);
      if (found === undefined) return undefined;
      const place = `${partition}/${epoch}`;
      const before = chunk === 0 ? '' : (hashes.get(place) ?? '');
      const hash = createHash('sha256').update(before).update(found.state).digest('hex');
      hashes.set(place, hash);
      return { ...found, hash };
    },
  };
}

const FORGET_AT = [0.4, 0.5, 0.6, 0.7, 0.8];

/** What seeds seldom bring together: viewers to forget, a log that loses its beginning, inserts that fail, crashes between. */
function forgetUnderRetention(plan: Plan): Plan {
  const { startMs, quietMs, intensity } = plan;
  return {
    ...plan,
    retention: true,
    forgetsMs: FORGET_AT.map((share) => Math.round(startMs + share * (quietMs - startMs))),
    intensity: { ...intensity, inserts: 0.4, queries: 0, corruption: 0 },
    crashes: [1, 2, 3, 4, 5, 6].map((nth) => ({ name: 'checkpoints.drop', nth, moment: 'after' })),
  };
}

const MUTATIONS: readonly (readonly [safeguard: string, Tampering, Replan?])[] = [
  ['the engine drops an insert whose name it knows', { engine: { ignoresTokens: true } }],
  ['what may still run is ended before rows are counted', { engine: { stopsNothing: true } }],
  ['rows in doubt are counted', { epochs: countNothing }],
  ['rows in doubt are counted before they are inserted again', { epochs: insertBlindly }],
  ['the counts are read back before the commit', { epochs: readNothingBack }],
  [
    'rows that were deleted are inserted under a new name',
    {
      epochs: (store) => ({
        ...store,
        insertRows: (part, at) => store.insertRows(part, { ...at, attempt: 0 }),
      }),
    },
  ],
  ['the commit comes after the rows', { sink: commitFirst }],
  [
    'a commit whose name is known without its row gets another',
    {
      epochs: (store) => ({
        ...store,
        insertCommit: (epoch: SealedEpoch) => store.insertCommit(epoch, 0),
      }),
    },
  ],
  [
    'the first epoch after a start is in doubt',
    {
      sink: (sink) => ({
        counters: sink.counters,
        lastCommit: sink.lastCommit,
        write: (epoch, _, signal) => sink.write(epoch, false, signal),
      }),
    },
  ],
  ['a checkpoint comes after its commit, and none newer is trusted', checkpointFirst()],
  ['a checkpoint is whole and its hashes fit', { checkpointStore: believeChunks }],
  [
    'checkpoints that hold a forgotten viewer go only once a new one stands',
    {
      checkpoints: (checkpoints) =>
        around(checkpoints, {
          save: async (fold, head, encoded) => {
            await checkpoints.save(fold, head, encoded);
            return true;
          },
        }),
    },
    forgetUnderRetention,
  ],
  ['only what is durable in the log is read', { log: { showsUnflushed: true } }],
];

describe('a run fails when it is not so that', () => {
  it.each(MUTATIONS.map(([safeguard, ...how]) => [safeguard, how] as const))(
    '%s',
    async (safeguard, how) => {
      const failure = await firstFailure(...how);
      expect(failure, 'no seed missed it').toBeDefined();
      process.stdout.write(`without "${safeguard}" ${failure}\n`);
    },
    PATIENCE_MS,
  );

  it(
    'the fold drops duplicates',
    async () => {
      const offer = Lane.prototype.offer;
      const spy = vi.spyOn(Lane.prototype, 'offer').mockImplementation(function (
        this: Lane,
        ...report: Parameters<Lane['offer']>
      ) {
        const verdict = offer.apply(this, report);
        return verdict === 'duplicate' ? 'next' : verdict;
      });
      const failure = await firstFailure({}).finally(() => spy.mockRestore());
      expect(failure, 'no seed missed it').toBeDefined();
      process.stdout.write(`without duplicates dropped, ${failure}\n`);
    },
    PATIENCE_MS,
  );
});
