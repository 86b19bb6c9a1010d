import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../../platform/log/embedded.ts';
import {
  ROOM_BYTES_TO_OPEN,
  roomToAppend,
  roomToRemove,
} from '../../../platform/log/embedded-room.ts';
import { storedFrom } from '../../../platform/log/embedded-store.ts';

const PARTITIONS = 16;

describe('room for what LMDB writes', () => {
  let directory: string;
  let log: EmbeddedLog;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'streamgauge-room-'));
    log = await openEmbeddedLog({ directory, topic: 'test.v1', partitions: PARTITIONS });
  });

  afterEach(async () => {
    await log.close();
    await rm(directory, { recursive: true });
  });

  /** One transaction; gives the size of the file. */
  async function append(count: number, valueBytes: number): Promise<number> {
    const value = Buffer.alloc(valueBytes);
    const appends = Array.from({ length: count }, (_, at) => log.append(at % PARTITIONS, value));
    await Promise.all(appends);
    return statSync(join(directory, 'data.mdb')).size;
  }

  // Sizes at which one record fewer fits a page, and at which a record gets pages of its own.
  const batches = [1, 400, 1_300, 1_990, 2_050, 4_060, 4_090, 8_170, 100_000].flatMap(
    (valueBytes) => [1, 17, 80].map((count) => [count, valueBytes] as const),
  );

  it.each(batches)('is enough for %i records of %i bytes', async (count, valueBytes) => {
    const records = Array.from({ length: count }, () => ({
      stored: storedFrom(Buffer.alloc(valueBytes)),
    }));
    const room = roomToAppend(records, Math.min(count, PARTITIONS));
    const spare = roomToAppend([], 0);
    // The file ends where so much is free behind what is used: it grows by what the batch before took.
    let size = await append(count, valueBytes);
    for (let batch = 0; batch < 10; batch++) {
      const grown = await append(count, valueBytes);
      expect(grown - size).toBeLessThanOrEqual(room - spare);
      size = grown;
    }
  });

  it('is left by appends for a removal, and by a removal for the next start', () => {
    expect(roomToAppend([], 0)).toBeGreaterThan(roomToRemove(500, PARTITIONS));
    expect(roomToRemove(0, 0)).toBeGreaterThan(ROOM_BYTES_TO_OPEN);
  });
});
