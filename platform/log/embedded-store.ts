/**
 * The embedded log on disk: one LMDB environment, two databases.
 *
 * - `records`: key = partition (4 bytes), offset (8 bytes), both big-endian, so that key order is (partition, offset);
 *   value = append time (8 bytes, a double) and the record's bytes.
 * - `meta`: JSON. `log` (format, topic, partitions), `owner`, and for each partition its state, written in the same
 *   transaction as the records it describes.
 *
 * Guarantees: a write resolves only when LMDB has flushed it, and nobody sees it before. `overlappingSync` is off, so
 * a commit syncs the data pages, then writes the meta page through a synchronous descriptor, then becomes visible
 * (mdb_txn_commit). A write is whole or not there. No read transaction is held beyond one turn of the event loop.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { damageOf } from './embedded-file.ts';
import { isRunning, type Owner, thisProcess } from './embedded-owner.ts';
import { FileRoom, ROOM_BYTES_TO_OPEN, roomToAppend, roomToRemove } from './embedded-room.ts';
import { LogError, type LogRecord } from './log.ts';

const FORMAT = 1;
/** LMDB's name for it. */
const DATA_FILE = 'data.mdb';
const KEY_BYTES = 12;
const TIME_BYTES = 8;
/** Bytes that a record costs beside its own. */
export const RECORD_OVERHEAD_BYTES = KEY_BYTES + TIME_BYTES;

/** What is known of a partition, durably. */
export interface PartitionState {
  /** One past the newest record that retention removed. */
  readonly startOffset: number;
  /** One past the newest durable record. */
  readonly nextOffset: number;
  /** Bytes of its records, with keys and times. */
  readonly bytes: number;
}

/** A record on its way to the disk: `stored` begins with room for the append time. */
export interface StoredRecord {
  readonly partition: number;
  readonly offset: number;
  readonly stored: Buffer;
}

/** Where a record is, without its bytes. */
export interface RecordPosition {
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  /** Length of the record itself, bytes. */
  readonly valueBytes: number;
}

/** New states by partition. */
export type StateChanges = ReadonlyMap<number, PartitionState>;

interface LogDescription {
  readonly format: number;
  readonly topic: string;
  readonly partitions: number;
}

/** What is used of what lmdb tells, for which it has no type. */
interface EnvironmentStats {
  readonly lastPageNumber: number;
  readonly pageSize: number;
}

export interface StoreOptions {
  readonly directory: string;
  readonly topic: string;
  readonly partitions: number;
}

/** Directories that this thread has open: opening one twice would share LMDB's state unawares. */
const openDirectories = new Set<string>();

/** Copies a record's bytes behind room for its append time. */
export function storedFrom(value: Uint8Array): Buffer {
  const stored = Buffer.allocUnsafe(TIME_BYTES + value.byteLength);
  stored.set(value, TIME_BYTES);
  return stored;
}

/** Opens or creates the store and makes this process its owner. */
export async function openEmbeddedStore(options: StoreOptions): Promise<EmbeddedStore> {
  mkdirSync(options.directory, { recursive: true });
  const directory = realpathSync(options.directory);
  if (openDirectories.has(directory)) throw inUse(process.pid, directory);
  const damage = damageOf(join(directory, DATA_FILE));
  if (damage !== undefined) {
    throw new LogError(
      'log_damaged',
      `The log in ${directory} cannot be used, ${damage}: restore it, or use another directory`,
    );
  }
  const environment = openEnvironment(directory);
  let room: FileRoom | undefined;
  try {
    room = new FileRoom(join(directory, DATA_FILE), () => usedBytes(environment));
    room.ensureSync(ROOM_BYTES_TO_OPEN);
    const store = new EmbeddedStore(environment, room, directory, options);
    openDirectories.add(directory);
    return store;
  } catch (error) {
    room?.close();
    await environment.close();
    throw error;
  }
}

/** Up to the last page that the newest transaction uses. */
function usedBytes(environment: RootDatabase<Buffer, Buffer>): number {
  const { lastPageNumber, pageSize } = environment.getStats() as EnvironmentStats;
  return (lastPageNumber + 1) * pageSize;
}

