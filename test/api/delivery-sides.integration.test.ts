/** Both sides of a request: pairing and blame against plain code over made-up requests, and on faults that were planted. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeliveredRequest } from '../../processors/delivery/request.ts';
import { HOPS, type Hop, sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { seeded } from '../support/rows.ts';
import { type Judged, judge, pairsOf } from './delivery-judged.ts';
import { dimensionOf, percentile } from './delivery-recomputed.ts';
import { FROM_MS, insertRequests, insertViews, type Told } from './delivery-rows.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';

const MINUTE_MS = 60_000;
const TO_MS = FROM_MS + 30 * MINUTE_MS;
const DAY_MS = 86_400_000;

interface Blame {
  readonly field: string;
  readonly requests: number;
  readonly paired_requests: number;
  readonly cmsd_requests: number;
  readonly affected_requests: number;
  readonly affected_percentage: number;
  readonly blame_network_percentage: number | null;
  readonly blame_edge_percentage: number | null;
  readonly blame_origin_percentage: number | null;
  readonly network_time: number | null;
  readonly edge_time: number | null;
  readonly origin_time: number | null;
}
interface Affected {
  readonly view_id: string;
  readonly at: string;
  readonly cdn: string;
  readonly asn: string;
  readonly total_time: number | null;
  readonly expected_time: number;
  readonly network_time: number | null;
  readonly edge_time: number | null;
  readonly origin_time: number | null;
  readonly split_by: string;
  readonly blamed: string;
}

interface Answer<Data> {
  readonly data: Data;
  readonly total_row_count: number;
  readonly detail?: string;
}
type Ask = <Data>(path: string, pairs?: QueryPairs) => Promise<Answer<Data>>;

let engine: TestStore;
let server: FastifyInstance;
beforeAll(async () => {
  engine = await openTestStore();
  ({ server } = await startServer(engine.store));
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
});

let worlds = 0;

/** Puts requests into a day of their own, the first where they are, and asks about it. */
async function open(told: readonly Told[]): Promise<Ask> {
  const world = worlds++;
  const offMs = world * DAY_MS;
  const placed = told.map(({ viewId, view, request }) => ({
    viewId: world === 0 ? viewId : `${viewId} of ${world}`,
    view,
    request: { ...request, atMs: request.atMs - offMs },
  }));
  await insertRequests(engine.store, placed);
  await insertViews(engine.store, placed, FROM_MS - offMs);
  const frame = [FROM_MS, TO_MS].map((timeMs): [string, string] => [
    'timeframe[]',
    String((timeMs - offMs) / 1_000),
  ]);
  return async <Data>(path: string, pairs: QueryPairs = []) => {
    const { status, body } = await ask<Answer<Data>>(server, `/delivery/${path}`, [
      ...frame,
      ...pairs,
    ]);
    expect(body.detail ?? status).toBe(200);
    return body;
  };
}

const VIEWS = ['DE', 'FR', ''].flatMap((country) =>
  ['a', 'b'].map((cdn) => ({ country, cdn, region: `${country}-1`, asn: '64500' })),
);

/** Requests of few paths in little time, so that sides have unequal numbers, close together. */
function generateMess(seed: number): Told[] {
  const random = seeded(seed);
  const whole = (max: number): number => Math.floor(random() * max);
  const pick = <Item>(...items: Item[]): Item => items[whole(items.length)] as Item;
  const maybe = (value: number): number => (random() < 0.2 ? -1 : value);
  return Array.from({ length: 2_500 }, (): Told => {
    const source = pick('edge', 'player');
    const edge = source === 'edge';
    const view = whole(VIEWS.length);
    const request: DeliveredRequest = {
      ...new DeliveredRequest(),
      source,
      // Beyond both ends too; no two at once, so that nothing hangs on an order that nobody promises.
      atMs: FROM_MS - MINUTE_MS + whole(32 * MINUTE_MS),
      urlKey: whole(40),
      objectType: pick('segment', 'manifest'),
      cdn: edge ? pick('a', 'c', '') : '',
      status: pick(200, 200, 200, 200, 206, 404, 503, 504, 0),
      bytes: maybe(whole(3_000_000)),
      ttfbMs: maybe(whole(300)),
      totalMs: maybe(300 + whole(pick(500, 5_000))),
      cache: edge ? pick('hit', 'miss', 'revalidated', '') : '',
      originMs: edge ? pick(-1, whole(200)) : -1,
      hopMs: edge ? -1 : pick(-1, -1, whole(300)),
      hopOriginMs: edge ? -1 : pick(-1, whole(200)),
      aborted: edge && random() < 0.1,
    };
    return { viewId: `view-${view}`, view: VIEWS[view], request };
  }).filter(
    (
      (seen: Set<number>) =>
      ({ request }: Told) =>
        !seen.has(request.atMs) && seen.add(request.atMs) !== undefined
    )(new Set<number>()),
  );
}

