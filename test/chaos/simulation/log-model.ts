/**
 * The log in memory. An append becomes durable with its transaction, after a while; until then nobody reads it, and a
 * crash of the log's process takes it away, whole, without a word to whoever waits. Append times may stand still or step
 * back, offsets may have gaps. A reader's bytes are overwritten when it asks for the next batch, as the interface allows.
 */
import type { AppendResult, Log, LogRecord, ReadOptions } from '../../../platform/log/log.ts';
import { LogError } from '../../../platform/log/log.ts';
import type { Faults } from './faults.ts';
import type { Answer, Incarnation } from './incarnation.ts';
import type { Scheduler } from './scheduler.ts';

/** What a record holds, for the checks: the log itself never looks. */
export interface RecordNote {
  readonly view: string;
  /** Numbers of its events: lane, then sequence number. */
  readonly events: readonly string[];
  /** Identities of its edge requests. */
  readonly identities: readonly string[];
}

export interface StoredRecord extends LogRecord {
  readonly note: RecordNote | undefined;
}

export interface LogFlaws {
  /** Readers see what is not durable yet. */
  readonly showsUnflushed?: boolean;
}

interface PendingAppend {
  readonly record: StoredRecord;
  readonly answer: Answer<AppendResult>;
  readonly acknowledged: boolean;
}

class ModelPartition {
  records: StoredRecord[] = [];
  /** Records before this index are durable. */
  durable = 0;
  pending: PendingAppend[] = [];
  /** First offset kept. */
  earliest = 0;
  flushDue = false;
  readonly waiting = new Set<() => void>();

  /** Offset after the newest of so many records. */
  endOf(count: number): number {
    const last = this.records[count - 1];
    return last === undefined ? 0 : last.offset + 1;
  }
}

export class LogModel {
  readonly partitions: readonly ModelPartition[];
  readonly #faults: Faults;
  readonly #scheduler: Scheduler;
  readonly #flaws: LogFlaws;
  /** Grows with each crash. */
  #life = 0;

  constructor(faults: Faults, scheduler: Scheduler, flaws: LogFlaws = {}) {
    this.#faults = faults;
    this.#scheduler = scheduler;
    this.#flaws = flaws;
    this.partitions = Array.from({ length: faults.plan.partitions }, () => new ModelPartition());
  }

  /** All durable records of a partition, those that retention removed too. */
  durableRecords(partition: number): readonly StoredRecord[] {
    const model = this.#of(partition);
    return model.records.slice(0, model.durable);
  }

  /** A record that is there before anything happens. */
  place(partition: number, value: Buffer): void {
    const model = this.#of(partition);
    const appendTimeMs = this.#faults.logTimeMs();
    model.records.push({ offset: model.records.length, appendTimeMs, value, note: undefined });
    model.durable = model.records.length;
  }