function openEnvironment(directory: string): RootDatabase<Buffer, Buffer> {
  const environment = open<Buffer, Buffer>({
    path: directory,
    // Without this a dot in the directory's name makes it a file.
    noSubdir: false,
    overlappingSync: false,
    // With it, a failed transaction also rejects promises that nobody holds, which ends the process.
    eventTurnBatching: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  syncDirectory(directory);
  syncDirectory(dirname(directory));
  return environment;
}

/** LMDB flushes files, not the directory entries that lead to them. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function inUse(pid: number, directory: string): LogError {
  return new LogError(
    'log_in_use',
    `The log in ${directory} belongs to process ${pid}: stop it, or use another directory`,
  );
}

export class EmbeddedStore {
  readonly #environment: RootDatabase<Buffer, Buffer>;
  readonly #room: FileRoom;
  readonly #records: Database<Buffer, Buffer>;
  readonly #meta: Database<unknown, string>;
  readonly #directory: string;
  readonly #partitions: number;
  /** LMDB copies keys at once, so one buffer serves every write. */
  readonly #key = Buffer.alloc(KEY_BYTES);

  constructor(
    environment: RootDatabase<Buffer, Buffer>,
    room: FileRoom,
    directory: string,
    options: StoreOptions,
  ) {
    this.#environment = environment;
    this.#room = room;
    this.#directory = directory;
    this.#partitions = options.partitions;
    this.#records = environment.openDB('records', { encoding: 'binary', keyEncoding: 'binary' });
    this.#meta = environment.openDB('meta', { encoding: 'json' });
    this.#meta.transactionSync(() => {
      this.#describe(options);
      this.#claim();
    });
  }

  /** States as they are on disk, one for each partition. */
  states(): PartitionState[] {
    return Array.from({ length: this.#partitions }, (_, partition) => {
      const state = this.#meta.get(stateKey(partition)) as PartitionState | undefined;
      return state ?? { startOffset: 0, nextOffset: 0, bytes: 0 };
    });
  }

  /** Writes records and the states that follow from them, in one transaction. Resolves when it is flushed. */
  append(records: readonly StoredRecord[], appendTimeMs: number, states: StateChanges) {
    const room = roomToAppend(records, states.size);
    return this.#transaction(room, states, () => {
      for (const { partition, offset, stored } of records) {
        stored.writeDoubleBE(appendTimeMs, 0);
        void this.#records.put(writeKey(this.#key, partition, offset), stored);
      }
    });
  }

  /** Removes records and writes the states that follow, in one transaction. Resolves when it is flushed. */
  remove(positions: readonly RecordPosition[], states: StateChanges) {
    const room = roomToRemove(positions.length, states.size);
    return this.#transaction(room, states, () => {
      for (const { partition, offset } of positions) {
        void this.#records.remove(writeKey(this.#key, partition, offset));
      }
    });
  }

  /** Records with `fromOffset <= offset < endOffset`, oldest first, as copies; at least one if there is any. */
  slice(
    partition: number,
    fromOffset: number,
    endOffset: number,
    most: { readonly records: number; readonly bytes: number },
  ): LogRecord[] {
    const records: LogRecord[] = [];
    let bytes = 0;
    for (const { key, value } of this.#range(partition, fromOffset, endOffset, most.records)) {
      bytes += value.byteLength - TIME_BYTES;
      if (records.length > 0 && bytes > most.bytes) break;
      records.push({
        offset: offsetOf(key),
        appendTimeMs: value.readDoubleBE(0),
        value: value.subarray(TIME_BYTES),
      });
    }
    return records;
  }

  /** Positions with `fromOffset <= offset < endOffset`, oldest first. Use it up, or end it, in the same turn. */
  *positions(
    partition: number,
    fromOffset: number,
    endOffset: number,
  ): Generator<RecordPosition, undefined> {
    for (const { key, value } of this.#range(partition, fromOffset, endOffset)) {
      yield {
        partition,
        offset: offsetOf(key),
        appendTimeMs: value.readDoubleBE(0),
        valueBytes: value.byteLength - TIME_BYTES,
      };
    }
    return undefined;
  }

  /** Gives the directory free and closes the environment. Nothing may be under way. */
  async close(): Promise<void> {
    try {
      // The owner is overwritten, not removed: lmdb has a report of a crash when a database's last key goes.
      this.#meta.transactionSync(() => this.#meta.putSync('owner', null));
    } finally {
      openDirectories.delete(this.#directory);
      this.#room.close();
      await this.#environment.close();
    }
  }

  #describe({ topic, partitions }: StoreOptions): void {
    const found = this.#meta.get('log') as LogDescription | undefined;
    if (found === undefined) {
      this.#meta.putSync('log', { format: FORMAT, topic, partitions });
      return;
    }
    const problem = difference(found, topic, partitions);
    if (problem) throw new LogError(problem.code, `${this.#directory}: ${problem.message}`);
  }

  #claim(): void {
    const owner = this.#meta.get('owner') as Owner | null | undefined;
    if (owner && isRunning(owner)) throw inUse(owner.pid, this.#directory);
    this.#meta.putSync('owner', thisProcess());
  }

  async #transaction(roomBytes: number, states: StateChanges, write: () => void): Promise<void> {
    await this.#room.ensure(roomBytes);

    try {
      await this.#records.batch(() => {
        write();
        for (const [partition, state] of states) void this.#meta.put(stateKey(partition), state);
      });
    } catch (error) {
      throw await commitError(error);
    }
  }

  #range(partition: number, fromOffset: number, endOffset: number, limit?: number) {
    return this.#records.getRange({
      start: writeKey(Buffer.alloc(KEY_BYTES), partition, fromOffset),
      end: writeKey(Buffer.alloc(KEY_BYTES), partition, endOffset),
      ...(limit === undefined ? {} : { limit }),
    });
  }
}

function difference(found: LogDescription, topic: string, partitions: number) {
  if (found.format !== FORMAT) {
    const message = `its format is ${found.format}, this program knows ${FORMAT}: use the program that wrote it`;
    return { code: 'log_format_unknown', message } as const;
  }
  if (found.topic !== topic) {
    const message = `it holds the topic ${found.topic}, not ${topic}: give each topic a directory`;
    return { code: 'log_topic_changed', message } as const;
  }
  if (found.partitions !== partitions) {
    const message =
      `it was made with ${found.partitions} partitions and cannot be opened with ${partitions}: ` +
      'drain it and start a new generation of the topic';
    return { code: 'log_partitions_changed', message } as const;
  }
  return undefined;
}

/** lmdb hides the reason of a failed commit in a promise, which must be awaited or it ends the process. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (reason) {
    return reason;
  }
}

function stateKey(partition: number): string {
  return `partition-${partition}`;
}

const HIGH = 2 ** 32;

function writeKey(key: Buffer, partition: number, offset: number): Buffer {
  key.writeUInt32BE(partition, 0);
  key.writeUInt32BE(Math.floor(offset / HIGH), 4);
  key.writeUInt32BE(offset % HIGH, 8);
  return key;
}

function offsetOf(key: Buffer): number {
  return key.readUInt32BE(4) * HIGH + key.readUInt32BE(8);
}
