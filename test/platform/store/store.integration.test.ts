import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../platform/store/open.ts';
import type { OpenStore } from '../../../platform/store/store.ts';
import { numbers, SLOW, storeContract } from './store-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'streamgauge-store-'));
const place = { directory: join(directory, 'a', 'chdb'), database: 'qos' };

afterAll(() => rmSync(directory, { recursive: true, force: true }));

storeContract((options = {}) => openStore({ ...place, ...options }));

describe('the embedded store', () => {
  let store: OpenStore;
  beforeAll(async () => {
    store = await openStore(place);
  });
  afterAll(() => store.close());

  it('leaves no file of rows behind', () => {
    expect(readdirSync(join(place.directory, 'insert-bodies'))).toEqual([]);
  });

  it('shows an insert to a read on the writing connection that was asked for after it', async () => {
    await store.command('CREATE TABLE ordered (n Int64) ENGINE = MergeTree ORDER BY n');
    const inserting = store.insert('ordered', numbers(0, 3), { columns: ['n'], token: 'a' });
    const reading = store.queryOnWriter('SELECT sum(n) AS s FROM ordered');
    expect(await reading).toEqual([{ s: 3 }]);
    await inserting;
  });

  it('answers a caller that gives up at once, and keeps the connection until the engine is done', async () => {
    const controller = new AbortController();
    const given = { signal: controller.signal, timeoutMs: 1_000 };
    const running = [store.query(SLOW, given), store.query(SLOW, given)];
    const givenUp = store.query('SELECT 1', given);
    const patient = store.query('SELECT 1 AS a');
    await vi.waitFor(() => expect(store.readsWaiting).toBe(2));
    controller.abort(new Error('left'));
    for (const query of [...running, givenUp]) {
      await expect(query).rejects.toMatchObject({
        code: 'store_query_failed',
        cause: { message: 'left' },
      });
    }
    expect(store.readsWaiting).toBe(2);
    expect(await patient).toEqual([{ a: 1 }]);
  });

  it('refuses a second directory in the same process', async () => {
    const second = openStore({ directory: join(directory, 'b'), database: 'qos' });
    await expect(second).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