describe('requests of both sides', () => {
  const told = generateMess(5);
  const judged = judge(told, FROM_MS, TO_MS);
  let get: Ask;
  beforeAll(async () => {
    get = await open(told);
  });

  const cdnOf = ({ player, edge }: Judged): string => {
    const own = edge?.request.cdn ?? '';
    return own === '' ? dimensionOf(player, 'cdn') : own;
  };
  const fieldOf = (one: Judged, by: string): string =>
    by === 'cdn' ? cdnOf(one) : dimensionOf(one.player, by);
  const mean = (values: readonly (number | undefined)[]): number | null => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  };
  const times: Readonly<Record<Hop, (one: Judged) => number | undefined>> = {
    network: ({ networkMs }) => networkMs,
    edge: ({ edgeMs }) => edgeMs,
    origin: ({ originMs }) => originMs,
  };

  it('are of every kind', () => {
    const pairs = pairsOf(told);
    expect(pairs.size).toBeGreaterThan(200);
    expect(judged.filter(({ edge }) => edge === undefined).length).toBeGreaterThan(50);
    for (const hop of [...HOPS, ''])
      expect(judged.filter((one) => one.blamed === hop).length).toBeGreaterThan(10);
  });

  it.each(['cdn', 'region', 'object_type'])('are blamed as the rules say, by %s', async (by) => {
    const { data } = await get<Blame[]>('blame', [
      ['group_by', by],
      ['limit', '100'],
    ]);
    const fields = new Set(judged.map((one) => fieldOf(one, by)));
    expect(data.map(({ field }) => field).toSorted()).toEqual([...fields].toSorted());
    for (const item of data) {
      const group = judged.filter((one) => fieldOf(one, by) === item.field);
      const affected = group.filter((one) => one.affected);
      const share = (hop: Hop): number =>
        affected.filter(({ blamed }) => blamed === hop).length / affected.length;
      expect(item).toMatchObject({
        requests: group.length,
        paired_requests: group.filter(({ edge }) => edge !== undefined).length,
        affected_requests: affected.length,
        blame_network_percentage: share('network'),
        blame_edge_percentage: share('edge'),
        blame_origin_percentage: share('origin'),
      });
      for (const hop of HOPS)
        expect(item[`${hop}_time`]).toBeCloseTo(mean(group.map(times[hop])) ?? Number.NaN, 6);
    }
  });

  // Percentiles differ in their level alone: those of one hop stand for the others.
  const shown = (id: string, measures: readonly string[]): readonly string[] =>
    id === 'network_time' ? measures : measures.filter((name) => !name.endsWith('th'));
  it.each(sideMetrics.map(({ id, measures }) => [id, shown(id, measures)] as const))(
    'have %s as %j, of the whole or of a part',
    async (id, measures) => {
      for (const [turn, measure] of measures.entries()) {
        const part = turn % 2 === 0 ? '' : 'DE';
        const group = judged.filter(({ player }) => part === '' || player.view?.country === part);
        const filter: QueryPairs = part === '' ? [] : [['filters[]', `country:${part}`]];
        const { data } = await get<{ value: number | null }>(`metrics/${id}/overall`, [
          ['measurement', measure],
          ...filter,
        ]);
        expect(data.value, measure).toBeCloseTo(figure(group, id, measure) ?? Number.NaN, 6);
      }
    },
  );

  const LEVELS: Readonly<Record<string, number>> = {
    '5th': 0.05,
    '25th': 0.25,
    median: 0.5,
    '75th': 0.75,
    '90th': 0.9,
    '95th': 0.95,
    '99th': 0.99,
  };

  function figure(group: readonly Judged[], id: string, measure: string): number | null {
    const hop = HOPS.find((name) => id.includes(name));
    if (hop !== undefined && id.endsWith('_time')) {
      const known = group.map(times[hop]).filter((value) => value !== undefined);
      if (measure === 'count') return known.length;
      return measure === 'avg' ? mean(known) : percentile(known, LEVELS[measure] ?? 0);
    }
    const affected = group.filter((one) => one.affected);
    const blamed = affected.filter((one) => one.blamed === hop);
    const [top, bottom] =
      hop !== undefined
        ? [blamed.length, affected.length]
        : id === 'paired_requests'
          ? [0, group.filter(({ edge }) => edge !== undefined).length]
          : id === 'affected_requests'
            ? [0, affected.length]
            : [affected.length, group.length];
    if (measure === 'count') return bottom;
    return measure === 'sum' ? top : top / bottom;
  }

  it('are listed where they were affected, the newest first', async () => {
    const { data, total_row_count } = await get<Affected[]>('requests', [['limit', '1000']]);
    const affected = judged
      .filter((one) => one.affected)
      .toSorted((a, b) => b.player.request.atMs - a.player.request.atMs);
    expect(total_row_count).toBe(affected.length);
    expect(data.map(({ view_id, at, blamed }) => [view_id, Date.parse(at), blamed])).toEqual(
      affected.map(({ player, blamed }) => [player.viewId, player.request.atMs, blamed]),
    );
    for (const [index, row] of data.entries()) {
      const one = affected[index] as Judged;
      expect(row.expected_time).toBeCloseTo(one.expectedMs, 6);
      expect([row.network_time, row.edge_time, row.origin_time, row.cdn]).toEqual([
        one.networkMs ?? null,
        one.edgeMs ?? null,
        one.originMs ?? null,
        cdnOf(one),
      ]);
    }
    const origin = await get<Affected[]>('requests', [['blamed', 'origin']]);
    expect(origin.total_row_count).toBe(
      affected.filter(({ blamed }) => blamed === 'origin').length,
    );
  });
});

