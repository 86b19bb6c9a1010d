/** Requests of every kind, made up from a seed: rows of `requests`, their views, and the cells that a fold makes of them. */

import { RowWriter } from '../../platform/store/row-binary.ts';
import type { Store } from '../../platform/store/store.ts';
import { DeliveryCells } from '../../processors/delivery/delivery-cells.ts';
import { DeliveredRequest } from '../../processors/delivery/request.ts';
import { SaidKeys } from '../../processors/delivery/said-keys.ts';
import { Tuples } from '../../processors/tuples.ts';
import { WINDOW_MS } from '../../processors/window-cells.ts';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { delivery5s, requests as requestsTable } from '../../schemas/tables/delivery.ts';
import { views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, insertRows, type RowObject, seeded } from '../support/rows.ts';
import { NOW_MS } from './support/generated-views.ts';

const HOUR_MS = 3_600_000;
/** Twelve hours that are over. */
export const FROM_MS = NOW_MS - 14 * HOUR_MS;
export const TO_MS = NOW_MS - 2 * HOUR_MS;

/** A request and what its view says; undefined without a view. */
export interface Told {
  readonly viewId: string;
  readonly view: Readonly<Record<string, string>> | undefined;
  readonly request: DeliveredRequest;
}

export function generateTold(count: number, seed: number): Told[] {
  const random = seeded(seed);
  const whole = (max: number): number => Math.floor(random() * max);
  const pick = <Item>(...items: Item[]): Item => items[whole(items.length)] as Item;
  const views = Array.from({ length: 30 }, (_, index) => ({
    id: `view-${index}`,
    dimensions: {
      country: pick('DE', 'FR', ''),
      cdn: pick('fastly', 'akamai'),
      asn: pick('64500', ''),
      video_id: pick('film', 'show', ''),
      stream_type: pick('live', ''),
      player_name: pick('web', "O'Brien\\tv"),
      browser: pick('Firefox', 'Chrome', ''),
      region: pick('BY', 'HH'),
      custom_1: `value-${whole(5)}`,
      video_title: pick('A film', ''),
    },
  }));
  return Array.from({ length: count }, (): Told => {
    const view = random() < 0.85 ? pick(...views) : undefined;
    // Lines may name a view that nobody tells of.
    const viewId = view?.id ?? pick('', 'stranger');
    return { viewId, view: view?.dimensions, request: generateRequest(whole, pick, random) };
  });
}

function generateRequest(
  whole: (max: number) => number,
  pick: <Item>(...items: Item[]) => Item,
  random: () => number,
): DeliveredRequest {
  const source = pick('edge', 'edge', 'player');
  const edge = source === 'edge';
  const maybe = (value: number): number => (random() < 0.2 ? -1 : value);
  const mediaMs = edge ? pick(0, 2_000, 4_000) : 0;
  return {
    ...new DeliveredRequest(),
    source,
    // A few lie outside of the time asked for.
    atMs: FROM_MS - HOUR_MS + whole(14 * HOUR_MS),
    urlKey: whole(500),
    objectType: pick('segment', 'segment', 'manifest', 'init'),
    cdn: edge ? pick('fastly', 'cloudfront', '') : '',
    status: pick(200, 200, 200, 206, 302, 404, 503, 0, -1),
    bytes: maybe(whole(4_000_000)),
    ttfbMs: maybe(whole(900)),
    totalMs: maybe(whole(5_000)),
    pop: edge ? pick('FRA', 'OSL', '') : '',
    country: edge ? pick('DE', 'NO', '') : '',
    asn: edge ? pick('64501', '') : '',
    videoId: edge ? pick('film', '') : '',
    protocol: edge ? pick('HTTP/2', 'HTTP/3') : '',
    cache: edge ? pick('hit', 'miss', 'stale', 'revalidated', 'bypass', 'error', '') : '',
    originMs: edge ? maybe(whole(600)) : -1,
    mediaMs,
    bitrate: mediaMs > 0 ? pick(0, 1_200_000, 5_000_000) : 0,
    aborted: edge && random() < 0.05,
    starved: edge && random() < 0.05,
    startup: edge && random() < 0.1,
  };
}

export const requestRow = ({ viewId, request }: Told): RowObject => ({
  project: 'default',
  view_id: viewId,
  url_key: request.urlKey,
  at: request.atMs,
  source: request.source,
  cdn: request.cdn,
  view_cdn_edge_pop: request.pop,
  country: request.country,
  asn: request.asn,
  video_id: request.videoId,
  object_type: request.objectType,
  protocol: request.protocol,
  cache: request.cache,
  status: request.status,
  bytes: request.bytes,
  ttfb_ms: request.ttfbMs,
  total_ms: request.totalMs,
  origin_ms: request.originMs,
  hop_ms: request.hopMs,
  hop_origin_ms: request.hopOriginMs,
  media_ms: request.mediaMs,
  bitrate: request.bitrate,
  aborted: request.aborted ? 1 : 0,
  starved: request.starved ? 1 : 0,
  startup: request.startup ? 1 : 0,
});

export async function insertRequests(store: Store, told: readonly Told[]): Promise<void> {
  await insertRows(store, requestsTable, told.map(requestRow));
}

/** A row of each view, and an older one of the same that the newer replaces. */
export async function insertViews(
  store: Store,
  told: readonly Told[],
  fromMs = FROM_MS,
): Promise<void> {
  const views = new Map(
    told.flatMap(({ viewId, view }) => (view === undefined ? [] : [[viewId, view] as const])),
  );
  for (const [epoch, change] of [
    [1, { browser: 'old', region: 'old' }],
    [2, {}],
  ] as const) {
    const rows = [...views].map(([id, view]) => ({
      project: 'default',
      view_id: id,
      start_day: dayOf(fromMs),
      view_start: fromMs,
      view_end: fromMs + 12 * HOUR_MS,
      closed: 1,
      _epoch: epoch,
      ...view,
      ...change,
    }));
    await insertRows(store, viewsTable, rows);
  }
}

/** The cells of all requests. A third were counted without their view at first, and are moved by a later epoch. */
export async function insertCells(store: Store, told: readonly Told[]): Promise<void> {
  const cells = new DeliveryCells();
  const tuples = new Tuples();
  const keys = new SaidKeys(tuples);
  const out = new RowWriter();
  const epoch = (add: () => void, number: number): void => {
    add();
    const rows = {
      end: () => {
        endColumns(out, number);
      },
      failed: (error: unknown) => {
        throw error;
      },
    };
    cells.write(out, keys.headOf, rows);
  };
  const valuesOf = ({ view }: Told): string[] => dimensions.map(({ name }) => view?.[name] ?? '');
  const add = (one: Told, values: readonly string[], weight: 1 | -1): void => {
    const { request } = one;
    const said = keys.saidOf(request, undefined);
    const key = keys.keyOf(said, tuples.ofView('default', values));
    cells.addRequest(cells.slot(Math.floor(request.atMs / WINDOW_MS), key), request, weight);
  };
  epoch(() => {
    for (const [index, one] of told.entries()) add(one, index % 3 === 0 ? [] : valuesOf(one), 1);
  }, 1);
  epoch(() => {
    for (const [index, one] of told.entries()) {
      if (index % 3 !== 0) continue;
      add(one, [], -1);
      add(one, valuesOf(one), 1);
    }
  }, 2);
  await store.insert(delivery5s.name, out.take(), {
    columns: delivery5s.columns.map(({ name }) => name),
    token: `cells-${process.pid}`,
  });
}

function endColumns(out: RowWriter, epoch: number): void {
  out.uint16(0);
  out.uint64(epoch);
  out.endRow();
}
