/** The figures of delivery in plain code, from requests as they were made up: nothing here looks at the catalogue's SQL. */
import type { DeliveredRequest } from '../../processors/delivery/request.ts';
import type { Told } from './delivery-rows.ts';

const HITS = ['hit', 'stale', 'revalidated'];
const FILLS = ['miss', 'bypass'];

/** A dimension of a request, by the rule that its own place counts before its view's. */
export function dimensionOf({ viewId, view, request }: Told, name: string): string {
  const said = view?.[name] ?? '';
  switch (name) {
    case 'view_id':
      return viewId;
    case 'cdn':
    case 'country':
    case 'asn':
      return request[name] === '' ? said : request[name];
    case 'video_id':
      return said === '' ? request.videoId : said;
    case 'view_cdn_edge_pop':
      return request.pop;
    case 'object_type':
      return request.objectType;
    case 'protocol':
    case 'cache':
      return request[name];
    case 'status_class':
      if (request.status < 100) return request.status === 0 ? 'none' : '';
      return `${String(request.status)[0]}xx`;
    default:
      return said;
  }
}

const sum = (list: readonly Told[], value: (request: DeliveredRequest) => number): number =>
  list.reduce((total, { request }) => total + value(request), 0);
const which = (list: readonly Told[], holds: (request: DeliveredRequest) => boolean): Told[] =>
  list.filter(({ request }) => holds(request));

const succeeded = ({ status }: DeliveredRequest): boolean => status >= 200 && status < 400;
const size = ({ bytes }: DeliveredRequest): number => Math.max(0, bytes);
const isHit = ({ cache }: DeliveredRequest): boolean => HITS.includes(cache);
const isKnown = ({ cache }: DeliveredRequest): boolean => [...HITS, ...FILLS].includes(cache);
const ratio = (top: number, bottom: number): number | null => (bottom > 0 ? top / bottom : null);

/** Interpolates between neighbours. */
export function percentile(values: readonly number[], level: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const place = level * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.min(Math.floor(place) + 1, sorted.length - 1)];
  if (low === undefined || high === undefined) return null;
  return low + (high - low) * (place - Math.floor(place));
}

const LEVELS: Readonly<Record<string, number>> = {
  '5th': 0.05,
  '25th': 0.25,
  median: 0.5,
  '75th': 0.75,
  '90th': 0.9,
  '95th': 0.95,
  '99th': 0.99,
};

/** Times of requests that succeeded and said it, by metric. */
const times: Readonly<Record<string, (request: DeliveredRequest) => number>> = {
  ttfb: ({ ttfbMs }) => ttfbMs,
  total_time: ({ totalMs }) => totalMs,
  origin_latency: ({ originMs }) => originMs,
};

function timeFigure(list: readonly Told[], id: string, measure: string): number | null {
  const time = times[id] ?? (() => -1);
  const values = which(list, (request) => succeeded(request) && time(request) >= 0).map(
    ({ request }) => time(request),
  );
  if (measure === 'count') return values.length;
  if (measure === 'avg')
    return ratio(
      values.reduce((a, b) => a + b, 0),
      values.length,
    );
  return percentile(values, LEVELS[measure] ?? Number.NaN);
}

interface Parts {
  readonly top: number;
  readonly bottom: number;
  readonly count: number;
  readonly factor?: number;
}

function partsOf(list: readonly Told[], id: string): Parts {
  const count = list.length;
  const tally = (holds: (request: DeliveredRequest) => boolean): Parts => ({
    top: which(list, holds).length,
    bottom: count,
    count,
  });
  const moved = which(
    list,
    (request) => succeeded(request) && request.totalMs > 0 && request.bytes >= 0,
  );
  const pictures = which(list, ({ mediaMs, bitrate }) => mediaMs > 0 && bitrate > 0);
  const known = which(list, isKnown);
  switch (id) {
    case 'requests':
      return { top: count, bottom: count, count };
    case 'bytes': {
      const sized = which(list, ({ bytes }) => bytes >= 0).length;
      return { top: sum(list, size), bottom: sized, count: sized };
    }
    case 'hit_ratio':
      return { top: sum(which(list, isHit), size), bottom: sum(known, size), count: known.length };
    case 'request_hit_ratio':
      return { top: which(list, isHit).length, bottom: known.length, count: known.length };
    case 'throughput':
      return {
        top: sum(moved, size),
        bottom: sum(moved, ({ totalMs }) => totalMs),
        count,
        factor: 8_000,
      };
    case 'error_percentage':
      return tally(({ status }) => status >= 400);
    case 'client_error_percentage':
      return tally(({ status }) => status >= 400 && status < 500);
    case 'server_error_percentage':
      return tally(({ status }) => status >= 500);
    case 'unanswered':
      return tally(({ status }) => status === 0);
    case 'aborted':
      return tally(({ aborted }) => aborted);
    case 'starvation_count':
      return tally(({ starved }) => starved);
    case 'startup_requests':
      return tally(({ startup }) => startup);
    case 'origin_bytes':
      return {
        top: sum(
          which(list, ({ cache }) => FILLS.includes(cache)),
          size,
        ),
        bottom: 1,
        count,
      };
    case 'media_seconds':
      return { top: sum(list, ({ mediaMs }) => mediaMs) / 1_000, bottom: 1, count };
    case 'edge_bitrate':
      return {
        top: sum(pictures, ({ bitrate, mediaMs }) => bitrate * mediaMs),
        bottom: sum(pictures, ({ mediaMs }) => mediaMs),
        count,
      };
    default:
      throw new Error(`no figure of ${id}`);
  }
}

/** A metric under a measure over requests. */
export function figureOf(list: readonly Told[], id: string, measure: string): number | null {
  if (times[id] !== undefined) return timeFigure(list, id, measure);
  const { top, bottom, count, factor = 1 } = partsOf(list, id);
  if (measure === 'count') return count;
  return measure === 'sum' ? top : ratio(top * factor, bottom);
}

/** How much better the whole would be if the group had the figure of the rest. */
export function impactOf(
  all: readonly Told[],
  group: readonly Told[],
  id: string,
  measure: string,
  good: string,
): number | null {
  if (LEVELS[measure] !== undefined) return null;
  if (measure === 'sum' || measure === 'count' || good === 'none') return 0;
  const [whole, rest] = [all, all.filter((one) => !group.includes(one))].map((list) =>
    figureOf(list, id, measure),
  );
  if (whole == null || rest == null || figureOf(group, id, measure) === null) return 0;
  return good === 'low' ? whole - rest : rest - whole;
}
