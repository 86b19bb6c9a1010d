import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type EmbeddedLog,
  type EmbeddedLogOptions,
  openEmbeddedLog,
} from '../../../platform/log/embedded.ts';
import { AppendQueue } from '../../../platform/log/embedded-appends.ts';
import { type embeddedLogLimits, resolveLimits } from '../../../platform/log/embedded-limits.ts';
import { isRunning, thisProcess } from '../../../platform/log/embedded-owner.ts';
import { planRemoval } from '../../../platform/log/embedded-retention.ts';
import { WriteTurns } from '../../../platform/log/embedded-turns.ts';
import type { AppendResult } from '../../../platform/log/log.ts';
import { logContract, readRecords, texts } from './contract.ts';

const topic = 'test.v1';
const support = new URL('../../support/', import.meta.url);
const writer = fileURLToPath(new URL('log-writer.ts', support));
const diskFull = fileURLToPath(new URL('log-disk-full.ts', support));

/** A directory with a dot in its name, as topics have: lmdb would take it for a file. */
async function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'streamgauge.log-'));
}

logContract('the embedded log', async (partitions) => {
  const directory = await makeDirectory();
  const options = { directory, topic, partitions, limits: { recordBytesMax: 300_000 } };
  let current = await openEmbeddedLog(options);
  return {
    log: current,
    recordBytesMax: 300_000,
    async reopen() {
      current = await openEmbeddedLog(options);
      return current;
    },
    async dispose() {
      await current.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe('the embedded log', () => {
  let directory: string;
  let log: EmbeddedLog | undefined;
  let children: ChildProcess[] = [];
  let clock = 1_000_000;

  beforeEach(async () => {
    directory = await makeDirectory();
    clock = 1_000_000;
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    await log?.close();
    log = undefined;
    await rm(directory, { recursive: true });
  });

  async function open(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    const defaults = { directory, topic, partitions: 2, now: () => clock };
    log = await openEmbeddedLog({ ...defaults, ...options });
    return log;
  }

  /** Runs a support program; its lines come as they are printed. */
  function start(program: string, ...rest: string[]) {
    const lines: string[] = [];
    const child = spawn(process.execPath, ['--import', 'tsx', program, directory, ...rest]);
    children.push(child);
    let unfinished = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const parts = `${unfinished}${chunk.toString()}`.split('\n');
      unfinished = parts.pop() ?? '';
      lines.push(...parts);
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const ended = new Promise<{ rest: string; errors: string }>((resolve) =>
      child.once('close', () => resolve({ rest: unfinished, errors })),
    );
    const printed = (count: number) =>
      vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(count), { timeout: 30_000 });
    return { child, lines, printed, ended };
  }

  /** What a writer had acknowledged when it was killed: record number, offset. */
  async function killAfter(count: number): Promise<[number, number][]> {
    const { child, lines, printed, ended } = start(writer, '2');
    await printed(count + 1);
    child.kill('SIGKILL');
    await ended;
    expect(lines[0]).toBe('open');
    return lines.slice(1).map((line) => line.split(' ').map(Number) as [number, number]);
  }

  describe('durability', () => {
    it('has everything that was acknowledged after kill -9, where it was said to be', async () => {
      const acknowledged = await killAfter(2000);
      const reopened = await open();
      const found = new Map<number, number>();
      for (const partition of [0, 1]) {
        for (const { offset, value } of await readRecords(reopened, partition)) {
          found.set(Number.parseInt(value.toString(), 10), offset);
        }
      }
      expect(acknowledged.filter(([number, offset]) => found.get(number) !== offset)).toEqual([]);
    });

    it('goes on after kill -9 with offsets beyond every acknowledged one', async () => {
      const acknowledged = await killAfter(200);
      const reopened = await open();
      for (const partition of [0, 1]) {
        const mine = acknowledged.filter(([number]) => number % 2 === partition);
        const { offset } = await reopened.append(partition, Buffer.from('after'));
        expect(offset).toBeGreaterThan(Math.max(...mine.map(([, taken]) => taken)));
        const after = await readRecords(reopened, partition, { fromOffset: offset });
        expect(texts(after)).toEqual(['after']);
      }
    });

    it('never shows a reader a record whose append has not resolved', async () => {
      const opened = await open({ limits: { gatherMs: 0 } });
      for (let round = 0; round < 200; round += 1) {
        const fromOffset = await opened.latest(0);
        let resolved = false;
        const appended = opened.append(0, Buffer.alloc(400)).then(() => {
          resolved = true;
        });
        // Looks at every turn of the event loop, while the other thread commits.
        for (;;) {
          await nextTurn();
          const wasResolved: boolean = resolved;
          const seen = (await readRecords(opened, 0, { fromOffset })).length > 0;
          expect(seen).toBe(wasResolved);
          if (seen) break;
        }
        await appended;
      }
    });

    it('fails what a full disk does not take, removes and opens even then, and goes on when there is room', {
      skip: spawnSync('prlimit', ['--version']).status !== 0,
    }, async () => {
      const { rest, errors } = await start(diskFull).ended;
      expect(rest, errors).not.toBe('');
      // What LMDB says of a failed write goes beyond the memory it has for it: it must never meet one.
      expect(errors).toBe('');
      expect(JSON.parse(rest)).toEqual({
        codes: ['log_unavailable'],
        causes: true,
        latestWhileFull: 2,
        removedRecords: 1,
        offsetsGrow: true,
        texts: ['before', 'after'],
        failedTransactions: 1,
        told: 1,
      });
    });
  });

  describe('opening', () => {
    it('refuses a directory that it has open itself', async () => {
      await open();
      const again = openEmbeddedLog({ directory, topic, partitions: 2 });
      await expect(again).rejects.toMatchObject({ code: 'log_in_use' });
      await expect(again).rejects.toThrow(String(process.pid));
      await (log as EmbeddedLog).append(0, Buffer.from('still works'));
    });

    it('refuses a directory of a living process, and takes it once that was killed', async () => {
      const { child, lines, printed, ended } = start(writer, '2');
      await printed(2);
      const refused = open();
      await expect(refused).rejects.toMatchObject({ code: 'log_in_use' });
      await expect(refused).rejects.toThrow(`process ${child.pid}`);
      await expect(refused).rejects.toThrow(directory);
      // The owner was not disturbed.
      await printed(lines.length + 1);
      child.kill('SIGKILL');
      await ended;
      expect(await (await open()).latest(0)).toBeGreaterThan(0);
    });

    it('lets one of two processes win that start together', async () => {
      const writers = [start(writer, '2'), start(writer, '2')];
      const loser = await Promise.race(
        writers.map(async ({ ended }, index) => ({ index, ...(await ended) })),
      );
      expect(loser.errors).toContain('log_in_use');
      expect(writers[loser.index]?.lines).toEqual([]);
      await writers[1 - loser.index]?.printed(2);
    });

    it('refuses another number of partitions, and says which it has', async () => {
      await (await open()).close();
      const refused = open({ partitions: 3 });
      await expect(refused).rejects.toMatchObject({ code: 'log_partitions_changed' });
      await expect(refused).rejects.toThrow('2 partitions');
      expect((await open()).partitions).toBe(2);
    });

    it('refuses another topic', async () => {
      await (await open()).close();
      await expect(open({ topic: 'other.v1' })).rejects.toMatchObject({
        code: 'log_topic_changed',
      });
    });

    it('refuses limits that make no sense', async () => {
      await expect(open({ limits: { queueRecordsMax: 0 } })).rejects.toThrow('queueRecordsMax');
      await expect(open({ limits: { queueBytesMax: 10 } })).rejects.toThrow('recordBytesMax');
      await expect(open({ partitions: 0 })).rejects.toThrow('partitions');
    });

    it('does not take a later process with the same pid for the owner', () => {
      const self = thisProcess();
      expect(isRunning(self)).toBe(true);
      expect(isRunning({ ...self, startedAt: `${self.startedAt}0` })).toBe(
        process.platform !== 'linux',
      );
      expect(isRunning({ pid: 2 ** 22 + 1, startedAt: '' })).toBe(false);
    });
  });

  describe('appending', () => {
    it('takes the time of its own clock, even one that steps back', async () => {
      const opened = await open();
      const first = await opened.append(0, Buffer.from('a'));
      clock -= 5000;
      const second = await opened.append(0, Buffer.from('b'));
      expect([first.appendTimeMs, second.appendTimeMs]).toEqual([1_000_000, 995_000]);
      expect((await readRecords(opened, 0)).map(({ appendTimeMs }) => appendTimeMs)).toEqual([
        1_000_000, 995_000,
      ]);
    });

    it('refuses what does not fit the queue, and takes it again later', async () => {
      const opened = await open({ limits: { queueRecordsMax: 3 } });
      const results = await Promise.allSettled(
        [1, 2, 3, 4, 5].map((index) => opened.append(0, Buffer.from(`record ${index}`))),
      );
      expect(results.map(({ status }) => status)).toEqual([
        ...['fulfilled', 'fulfilled', 'fulfilled'],
        ...['rejected', 'rejected'],
      ]);
      expect(results[4]).toMatchObject({ reason: { code: 'log_overloaded' } });
      expect(opened.counters).toMatchObject({ overloaded: 2, appendedRecords: 3 });
      await opened.append(0, Buffer.from('later'));
      expect(await readRecords(opened, 0)).toHaveLength(4);
    });

    it('bounds the queue by bytes too', async () => {
      const opened = await open({ limits: { queueBytesMax: 1000, recordBytesMax: 1000 } });
      const fits = opened.append(0, Buffer.alloc(800));
      const refused = opened.append(0, Buffer.alloc(300));
      await expect(refused).rejects.toMatchObject({ code: 'log_overloaded' });
      await fits;
      expect(opened.counters).toMatchObject({ appendedRecords: 1, appendedBytes: 800 });
    });
  });

  describe('retention', () => {
    const limits = { retentionMs: 1000, retentionTransactionRecordsMax: 7 };

    async function fill(opened: EmbeddedLog, count: number, partition: number): Promise<void> {
      const appends = Array.from({ length: count }, (_, index) =>
        opened.append(partition, Buffer.from(`${partition}:${index}`.padEnd(80))),
      );
      await Promise.all(appends);
    }

    it('removes what is too old, and tells readers of it', async () => {
      const opened = await open({ limits });
      await fill(opened, 50, 0);
      clock += 1500;
      await fill(opened, 5, 0);
      const removed = await opened.enforceRetention();
      expect(removed).toEqual({ removedRecords: 50, removedBytes: 50 * 80 });
      expect(opened.counters).toMatchObject(removed);
      expect(await opened.earliest(0)).toBe(50);
      expect(await readRecords(opened, 0, { fromOffset: 50 })).toHaveLength(5);
      await expect(readRecords(opened, 0, { fromOffset: 49 })).rejects.toMatchObject({
        code: 'log_offset_out_of_range',
      });
    });

    it('keeps the newest record of each partition, however old', async () => {
      const opened = await open({ limits });
      await fill(opened, 20, 0);
      await fill(opened, 1, 1);
      clock += 1_000_000;
      expect(await opened.enforceRetention()).toMatchObject({ removedRecords: 19 });
      expect(await opened.enforceRetention()).toMatchObject({ removedRecords: 0 });
      expect([await opened.earliest(0), await opened.latest(0)]).toEqual([19, 20]);
      expect([await opened.earliest(1), await opened.latest(1)]).toEqual([0, 1]);
    });

    it('removes the oldest of all partitions when there is too much', async () => {
      // A record takes 100 bytes with its key and time.
      const opened = await open({ limits: { retentionBytesMax: 3000 } });
      await fill(opened, 10, 1);
      clock += 1;
      await fill(opened, 30, 0);
      clock += 1;
      await fill(opened, 10, 1);
      expect(await opened.enforceRetention()).toMatchObject({ removedRecords: 20 });
      expect([await opened.earliest(1), await opened.latest(1)]).toEqual([10, 20]);
      expect([await opened.earliest(0), await opened.latest(0)]).toEqual([10, 30]);
    });

    it('remembers offsets and sizes over reopening', async () => {
      await fill(await open({ limits }), 30, 0);
      clock += 1500;
      await log?.enforceRetention();
      await log?.close();
      const opened = await open({ limits: { retentionBytesMax: 1050 } });
      expect([await opened.earliest(0), await opened.latest(0)]).toEqual([29, 30]);
      await fill(opened, 10, 0);
      expect(await opened.latest(0)).toBe(40);
      // Eleven records of 100 bytes: one is too many.
      expect(await opened.enforceRetention()).toMatchObject({ removedRecords: 1 });
      await expect(readRecords(opened, 0, { fromOffset: 0 })).rejects.toMatchObject({
        code: 'log_offset_out_of_range',
      });
    });

    it('tells a reader that it has overtaken', async () => {
      const opened = await open({ limits });
      await fill(opened, 100, 0);
      const options = { fromOffset: 0, follow: true, batchRecordsMax: 10 };
      const batches = opened.read(0, options)[Symbol.asyncIterator]();
      expect((await batches.next()).value).toHaveLength(10);
      clock += 1500;
      await opened.enforceRetention();
      await expect(batches.next()).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
    });

    it('never leaves a hole in what a reader gets that runs beside it', async () => {
      const opened = await open({ limits: { ...limits, retentionTransactionRecordsMax: 50 } });
      await fill(opened, 1000, 0);
      clock += 1500;
      const removal = opened.enforceRetention();
      const read: number[] = [];
      const reading = (async () => {
        const options = { fromOffset: 0, follow: false, batchRecordsMax: 1 };
        for await (const batch of opened.read(0, options)) {
          for (const { offset } of batch) read.push(offset);
        }
      })();
      const [outcome] = await Promise.allSettled([reading, removal]);
      expect(read).toEqual(read.map((_, index) => index));
      if (outcome.status === 'fulfilled') expect(read).toHaveLength(1000);
      else expect(outcome.reason).toMatchObject({ code: 'log_offset_out_of_range' });
    });

    it('goes on while records are appended and read, and loses none of the new', async () => {
      const opened = await open({ limits: { ...limits, retentionBytesMax: 20_000 } });
      for (let round = 0; round < 20; round += 1) {
        clock += 10;
        await Promise.all([fill(opened, 60, 0), fill(opened, 40, 1), opened.enforceRetention()]);
      }
      await opened.enforceRetention();
      for (const [partition, count] of [
        [0, 60],
        [1, 40],
      ] as const) {
        const fromOffset = await opened.earliest(partition);
        const records = await readRecords(opened, partition, { fromOffset });
        expect(await opened.latest(partition)).toBe(count * 20);
        expect(texts(records.slice(-count)).map((text) => text.trim())).toEqual(
          Array.from({ length: count }, (_, index) => `${partition}:${index}`),
        );
      }
    });

    it('runs by itself when given an interval', async () => {
      const opened = await open({ limits, retentionIntervalMs: 5 });
      await fill(opened, 10, 0);
      clock += 1500;
      await vi.waitFor(() => expect(opened.counters.removedRecords).toBe(9));
    });
  });
});

describe('planning a removal', () => {
  function positions(partition: number, times: readonly number[]) {
    const rows = times.map((appendTimeMs, offset) => ({
      ...{ partition, offset, appendTimeMs },
      valueBytes: 80,
    }));
    return rows.values();
  }
  const nothing = { expiredBeforeMs: 0, excessBytes: 0, recordsMax: 100, bytesMax: 1e9 };
  const times = (plan: readonly { appendTimeMs: number }[]) => plan.map((row) => row.appendTimeMs);

  it('removes nothing without a reason', () => {
    expect(planRemoval([positions(0, [1, 2])], nothing)).toEqual([]);
  });

  it('takes the oldest first over all partitions, until enough bytes are gone', () => {
    const partitions = [positions(0, [1, 4, 5]), positions(1, []), positions(2, [2, 3, 6])];
    expect(times(planRemoval(partitions, { ...nothing, excessBytes: 301 }))).toEqual([1, 2, 3, 4]);
  });

  it('takes no more than a transaction may', () => {
    const old = { ...nothing, expiredBeforeMs: 9 };
    const rows = [1, 2, 3, 4, 5];
    expect(planRemoval([positions(0, rows)], { ...old, recordsMax: 2 })).toHaveLength(2);
    expect(planRemoval([positions(0, rows)], { ...old, bytesMax: 150 })).toHaveLength(2);
    expect(planRemoval([positions(0, rows)], { ...old, bytesMax: 1 })).toHaveLength(1);
  });

  it('does not skip a younger record to reach an expired one behind it', () => {
    const plan = planRemoval([positions(0, [1, 50, 2])], { ...nothing, expiredBeforeMs: 9 });
    expect(times(plan)).toEqual([1]);
  });
});

describe('the append queue', () => {
  function queueWith(
    commit: (texts: readonly string[]) => Promise<void>,
    limits: Partial<typeof embeddedLogLimits> = {},
  ) {
    let offset = 0;
    return new AppendQueue({
      limits: resolveLimits(limits),
      counters: { overloaded: 0 },
      async commit(batch): Promise<readonly AppendResult[]> {
        await commit(batch.map(({ stored }) => stored.subarray(8).toString()));
        return batch.map(() => ({ offset: offset++, appendTimeMs: 0 }));
      },
    });
  }
  const bytes = (text: string) => Buffer.from(text);

  it('takes many appends into one transaction, up to its limits, and begins none before the last ended', async () => {
    const batches: string[][] = [];
    let underWay = 0;
    const queue = queueWith(
      async (batch) => {
        underWay += 1;
        expect(underWay).toBe(1);
        batches.push([...batch]);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
      },
      { transactionRecordsMax: 3, transactionBytesMax: 10 },
    );
    const all = ['a', 'b', 'c', 'd', '123456789', 'long enough alone', 'e'];
    await Promise.all(all.map((text) => queue.push(0, bytes(text))));
    expect(batches).toEqual([['a', 'b', 'c'], ['d', '123456789'], ['long enough alone'], ['e']]);
  });

  it('fails only the appends of the transaction that failed', async () => {
    let failures = 1;
    const queue = queueWith(
      async () => {
        if (failures-- > 0) throw new Error('disk full');
      },
      { transactionRecordsMax: 2 },
    );
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((text) => queue.push(0, bytes(text))),
    );
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    await queue.push(0, bytes('d'));
  });
});

describe('turns of the writer', () => {
  it('gives up a write that the disk never answers, and says so until it does', async () => {
    const turns = new WriteTurns(20);
    let answer = (): void => undefined;
    const hanging = turns.run(() => new Promise<void>((resolve) => (answer = resolve)));
    const behind = turns.run(async () => 'behind');
    await expect(hanging).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(behind).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(turns.stuck).toBe(true);
    answer();
    await vi.waitFor(() => expect(turns.stuck).toBe(false));
    expect(await turns.run(async () => 'after')).toBe('after');
  });
});
