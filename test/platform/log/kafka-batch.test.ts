import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH, CODEC_MASK, CONTROL, LOG_APPEND_TIME } from '../../../platform/log/kafka-batch.ts';
import { ChunkReader, offsetAfter } from '../../../platform/log/kafka-batch-reader.ts';
import { BatchWriter } from '../../../platform/log/kafka-batch-writer.ts';
import { crc32c } from '../../../platform/log/kafka-crc32c.ts';
import { COMPRESSIONS, type Compression } from '../../../platform/log/kafka-options.ts';
import type { LogRecord } from '../../../platform/log/log.ts';

const WRITTEN_AT_MS = 1_700_000_000_123;
const context = { where: 'partition 0 of test.v1', inflatedBytesMax: 10_000_000 };

/** A batch as it lies in the log, from an offset on. */
async function batchOf(
  values: readonly Uint8Array[],
  baseOffset: number,
  compression: Compression = 'none',
): Promise<Buffer> {
  const writer = new BatchWriter();
  for (const value of values) writer.add(value);
  const batch = await writer.finish(compression, WRITTEN_AT_MS);
  batch.writeBigInt64BE(BigInt(baseOffset), BATCH.baseOffset);
  return batch;
}

/** Changes a header, as a broker or another writer would, and makes its checksum right. */
function changed(batch: Buffer, change: (header: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(crc32c(batch, BATCH.attributes), BATCH.crc);
  return batch;
}

async function readAll(fetched: Buffer, fromOffset: number, most = 1_000): Promise<LogRecord[]> {
  const reader = new ChunkReader(fetched, fromOffset, context);
  const records: LogRecord[] = [];
  for (;;) {
    const some = await reader.take(most);
    expect(some.length).toBeLessThanOrEqual(most);
    if (some.length === 0) return records;
    records.push(...some);
  }
}

describe('the checksum', () => {
  it('is that of the standard', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });

  it('goes by the bytes alone, wherever they lie', () => {
    const places = fc.record({ bytes: fc.uint8Array({ maxLength: 100 }), before: fc.nat(20) });
    fc.assert(
      fc.property(places, ({ bytes, before }) => {
        const around = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(9, 3)]);
        const within = crc32c(around, before, before + bytes.length);
        expect(within).toBe(crc32c(Buffer.from(bytes)));
      }),
    );
  });
});

describe('reading what was written', () => {
  const values = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });
  const batches = fc.array(
    fc.record({ values, hole: fc.nat(5), compression: fc.constantFrom(...COMPRESSIONS) }),
    { minLength: 1, maxLength: 6 },
  );

  it('gives every record from the wanted offset on, in pieces of any size, over holes', async () => {
    const wanted = fc.record({ batches, from: fc.nat(130), most: fc.integer({ min: 1, max: 30 }) });
    await fc.assert(
      fc.asyncProperty(wanted, async ({ batches, from, most }) => {
        const expected: [number, string][] = [];
        const parts: Buffer[] = [];
        let offset = 2 ** 40;
        const fromOffset = offset + from;
        for (const { values, hole, compression } of batches) {
          offset += hole;
          parts.push(await batchOf(values, offset, compression));
          for (const value of values) {
            if (offset >= fromOffset) expected.push([offset, Buffer.from(value).toString('hex')]);
            offset += 1;
          }
        }
        const fetched = Buffer.concat(parts);
        const records = await readAll(fetched, fromOffset, most);
        expect(records.map((row) => [row.offset, row.value.toString('hex')])).toEqual(expected);
        expect(offsetAfter(fetched)).toBe(offset);
      }),
    );
  });

  it('leaves a batch that is cut off for the next fetch', async () => {
    const first = await batchOf([Buffer.from('a'), Buffer.from('b')], 10);
    const second = await batchOf([Buffer.from('c')], 12);
    const both = Buffer.concat([first, second]);
    for (let end = 0; end < both.length; end += 1) {
      const fetched = both.subarray(0, end);
      const whole = end >= first.length;
      expect(offsetAfter(fetched)).toBe(whole ? 12 : undefined);
      expect(await readAll(fetched, 10)).toHaveLength(whole ? 2 : 0);
    }
  });

  it('takes up no more than the plain bytes when it compresses', async () => {
    const random = Buffer.from(
      Uint8Array.from({ length: 500 }, (_, at) => (at * at * 167 + 13) & 255),
    );
    const sizes = await Promise.all(
      COMPRESSIONS.map(async (name) => (await batchOf([random], 0, name)).length),
    );
    expect(Math.max(...sizes)).toBe(sizes[0]);
  });
});

describe('the time of a record', () => {
  const three = ['a', 'b', 'c'].map((text) => Buffer.from(text));

  it('is the writer’s, unless the broker has set its own for the whole batch', async () => {
    const byWriter = await readAll(await batchOf(three, 0), 0);
    expect(byWriter.map((row) => row.appendTimeMs)).toEqual([1, 1, 1].map(() => WRITTEN_AT_MS));
    const stamped = changed(await batchOf(three, 0), (header) => {
      header.writeInt16BE(LOG_APPEND_TIME, BATCH.attributes);
      header.writeBigInt64BE(1_800_000_000_456n, BATCH.maxTimestamp);
    });
    const byBroker = await readAll(stamped, 0);
    expect(byBroker.map((row) => row.appendTimeMs)).toEqual([1, 1, 1].map(() => 1_800_000_000_456));
  });
});

describe('what cannot be read', () => {
  const one = () => batchOf([Buffer.from('some bytes of a record')], 5);
  const unknown = { code: 'log_format_unknown' };

  it('is an error for every damaged byte, never another value', async () => {
    const whole = await one();
    for (let at: number = BATCH.crc; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      await expect(readAll(damaged, 5), `byte ${at}`).rejects.toMatchObject(unknown);
    }
  });

  it('is told with its place, and what it is', async () => {
    const old = await one();
    old.writeInt8(1, BATCH.magic);
    await expect(readAll(old, 5)).rejects.toThrow(
      'partition 0 of test.v1 at offset 5 is of version 1',
    );
    const snappy = changed(await one(), (header) => header.writeInt16BE(2, BATCH.attributes));
    await expect(readAll(snappy, 5)).rejects.toThrow('snappy');
    const notGzip = changed(await one(), (header) => header.writeInt16BE(1, BATCH.attributes));
    await expect(readAll(notGzip, 5)).rejects.toMatchObject(unknown);
    const short = changed(await one(), (header) => header.writeInt32BE(9, BATCH.count));
    await expect(readAll(short, 5)).rejects.toMatchObject(unknown);
  });

  it('may grow only so far when it is decompressed', async () => {
    const zeros = Array.from({ length: 20 }, () => Buffer.alloc(1_000_000));
    const bomb = await batchOf(zeros, 0, 'gzip');
    expect(bomb.readInt16BE(BATCH.attributes) & CODEC_MASK).toBe(1);
    expect(bomb.length).toBeLessThan(200_000);
    await expect(readAll(bomb, 0)).rejects.toMatchObject(unknown);
  });

  it('is a marker of a transaction, which is gone over', async () => {
    const marker = changed(await one(), (header) => header.writeInt16BE(CONTROL, BATCH.attributes));
    const fetched = Buffer.concat([marker, await batchOf([Buffer.from('after')], 6)]);
    const records = await readAll(fetched, 5);
    expect(records.map(({ offset }) => offset)).toEqual([6]);
    expect(offsetAfter(marker)).toBe(6);
    expect(await readAll(marker, 5)).toEqual([]);
  });
});
