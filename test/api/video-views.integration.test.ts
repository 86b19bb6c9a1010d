import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part } from '../../schemas/beat.ts';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { viewEvents, views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, encodeParts, insertRows, type RowObject } from '../support/rows.ts';
import { NOW_MS } from './support/generated-views.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';

const HOUR_MS = 3_600_000;
const START_MS = NOW_MS - 2 * HOUR_MS;

type Json = Record<string, unknown>;

interface Envelope<Data> {
  readonly data: Data;
  readonly timeframe: [number, number];
  readonly total_row_count: number;
  readonly meta: { readonly complete_through: null; readonly events?: Json };
  readonly code?: string;
}

interface Event extends Json {
  readonly name: string;
  readonly details: Json;
}

type Detail = Json & { readonly events: Event[] };

let engine: TestStore;
let server: FastifyInstance;

const base = (viewId: string, more: RowObject): RowObject => ({
  project: 'default',
  view_id: viewId,
  start_day: dayOf(START_MS),
  view_start: START_MS,
  view_end: START_MS + HOUR_MS,
  closed: 1,
  started: 1,
  outcome: 'ended',
  source: 'native',
  _epoch: 5,
  ...more,
});

const closed = base('closed', {
  viewer_user_id: 'ann',
  video_title: 'A film',
  country: 'DE',
  operating_system: 'macOS',
  view_has_ad: 'true',
  startup_ms: 800,
  playing_ms: 60_000,
  rebuffer_ms: 6_000,
  rebuffer_count: 2,
  seek_ms: 300,
  seek_done_ms: 300,
  seek_count: 1,
  bitrate_bit_ms: 60_000 * 2_500_000,
  bitrate_known_ms: 60_000,
  upscale_ppm: 250_000,
  success_milli: 100_000,
  experience_score_milli: 87_654,
  reports_received: 9,
  reports_lost: 1,
});

const live = base('live', {
  viewer_user_id: 'bob',
  view_end: START_MS,
  closed: 0,
  started: 0,
  outcome: 'playing',
});

interface EventRow {
  readonly seq: number;
  readonly parts: Parameters<typeof encodeParts>[0];
  readonly more?: RowObject;
}

function eventRow(viewId: string, { seq, parts, more = {} }: EventRow): RowObject {
  const { version, bytes } = encodeParts(parts);
  return {
    project: 'default',
    view_id: viewId,
    start_day: dayOf(START_MS),
    at: START_MS + seq * 1_000,
    client_at: START_MS + seq * 1_000 - 70,
    source: 'native',
    lane: 'main',
    seq,
    name: 'state',
    taken: 'yes',
    schema_version: version,
    parts: bytes,
    _epoch: 1 + seq,
    ...more,
  };
}

