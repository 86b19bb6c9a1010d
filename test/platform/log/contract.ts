/**
 * What every log must do, whatever stands behind it. Each implementation runs this suite from its own test file.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppendResult, Log, LogRecord, ReadOptions } from '../../../platform/log/log.ts';

/** A log for one test, on a topic of its own. */
export interface LogUnderTest {
  readonly log: Log;
  /** A record may have this many bytes, and not one more. */
  readonly recordBytesMax: number;
  /** Opens the same topic again, after its log was closed. */
  reopen(): Promise<Log>;
  /** Frees everything; closes logs that are open. */
  dispose(): Promise<void>;
}

/** Reads until `count` records are there, or the stream ends. Keeps copies. */
export async function readRecords(
  log: Log,
  partition: number,
  options: Partial<ReadOptions> = {},
  count = Number.POSITIVE_INFINITY,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of log.read(partition, { fromOffset: 0, follow: false, ...options })) {
    expect(batch.length).toBeGreaterThan(0);
    for (const record of batch) records.push({ ...record, value: Buffer.from(record.value) });
    if (records.length >= count) break;
  }
  return records;
}

/** The records' bytes as text. */
export function texts(records: readonly LogRecord[]): string[] {
  return records.map(({ value }) => value.toString());
}

export function logContract(
  name: string,
  open: (partitions: number) => Promise<LogUnderTest>,
): void {
  describe(`${name}, as every log`, () => {
    const partitions = 3;
    let subject: LogUnderTest;
    let log: Log;

    beforeEach(async () => {
      subject = await open(partitions);
      log = subject.log;
    });
    afterEach(() => subject.dispose());

    const append = (partition: number, text: string): Promise<AppendResult> =>
      log.append(partition, Buffer.from(text));

    it('tells its topic and how many partitions it has', () => {
      expect(log.topic).not.toBe('');
      expect(log.partitions).toBe(partitions);
    });

    it('gives back what was appended, in order, at the offsets it told', async () => {
      const results: AppendResult[] = [];
      for (const text of ['one', 'two', 'three']) results.push(await append(1, text));
      const records = await readRecords(log, 1);
      expect(texts(records)).toEqual(['one', 'two', 'three']);
      expect(records.map(({ offset }) => offset)).toEqual(results.map(({ offset }) => offset));
    });

    it('shows a record to a reader as soon as its append resolved', async () => {
      for (let index = 0; index < 20; index += 1) {
        const { offset } = await append(0, `record ${index}`);
        expect(texts(await readRecords(log, 0, { fromOffset: offset }))).toEqual([
          `record ${index}`,
        ]);
      }
    });

    it('gives every record its append time, the same to writer and reader', async () => {
      const { appendTimeMs } = await append(0, 'timed');
      const [record] = await readRecords(log, 0);
      expect(Number.isFinite(appendTimeMs)).toBe(true);
      expect(record?.appendTimeMs).toBe(appendTimeMs);
    });

    it('keeps partitions apart', async () => {
      await Promise.all([append(0, 'a'), append(2, 'c'), append(0, 'aa')]);
      expect(texts(await readRecords(log, 0))).toEqual(['a', 'aa']);
      expect(await readRecords(log, 1)).toEqual([]);
      expect(texts(await readRecords(log, 2))).toEqual(['c']);
    });

    it('keeps the order of calls inside a partition when many appends are under way', async () => {
      const wanted = Array.from({ length: 1500 }, (_, index) => `record ${index}`);
      const results = await Promise.all(wanted.map((text, index) => append(index % 2, text)));
      for (const partition of [0, 1]) {
        const mine = (_: unknown, index: number) => index % 2 === partition;
        const records = await readRecords(log, partition);
        expect(texts(records)).toEqual(wanted.filter(mine));
        const offsets = records.map(({ offset }) => offset);
        expect(offsets).toEqual(results.filter(mine).map(({ offset }) => offset));
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
        expect(new Set(offsets).size).toBe(offsets.length);
      }
    });

    it('does not change a record when the caller uses its buffer again', async () => {
      const buffer = Buffer.from('before');
      const appended = log.append(0, buffer);
      buffer.fill('x');
      await appended;
      expect(texts(await readRecords(log, 0))).toEqual(['before']);
    });

    it('takes empty records and large ones, byte for byte', async () => {
      const lengths = [0, 1, 7, 4096, 40_000, 0, subject.recordBytesMax, 65_537, 3];
      const values = lengths.map((length, index) =>
        Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + index) & 255)),
      );
      await Promise.all(values.map((value) => log.append(0, value)));
      const records = await readRecords(log, 0);
      expect(records.map(({ value }) => value.length)).toEqual(lengths);
      for (const [index, { value }] of records.entries()) {
        expect(value.equals(values[index] as Buffer)).toBe(true);
      }
    });

    it('refuses a record that is too large', async () => {
      const tooLarge = log.append(0, Buffer.alloc(subject.recordBytesMax + 1));
      await expect(tooLarge).rejects.toMatchObject({ code: 'log_record_too_large' });
      expect(await readRecords(log, 0)).toEqual([]);
    });

    it('gives batches no larger than asked for', async () => {
      await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => append(0, text)));
      const sizes: number[] = [];
      const options = { fromOffset: 0, follow: false, batchRecordsMax: 2 };
      for await (const batch of log.read(0, options)) sizes.push(batch.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5);
    });

    it('begins where it is told to', async () => {
      const results = await Promise.all(['a', 'b', 'c'].map((text) => append(0, text)));
      const fromOffset = results[1]?.offset ?? 0;
      expect(texts(await readRecords(log, 0, { fromOffset }))).toEqual(['b', 'c']);
    });

    it('wakes a following reader for each new record', async () => {
      await append(0, 'old');
      const reading = readRecords(log, 0, { follow: true }, 3);
      await append(1, 'elsewhere');
      await append(0, 'new');
      await append(0, 'newer');
      expect(texts(await reading)).toEqual(['old', 'new', 'newer']);
    });

    it('gives every record to each of several following readers', async () => {
      const readers = [0, 1, 2].map(() => readRecords(log, 0, { follow: true }, 300));
      const wanted = Array.from({ length: 300 }, (_, index) => `record ${index}`);
      for (let at = 0; at < wanted.length; at += 50) {
        await Promise.all(wanted.slice(at, at + 50).map((text) => append(0, text)));
      }
      for (const records of await Promise.all(readers)) expect(texts(records)).toEqual(wanted);
    });

    it('ends a waiting reader when it is aborted', async () => {
      await append(0, 'only');
      const stop = new AbortController();
      const seen: string[] = [];
      const options = { fromOffset: 0, follow: true, signal: stop.signal };
      for await (const batch of log.read(0, options)) {
        seen.push(...texts(batch));
        // The reader has gone back to waiting when this comes.
        setImmediate(() => setImmediate(() => stop.abort()));
      }
      expect(seen).toEqual(['only']);
    });

    it('gives nothing to a reader that was aborted before it began', async () => {
      await append(0, 'unseen');
      const signal = AbortSignal.abort();
      expect(await readRecords(log, 0, { follow: true, signal })).toEqual([]);
    });

    it('tells where a partition begins and ends', async () => {
      expect(await log.earliest(0)).toBe(await log.latest(0));
      const first = await append(0, 'first');
      const second = await append(0, 'second');
      expect(await log.earliest(0)).toBe(first.offset);
      expect(await log.latest(0)).toBe(second.offset + 1);
      expect(await log.earliest(1)).toBe(await log.latest(1));
    });

    it('lets a reader begin at the end, and nowhere beyond', async () => {
      await append(0, 'only');
      const latest = await log.latest(0);
      expect(await readRecords(log, 0, { fromOffset: latest })).toEqual([]);
      for (const follow of [true, false]) {
        const beyond = readRecords(log, 0, { fromOffset: latest + 1, follow });
        await expect(beyond).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
      }
    });

    it('refuses an offset that cannot be', async () => {
      for (const fromOffset of [-1, 0.5, Number.NaN]) {
        const reading = readRecords(log, 0, { fromOffset });
        await expect(reading).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
      }
    });

    it('refuses a partition that it does not have', async () => {
      for (const partition of [-1, partitions, 0.5]) {
        const unknown = { code: 'log_partition_unknown' };
        await expect(append(partition, 'lost')).rejects.toMatchObject(unknown);
        await expect(log.latest(partition)).rejects.toMatchObject(unknown);
        await expect(log.earliest(partition)).rejects.toMatchObject(unknown);
        await expect(readRecords(log, partition)).rejects.toMatchObject(unknown);
      }
    });

    it('keeps records and goes on with offsets after reopening', async () => {
      await append(0, 'before');
      const { offset } = await append(0, 'last before');
      await log.close();
      log = await subject.reopen();
      expect(await log.latest(0)).toBe(offset + 1);
      const after = await append(0, 'after');
      expect(after.offset).toBeGreaterThan(offset);
      expect(texts(await readRecords(log, 0))).toEqual(['before', 'last before', 'after']);
    });

    it('waits on close for appends under way', async () => {
      const appends = Array.from({ length: 50 }, (_, index) => append(0, `record ${index}`));
      await log.close();
      expect(await Promise.all(appends)).toHaveLength(50);
      log = await subject.reopen();
      expect(await readRecords(log, 0)).toHaveLength(50);
    });

    it('ends following readers when it closes', async () => {
      await append(0, 'only');
      const reading = readRecords(log, 0, { follow: true });
      await log.close();
      expect((await reading).length).toBeLessThanOrEqual(1);
    });

    it('fails a reader that does not follow when it closes before the end', async () => {
      await Promise.all(['a', 'b', 'c'].map((text) => append(0, text)));
      const options = { fromOffset: 0, follow: false, batchRecordsMax: 1 };
      const reading = (async () => {
        for await (const _ of log.read(0, options)) await log.close();
      })();
      await expect(reading).rejects.toMatchObject({ code: 'log_closed' });
    });

    it('refuses everything once closed, and may be closed twice', async () => {
      await Promise.all([log.close(), log.close()]);
      const closed = { code: 'log_closed' };
      await expect(append(0, 'late')).rejects.toMatchObject(closed);
      await expect(readRecords(log, 0)).rejects.toMatchObject(closed);
      await expect(readRecords(log, 0, { follow: true })).rejects.toMatchObject(closed);
      await expect(log.earliest(0)).rejects.toMatchObject(closed);
      await expect(log.latest(0)).rejects.toMatchObject(closed);
    });
  });
}