const FAULTS = [
  'slow origin',
  'failing origin',
  'bad edge',
  'failing edge',
  'slow network',
  'lossy network',
] as const;
type Fault = (typeof FAULTS)[number] | '';
const hopOfFault = (fault: Fault): Hop =>
  fault.endsWith('origin') ? 'origin' : fault.endsWith('edge') ? 'edge' : 'network';

/** Requests of views, each seen by both sides, a part of them with a fault. The view's `custom_1` names it. */
function plant(seed: number, faultOf: (view: number) => Fault): Told[] {
  const random = seeded(seed);
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low));
  return Array.from({ length: 60 }, (_, index) => {
    const fault = faultOf(index);
    const view = { custom_1: fault, cdn: 'a', country: 'SE', asn: `${index % 7}`, region: '' };
    return Array.from({ length: 40 }, (__, turn) =>
      bothSides(`view-${index}`, view, { fault, turn, index }, between, random),
    ).flat();
  }).flat();
}

function bothSides(
  viewId: string,
  view: Readonly<Record<string, string>>,
  { fault, turn, index }: { fault: Fault; turn: number; index: number },
  between: (low: number, high: number) => number,
  random: () => number,
): Told[] {
  const manifest = turn % 5 === 0;
  const bytes = manifest ? between(800, 4_000) : between(300_000, 900_000);
  const missed = fault.endsWith('origin') || random() < 0.3;
  const originMs = missed
    ? between(40, 90) + (fault === 'slow origin' ? between(900, 4_000) : 0)
    : -1;
  const edgeMs = between(2, 8) + (fault === 'bad edge' ? between(700, 3_000) : 0);
  const slow = fault === 'slow network';
  const tripMs = between(20, 40) + (slow ? between(300, 600) : 0);
  const transferMs = Math.round(bytes / (slow ? between(60, 120) : between(2_500, 5_000)));
  const failing = fault.startsWith('failing');
  const lost = fault === 'lossy network' && random() < 0.5;
  const status = failing ? (fault === 'failing origin' ? 503 : 500) : 200;
  const ttfbMs = Math.max(0, originMs) + edgeMs;
  const atMs = FROM_MS + turn * 20_000 + index * 37;
  const common = {
    ...new DeliveredRequest(),
    urlKey: turn < 5 ? 1 : turn,
    objectType: manifest ? 'manifest' : 'segment',
  };
  const player: DeliveredRequest = {
    ...common,
    source: 'player',
    atMs,
    status: lost ? 0 : status,
    bytes: lost ? -1 : bytes,
    ttfbMs: lost ? -1 : ttfbMs + tripMs,
    totalMs: lost ? 8_000 : ttfbMs + tripMs + transferMs,
  };
  const edge: DeliveredRequest = {
    ...common,
    source: 'edge',
    atMs: atMs + 15,
    cache: missed ? 'miss' : 'hit',
    status,
    bytes,
    ttfbMs,
    totalMs: ttfbMs + transferMs,
    originMs: fault === 'failing edge' ? -1 : originMs,
    aborted: lost,
  };
  // A request that never reached the edge has no line.
  const reached = !lost || random() < 0.5;
  return [{ viewId, view, request: player }, ...(reached ? [{ viewId, view, request: edge }] : [])];
}