beforeAll(async () => {
  engine = await openTestStore();
  const { store } = engine;
  await insertRows(store, viewsTable, [
    { ...closed, playing_ms: 1, closed: 0, _epoch: 2 },
    closed,
    live,
    base('silent', { closed: 0, started: 0, outcome: 'playing', view_end: START_MS }),
    base('old', { view_start: START_MS - 48 * HOUR_MS, view_end: START_MS - 47 * HOUR_MS }),
    base('theirs', { project: 'other' }),
  ]);
  const totals = { startup_ms: 700, playing_ms: 30_000, rebuffer_ms: 10_000, rebuffer_count: 3 };
  await insertRows(store, viewEvents, [
    eventRow('live', { seq: 0, parts: [part.state('starting')], more: { state: 'starting' } }),
    eventRow('live', {
      seq: 1,
      parts: [part.state('playing')],
      more: { state: 'playing', startup_ms: 700 },
    }),
    eventRow('live', {
      seq: 2,
      parts: [part.state('rebuffering')],
      more: { state: 'rebuffering', ...totals },
    }),
    // None of these drives the view, whatever totals they carry.
    eventRow('live', { seq: 3, parts: [], more: { lane: 'response', playing_ms: 99_999 } }),
    eventRow('live', { seq: 4, parts: [], more: { taken: 'late', playing_ms: 99_999 } }),
    eventRow('live', {
      seq: 5,
      parts: [],
      more: { taken: 'shadowed', source: 'cmcd', playing_ms: 99_999 },
    }),
  ]);
  await insertRows(store, viewEvents, [
    eventRow('closed', { seq: 0, parts: [part.state('starting')], more: { state: 'starting' } }),
    eventRow('closed', {
      seq: 1,
      parts: [
        part.rendition({ bitrate: 2_500_000, width: 1280, height: 720 }),
        part.status({ playhead: 0, droppedFrames: 0 }),
        part.context([{ name: 'cdn', value: 'fastly' }]),
        part.keys([{ name: 'ot', value: 'v' }]),
        part.custom({ name: 'mood', value: 'good' }),
      ],
      more: { name: 'rendition' },
    }),
    eventRow('closed', {
      seq: 2,
      parts: [
        part.request({ kind: 'segment', status: 0, bytes: 5 }),
        part.error({ code: 'E1', message: 'no', fatal: 'yes' }),
        part.ad({ what: 'start', placement: 'preroll', code: '' }),
      ],
      more: { name: 'request', lane: 'response', seq: -1 },
    }),
    eventRow('closed', { seq: 3, parts: [], more: { schema_version: 60_000 } }),
    eventRow('closed', { seq: 4, parts: [], more: { parts: Buffer.from([0x80, 0xff, 0x00]) } }),
  ]);
  ({ server } = await startServer(store));
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

async function detail(id: string, pairs: QueryPairs = []): Promise<Envelope<Detail>> {
  return (await ask<Envelope<Detail>>(server, `/video-views/${id}`, pairs)).body;
}

async function list(pairs: QueryPairs = []): Promise<Envelope<Json[]>> {
  return (await ask<Envelope<Json[]>>(server, '/video-views', pairs)).body;
}

describe('a closed view', () => {
  it('has each metric under its id in answer units', async () => {
    const { data } = await detail('closed');
    expect(data).toMatchObject({
      views: 1,
      unique_viewers: 1,
      ended_views: 1,
      video_startup_time: 800,
      watch_time: 67_100,
      weighted_average_bitrate: 2_500_000,
      rebuffer_percentage: 0.090909,
      rebuffer_frequency: 1.818182,
      upscale_percentage: 0.25,
      viewer_experience_score: 87.654,
      playback_success_score: 100,
      report_completeness: 0.9,
      exits_before_video_start: 0,
      live_stream_latency: null,
      page_load_time: null,
    });
    for (const { id } of viewMetrics) expect(data).toHaveProperty(id);
    for (const { name } of dimensions) expect(data).toHaveProperty(name);
  });

  it("has Mux Data's names beside ours", async () => {
    const { data } = await detail('closed');
    expect(data).toMatchObject({
      id: 'closed',
      view_id: 'closed',
      live: false,
      outcome: 'ended',
      view_start: new Date(START_MS).toISOString(),
      view_end: new Date(START_MS + HOUR_MS).toISOString(),
      time_to_first_frame: 800,
      buffering_count: 2,
      buffering_duration: 6_000,
      view_playing_time: 60_000,
      view_seek_count: 1,
      country: 'DE',
      country_code: 'DE',
      viewer_os_family: 'macOS',
      viewer_application_name: null,
      view_has_ad: true,
      playback_failure: false,
      quality_score: null,
    });
  });

  it('names its own time as timeframe', async () => {
    const { timeframe, total_row_count } = await detail('closed');
    expect(timeframe).toEqual([START_MS / 1_000, (START_MS + HOUR_MS) / 1_000]);
    expect(total_row_count).toBe(1);
  });

  it('has a timeline of what its clients said', async () => {
    const { data } = await detail('closed');
    expect(data.events[0]).toEqual({
      viewer_time: START_MS - 70,
      client_at: new Date(START_MS - 70).toISOString(),
      event_time: START_MS,
      at: new Date(START_MS).toISOString(),
      playback_time: null,
      name: 'state',
      source: 'native',
      lane: 'main',
      state: 'starting',
      taken: 'yes',
      seq: 0,
      details: { state: 'starting' },
    });
    expect(data.events[1]?.playback_time).toBe(0);
    expect(data.events[1]?.details).toEqual({
      bitrate: 2_500_000,
      basis: 'shown',
      width: 1280,
      height: 720,
      playhead: 0,
      dropped_frames: 0,
      context: { cdn: 'fastly' },
      keys: { ot: 'v' },
      custom: { mood: 'good' },
    });
    expect(data.events[2]).toMatchObject({ seq: null, lane: 'response' });
    expect(data.events[2]?.details).toEqual({
      request_kind: 'segment',
      request_status: 0,
      request_bytes: 5,
      error_code: 'E1',
      error_message: 'no',
      error_fatal: 'yes',
      error_business: false,
      ad_what: 'start',
      ad_placement: 'preroll',
    });
  });

  it('keeps an event whose parts cannot be read', async () => {
    const { data } = await detail('closed');
    expect(data.events[3]?.details).toEqual({ unreadable: 'schema version 60000' });
    expect(data.events[4]?.details).toEqual({ unreadable: 'malformed' });
  });

  it('has its timeline in pages', async () => {
    const first = await detail('closed', [['limit', '2']]);
    expect(first.data.events).toHaveLength(2);
    expect(first.meta.events).toEqual({ page: 1, limit: 2, total_row_count: 5, next_page: 2 });
    const last = await detail('closed', [
      ['limit', '2'],
      ['page', '3'],
    ]);
    expect(last.data.events.map(({ seq }) => seq)).toEqual([4]);
    expect(last.meta.events).toMatchObject({ next_page: null });
    const beyond = await detail('closed', [
      ['limit', '2'],
      ['page', '4'],
    ]);
    expect(beyond.data.events).toEqual([]);
    expect(beyond.meta.events).toMatchObject({ total_row_count: 5, next_page: null });
  });
});

describe('a live view', () => {
  it('has the totals of its newest driving event and nothing made up', async () => {
    const { data, timeframe } = await detail('live');
    expect(data).toMatchObject({
      live: true,
      state: 'rebuffering',
      views: 1,
      started_views: 1,
      unique_viewers: 1,
      video_startup_time: 700,
      playing_time: 30_000,
      rebuffer_duration: 10_000,
      rebuffer_count: 3,
      rebuffer_percentage: 0.25,
      watch_time: 40_700,
      ended_views: null,
      exits_before_video_start: null,
      playback_failure_percentage: null,
      weighted_average_bitrate: null,
      report_completeness: null,
      viewer_experience_score: null,
      view_end: new Date(START_MS + 5_000).toISOString(),
    });
    expect(data).not.toHaveProperty('view_seek_count');
    expect(timeframe).toEqual([START_MS / 1_000, START_MS / 1_000 + 5]);
    expect(data.events).toHaveLength(6);
  });

  it('without an event yet is known by its row alone', async () => {
    const { data } = await detail('silent');
    expect(data).toMatchObject({ live: true, views: 1, unique_viewers: null, playing_time: null });
    expect(data.events).toEqual([]);
    expect(data.view_end).toBe(new Date(START_MS).toISOString());
  });
});

describe('a view that is not there', () => {
  it.each(['nobody', 'theirs', "' OR 1=1 --"])('%s is not found', async (id) => {
    const { status, body } = await ask<Envelope<never>>(
      server,
      `/video-views/${encodeURIComponent(id)}`,
    );
    expect([status, body.code]).toEqual([404, 'view_not_found']);
  });
});

describe('the list', () => {
  it('has closed views by their end and live ones by their start, the newest end first', async () => {
    const { data, total_row_count, meta } = await list();
    expect(data.map(({ id }) => id)).toEqual(['closed', 'live', 'silent']);
    expect(total_row_count).toBe(3);
    expect(meta.complete_through).toBeNull();
    expect(data[0]).toMatchObject({
      live: false,
      view_end: new Date(START_MS + HOUR_MS).toISOString(),
      video_title: 'A film',
      country_code: 'DE',
      watch_time: 67_100,
      viewer_experience_score: 87.654,
      playback_failure: false,
      total_row_count: 3,
    });
    expect(data[1]).toMatchObject({ live: true, watch_time: null, viewer_experience_score: null });
  });

  it('takes order, pages, a viewer, filters and a timeframe', async () => {
    const ids = async (pairs: QueryPairs) => (await list(pairs)).data.map(({ id }) => id);
    expect(await ids([['order_direction', 'asc']])).toEqual(['live', 'silent', 'closed']);
    expect(
      await ids([
        ['limit', '1'],
        ['page', '2'],
      ]),
    ).toEqual(['live']);
    expect((await list([['page', '9']])).total_row_count).toBe(3);
    expect(await ids([['viewer_id', 'ann']])).toEqual(['closed']);
    expect(await ids([['search', 'ann']])).toEqual(['closed']);
    expect(await ids([['search', 'clo']])).toEqual(['closed']);
    expect(await ids([['search', 'lo']])).toEqual([]);
    expect(await ids([['filters[]', 'country:DE']])).toEqual(['closed']);
    expect(await ids([['metric_filters[]', 'playing_time>1000']])).toEqual(['closed']);
    expect(await ids([['timeframe[]', '7:days']])).toHaveLength(4);
  });
});

describe('dimensions', () => {
  it.each(['dimensions', 'filters'])('are listed at /%s', async (path) => {
    const { body } = await ask<Envelope<{ basic: string[]; advanced: string[] }>>(
      server,
      `/${path}`,
    );
    expect([...body.data.basic, ...body.data.advanced].sort()).toEqual(
      dimensions.map(({ name }) => name).sort(),
    );
    expect(body.total_row_count).toBe(dimensions.length);
  });

  it('have values with the number of views that carry them', async () => {
    const { body } = await ask<Envelope<Json[]>>(server, '/dimensions/country');
    expect(body.data).toEqual([
      { value: '', total_count: 2 },
      { value: 'DE', total_count: 1 },
    ]);
    expect(body.total_row_count).toBe(2);
    const beyond = await ask<Envelope<Json[]>>(server, '/filters/country', [['page', '4']]);
    expect(beyond.body).toMatchObject({ data: [], total_row_count: 2 });
  });
});

it('the engine answers that it is ready', async () => {
  const response = await server.inject('/readyz');
  expect(response.statusCode).toBe(200);
});
