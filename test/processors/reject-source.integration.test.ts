/** Rejects read from the real engine: all of them, once, byte for byte. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import type { OpenStore } from '../../platform/store/store.ts';
import {
  everyReject,
  newestRejects,
  rejectGroups,
  type StoredReject,
} from '../../processors/rejects/reject-source.ts';
import { migrations } from '../../schemas/migrations/index.ts';

const ROWS = 230;
const { signal } = new AbortController();
let directory: string;
let store: OpenStore;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  store = await openStore({ directory, database: 'streamgauge' });
  await migrate(store, migrations);
  // Many of one moment, of one record too, and every byte that there is.
  await store.command(`INSERT INTO rejected
    SELECT if(number % 2 = 0, 'even', 'odd'), toDateTime64('2026-01-01 00:00:00', 3) + intDiv(number, 70),
      intDiv(number, 3), number % 3 - 1, 'view', '/v1/beats', if(number < 10, 'rare', 'often'),
      concat('message ', toString(number)), concat(char(number % 256), 'x'), number % 5 + 1, 0, number % 2, 1
    FROM numbers(${ROWS})`);
});

afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function all(filter: Parameters<typeof everyReject>[1]): Promise<StoredReject[]> {
  const rows: StoredReject[] = [];
  for await (const page of everyReject(store, filter, signal)) rows.push(...page);
  return rows;
}

const numberOf = ({ message }: { readonly message: string }) => Number(message.slice(8));

it('gives every row once, in the order of time, with its bytes', async () => {
  const rows = await all({});
  expect(rows.map(numberOf).sort((a, b) => a - b)).toEqual(
    Array.from({ length: ROWS }, (_, number) => number),
  );
  expect(rows.map(({ atMs }) => atMs)).toEqual(rows.map(({ atMs }) => atMs).sort((a, b) => a - b));
  for (const row of rows) {
    expect(row.bytes).toEqual(Buffer.from([numberOf(row) % 256, 'x'.charCodeAt(0)]));
  }
});

it('gives those of ids, of a project, of a time', async () => {
  const ids = [
    { partition: 1, offset: 0, event: 0 },
    { partition: 0, offset: 0, event: -1 },
    { partition: 0, offset: 0, event: 7 },
  ];
  expect((await all({ ids })).map(numberOf)).toEqual([0, 1]);
  expect(await all({ project: 'odd' })).toHaveLength(ROWS / 2);
  const fromMs = Date.UTC(2026, 0, 1, 0, 0, 1);
  expect(await all({ fromMs, toMs: fromMs })).toHaveLength(70);
});

it('counts what a row stands for, the most frequent first, with the last message', async () => {
  const groups = await rejectGroups(store, {}, { limit: 3, signal });
  const numbers = Array.from({ length: ROWS }, (_, number) => number);
  const sumOf = (holds: (number: number) => boolean) =>
    numbers.filter(holds).reduce((total, number) => total + (number % 5) + 1, 0);
  expect(groups.map(({ project, code, rejects }) => [project, code, rejects]).sort()).toEqual(
    [
      ['even', 'often', sumOf((number) => number >= 10 && number % 2 === 0)],
      ['odd', 'often', sumOf((number) => number >= 10 && number % 2 === 1)],
      ['even', 'rare', sumOf((number) => number < 10 && number % 2 === 0)],
    ].sort(),
  );
  expect(groups[0]?.rejects).toBeGreaterThanOrEqual(groups[1]?.rejects ?? 0);
  expect(groups[0]).toMatchObject({
    firstMs: Date.UTC(2026, 0, 1),
    lastMs: Date.UTC(2026, 0, 1, 0, 0, 3),
    message: expect.stringMatching(/^message 2[12]\d$/),
  });
});

it('lists the newest first', async () => {
  const rows = await newestRejects(store, {}, { limit: 5, signal });
  expect(rows.map(({ atMs }) => atMs)).toEqual(Array(5).fill(Date.UTC(2026, 0, 1, 0, 0, 3)));
});