describe('a planted fault', () => {
  it.each(FAULTS)('that affects up to half of all requests is told: %s', async (fault) => {
    const get = await open(plant(21, (view) => (view % 2 === 0 ? fault : '')));
    const { data } = await get<Blame[]>('blame', [['group_by', 'custom_1']]);
    const [faulty, fine] = [fault, ''].map((field) => data.find((item) => item.field === field));
    expect(fine?.affected_requests).toBe(0);
    expect(faulty?.affected_percentage).toBeGreaterThan(fault === 'lossy network' ? 0.4 : 0.95);
    expect(faulty?.[`blame_${hopOfFault(fault)}_percentage`]).toBeGreaterThanOrEqual(0.95);
  });

  it('is told from others at the same time', async () => {
    const get = await open(plant(22, (view) => FAULTS[view % 14] ?? ''));
    const { data } = await get<Blame[]>('blame', [['group_by', 'custom_1']]);
    for (const fault of FAULTS) {
      const item = data.find(({ field }) => field === fault);
      expect(item?.affected_requests).toBeGreaterThan(50);
      expect(item?.[`blame_${hopOfFault(fault)}_percentage`], fault).toBeGreaterThanOrEqual(0.95);
    }
    expect(data.find(({ field }) => field === '')?.affected_requests).toBe(0);
  });

  it('is told by CMSD alone, where no line tells of the request', async () => {
    const told = plant(23, (view) => (view % 3 === 0 ? 'slow origin' : ''))
      .filter(({ request }) => request.source === 'player')
      .map(({ request, ...one }): Told => {
        const slow = one.view?.custom_1 === 'slow origin';
        const hopMs = request.ttfbMs - 30;
        return { ...one, request: { ...request, hopMs, hopOriginMs: slow ? hopMs - 5 : 0 } };
      });
    const get = await open(told);
    const { data } = await get<Blame[]>('blame', [['group_by', 'custom_1']]);
    const faulty = data.find(({ field }) => field === 'slow origin');
    expect(faulty).toMatchObject({ paired_requests: 0, cmsd_requests: 800, requests: 800 });
    expect(faulty?.blame_origin_percentage).toBeGreaterThanOrEqual(0.95);
    const listed = await get<Affected[]>('requests', [['limit', '1000']]);
    expect(new Set(listed.data.map(({ split_by }) => split_by))).toEqual(new Set(['cmsd']));
  });

  it('of players alone, without lines or CMSD, blames nobody', async () => {
    const told = plant(24, () => 'lossy network').filter(
      ({ request }) => request.source === 'player',
    );
    const get = await open(told);
    expect((await get<Blame[]>('blame', [['group_by', 'cdn']])).data).toEqual([]);
  });
});
