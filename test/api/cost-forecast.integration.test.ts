/** What the running month comes to, and which answers are kept. A CDN delivers the same every day. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PriceBook } from '../../platform/prices/price-book.ts';
import { priceBookOf } from '../../platform/prices/price-book.ts';
import { delivery5s } from '../../schemas/tables/delivery.ts';
import { epochs } from '../../schemas/tables/tables.ts';
import { projectsOf, shop } from '../support/projects.ts';
import { insertRows } from '../support/rows.ts';
import { NOW_MS } from './support/generated-views.ts';
import { billOf, microsOf, type PlainBook, type PlainUsage } from './support/plain-invoice.ts';
import { openTestStore, startServer, type TestStore } from './support/server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MARCH_MS = Date.UTC(2026, 2, 1);
const GB = 1_000_000_000;

const BOOK: PlainBook = {
  currency: 'EUR',
  contracts: [
    {
      cdn: 'fastly',
      validFrom: '2026-01-01',
      tiers: [{ upTo: 8, price: '0.1' }, { upTo: 20, price: '0.08' }, { price: '0.05' }],
    },
  ],
};
const OTHER_BOOK = { ...BOOK, contracts: [{ ...BOOK.contracts[0], tiers: [{ price: '0.3' }] }] };

function bookOf(plain: unknown): PriceBook {
  const parsed = priceBookOf(plain);
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return parsed.book;
}

/** A gigabyte a day, evenly by hour, from the first of March until now; and two in a week of February. */
const hours = (fromMs: number, toMs: number, bytes: number): PlainUsage[] =>
  Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, hour) => ({
    cdn: 'fastly',
    country: 'DE',
    atMs: fromMs + hour * HOUR_MS,
    bytes,
    originBytes: 0,
  }));
const FEBRUARY_MS = Date.UTC(2026, 1, 2);
const running = hours(MARCH_MS, NOW_MS, GB / 24);
const march = hours(MARCH_MS, Date.UTC(2026, 3, 1), GB / 24);

let engine: TestStore;
let server: FastifyInstance;
let book = bookOf(BOOK);
const projects = projectsOf([shop()], () => NOW_MS);

async function deliver(usage: readonly PlainUsage[]): Promise<void> {
  const rows = usage.map(({ cdn, country, atMs, bytes }) => ({
    ...{ project: 'shop', source: 'edge', cdn, country, bytes: Math.floor(bytes) },
    ...{ window: atMs / 1_000, requests: 1, sized_requests: 1 },
  }));
  await insertRows(engine.store, delivery5s, rows);
}

beforeAll(async () => {
  engine = await openTestStore();
  await deliver(running);
  await insertRows(engine.store, epochs, [
    // Figures of delivery are complete up to half a minute before it, whatever views are open.
    {
      topic: 't',
      _partition: 0,
      _epoch: 1,
      log_time: NOW_MS + 30_000,
      open_since: NOW_MS - DAY_MS,
    },
  ]);
  ({ server } = await startServer(engine.store, { projects, prices: { book: () => book } }));
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function ask(url: string, tag?: string) {
  const authorization = `Basic ${Buffer.from('t:s').toString('base64')}`;
  const headers = { authorization, host: 'localhost', ...(tag && { 'if-none-match': tag }) };
  const response = await server.inject({ url: `/data/v1${url}`, headers });
  return { status: response.statusCode, etag: response.headers.etag, text: response.body };
}

const between = (fromMs: number, toMs: number): string =>
  `timeframe[]=${fromMs / 1_000}&timeframe[]=${toMs / 1_000}`;
const whole = (usage: readonly PlainUsage[]): PlainUsage[] =>
  usage.map((each) => ({ ...each, bytes: Math.floor(each.bytes) }));

describe('the forecast of the running month', () => {
  it('is the bill of a month that goes on like this, with the days on which tiers are reached', async () => {
    const { text } = await ask(`/cost/overall?${between(NOW_MS - DAY_MS, NOW_MS)}`);
    const { forecast } = JSON.parse(text).data;
    expect(forecast).toMatchObject({ month: '2026-03', as_of: '2026-03-10T12:00:00.000Z' });
    expect(forecast.basis).toEqual([{ cdn: 'fastly', method: 'mean', days: 7 }]);
    expect(microsOf(forecast.cost_so_far)).toBe(billOf(BOOK, whole(running)));
    expect(microsOf(forecast.cost_expected)).toBe(billOf(BOOK, whole(march)));
    const tier = { cdn: 'fastly', region: '*', contract: 0 };
    // A little less than a gigabyte a day, for bytes are whole: each tier is reached a day later.
    expect(forecast.tier_crossings).toEqual([
      { ...tier, tier: 1, from_bytes: 8 * GB, day: '2026-03-09', state: 'reached' },
      { ...tier, tier: 2, from_bytes: 20 * GB, day: '2026-03-21', state: 'expected' },
    ]);
  });

  it('is there when the timeframe reaches into the month, or when it is asked for', async () => {
    const february = between(FEBRUARY_MS, FEBRUARY_MS + DAY_MS);
    const month = async (more: string) =>
      JSON.parse((await ask(`/cost/overall?${february}${more}`)).text).data.forecast?.month;
    expect([await month(''), await month('&forecast=true')]).toEqual([undefined, '2026-03']);
    const { text } = await ask('/cost/overall?timeframe[]=1:hours&forecast=false');
    expect(JSON.parse(text).data.forecast).toBe(undefined);
  });
});

describe('answers of cost', () => {
  const WEEK = `/cost/overall?${between(FEBRUARY_MS, FEBRUARY_MS + 7 * DAY_MS)}`;
  const costOf = (text: string): string => JSON.parse(text).data.cost;

  it('over a month that is over are kept, until a row comes anywhere in it, or another price book', async () => {
    await deliver(hours(FEBRUARY_MS, FEBRUARY_MS + 7 * DAY_MS, GB / 24));
    const first = await ask(WEEK);
    expect(first.etag).toBeDefined();
    expect((await ask(WEEK, first.etag)).status).toBe(304);
    // Another week of the same month: what the first one pays changes, for tiers are filled by both.
    await deliver(hours(FEBRUARY_MS + 14 * DAY_MS, FEBRUARY_MS + 21 * DAY_MS, GB / 8));
    const late = await ask(WEEK, first.etag);
    expect(late.status).toBe(200);
    expect(microsOf(costOf(late.text))).toBeLessThan(microsOf(costOf(first.text)));
    book = bookOf(OTHER_BOOK);
    const repriced = await ask(WEEK, late.etag);
    expect(repriced.status).toBe(200);
    expect(microsOf(costOf(repriced.text))).toBeGreaterThan(microsOf(costOf(late.text)));
    expect((await ask(WEEK, repriced.etag)).status).toBe(304);
  });

  it('over a part of the running month are not: its bill is not made yet', async () => {
    const { etag } = await ask(`/cost/overall?${between(MARCH_MS, MARCH_MS + DAY_MS)}`);
    expect(etag).toBe(undefined);
  });
});
