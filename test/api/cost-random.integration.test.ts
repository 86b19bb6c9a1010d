/** Random deliveries under random price books, each in a project of its own, against bills made by hand. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectsOf, shop } from '../support/projects.ts';
import { seeded } from '../support/rows.ts';
import { BOOK, insertWorld, makeWorld, type WorldRequest } from './support/cost-world.ts';
import { billOf, microsOf, type PlainBook, type PlainContract } from './support/plain-invoice.ts';
import { openTestStore, startServer, type TestStore } from './support/server.ts';

const SEEDS = [101, 102, 103, 104, 105, 106];
const EVERYTHING = 'timeframe[]=2026-01-01&timeframe[]=2026-04-01';

/** Contracts for two CDNs, by region and for the rest, some of them replaced within a month. */
function randomBook(seed: number): PlainBook {
  const random = seeded(seed);
  const whole = (max: number): number => Math.floor(random() * max);
  const price = (): string => `${whole(3)}.${String(whole(1e9)).padStart(9, '0')}`;
  const contract = (cdn: string, more: Partial<PlainContract>): PlainContract => {
    const steps = whole(4);
    const tiers = Array.from({ length: steps }, (_, index) => ({
      upTo: index + 1,
      price: price(),
    }));
    return {
      ...{ cdn, validFrom: '2026-01-01', currency: ['EUR', 'USD', 'JPY'][whole(3)] ?? 'EUR' },
      ...more,
      tiers: [...tiers, { price: price() }],
      ...(random() < 0.5 ? { perRequest: { price: price(), per: 1 + whole(1_000) } } : {}),
      ...(random() < 0.5 ? { originEgress: { price: price() } } : {}),
    };
  };
  const contracts = ['fastly', 'akamai'].flatMap((cdn) => {
    const day = `2026-02-${String(2 + whole(26)).padStart(2, '0')}`;
    return [
      contract(cdn, { region: 'europe', validTo: day }),
      contract(cdn, { region: 'europe', validFrom: day }),
      ...(random() < 0.7 ? [contract(cdn, {})] : []),
    ];
  });
  const rates = { USD: `0.${1 + whole(1e6)}`, JPY: '0.0061' };
  return { currency: 'EUR', rates, regions: { europe: ['DE', 'FR'], all: ['JP'] }, contracts };
}

const worlds = SEEDS.map((seed) => ({
  seed,
  project: `p${seed}`,
  book: randomBook(seed),
  world: makeWorld(`p${seed}`, seed, { views: 25, requests: 250 }),
}));
const asProject = (project: string, prices: PlainBook) => ({
  ...shop({ prices, writeKeys: [{ key: project }] }),
  id: project,
  readTokens: [{ id: project, secret: 's' }],
});

/** Single requests of January are gone, and some of later. */
const short = makeWorld('short', 77, { views: 25, requests: 300 });
const KEPT_FROM_MS = Date.UTC(2026, 1, 8);
const isKept = ({ atMs }: WorldRequest): boolean => atMs >= KEPT_FROM_MS;
const projects = projectsOf([
  ...worlds.map(({ project, book }) => asProject(project, book)),
  asProject('short', BOOK),
]);

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  for (const { project, world } of worlds) await insertWorld(engine.store, project, world);
  await insertWorld(engine.store, 'short', short, isKept);
  ({ server } = await startServer(engine.store, { projects }));
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function ask(project: string, url: string) {
  const authorization = `Basic ${Buffer.from(`${project}:s`).toString('base64')}`;
  const headers = { authorization, host: 'localhost' };
  const response = await server.inject({ url: `/data/v1${url}`, headers });
  expect([response.statusCode, response.json().detail]).toEqual([200, undefined]);
  return response.json();
}

const sumOf = (rows: readonly { readonly cost: string }[]): bigint =>
  rows.reduce((sum, { cost }) => sum + microsOf(cost), 0n);

describe('the bill of random deliveries', () => {
  it.each(worlds)('of seed $seed is the overall, and what rows and points sum to', async (one) => {
    const edge = one.world.requests.filter(({ source }) => source === 'edge');
    const bill = billOf(one.book, edge);
    expect(bill).toBeGreaterThan(0n);
    const { data: overall } = await ask(one.project, `/cost/overall?${EVERYTHING}`);
    expect(microsOf(overall.cost)).toBe(bill);
    expect(sumOf(overall.lines)).toBe(bill);
    for (const by of ['cdn', 'country', 'video_title', 'view_id']) {
      const { data: rows } = await ask(
        one.project,
        `/cost/breakdown?group_by=${by}&limit=1000&${EVERYTHING}`,
      );
      expect([by, sumOf(rows)]).toEqual([by, bill]);
    }
    const { data: points } = await ask(one.project, `/cost/timeseries?group_by=day&${EVERYTHING}`);
    expect(sumOf(points)).toBe(bill);
  });

  it('of which filters take parts is what the parts sum to, but for roundings', async () => {
    for (const { project, book, world } of worlds.slice(0, 3)) {
      const edge = world.requests.filter(({ source }) => source === 'edge');
      for (const filter of ['video_title:A film', 'cdn:fastly', 'custom_1:value-1']) {
        const [mine, others] = await Promise.all(
          [filter, `!${filter}`].map(async (text) => {
            const filters = `filters[]=${encodeURIComponent(text)}`;
            return (await ask(project, `/cost/overall?${filters}&${EVERYTHING}`)).data;
          }),
        );
        expect(mine.requests + others.requests).toBe(edge.length);
        const apart = microsOf(mine.cost) + microsOf(others.cost) - billOf(book, edge);
        expect(apart >= -18n && apart <= 18n).toBe(true);
      }
    }
  });
});

describe('deliveries whose single requests are kept for a shorter time', () => {
  const edge = short.requests.filter(({ source }) => source === 'edge');
  const bytesOf = (of: readonly WorldRequest[]): number =>
    of.reduce((sum, { bytes }) => sum + bytes, 0);

  it('cost the same by whatever dimension: what is not known any more is of unknown value', async () => {
    const gone = edge.filter((each) => !isKept(each));
    expect(bytesOf(gone)).toBeGreaterThan(1e9);
    for (const by of ['cdn', 'video_title', 'view_id']) {
      const url = `/cost/breakdown?group_by=${by}&limit=1000&${EVERYTHING}`;
      const { data, meta } = await ask('short', url);
      expect([by, sumOf(data)]).toEqual([by, billOf(BOOK, edge)]);
      expect(meta.unaccounted_bytes).toBe(by === 'cdn' ? 0 : bytesOf(gone));
      if (by !== 'video_title') continue;
      const unknown = edge.filter((each) => !isKept(each) || (each.view?.video_title ?? '') === '');
      const row = data.find(({ field }: { field: string }) => field === '');
      expect(row.bytes).toBe(bytesOf(unknown));
    }
  });

  it('are in the parts of a filter and its contrary, the unknown in the one that it meets', async () => {
    const costOf = async (filter: string) =>
      (await ask('short', `/cost/overall?filters[]=${encodeURIComponent(filter)}&${EVERYTHING}`))
        .data;
    const [film, others] = [
      await costOf('video_title:A film'),
      await costOf('!video_title:A film'),
    ];
    const known = edge.filter((each) => isKept(each) && each.view?.video_title === 'A film');
    expect(film.bytes).toBe(bytesOf(known));
    expect(film.bytes + others.bytes).toBe(bytesOf(edge));
  });
});
