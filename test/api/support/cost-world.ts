/** Deliveries made up from a seed: single requests, their sums by window, and the views that they belong to. */
import type { Store } from '../../../platform/store/store.ts';
import { sketchBucket } from '../../../schemas/sketch.ts';
import { delivery5s, requests as requestsTable } from '../../../schemas/tables/delivery.ts';
import { views as viewsTable } from '../../../schemas/tables/tables.ts';
import { dayOf, insertRows, type RowObject, seeded } from '../../support/rows.ts';
import type { PlainBook, PlainUsage } from './plain-invoice.ts';

const HOUR_MS = 3_600_000;
export const WORLD_FROM_MS = Date.UTC(2026, 0, 20);
export const WORLD_TO_MS = Date.UTC(2026, 2, 10, 12);

/** Tiers that are passed, other currencies, and a contract that another replaces within a month. */
export const BOOK: PlainBook = {
  currency: 'EUR',
  rates: { USD: '0.9217', JPY: '0.0061' },
  regions: { europe: ['DE', 'FR'], japan: ['JP'] },
  contracts: [
    {
      cdn: 'fastly',
      region: 'europe',
      currency: 'USD',
      validFrom: '2026-01-01',
      validTo: '2026-02-15',
      tiers: [{ upTo: 1, price: '0.085' }, { upTo: 3, price: '0.0613' }, { price: '0.04' }],
      perRequest: { price: '0.0075', per: 7 },
      originEgress: { price: '0.0203' },
    },
    {
      cdn: 'fastly',
      region: 'europe',
      currency: 'USD',
      validFrom: '2026-02-15',
      tiers: [{ upTo: 3, price: '0.071' }, { price: '0.033' }],
      perRequest: { price: '0.0071', per: 10_000 },
    },
    { cdn: 'fastly', validFrom: '2026-01-01', tiers: [{ price: '0.1213' }] },
    {
      cdn: 'akamai',
      region: 'japan',
      currency: 'JPY',
      validFrom: '2026-02-01',
      tiers: [{ upTo: 1, price: '11.7' }, { price: '7.3' }],
      originEgress: { price: '1.1' },
    },
  ],
};

export interface WorldRequest extends PlainUsage {
  readonly viewId: string;
  readonly source: 'edge' | 'player';
  /** What it is counted under: its own word, else its view's. */
  readonly asn: string;
  readonly pop: string;
  readonly mediaMs: number;
  readonly ttfbMs: number;
  readonly status: number;
  /** hit, miss, or empty: unknown. */
  readonly cache: string;
  readonly view: RowObject | undefined;
}

export interface World {
  readonly requests: readonly WorldRequest[];
  readonly views: readonly RowObject[];
}

type Random = () => number;
const whole = (random: Random, max: number): number => Math.floor(random() * max);
const pick = <Item>(random: Random, ...items: Item[]): Item =>
  items[whole(random, items.length)] as Item;

function makeView(project: string, index: number, random: Random): RowObject {
  const start = WORLD_FROM_MS + whole(random, WORLD_TO_MS - WORLD_FROM_MS - 3 * HOUR_MS);
  const started = random() < 0.9 ? 1 : 0;
  const playing = started * whole(random, 2 * HOUR_MS);
  return {
    project,
    view_id: `view-${index}`,
    video_id: `video-${whole(random, 4)}`,
    video_title: pick(random, '', 'A film', "It's live", 'Title'),
    viewer_user_id: pick(random, '', 'ann', 'bob'),
    custom_1: `value-${whole(random, 5)}`,
    country: pick(random, 'DE', 'FR', 'JP', 'BR', ''),
    cdn: pick(random, 'fastly', 'akamai', 'nobody'),
    asn: String(64_500 + whole(random, 3)),
    operating_system: pick(random, 'macOS', 'Windows', ''),
    start_day: dayOf(start),
    view_start: start,
    view_end: start + playing + whole(random, HOUR_MS),
    closed: random() < 0.9 ? 1 : 0,
    started,
    outcome: 'ended',
    source: pick(random, 'native', 'cmcd', 'native', 'cmcd1'),
    startup_ms: whole(random, 4_000),
    playing_ms: playing,
    rebuffer_ms: started * whole(random, 9_000),
    unknown_ms: pick(random, 0, 0, 0, 60_000),
    downscale_ppm: pick(random, null, 0, whole(random, 900_000)),
    experience_score_milli: whole(random, 100_001),
    _partition: 0,
    _epoch: 20,
  };
}

