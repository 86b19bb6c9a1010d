/**
 * What CDNs delivered, as edge logs tell of it and as players do. The two sources are never added together: each row says
 * its own.
 */
import { dimensions } from '../catalogue/dimensions.ts';
import { column, DURABLE, EPOCH_INDEX, epochColumns, type Table } from './table.ts';

const TIME = "DateTime64(3, 'UTC')" as const;
const NAME = 'LowCardinality(String)' as const;
const SKETCH = 'Map(UInt16, Int64)' as const;

/** Who tells of a request. */
export const REQUEST_SOURCES = ['edge', 'player'] as const;
export type RequestSource = (typeof REQUEST_SOURCES)[number];

/** Words for the cache that mean that the edge had the object: as it was, expired, or confirmed by the origin. */
export const CACHE_HITS = ['hit', 'stale', 'revalidated'] as const;
/** Words that mean that its bytes came from further away. */
export const CACHE_FILLS = ['miss', 'bypass'] as const;

/** Dimensions of `delivery_5s` that a request has beside those of its view. */
export const requestDimensions = [
  column('view_cdn_edge_pop', NAME, 'Point of presence that served it.'),
  column('object_type', NAME, 'manifest, init, segment, key, other.'),
  column('status_class', NAME, '1xx to 5xx; none without an answer; empty unknown.'),
  column('protocol', NAME, 'As its standard writes it, such as HTTP/2.'),
] as const;

/** Sums of one window and one combination, in the order of the columns. Signed: corrections are negative. */
export const deliverySums = [
  column('requests', 'Int64', 'Requests.'),
  column('bytes', 'Int64', 'Bytes sent, as the source counts them.'),
  column('sized_requests', 'Int64', 'Requests of which the bytes are known.'),
  column('hit_requests', 'Int64', 'Requests that the cache answered: hit, stale, revalidated.'),
  column('hit_bytes', 'Int64', 'Bytes of those.'),
  column('cache_requests', 'Int64', 'Requests of which it is known whether the cache answered.'),
  column('cache_bytes', 'Int64', 'Bytes of those.'),
  column('origin_bytes', 'Int64', 'Bytes that the cache did not have: miss, bypass.'),
  column('client_errors', 'Int64', 'Status 400 to 499.'),
  column('server_errors', 'Int64', 'Status 500 and above.'),
  column('unanswered', 'Int64', 'Requests without an answer.'),
  column('aborted', 'Int64', 'Requests that the client broke off, as the edge saw it.'),
  column('ttfb_sum_ms', 'Int64', 'Time to first byte of requests that succeeded.'),
  column('ttfb_count', 'Int64', 'Requests in that sum.'),
  column('total_sum_ms', 'Int64', 'Time to last byte of requests that succeeded.'),
  column('total_count', 'Int64', 'Requests in that sum.'),
  column('transfer_bytes', 'Int64', 'Bytes of requests that succeeded and took known time.'),
  column('transfer_ms', 'Int64', 'Time to last byte of those.'),
  column('origin_sum_ms', 'Int64', 'Time that the edge waited for the origin.'),
  column('origin_count', 'Int64', 'Requests of which that is known.'),
  column('media_ms', 'Int64', 'Media time requested: CMCD d of pictures.'),
  column('media_bytes', 'Int64', 'Bytes of requests with known media time.'),
  column('bitrate_bit_ms', 'Int64', 'CMCD br × d of pictures, bit/s × ms.'),
  column('bitrate_known_ms', 'Int64', 'CMCD d of those.'),
  column('starvation_count', 'Int64', 'Requests with CMCD bs: the buffer had run dry.'),
  column('startup_request_count', 'Int64', 'Requests with CMCD su: to start or to recover.'),
] as const;

/** Log-bucket sketches of a window: bucket to number of requests that succeeded. */
export const deliverySketches = [
  column('ttfb_sketch', SKETCH, 'Time to first byte, ms.'),
  column('total_sketch', SKETCH, 'Time to last byte, ms.'),
  column('origin_sketch', SKETCH, 'Time that the edge waited for the origin, ms.'),
] as const;

export const delivery5s: Table = {
  name: 'delivery_5s',
  columns: [
    column('project', NAME, 'Tenant.'),
    column('window', "DateTime('UTC')", 'Start of the 5 s in which the requests began.'),
    column('source', NAME, 'Who tells of them: edge, player.'),
    ...dimensions
      .filter(({ interval }) => interval)
      .map(({ name, title, lowCardinality }) =>
        column(name, lowCardinality ? NAME : 'String', title),
      ),
    ...requestDimensions,
    ...deliverySums,
    ...deliverySketches,
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY toDate(window)',
    'ORDER BY (project, source, window)',
    DURABLE,
  ].join('\n'),
};

/** One row for each request and each source that tells of it: what no window can be asked. */
export const requests: Table = {
  name: 'requests',
  columns: [
    column('project', NAME, 'Tenant.'),
    column('view_id', 'String', 'The view; empty where the source names none.'),
    column('url_key', 'UInt64', 'Hash of the path, the same from every source; 0 unknown.'),
    column('at', TIME, "When it began, on the log's clock."),
    column('source', NAME, 'Who tells of it: edge, player.'),
    column('cdn', NAME, 'CDN, as the source says.'),
    column('view_cdn_edge_pop', NAME, 'Point of presence that served it.'),
    column('country', NAME, 'Country of the viewer, as the source says.'),
    column('asn', NAME, 'Network of the viewer, as the source says.'),
    column('video_id', 'String', 'Asset, as the source says: CMCD cid.'),
    column('object_type', NAME, 'manifest, init, segment, key, other.'),
    column('protocol', NAME, 'As its standard writes it, such as HTTP/2.'),
    column('cache', NAME, 'hit, stale, revalidated, miss, bypass, error; empty unknown.'),
    column('status', 'Int64', 'HTTP status; 0 no answer, -1 unknown.'),
    column('bytes', 'Int64', 'Bytes sent or received, -1 unknown.'),
    column('ttfb_ms', 'Int64', 'From the request to the first byte, -1 unknown.'),
    column('total_ms', 'Int64', 'From the request to the last byte, -1 unknown.'),
    column('origin_ms', 'Int64', 'Time that the edge waited for the origin, -1 unknown.'),
    column('hop_ms', 'Int64', 'CMSD rd over all servers on the way, -1 unknown.'),
    column('hop_origin_ms', 'Int64', 'CMSD rd of the server next to the origin, -1 unknown.'),
    column('media_ms', 'Int64', 'CMCD d of a picture, 0 unknown.'),
    column('bitrate', 'Int64', 'CMCD br of a picture, bit/s, 0 unknown.'),
    column('aborted', 'UInt8', '1 when the client broke it off, as the edge saw it.'),
    column('starved', 'UInt8', '1 with CMCD bs.'),
    column('startup', 'UInt8', '1 with CMCD su.'),
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY toDate(at)',
    'ORDER BY (project, view_id, url_key, at)',
    DURABLE,
  ].join('\n'),
};
