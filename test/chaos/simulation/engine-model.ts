/**
 * The engine in memory: what is stored, which names of inserts it remembers, and what still runs in it.
 *
 * An insert is parts, one for each table partition that it touches; each lands whole or not at all, one after another.
 * Until it is over it may be ended (`stop`) or cut by a crash, and what has landed stays. A part whose name is remembered
 * is dropped silently, whatever its rows; names outlive the deletion of rows, and a crash of the engine may lose a name
 * whose rows are there, or keep one whose rows are not.
 */
import type { SealedEpoch } from '../../../processors/shell/epoch-store.ts';
import { DEDUPLICATION_WINDOW } from '../../../schemas/tables/table.ts';
import type { Counters } from './counters.ts';
import type { Random } from './random.ts';
import type { Happening, Scheduler } from './scheduler.ts';

/** What a row of `epochs` says. */
export interface CommitRow extends Omit<SealedEpoch, 'partition' | 'tables' | 'forgets'> {
  /** Rows of each table, in the order of the tables. */
  readonly rows: readonly number[];
  readonly attempt: number;
}

/** Rows of a table of an epoch, all that one insert brings. */
export interface InsertBlock {
  readonly table: string;
  readonly partition: number;
  readonly epoch: number;
  /** Its name among those of the same rows: later ones are higher. */
  readonly attempt: number;
  readonly bytes: Buffer;
  readonly rows: number;
  /** The row, where it is a commit. */
  readonly commit?: CommitRow;
}

export interface InsertTiming {
  /** Time on the network: the engine cannot end what it does not know yet. None when it lives in the caller's process. */
  readonly travelMs: number;
  /** Time until its first part lands, and from each to the next. */
  readonly firstMs: number;
  readonly workMs: number;
  /** Parts that land before it fails by itself. */
  readonly partsMax: number;
}

/** Rows that stand: a share of a block, or what a purge left of it. */
export interface StandingPart {
  readonly block: InsertBlock;
  readonly share: number;
  /** The rows apart, once some of them were removed. */
  left?: readonly Buffer[];
}

export type Ending = 'landed' | 'torn' | 'stopped' | 'cut';

export interface RunningInsert {
  readonly block: InsertBlock;
  /** Nobody waits for it any more: its caller was told that it failed, or is dead. */
  abandoned: 'no' | 'given up' | 'dead';
  readonly timing: InsertTiming;
  /** The engine knows of it, and can end it. */
  known: boolean;
  /** Next part to land. */
  next: number;
  timer: Happening | undefined;
  readonly onOver: (ending: Ending) => void;
}

export interface EngineFlaws {
  readonly ignoresTokens?: boolean;
  readonly stopsNothing?: boolean;
  /** What is on the network while its rows are inserted under another name still lands: see the README. */
  readonly lateInsertsOutliveNames?: boolean;
}

export interface EngineDeps {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly counters: Counters;
  readonly flaws: EngineFlaws;
}

/** Parts of a block: as many as table partitions that it touches, the same whenever the block is the same. */
export function partsOf({ rows }: InsertBlock): number {
  return rows < 2 ? 1 : Math.min(rows, 1 + (rows % 3));
}

/** First row of a share, and of the one after. */
export function shareOf(block: InsertBlock, share: number): readonly [number, number] {
  const parts = partsOf(block);
  return [Math.floor((share * block.rows) / parts), Math.floor(((share + 1) * block.rows) / parts)];
}

export function rowsIn({ block, share, left }: StandingPart): number {
  if (left !== undefined) return left.length;
  const [from, to] = shareOf(block, share);
  return to - from;
}

