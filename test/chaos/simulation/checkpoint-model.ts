/**
 * The table of checkpoints: chunks that land each for itself, late or never; that a crash cuts; that may be damaged; and
 * of which a repeated one is there twice.
 */
import type {
  CheckpointChunk,
  CheckpointEntry,
  CheckpointHead,
  CheckpointStore,
} from '../../../processors/shell/epoch-store.ts';
import type { EngineModel } from './engine-model.ts';
import { ask } from './epoch-store-model.ts';
import type { Faults, InsertFate } from './faults.ts';
import type { Answer, Incarnation } from './incarnation.ts';
import type { Happening, Scheduler } from './scheduler.ts';

interface StoredChunk extends CheckpointChunk {
  readonly head: CheckpointHead;
}

interface Landing {
  readonly happening: Happening;
  readonly onOver: (landed: boolean) => void;
}

export interface CheckpointPortDeps {
  readonly engine: EngineModel;
  readonly faults: Faults;
  readonly scheduler: Scheduler;
  readonly process: Incarnation;
  readonly onHang: () => void;
}

export class CheckpointTable {
  readonly #checkpoints = new Map<string, StoredChunk[]>();
  readonly #underWay = new Map<StoredChunk, Landing>();
  readonly #faults: Faults;
  readonly #scheduler: Scheduler;

  constructor(faults: Faults, scheduler: Scheduler) {
    this.#faults = faults;
    this.#scheduler = scheduler;
  }

  /** Newest first. */
  list(partition: number): CheckpointEntry[] {
    const entries: CheckpointEntry[] = [];
    for (const stored of this.#checkpoints.values()) {
      const [first] = stored;
      if (first?.head.partition !== partition) continue;
      const found = new Set(stored.map(({ chunk }) => chunk)).size;
      const chunks = Math.max(...stored.map((chunk) => chunk.chunks));
      entries.push({ ...first.head, chunks: found === chunks ? chunks : 0 });
    }
    return entries.sort((one, other) => other.epoch - one.epoch);
  }

  readChunk(partition: number, epoch: number, chunk: number): CheckpointChunk | undefined {
    const all = this.#checkpoints.get(keyOf({ partition, epoch })) ?? [];
    const found = all.filter((stored) => stored.chunk === chunk);
    return found.length === 0 ? undefined : this.#faults.random.pick(found);
  }

  holding(partition: number, text: string): number[] {
    const epochs = new Set<number>();
    for (const stored of this.#checkpoints.values()) {
      for (const { head, state } of stored) {
        if (head.partition === partition && state.includes(text)) epochs.add(head.epoch);
      }
    }
    return [...epochs];
  }

  drop(partition: number, epoch: number): void {
    this.#checkpoints.delete(keyOf({ partition, epoch }));
  }

  /** A chunk lands after a while, unless a crash comes first. */
  landLater(
    head: CheckpointHead,
    chunk: CheckpointChunk,
    afterMs: number,
    onOver: (landed: boolean) => void,
  ): void {
    const stored: StoredChunk = { ...chunk, head, state: this.#perhapsDamaged(chunk.state) };
    const happening = this.#scheduler.after(afterMs, () => {
      this.#underWay.delete(stored);
      this.#land(stored);
      onOver(true);
    });
    this.#underWay.set(stored, { happening, onOver });
  }

  /** The engine dies: each chunk under way is there or is not. */
  cut(): void {
    for (const [stored, { happening, onOver }] of this.#underWay) {
      happening.cancel();
      if (this.#faults.random.chance(0.5)) this.#land(stored);
      onOver(false);
    }
    this.#underWay.clear();
  }

  /** Whoever wrote them has died: some chunks under way land, whenever they do. */
  orphan(): void {
    for (const [stored, { happening }] of this.#underWay) {
      if (this.#faults.random.chance(0.5)) continue;
      happening.cancel();
      this.#underWay.delete(stored);
    }
  }

  #land(stored: StoredChunk): void {
    const key = keyOf(stored.head);
    const others = this.#checkpoints.get(key);
    if (others === undefined) this.#checkpoints.set(key, [stored]);
    else others.push(stored);
  }

  #perhapsDamaged(state: Buffer): Buffer {
    const kept = Buffer.from(state);
    if (kept.length === 0 || !this.#faults.happens(this.#faults.plan.intensity.corruption))
      return kept;
    this.#faults.counters.chunksCorrupted++;
    const at = this.#faults.random.int(0, kept.length - 1);
    kept[at] = (kept[at] ?? 0) ^ (1 << this.#faults.random.int(0, 7));
    return kept;
  }
}

/** The table as one process sees it. */
export function connectCheckpoints(
  table: CheckpointTable,
  deps: CheckpointPortDeps,
): CheckpointStore {
  // Recovery that meets an unfinished checkpoint is counted.
  const query = <Result>(name: string, run: () => Result): Promise<Result> =>
    deps.process.ask(`checkpoints.${name}`, (answer) => ask(deps, answer, run));
  return {
    list: (partition) =>
      query('list', () => {
        const entries = table.list(partition);
        if (deps.process.starting && entries.some(({ chunks }) => chunks === 0)) {
          deps.faults.counters.checkpointsIncomplete++;
        }
        return entries;
      }),
    readChunk: (partition, epoch, chunk) =>
      query('readChunk', () => table.readChunk(partition, epoch, chunk)),
    holding: (partition, text) => query('holding', () => table.holding(partition, text)),
    drop: (partition, epoch) => query('drop', () => table.drop(partition, epoch)),
    insertChunk: (head, chunk) =>
      deps.process.ask('checkpoints.insertChunk', (answer) =>
        insertChunk(table, deps, head, chunk, answer),
      ),
  };
}

function insertChunk(
  table: CheckpointTable,
  { faults, scheduler, onHang }: CheckpointPortDeps,
  head: CheckpointHead,
  chunk: CheckpointChunk,
  answer: Answer<void>,
): void {
  const fate: InsertFate = faults.storeIsDown ? 'refused' : faults.insert();
  const fail = (): void => answer.reject(faults.storeError());
  if (fate === 'hangs') onHang();
  if (fate === 'refused' || fate === 'torn' || fate === 'short') {
    scheduler.after(faults.latencyMs(), fail);
    return;
  }
  const slow = fate === 'givenUp' || fate === 'delayed';
  table.landLater(head, chunk, slow ? faults.afterlifeMs() : faults.latencyMs(), (landed) => {
    if (slow || fate === 'hangs') return;
    const heard = landed && fate === 'done';
    scheduler.after(faults.latencyMs(), heard ? () => answer.resolve() : fail);
  });
  if (slow) scheduler.after(faults.latencyMs(), fail);
}

function keyOf({ partition, epoch }: Pick<CheckpointHead, 'partition' | 'epoch'>): string {
  return `${partition}/${epoch}`;
}