  append(
    partition: number,
    value: Buffer,
    note: RecordNote | undefined,
    answer: Answer<AppendResult>,
  ): void {
    const { counters } = this.#faults;
    const fate = this.#faults.logIsDown ? 'refused' : this.#faults.append();
    if (fate === 'refused') {
      counters.appendsRefused++;
      this.#later(() => answer.reject(this.#faults.logError()));
    } else if (fate === 'delayed') {
      counters.appendsDelayed++;
      this.#later(() => answer.reject(this.#faults.logError()));
      const silent = { resolve: () => undefined, reject: () => undefined };
      const life = this.#life;
      this.#scheduler.after(this.#faults.afterlifeMs(), () => {
        if (life === this.#life) this.#take(partition, value, note, silent, false);
      });
    } else this.#take(partition, value, note, answer, fate === 'done');
  }

  /** The process of the log dies: what is not durable is gone, and nobody is told. */
  cut(): void {
    this.#life++;
    for (const model of this.partitions) {
      this.#faults.counters.appendsCut += model.pending.length;
      model.records.length = model.durable;
      model.pending = [];
      model.waiting.clear();
    }
  }

  /** Retention removes what lies before an offset. */
  retire(partition: number, beforeOffset: number): void {
    const model = this.#of(partition);
    model.earliest = Math.max(model.earliest, beforeOffset);
  }

  /** The log as one process sees it. */
  connect(process: Incarnation): Log {
    return {
      topic: 'telemetry',
      partitions: this.partitions.length,
      append: (partition, value) =>
        process.ask('log.append', (answer) => {
          this.append(partition, Buffer.from(value), undefined, answer);
        }),
      read: (partition, options) => ({
        [Symbol.asyncIterator]: () => this.#reader(process, partition, options),
      }),
      earliest: (partition) =>
        this.#askBound(process, 'log.earliest', () => this.#of(partition).earliest),
      latest: (partition) => this.#askBound(process, 'log.latest', () => this.#latest(partition)),
      close: () => Promise.resolve(),
    };
  }

  #askBound(process: Incarnation, name: string, look: () => number): Promise<number> {
    return process.ask(name, (answer) => {
      this.#later(() => {
        if (this.#faults.logIsDown) answer.reject(this.#faults.logError());
        else answer.resolve(look());
      });
    });
  }

  #latest(partition: number): number {
    const model = this.#of(partition);
    return model.endOf(this.#visible(model));
  }

  #visible(model: ModelPartition): number {
    return this.#flaws.showsUnflushed === true ? model.records.length : model.durable;
  }

  #take(
    partition: number,
    value: Buffer,
    note: RecordNote | undefined,
    answer: Answer<AppendResult>,
    acknowledged: boolean,
  ): void {
    const model = this.#of(partition);
    let offset = model.endOf(model.records.length);
    if (this.#faults.plan.offsetGaps && this.#faults.random.chance(0.1)) {
      this.#faults.counters.offsetGaps++;
      offset += this.#faults.random.int(1, 3);
    }
    const record = { offset, appendTimeMs: this.#faults.logTimeMs(), value, note };
    model.records.push(record);
    model.pending.push({ record, answer, acknowledged });
    if (this.#flaws.showsUnflushed === true) wake(model);
    if (model.flushDue) return;
    model.flushDue = true;
    this.#scheduler.after(this.#faults.flushMs(), () => this.#flush(model));
  }

  /** The transaction under way becomes durable. */
  #flush(model: ModelPartition): void {
    model.flushDue = false;
    const { pending } = model;
    model.pending = [];
    model.durable = model.records.length;
    for (const { record, answer, acknowledged } of pending) {
      const { offset, appendTimeMs } = record;
      if (!acknowledged) this.#faults.counters.appendAcksLost++;
      this.#later(() => {
        if (acknowledged) answer.resolve({ offset, appendTimeMs });
        else answer.reject(this.#faults.logError());
      });
    }
    wake(model);
  }

  #reader(
    process: Incarnation,
    partition: number,
    options: ReadOptions,
  ): AsyncIterator<readonly LogRecord[]> {
    const model = this.#of(partition);
    let position = options.fromOffset;
    let given: LogRecord[] = [];
    const deliver = (answer: Answer<IteratorResult<readonly LogRecord[]>>): void => {
      const batch = this.#batch(model, position, options.batchRecordsMax ?? 1_000);
      const last = batch.at(-1);
      if (last === undefined) {
        this.#wait(model, options, answer, () => deliver(answer));
        return;
      }
      given = batch;
      position = last.offset + 1;
      answer.resolve({ done: false, value: batch });
    };
    return {
      next: () =>
        process.ask('log.read', (answer) => {
          for (const { value } of given) value.fill(0xaa);
          given = [];
          if (position < model.earliest || position > this.#latest(partition)) {
            answer.reject(new LogError('log_offset_out_of_range', `no offset ${position}`));
          } else this.#later(() => deliver(answer));
        }),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  /** Nothing is there: waits for the next transaction, or ends. */
  #wait(
    model: ModelPartition,
    { follow, signal }: ReadOptions,
    answer: Answer<IteratorResult<readonly LogRecord[]>>,
    again: () => void,
  ): void {
    if (!follow || signal?.aborted === true) {
      answer.resolve({ done: true, value: undefined });
      return;
    }
    const onWake = (): void => {
      signal?.removeEventListener('abort', onAbort);
      this.#later(again);
    };
    const onAbort = (): void => {
      model.waiting.delete(onWake);
      answer.resolve({ done: true, value: undefined });
    };
    model.waiting.add(onWake);
    signal?.addEventListener('abort', onAbort, { once: true });
  }

  /** A batch of any size, with bytes of its own. */
  #batch(model: ModelPartition, fromOffset: number, countMax: number): LogRecord[] {
    const visible = this.#visible(model);
    let from = visible;
    while (from > 0 && (model.records[from - 1]?.offset ?? 0) >= fromOffset) from--;
    const count = Math.min(visible - from, countMax, this.#faults.random.size(1, 64));
    return model.records.slice(from, from + count).map(({ offset, appendTimeMs, value }) => ({
      offset,
      appendTimeMs,
      value: Buffer.from(value),
    }));
  }

  #later(action: () => void): void {
    this.#scheduler.after(this.#faults.latencyMs(), action);
  }

  #of(partition: number): ModelPartition {
    const model = this.partitions[partition];
    if (model === undefined) throw new LogError('log_partition_unknown', `no ${partition}`);
    return model;
  }
}

function wake(model: ModelPartition): void {
  for (const onWake of [...model.waiting]) {
    model.waiting.delete(onWake);
    onWake();
  }
}