export class EngineModel {
  /** What stands: by table, then by partition and epoch. */
  readonly #standing = new Map<string, Map<string, StandingPart[]>>();
  /** Grows with each crash: who waits for an answer of an earlier life gets none. */
  life = 0;
  readonly #tokens = new Map<string, Map<string, number>>();
  readonly #running = new Set<RunningInsert>();
  readonly #deps: EngineDeps;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  get running(): ReadonlySet<RunningInsert> {
    return this.#running;
  }

  partsAt(table: string, partition: number, epoch: number): readonly StandingPart[] {
    return this.#standing.get(table)?.get(placeOf(partition, epoch)) ?? [];
  }

  /** What stands in a table, by epoch. */
  standingIn(table: string): Iterable<readonly StandingPart[]> {
    return this.#standing.get(table)?.values() ?? [];
  }

  count(table: string, partition: number, epoch: number): number {
    return this.partsAt(table, partition, epoch).reduce((sum, part) => sum + rowsIn(part), 0);
  }

  /** Begins an insert; `onOver` is called once. */
  begin(block: InsertBlock, timing: InsertTiming, onOver: (ending: Ending) => void): RunningInsert {
    const insert: RunningInsert = {
      block,
      abandoned: 'no',
      timing,
      known: timing.travelMs === 0,
      next: 0,
      timer: undefined,
      onOver,
    };
    this.#forgetOtherNames(block);
    this.#running.add(insert);
    this.#goOn(insert, insert.known ? timing.firstMs : timing.travelMs);
    return insert;
  }

  /**
   * What the design does not cover: rows that are still on the network, where nothing can end them, while they are
   * inserted under another name. They never arrive here.
   */
  #forgetOtherNames({ table, partition, epoch, attempt, commit }: InsertBlock): void {
    if (this.#deps.flaws.lateInsertsOutliveNames === true || commit !== undefined) return;
    for (const insert of [...this.#running]) {
      const { block, known } = insert;
      const same = block.table === table && block.partition === partition && block.epoch === epoch;
      if (same && !known && block.attempt !== attempt) this.#over(insert, 'cut');
    }
  }

  /** Ends every insert of an epoch that the engine knows of. */
  stop(partition: number, epoch: number): void {
    if (this.#deps.flaws.stopsNothing === true) return;
    for (const insert of [...this.#running]) {
      const { block, known } = insert;
      if (!known || block.partition !== partition || block.epoch !== epoch) continue;
      this.#deps.counters.insertsStopped++;
      this.#over(insert, 'stopped');
    }
  }

  /** Deletes the rows of an epoch. Names stay. */
  delete(table: string, partition: number, epoch: number): void {
    this.#deps.counters.rowsDeleted += this.count(table, partition, epoch);
    this.#standing.get(table)?.delete(placeOf(partition, epoch));
  }

  /** The engine dies and is there again: what ran is cut, and the newest names are not to be trusted. */
  crash(): void {
    this.life++;
    for (const insert of [...this.#running]) {
      if (insert.known) this.#cut(insert);
      this.#over(insert, 'cut');
    }
    this.#loseNames();
  }

  /** Its caller has died: the engine may notice, or go on without it. */
  orphan(insert: RunningInsert, lateMs: number): void {
    insert.abandoned = 'dead';
    insert.timer?.cancel();
    if (this.#deps.random.chance(0.4)) this.#over(insert, 'cut');
    else this.#goOn(insert, lateMs);
  }

  #goOn(insert: RunningInsert, afterMs: number): void {
    insert.timer = this.#deps.scheduler.after(afterMs, () => this.#step(insert));
  }

  /** It arrives, or its next part lands. */
  #step(insert: RunningInsert): void {
    const { block, timing } = insert;
    if (!insert.known) insert.known = true;
    else if (insert.next < timing.partsMax) this.#land(block, insert.next++, insert);
    const workMs = insert.next === 0 ? timing.firstMs : timing.workMs;
    if (insert.next < timing.partsMax) this.#goOn(insert, workMs);
    else this.#over(insert, insert.next === partsOf(block) ? 'landed' : 'torn');
  }

  #land(block: InsertBlock, share: number, insert: RunningInsert): void {
    const { counters, flaws, scheduler } = this.#deps;
    const names = this.#namesOf(block.table);
    const name = nameOf(block, share);
    if (names.has(name) && flaws.ignoresTokens !== true) {
      counters.tokensDropped++;
      return;
    }
    names.set(name, scheduler.nowMs);
    if (names.size > DEDUPLICATION_WINDOW) names.delete(names.keys().next().value ?? '');
    this.#stand(block, share);
    if (insert.abandoned === 'given up') counters.landedLate++;
    if (insert.abandoned === 'dead') counters.landedAfterDeath++;
  }

  #stand(block: InsertBlock, share: number): void {
    const place = placeOf(block.partition, block.epoch);
    const places = madeIn(this.#standing, block.table, () => new Map<string, StandingPart[]>());
    madeIn(places, place, () => []).push({ block, share });
  }

  /** What a crash leaves of the parts that were being written. */
  #cut({ block, next, timing }: RunningInsert): void {
    const { counters, random, scheduler } = this.#deps;
    counters.insertsCut++;
    const names = this.#namesOf(block.table);
    for (let share = next; share < timing.partsMax; share++) {
      const name = nameOf(block, share);
      if (names.has(name)) continue;
      const left = random.pick(['nothing', 'both', 'rows', 'name'] as const);
      if (left === 'both' || left === 'name') names.set(name, scheduler.nowMs);
      if (left === 'both' || left === 'rows') this.#stand(block, share);
      if (left === 'name') counters.tokensWithoutRows++;
    }
  }

  #loseNames(): void {
    const { counters, random, scheduler } = this.#deps;
    for (const names of this.#tokens.values()) {
      for (const [name, atMs] of names) {
        if (atMs < scheduler.nowMs - 500 || !random.chance(0.2)) continue;
        names.delete(name);
        counters.tokensLost++;
      }
    }
  }

  #over(insert: RunningInsert, ending: Ending): void {
    if (!this.#running.delete(insert)) return;
    insert.timer?.cancel();
    insert.onOver(ending);
  }

  #namesOf(table: string): Map<string, number> {
    return madeIn(this.#tokens, table, () => new Map<string, number>());
  }
}

/** Under which the engine remembers a part. */
function nameOf({ partition, epoch, attempt }: InsertBlock, share: number): string {
  return [partition, epoch, attempt, share].join('/');
}

function madeIn<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function placeOf(partition: number, epoch: number): string {
  return `${partition}/${epoch}`;
}