function makeRequest(views: readonly RowObject[], random: Random): WorldRequest {
  const view = random() < 0.9 ? views[whole(random, views.length)] : undefined;
  const stranger = random() < 0.5 ? '' : 'view-of-nobody';
  const cdn = pick(random, '', 'fastly', 'fastly', 'akamai', 'nobody');
  const country = pick(random, '', 'DE', 'FR', 'JP', 'BR');
  const fromMs = view === undefined ? WORLD_FROM_MS : Number(view.view_start);
  const spanMs = view === undefined ? WORLD_TO_MS - WORLD_FROM_MS : 2 * HOUR_MS;
  const bytes = pick(random, 0, whole(random, 90_000_000), whole(random, 400_000_000));
  const cache = pick(random, 'hit', 'hit', 'stale', 'miss', '', 'error');
  return {
    view,
    viewId: view === undefined ? stranger : String(view.view_id),
    source: random() < 0.8 ? 'edge' : 'player',
    cdn: cdn === '' ? String(view?.cdn ?? '') : cdn,
    country: country === '' ? String(view?.country ?? '') : country,
    asn: String(view?.asn ?? ''),
    pop: pick(random, '', 'FRA', 'NRT'),
    atMs: Math.min(fromMs + whole(random, spanMs), WORLD_TO_MS - 1),
    bytes,
    originBytes: cache === 'miss' ? bytes : 0,
    mediaMs: pick(random, 0, 4_000, 6_000, 900_000),
    ttfbMs: whole(random, 300),
    status: pick(random, 200, 200, 206, 404, 503, 0),
    cache,
  };
}

export function makeWorld(
  project: string,
  seed: number,
  sizes: { readonly views: number; readonly requests: number },
): World {
  const random = seeded(seed);
  const views = Array.from({ length: sizes.views }, (_, index) => makeView(project, index, random));
  const requests = Array.from({ length: sizes.requests }, () => makeRequest(views, random));
  return { views, requests };
}

export const isHit = ({ cache }: WorldRequest): boolean => ['hit', 'stale'].includes(cache);

const CLASSES: Readonly<Record<number, string>> = { 0: 'none', 2: '2xx', 4: '4xx', 5: '5xx' };
const statusClass = (status: number): string => CLASSES[Math.floor(status / 100)] ?? '';

/** A row of `requests`: what a view says is not repeated in it. */
function requestRow(project: string, each: WorldRequest, random: Random): RowObject {
  const unsaid = (name: 'cdn' | 'country'): string =>
    each.view !== undefined && each.view[name] === each[name] && random() < 0.7 ? '' : each[name];
  return {
    project,
    view_id: each.viewId,
    at: each.atMs,
    source: each.source,
    cdn: unsaid('cdn'),
    country: unsaid('country'),
    view_cdn_edge_pop: each.pop,
    object_type: 'segment',
    protocol: 'HTTP/2',
    cache: each.cache,
    status: each.status,
    bytes: each.bytes === 0 ? -1 : each.bytes,
    ttfb_ms: each.ttfbMs,
    media_ms: each.mediaMs,
    _epoch: 1,
  };
}

/** The same as a row of `delivery_5s`. */
function deliveryRow(project: string, each: WorldRequest): RowObject {
  const succeeded = each.status >= 200 && each.status < 400;
  return {
    project,
    window: Math.floor(each.atMs / 5_000) * 5,
    source: each.source,
    video_id: each.view?.video_id ?? '',
    operating_system: each.view?.operating_system ?? '',
    cdn: each.cdn,
    country: each.country,
    asn: each.asn,
    view_cdn_edge_pop: each.pop,
    object_type: 'segment',
    status_class: statusClass(each.status),
    protocol: 'HTTP/2',
    requests: 1,
    bytes: each.bytes,
    hit_bytes: isHit(each) ? each.bytes : 0,
    cache_bytes: isHit(each) || each.cache === 'miss' ? each.bytes : 0,
    origin_bytes: each.originBytes,
    client_errors: each.status === 404 ? 1 : 0,
    server_errors: each.status === 503 ? 1 : 0,
    ttfb_sketch: new Map(succeeded ? [[sketchBucket(each.ttfbMs), 1]] : []),
    _epoch: 1,
  };
}

const INSERT_ROWS = 20_000;

/**
 * Writes a world as processors would: some requests first under other values, which are taken back. Single requests may
 * be gone by now.
 */
export async function insertWorld(
  store: Store,
  project: string,
  world: World,
  isKept: (each: WorldRequest) => boolean = () => true,
): Promise<void> {
  const random = seeded(5);
  const rows = world.requests.filter(isKept).map((each) => requestRow(project, each, random));
  const delivered = world.requests.flatMap((each) => {
    const row = deliveryRow(project, each);
    if (random() < 0.8) return [row];
    const moved = { ...row, cdn: '', country: '', asn: '', ttfb_sketch: new Map() };
    return [row, moved, takenBack(moved)];
  });
  for (let at = 0; at < delivered.length; at += INSERT_ROWS) {
    await insertRows(store, delivery5s, delivered.slice(at, at + INSERT_ROWS));
    await insertRows(store, requestsTable, rows.slice(at, at + INSERT_ROWS));
  }
  const older = world.views.map((view) => ({ ...view, _epoch: 1, video_title: 'old', cdn: 'old' }));
  await insertRows(store, viewsTable, older);
  await insertRows(store, viewsTable, world.views);
}

const SUMS = ['requests', 'bytes', 'hit_bytes', 'cache_bytes', 'origin_bytes'];

function takenBack(row: RowObject): RowObject {
  const errors = ['client_errors', 'server_errors'];
  const negative = [...SUMS, ...errors].map((name) => [name, -Number(row[name] ?? 0)]);
  return { ...row, ...Object.fromEntries(negative) };
}
