import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiCounters, QUERY_LIMITS } from '../../api/api.ts';
import { registerExplain } from '../../api/explain.ts';
import { registerTokenGuard } from '../../api/guards/token.ts';
import { planWhatIf, type WhatIfRow } from '../../api/planner/what-if.ts';
import { createQueryRunner } from '../../api/query-runner.ts';
import type { ApiScope } from '../../api/routes/deps.ts';
import { moveCost } from '../../api/routes/examples/cost.ts';
import { type Move, registerWhatIf } from '../../api/routes/what-if.ts';
import { openProjects } from '../../platform/projects.ts';
import { views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, insertRows, type RowObject } from '../support/rows.ts';
import { NOW_MS } from './support/generated-views.ts';
import {
  AUTHORIZATION,
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';
import { answerCase, type Case, drawCase, matched } from './what-if/cases.ts';
import { type ObservedView, OUTCOMES } from './what-if/observed.ts';
import { CDNS, createWorld } from './what-if/world.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const now = (): number => NOW_MS;
const HOUR_MS = 3_600_000;
const BLOCKS = 64;
const MATCH = ['asn', 'country', 'viewer_device_category', 'stream_type'];
/** Figures of the answer that the world knows, in the order of OUTCOMES; what an answer multiplies them by. */
const FIGURES = [
  ['rebuffer_percentage', 1],
  ['video_startup_time', 1],
  ['viewer_experience_score', 1e-3],
  ['video_startup_failure_percentage', 1],
] as const;

const world = createWorld(11, 9_000);
const asked: Case = { ...drawCase(world, 4, [1, 1]), from: 0, to: 1, share: 0.2 };

interface Quality {
  readonly unit: string;
  readonly now: number;
  readonly would_be: number | null;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly views_from: number;
  readonly views_to: number;
}
interface RefusedCell {
  readonly cell: Record<string, string> | null;
  readonly views_from: number;
  readonly views_to: number;
  readonly reason: string;
}
interface Body {
  readonly data: {
    readonly from: string;
    readonly share: number;
    readonly match: string[];
    readonly slice: { views: number; views_from: number; views_to: number };
    readonly moved: { views: number };
    readonly supported_share: number;
    readonly quality: Record<string, Quality>;
    readonly cost: null;
    readonly refused: RefusedCell[];
    readonly refused_cells: number;
  };
  readonly meta: Record<string, unknown>;
  readonly code?: string;
  readonly detail?: string;
  readonly refused?: RefusedCell[];
  readonly supported_share?: number;
}

let engine: TestStore;
let server: FastifyInstance;
/** The block that the store puts each viewer into. */
let blocks: ReadonlyMap<number, number>;

const viewerName = (viewer: number): string => `viewer-${viewer}`;

function rowOf({ view, cdn }: ObservedView, index: number): RowObject {
  const outcome = view.outcomes[cdn];
  const start = NOW_MS - 1 - (index % 20) * HOUR_MS;
  return {
    project: 'default',
    view_id: `view-${index}`,
    viewer_user_id: viewerName(view.viewer),
    country: view.country,
    asn: view.asn,
    viewer_device_category: view.device,
    stream_type: view.streamType,
    cdn: CDNS[cdn] ?? '',
    start_day: dayOf(start),
    view_start: start,
    view_end: start,
    closed: 1,
    source: 'native',
    started: outcome?.started === true ? 1 : 0,
    failed: outcome?.failed === true ? 1 : 0,
    startup_ms: outcome?.startupMs ?? 0,
    playing_ms: outcome?.playingMs ?? 0,
    rebuffer_ms: outcome?.rebufferMs ?? 0,
    experience_score_milli: outcome?.scoreMilli ?? null,
    reports_received: 99,
    reports_lost: 1,
    _partition: 1,
    _epoch: 10,
  };
}

/** Rows that no figure may count: told by edges alone, still open, of another time, of another project. */
function strangers(row: RowObject): RowObject[] {
  const poor = { ...row, cdn: 'birch', startup_ms: 9_000_000, started: 1, rebuffer_ms: 9_000_000 };
  const before = NOW_MS - 40 * HOUR_MS;
  return [
    { ...poor, view_id: 'edge-only', source: 'cmcd1' },
    { ...poor, view_id: 'stateless', source: '' },
    { ...poor, view_id: 'open', closed: 0 },
    { ...poor, view_id: 'old', view_start: before, view_end: before, start_day: dayOf(before) },
    { ...poor, view_id: 'strange', project: 'other' },
  ];
}

beforeAll(async () => {
  engine = await openTestStore();
  const rows = asked.views.map(rowOf);
  await insertRows(engine.store, viewsTable, [...rows, ...strangers(rows[0] as RowObject)]);
  ({ server } = await startServer(engine.store));
  const found = await engine.store.query<{ viewer: string; block: number }>(
    `SELECT DISTINCT viewer_user_id AS viewer, toUInt32(cityHash64(viewer_user_id) % ${BLOCKS}) AS block FROM views`,
    { rowsMax: 100_000 },
  );
  blocks = new Map(found.map(({ viewer, block }) => [Number(viewer.split('-')[1]), block]));
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

const QUESTION: QueryPairs = [
  ['from', 'alder'],
  ['to', 'birch'],
  ['share', '20'],
];
const whatIf = (pairs: QueryPairs = []) =>
  ask<Body>(server, '/cost/what-if', [...QUESTION, ...pairs]);

async function answered(pairs: QueryPairs = []): Promise<Body> {
  const { status, body } = await whatIf(pairs);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

describe('what if another CDN had served a part', () => {
  it('is answered as the statistics say, from sums that the store made', async () => {
    const { data, meta } = await answered();
    const expected = answerCase(asked, matched, (viewer) => blocks.get(viewer) ?? -1);
    if (expected.effects === null) throw new Error('the world is too thin for this test');
    for (const [place, [id, factor]] of FIGURES.entries()) {
      const effect = expected.effects[place];
      const quality = data.quality[id];
      for (const [name, value] of [
        ['now', effect?.now],
        ['would_be', effect?.wouldBe],
        ['delta', effect?.delta],
        ['low', effect?.low],
        ['high', effect?.high],
      ] as const) {
        expect(quality?.[name], `${id} ${name}`).toBeCloseTo((value ?? Number.NaN) * factor, 9);
      }
      expect(quality?.views_from).toBe(effect?.eventsFrom);
    }
    expect(FIGURES).toHaveLength(OUTCOMES.length);
    expect(data.moved.views).toBe(expected.movedViews);
    expect(data.supported_share).toBeCloseTo(expected.supportedShare, 12);
    expect(data.refused_cells).toBe(expected.refusedCells);
    expect(data).toMatchObject({ from: 'alder', share: 20, match: MATCH, cost: null });
    expect(data.slice).toEqual({
      views: asked.views.length,
      views_from: asked.views.filter(({ cdn }) => cdn === 0).length,
      views_to: asked.views.filter(({ cdn }) => cdn === 1).length,
    });
    expect(meta).toMatchObject({ aggregation: 'view_end', completeness: 0.99, confidence: 0.95 });
  });

  it('tells by which statement it came to be', async () => {
    const { meta } = await answered([['explain', 'true']]);
    const explained = meta.explain as { readonly tables: string[] }[];
    expect(explained.map(({ tables }) => tables)).toContainEqual(['views']);
  });

  it('is the same each time', async () => {
    expect((await answered()).data).toEqual((await answered()).data);
  });

  it.each([
    ['rebuffer_percentage', 'ratio'],
    ['video_startup_time', 'avg'],
    ['viewer_experience_score', 'avg'],
    ['video_startup_failure_percentage', 'ratio'],
    ['playback_failure_percentage', 'ratio'],
    ['exits_before_video_start', 'ratio'],
  ])('says of %s now what the metric says', async (id, measurement) => {
    const { data } = await answered([['filters[]', 'country:DE']]);
    const overall = await ask<{ data: { value: number } }>(server, `/metrics/${id}/overall`, [
      ['filters[]', 'country:DE'],
      ['filters[]', '!view_id:stateless'],
      ['filters[]', '!view_id:edge-only'],
      ['measurement', measurement],
    ]);
    expect(data.quality[id]?.now).toBeCloseTo(overall.body.data.value, 9);
  });

  it('grows with the share that moves', async () => {
    const { data: fifth } = await answered();
    const { status, body } = await ask<Body>(server, '/cost/what-if', [
      ...QUESTION.slice(0, 2),
      ['share', '100'],
    ]);
    expect(status).toBe(200);
    const [some, all] = [fifth, body.data].map((data) => data.quality.viewer_experience_score);
    // Every view has a score but few, so the difference is a straight line of the share, nearly.
    expect((all?.delta ?? 0) / (some?.delta ?? 1)).toBeCloseTo(5, 1);
    expect(Math.abs(body.data.moved.views - 5 * fifth.moved.views)).toBeLessThanOrEqual(3);
  });

  it('matches by what it is told to', async () => {
    const { data } = await answered([['match[]', 'country']]);
    expect(data.match).toEqual(['country']);
    expect(data.supported_share).toBe(1);
    expect(data.refused).toEqual([]);
  });

  it('refuses cells below min_views, names them with their counts, and moves the others', async () => {
    const { data } = await answered([
      ['min_views', '30'],
      ['match[]', 'asn'],
      ['match[]', 'viewer_device_category'],
    ]);
    const strict = await answered([
      ['min_views', '50'],
      ['match[]', 'asn'],
      ['match[]', 'viewer_device_category'],
    ]);
    expect(strict.data.refused_cells).toBeGreaterThan(data.refused_cells);
    for (const { cell, views_from, views_to, reason } of strict.data.refused) {
      const inCell = asked.views.filter(
        ({ view }) => view.asn === cell?.asn && view.device === cell?.viewer_device_category,
      );
      expect(views_from).toBe(inCell.filter(({ cdn }) => cdn === 0).length);
      expect(views_to).toBe(inCell.filter(({ cdn }) => cdn === 1).length);
      expect(reason === 'too_few_views_to' ? views_to : views_from).toBeLessThan(50);
    }
    const refused = strict.data.refused.reduce((sum, { views_from }) => sum + views_from, 0);
    const { views_from } = strict.data.slice;
    expect(strict.data.supported_share).toBeCloseTo(1 - refused / views_from, 9);
    expect(strict.data.moved.views).toBe(Math.round(0.2 * (views_from - refused)));
  });

  it('says no interval of a figure that hardly any view tells of', async () => {
    const { data } = await answered([['match[]', 'country']]);
    const { exits_before_video_start: exits } = data.quality;
    expect(exits?.would_be).not.toBeNull();
    const { data: few } = await answered([
      ['match[]', 'stream_type'],
      ['filters[]', `asn:${asked.views[0]?.view.asn ?? ''}`],
      ['filters[]', 'viewer_device_category:tv'],
    ]);
    const failures = few.quality.video_startup_failure_percentage;
    expect(Math.min(failures?.views_from ?? 99, failures?.views_to ?? 99)).toBeLessThan(10);
    expect(failures).toMatchObject({ would_be: null, delta: null, low: null, high: null });
  });

  it('is refused when too little of the slice can be compared, with the cells in the way', async () => {
    const { status, body } = await whatIf([['min_views', '500']]);
    expect([status, body.code]).toEqual([422, 'support_too_thin']);
    expect(body.supported_share).toBeLessThan(0.5);
    expect(body.refused?.length).toBe(20);
    const [largest] = body.refused ?? [];
    expect(body.detail).toContain(`asn ${largest?.cell?.asn}`);
    expect(body.detail).toContain(`${largest?.views_from} views on alder`);
  });

  it('is refused when the slice has no view to move', async () => {
    const { status, body } = await whatIf([['filters[]', 'country:nowhere']]);
    expect([status, body.code]).toEqual([422, 'support_too_thin']);
    expect(body.detail).toContain('no view of the slice was on alder');
  });

  it.each([
    [
      [
        ['from', 'aldr'],
        ['to', 'birch'],
        ['share', '20'],
      ],
      'parameter_invalid',
      'did you mean alder?',
    ],
    [
      [
        ['from', 'alder'],
        ['to', 'birsh'],
        ['share', '20'],
      ],
      'parameter_invalid',
      'did you mean birch?',
    ],
    [
      [
        ['from', 'alder'],
        ['to', 'alder'],
        ['share', '20'],
      ],
      'parameter_invalid',
      'two CDNs',
    ],
    [
      [
        ['from', 'alder'],
        ['to', 'birch'],
        ['share', '0'],
      ],
      'parameter_invalid',
      'share',
    ],
    [
      [
        ['from', 'alder'],
        ['to', 'birch'],
        ['share', '101'],
      ],
      'parameter_invalid',
      'share',
    ],
    [
      [
        ['from', 'alder'],
        ['to', 'birch'],
      ],
      'parameter_invalid',
      'share is needed',
    ],
    [[...QUESTION, ['min_views', '10']], 'parameter_invalid', 'min_views'],
    [[...QUESTION, ['match[]', 'contry']], 'dimension_unknown', 'did you mean country?'],
    [[...QUESTION, ['match[]', 'cdn']], 'parameter_invalid', 'follows from the CDN'],
    [[...QUESTION, ['match[]', 'viewer_id']], 'parameter_invalid', 'it is an id'],
    [[...QUESTION, ['filters[]', 'cdn:birch']], 'parameter_invalid', 'it follows from the CDN'],
    [
      [...QUESTION, ['metric_filters[]', 'rebuffer_count>0']],
      'parameter_unknown',
      'metric_filters',
    ],
  ] satisfies [QueryPairs, string, string][])('refuses %j as %s', async (pairs, code, named) => {
    const { status, body } = await ask<Body>(server, '/cost/what-if', pairs);
    expect([status, body.code]).toEqual([400, code]);
    expect(body.detail).toContain(named);
  });
});

describe('what a move costs', () => {
  it('is asked about the views that move, and stands under cost', async () => {
    const { data } = await answered([['min_views', '40']]);
    const moves: Move[] = [];
    const priced = fastify();
    const routes: FastifyPluginAsync = async (scope) => {
      const projects = openProjects({ file: '', host: '127.0.0.1', logger: silent, now });
      const counters = createApiCounters();
      await registerTokenGuard(scope, projects, counters);
      registerExplain(scope, counters);
      const deps = { store: engine.store, limits: QUERY_LIMITS, logger: silent };
      const costOf = async (move: Move) => {
        moves.push(move);
        return moveCost;
      };
      const typed: ApiScope = scope.withTypeProvider<TypeBoxTypeProvider>();
      registerWhatIf(typed, { ...deps, runner: createQueryRunner(deps), now, costOf });
    };
    await priced.register(routes);
    const response = await priced.inject({
      url: '/cost/what-if?from=alder&to=birch&share=20&min_views=40',
      headers: { authorization: AUTHORIZATION },
    });
    const body = response.json<{ data: object }>();
    expect(body.data).toEqual({ ...data, cost: moveCost });
    expect(moves).toHaveLength(1);
    expect(moves[0]).toMatchObject({
      from: 'alder',
      to: 'birch',
      share: 0.2,
      match: MATCH,
      viewsFrom: data.slice.views_from,
      viewsMoved: data.moved.views,
    });
    const held = asked.views.filter(
      ({ view, cdn }) =>
        cdn === 0 && moves[0]?.cells.some((cell) => cell.join() === matched(view).join()),
    );
    expect(held.length / data.slice.views_from).toBeCloseTo(data.supported_share, 12);
    await priced.close();
  });
});

describe('the statement', () => {
  const scope = {
    project: 'default',
    timeframe: { fromMs: NOW_MS - 24 * HOUR_MS, toMs: NOW_MS },
    filters: [],
    metricFilters: [],
  };
  const question = {
    from: 'alder',
    to: 'birch',
    match: ['asn'],
    blocks: BLOCKS,
    cellsMax: 3,
    viewsMin: 30,
  };

  it('adds up cells beyond cellsMax, those with fewest views to move, and loses no view', async () => {
    const { sql, params } = planWhatIf(question, scope);
    const rows = await engine.store.query<WhatIfRow>(sql, { params, rowsMax: 100_000 });
    expect(rows.reduce((sum, { views }) => sum + views, 0)).toBe(asked.views.length);
    const byAsn = new Map<string, number>();
    for (const { view, cdn } of asked.views) {
      byAsn.set(view.asn, (byAsn.get(view.asn) ?? 0) + (cdn === 0 ? 1 : 0));
    }
    const largest = [...byAsn].toSorted((a, b) => b[1] - a[1]);
    const cells = new Set(rows.filter(({ kind }) => kind === 1).map(({ cell }) => cell.join()));
    expect([...cells].sort()).toEqual(
      largest
        .slice(0, 3)
        .map(([asn]) => asn)
        .sort(),
    );
    const beyond = rows.filter(({ kind, side }) => kind === 2 && side === 1);
    expect(beyond).toHaveLength(1);
    expect(beyond[0]?.views).toBe(largest.slice(3).reduce((sum, [, views]) => sum + views, 0));
  });
});
