/** The store of epochs as one process sees it: the engine, and all that can happen to a call on its way there and back. */
import type {
  Commit,
  EpochAttempt,
  EpochStore,
  SealedEpoch,
  TableRows,
} from '../../../processors/shell/epoch-store.ts';
import type { Table } from '../../../schemas/tables/table.ts';
import { epochTables } from '../../../schemas/tables/tables.ts';
import {
  type CommitRow,
  type EngineModel,
  type InsertBlock,
  type InsertTiming,
  partsOf,
} from './engine-model.ts';
import type { Faults, InsertFate, QueryFate } from './faults.ts';
import type { Answer, Incarnation } from './incarnation.ts';
import type { Scheduler } from './scheduler.ts';

const COMMITS = 'epochs';
const NOTHING = Buffer.alloc(0);

export interface EpochStoreDeps {
  readonly engine: EngineModel;
  readonly faults: Faults;
  readonly scheduler: Scheduler;
  readonly process: Incarnation;
  /** A call never answers: somebody will have to end the process. */
  readonly onHang: () => void;
}

export function connectEpochStore(deps: EpochStoreDeps): EpochStore {
  const { engine, process } = deps;

  function query<Result>(name: string, run: () => Result): Promise<Result> {
    return process.ask(name, (answer) => ask(deps, answer, run));
  }

  return {
    lastCommit: (partition) =>
      query('store.lastCommit', (): Commit | undefined => commitsOf(engine, partition).at(-1)),
    countRows: (tables, partition, epoch) =>
      query('store.countRows', () => countsOf(engine, tables, partition, epoch)),
    deleteRows: (table, partition, epoch) =>
      query('store.deleteRows', () => engine.delete(table.name, partition, epoch)),
    stopInserts: (partition, epoch) =>
      query('store.stopInserts', () => engine.stop(partition, epoch)),
    insertRows: (part, at) =>
      process.ask('store.insertRows', (answer) => insert(deps, blockOf(part, at), answer)),
    insertCommit: (epoch, attempt) =>
      process.ask('store.insertCommit', (answer) =>
        insert(deps, commitBlockOf(epoch, attempt), answer),
      ),
  };
}

/** A call that runs at one moment, and whose answer takes a while. */
export function ask<Result>(
  { engine, faults, scheduler, onHang }: Omit<EpochStoreDeps, 'process'>,
  answer: Answer<Result>,
  run: () => Result,
): void {
  const fate: QueryFate = faults.storeIsDown ? 'refused' : faults.query();
  if (faults.storeIsDown) faults.counters.storeCallsInOutage++;
  else if (fate !== 'done') faults.counters.storeCallsFailed++;
  if (fate === 'hangs') onHang();
  const { life } = engine;
  scheduler.after(faults.latencyMs(), () => {
    const cut = engine.life !== life;
    const result = fate === 'refused' || cut ? undefined : { of: run() };
    if (fate === 'hangs') return;
    scheduler.after(faults.latencyMs(), () => {
      const heard = fate === 'done' && engine.life === life;
      if (heard && result !== undefined) answer.resolve(result.of);
      else answer.reject(faults.storeError());
    });
  });
}

/** One insert, from its caller to the engine and back. */
function insert(deps: EpochStoreDeps, block: InsertBlock, answer: Answer<void>): void {
  const { engine, faults, scheduler, onHang } = deps;
  const fate: InsertFate = faults.storeIsDown ? 'refused' : faults.insert(partsOf(block) === 1);
  noteInsert(deps, fate);
  const fail = (): void => answer.reject(faults.storeError());
  if (fate === 'refused') {
    scheduler.after(faults.latencyMs(), fail);
    return;
  }
  if (fate === 'hangs') onHang();
  const slow = fate === 'givenUp' || fate === 'delayed';
  const running = engine.begin(block, timingOf(faults, fate, partsOf(block)), (ending) => {
    if (slow || fate === 'hangs') return;
    const heard = fate === 'short' || (ending === 'landed' && fate === 'done');
    scheduler.after(faults.latencyMs(), heard ? () => answer.resolve() : fail);
  });
  if (!slow) return;
  scheduler.after(faults.latencyMs(), () => {
    if (running.abandoned === 'no') running.abandoned = 'given up';
    fail();
  });
}

function timingOf(faults: Faults, fate: InsertFate, parts: number): InsertTiming {
  const lingers = fate === 'givenUp';
  const onWireMs = faults.plan.embedded ? 0 : faults.latencyMs();
  return {
    travelMs: fate === 'delayed' ? faults.afterlifeMs() : onWireMs,
    firstMs: lingers && faults.random.chance(0.5) ? faults.afterlifeMs() : faults.latencyMs(),
    workMs: lingers ? faults.afterlifeMs() : faults.latencyMs(),
    partsMax: partsThatLand(faults, fate, parts),
  };
}

function partsThatLand({ random }: Faults, fate: InsertFate, parts: number): number {
  if (fate === 'torn') return random.int(0, parts - 1);
  return fate === 'short' ? random.int(1, parts - 1) : parts;
}

function noteInsert({ faults }: EpochStoreDeps, fate: InsertFate): void {
  const { counters } = faults;
  if (faults.storeIsDown) counters.storeCallsInOutage++;
  else if (fate === 'refused') counters.insertsRefused++;
  else if (fate === 'ackLost') counters.insertAcksLost++;
  else if (fate === 'torn') counters.insertsTorn++;
  else if (fate === 'short') counters.insertsShort++;
  else if (fate === 'givenUp') counters.insertsGivenUp++;
  else if (fate === 'delayed') counters.insertsDelayedInNetwork++;
}

function blockOf(part: TableRows, { partition, epoch, attempt }: EpochAttempt): InsertBlock {
  const { bytes, rows } = part;
  return { table: part.table.name, partition, epoch, attempt, bytes, rows };
}

function commitBlockOf(sealed: SealedEpoch, attempt: number): InsertBlock {
  const { tables, forgets, partition, ...said } = sealed;
  const { epoch } = sealed;
  const commit = { ...said, rows: rowCountsOf(tables), attempt };
  return { table: COMMITS, partition, epoch, attempt, bytes: NOTHING, rows: 1, commit };
}

/** Rows of each table, in the order of the tables. */
export function rowCountsOf(tables: readonly TableRows[]): number[] {
  return epochTables.map((table) => tables.find((part) => part.table === table)?.rows ?? 0);
}

/** Every commit row of a partition, oldest epoch first. */
export function commitsOf(engine: EngineModel, partition: number): CommitRow[] {
  const commits: CommitRow[] = [];
  for (const parts of engine.standingIn(COMMITS)) {
    for (const { block } of parts) {
      if (block.partition === partition && block.commit !== undefined) commits.push(block.commit);
    }
  }
  return commits.sort((one, other) => one.epoch - other.epoch);
}

function countsOf(
  engine: EngineModel,
  tables: readonly Table[],
  partition: number,
  epoch: number,
): ReadonlyMap<string, number> {
  return new Map(tables.map(({ name }) => [name, engine.count(name, partition, epoch)]));
}
