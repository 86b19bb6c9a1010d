import { afterAll, beforeAll, expect, it } from 'vitest';
import { selectPairs } from '../../api/planner/delivery-pairs.ts';
import { createBinder } from '../../api/planner/statement.ts';
import { DeliveredRequest } from '../../processors/delivery/request.ts';
import { FROM_MS, insertRequests, TO_MS, type Told } from './delivery-rows.ts';
import { openTestStore, type TestStore } from './support/server.ts';

const VIEWS = 40;
const OF_EACH = 5;

let engine: TestStore;

/** A request of each side. */
function both(view: number, number: number): Told[] {
  const of = { viewId: `view-${view}`, view: undefined };
  return (['player', 'edge'] as const).map((source, side) => ({
    ...of,
    request: DeliveredRequest.from({
      source,
      urlKey: number + 1,
      atMs: FROM_MS + number * 5_000 + side,
      status: 200,
    }),
  }));
}

beforeAll(async () => {
  engine = await openTestStore();
  const told = Array.from({ length: VIEWS * OF_EACH }, (_, at) =>
    both(at % VIEWS, Math.floor(at / VIEWS)),
  );
  await insertRequests(engine.store, told.flat());
});
afterAll(() => engine.close());

async function pairsByView(requestsMax?: number): Promise<readonly number[]> {
  const binder = createBinder();
  const scope = { project: 'default', timeframe: { fromMs: FROM_MS, toMs: TO_MS } };
  const sql = `SELECT toInt64(sum(paired)) AS pairs FROM (${selectPairs(scope, [], binder, requestsMax)}) GROUP BY view_id`;
  const rows = await engine.store.query<{ pairs: number }>(sql, { params: binder.params });
  return rows.map(({ pairs }) => pairs);
}

it('all requests pair, up to the limit', async () => {
  const all = Array.from({ length: VIEWS }, () => OF_EACH);
  expect(await pairsByView()).toEqual(all);
  expect(await pairsByView(2 * VIEWS * OF_EACH)).toEqual(all);
});

it('beyond it whole views are left out, and some stay', async () => {
  const some = await pairsByView(VIEWS * OF_EACH);
  expect(some.length).toBeGreaterThan(0);
  expect(some.length).toBeLessThan(VIEWS);
  expect(new Set(some)).toEqual(new Set([OF_EACH]));
});
