/**
 * The world of one seed: the models, and a supervisor that starts the real shell on them, lets it die as planned, and
 * starts it again, until what is to be proved can be looked at.
 */
import { FOLD_VERSION } from '../../../processors/settings.ts';
import { encodeRecord } from '../../../schemas/records.ts';
import { CheckpointTable } from './checkpoint-model.ts';
import { type Counters, newCounters } from './counters.ts';
import { EngineModel } from './engine-model.ts';
import { commitsOf } from './epoch-store-model.ts';
import { Faults } from './faults.ts';
import { type CrashPlan, Incarnation, type PortCall } from './incarnation.ts';
import { LogModel } from './log-model.ts';
import type { CrashPoint, Plan } from './plan.ts';
import type { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { ShellLife, type Tampering } from './shell-life.ts';

export type Trace = (line: string) => void;

export interface WorldDeps {
  readonly plan: Plan;
  readonly random: Random;
  readonly tampering: Tampering;
  readonly trace: Trace | undefined;
}

/** How long a clean stop may take once nothing fails any more, ms. */
const STOP_PATIENCE_MS = 20_000;

export class World {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly counters: Counters = newCounters();
  readonly log: LogModel;
  readonly engine: EngineModel;
  readonly checkpointTable: CheckpointTable;
  readonly failures: string[] = [];
  /** Calls that each life made. */
  readonly calls: number[] = [];
  readonly #deps: WorldDeps;
  readonly #random: Random;
  readonly #crashes: CrashPoint[];
  #life: ShellLife | undefined;
  #settings: Readonly<Record<string, number>>;
  #stopping = false;
  /** Nothing starts any more. */
  #isOver = false;

  constructor(deps: WorldDeps) {
    const { plan, random, tampering } = deps;
    this.#deps = deps;
    this.plan = plan;
    this.#random = random.fork('world');
    this.scheduler = new Scheduler(plan.startMs, random.fork('scheduler'));
    this.faults = new Faults(plan, random, this.scheduler, this.counters);
    this.log = new LogModel(this.faults, this.scheduler, tampering.log);
    this.engine = new EngineModel({
      scheduler: this.scheduler,
      random: random.fork('engine'),
      counters: this.counters,
      flaws: tampering.engine ?? {},
    });
    this.checkpointTable = new CheckpointTable(this.faults, this.scheduler);
    this.#crashes = [...plan.crashes];
    this.#settings = plan.settings;
  }

  get isUp(): boolean {
    return this.#life?.process.alive === true;
  }

  /** It has recovered, and nobody stops it. */
  get isSteady(): boolean {
    return this.isUp && this.#life?.process.starting === false && !this.#stopping;
  }

  /** True when every partition is committed up to this log time. */
  isCommittedTo(logTimeMs: number): boolean {
    const runners = this.#life?.runners ?? [];
    return runners.every(
      ({ fold, partition }) =>
        fold.logTimeMs >= logTimeMs &&
        (commitsOf(this.engine, partition).at(-1)?.logTimeMs ?? 0) >= logTimeMs,
    );
  }

  /** It was stopped for good. */
  get isStopped(): boolean {
    return this.#isOver && !this.isUp;
  }

  begin(): void {
    const { plan } = this;
    if (plan.settingsFirst) this.#placeSettings();
    for (const atMs of plan.stopsMs) this.#at(atMs, () => this.stop());
    for (const atMs of plan.engineCrashesMs) this.#at(atMs, () => this.#crashEngine());
    for (const { atMs, values, inLog } of plan.changes) {
      this.counters.settingsChanged++;
      if (!inLog) this.#at(atMs, () => this.#changeSettings(values));
    }
    if (plan.retention) this.#retireOn();
    this.scheduler.after(0, () => this.#start());
  }

  /** Stops the process cleanly, and lets it start again unless this is the end. */
  stop(forGood = false): void {
    this.#isOver ||= forGood;
    const life = this.#life;
    if (life === undefined || !this.isSteady) return;
    this.#stopping = true;
    this.#trace('stop');
    // Whoever stops it does not wait for ever.
    const patienceMs = forGood ? STOP_PATIENCE_MS : this.#random.size(100, STOP_PATIENCE_MS);
    this.scheduler.after(patienceMs, () => {
      if (!life.process.alive) return;
      if (forGood) this.failures.push('it does not stop');
      this.counters.stopsKilled++;
      life.process.kill();
    });
    life.stop().then(
      () => this.#leave(life),
      (error: unknown) => this.failures.push(`stop failed: ${String(error)}`),
    );
  }

  #leave(life: ShellLife): void {
    if (!life.process.alive) return;
    this.#trace('stopped');
    life.process.leave();
    this.counters.cleanStops++;
    this.#end(life);
  }

  #start(): void {
    if (this.#isOver || this.isUp) return;
    const life = this.#newLife();
    this.#life = life;
    this.#stopping = false;
    this.#trace(`start ${this.calls.length + 1}`);
    life.start().then(
      () => {
        life.process.starting = false;
      },
      (error: unknown) => this.#startFailed(life.process, error),
    );
  }

  /** A start waits for its engines as long as it takes: whatever else ends it is wrong. */
  #startFailed(process: Incarnation, error: unknown): void {
    if (!process.alive) return;
    this.failures.push(`recovery failed: ${String(error)}`);
    process.kill();
  }

  #newLife(): ShellLife {
    const { checkpointTable, engine, faults, log, scheduler } = this;
    const point = faults.active ? this.#crashes.shift() : undefined;
    const process: Incarnation = new Incarnation({
      scheduler,
      plan: planOfCrash(point),
      onCrash: (call) => this.#onCrash(process, call),
    });
    if (point !== undefined && 'afterMs' in point) {
      scheduler.after(point.afterMs, () => process.kill());
    }
    return new ShellLife({
      checkpointTable,
      engine,
      faults,
      log,
      scheduler,
      process,
      settings: this.#settings,
      tampering: this.#deps.tampering,
      trace: (line) => this.#trace(line),
      onHang: () => this.#killSoon(process),
      onFailure: ({ message }) => this.failures.push(`a partition failed: ${message}`),
    });
  }

  #onCrash(process: Incarnation, call: PortCall | undefined): void {
    this.#trace(`crash at ${call === undefined ? 'no call' : `${call.number} ${call.name}`}`);
    countCrash(this.counters, process, call);
    if (this.plan.embedded) {
      this.log.cut();
      this.#cutEngine();
    } else {
      for (const insert of [...this.engine.running]) {
        if (insert.abandoned !== 'dead') this.engine.orphan(insert, this.faults.afterlifeMs());
      }
      this.checkpointTable.orphan();
    }
    if (this.#life?.process === process) this.#end(this.#life);
  }

  #end(life: ShellLife): void {
    this.calls.push(life.process.calls);
    life.countInto(this.counters);
    const downMs = this.#random.int(1, 8 * this.plan.unitMs);
    this.scheduler.after(downMs, () => this.#start());
  }

  /** The engine of a server dies; the process goes on. */
  #crashEngine(): void {
    if (!this.faults.active) return;
    this.#trace('engine crash');
    this.counters.engineCrashes++;
    this.#cutEngine();
  }

  #cutEngine(): void {
    this.engine.crash();
    this.checkpointTable.cut();
  }

  /** A call never answers: whoever watches the process ends it. */
  #killSoon(process: Incarnation): void {
    this.counters.processesHung++;
    this.scheduler.after(this.#random.int(1, 20 * this.plan.unitMs), () => process.kill());
  }

  #placeSettings(): void {
    const { partitions, settings } = this.plan;
    const value = encodeRecord('settings', { foldVersion: FOLD_VERSION, values: { ...settings } });
    for (let partition = 0; partition < partitions; partition++) this.log.place(partition, value);
  }

  /** The operator wants other settings, which takes a restart. */
  #changeSettings(values: Readonly<Record<string, number>>): void {
    this.#settings = { ...this.#settings, ...values };
    this.stop();
  }

  /** Removes the log up to where the older of the two newest whole checkpoints begins, now and then. */
  #retireOn(): void {
    this.scheduler.after(10 * this.plan.unitMs, () => {
      if (!this.faults.active) return;
      for (let partition = 0; partition < this.plan.partitions; partition++) {
        const whole = this.checkpointTable.list(partition).filter(({ chunks }) => chunks > 0);
        const oldest = whole[1];
        if (oldest === undefined) continue;
        this.counters.recordsRetired++;
        this.log.retire(partition, oldest.nextOffset);
      }
      this.#retireOn();
    });
  }

  #at(atMs: number, action: () => void): void {
    this.scheduler.after(atMs - this.scheduler.nowMs, action);
  }

  #trace(line: string): void {
    this.#deps.trace?.(`${this.scheduler.nowMs - this.plan.startMs} ${line}`);
  }
}

function planOfCrash(point: CrashPoint | undefined): CrashPlan {
  if (point === undefined || 'afterMs' in point) return () => undefined;
  if ('calls' in point) {
    return ({ number }) => (number === point.calls ? point.moment : undefined);
  }
  let seen = 0;
  return ({ name }) => (name === point.name && ++seen === point.nth ? point.moment : undefined);
}

const CRASH_COUNTERS: Readonly<Record<string, keyof Counters>> = {
  'store.insertRows': 'crashesInInsert',
  'store.countRows': 'crashesInSettling',
  'store.deleteRows': 'crashesInSettling',
  'store.stopInserts': 'crashesInSettling',
  'store.insertCommit': 'crashesInCommit',
  'checkpoints.insertChunk': 'crashesInCheckpoint',
  'checkpoints.drop': 'crashesInPruning',
};

function countCrash(counters: Counters, process: Incarnation, call: PortCall | undefined): void {
  counters.crashes++;
  if (process.starting) counters.crashesInRecovery++;
  const name = CRASH_COUNTERS[call?.name ?? ''];
  if (name !== undefined) counters[name]++;
}
