/** What CDNs delivered: sums of 5 s, single requests, and how many rows of them an epoch wrote. */
import type { Migration } from './migration.ts';

export const delivery: Migration = {
  number: 8,
  name: 'delivery',
  statements: [
    `CREATE TABLE IF NOT EXISTS delivery_5s
(
  project LowCardinality(String) COMMENT 'Tenant.',
  window DateTime('UTC') COMMENT 'Start of the 5 s in which the requests began.',
  source LowCardinality(String) COMMENT 'Who tells of them: edge, player.',
  video_id String COMMENT 'Video id',
  stream_type LowCardinality(String) COMMENT 'Stream type',
  player_name LowCardinality(String) COMMENT 'Player name',
  operating_system LowCardinality(String) COMMENT 'Operating system',
  viewer_device_category LowCardinality(String) COMMENT 'Device category',
  country LowCardinality(String) COMMENT 'Country',
  asn LowCardinality(String) COMMENT 'Autonomous system',
  cdn LowCardinality(String) COMMENT 'CDN',
  sub_property_id LowCardinality(String) COMMENT 'Sub-property',
  view_cdn_edge_pop LowCardinality(String) COMMENT 'Point of presence that served it.',
  object_type LowCardinality(String) COMMENT 'manifest, init, segment, key, other.',
  status_class LowCardinality(String) COMMENT '1xx to 5xx; none without an answer; empty unknown.',
  protocol LowCardinality(String) COMMENT 'As its standard writes it, such as HTTP/2.',
  requests Int64 COMMENT 'Requests.',
  bytes Int64 COMMENT 'Bytes sent, as the source counts them.',
  sized_requests Int64 COMMENT 'Requests of which the bytes are known.',
  hit_requests Int64 COMMENT 'Requests that the cache answered: hit, stale, revalidated.',
  hit_bytes Int64 COMMENT 'Bytes of those.',
  cache_requests Int64 COMMENT 'Requests of which it is known whether the cache answered.',
  cache_bytes Int64 COMMENT 'Bytes of those.',
  origin_bytes Int64 COMMENT 'Bytes that the cache did not have: miss, bypass.',
  client_errors Int64 COMMENT 'Status 400 to 499.',
  server_errors Int64 COMMENT 'Status 500 and above.',
  unanswered Int64 COMMENT 'Requests without an answer.',
  aborted Int64 COMMENT 'Requests that the client broke off, as the edge saw it.',
  ttfb_sum_ms Int64 COMMENT 'Time to first byte of requests that succeeded.',
  ttfb_count Int64 COMMENT 'Requests in that sum.',
  total_sum_ms Int64 COMMENT 'Time to last byte of requests that succeeded.',
  total_count Int64 COMMENT 'Requests in that sum.',
  transfer_bytes Int64 COMMENT 'Bytes of requests that succeeded and took known time.',
  transfer_ms Int64 COMMENT 'Time to last byte of those.',
  origin_sum_ms Int64 COMMENT 'Time that the edge waited for the origin.',
  origin_count Int64 COMMENT 'Requests of which that is known.',
  media_ms Int64 COMMENT 'Media time requested: CMCD d of pictures.',
  media_bytes Int64 COMMENT 'Bytes of requests with known media time.',
  bitrate_bit_ms Int64 COMMENT 'CMCD br × d of pictures, bit/s × ms.',
  bitrate_known_ms Int64 COMMENT 'CMCD d of those.',
  starvation_count Int64 COMMENT 'Requests with CMCD bs: the buffer had run dry.',
  startup_request_count Int64 COMMENT 'Requests with CMCD su: to start or to recover.',
  ttfb_sketch Map(UInt16, Int64) COMMENT 'Time to first byte, ms.',
  total_sketch Map(UInt16, Int64) COMMENT 'Time to last byte, ms.',
  origin_sketch Map(UInt16, Int64) COMMENT 'Time that the edge waited for the origin, ms.',
  _partition UInt16 COMMENT 'Partition of the log that the row was concluded from.',
  _epoch UInt64 COMMENT 'Epoch of the partition that wrote the row.',
  INDEX by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000
)
ENGINE = MergeTree
PARTITION BY toDate(window)
ORDER BY (project, source, window)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `CREATE TABLE IF NOT EXISTS requests
(
  project LowCardinality(String) COMMENT 'Tenant.',
  view_id String COMMENT 'The view; empty where the source names none.',
  url_key UInt64 COMMENT 'Hash of the path, the same from every source; 0 unknown.',
  at DateTime64(3, 'UTC') COMMENT 'When it began, on the log''s clock.',
  source LowCardinality(String) COMMENT 'Who tells of it: edge, player.',
  cdn LowCardinality(String) COMMENT 'CDN, as the source says.',
  view_cdn_edge_pop LowCardinality(String) COMMENT 'Point of presence that served it.',
  country LowCardinality(String) COMMENT 'Country of the viewer, as the source says.',
  asn LowCardinality(String) COMMENT 'Network of the viewer, as the source says.',
  video_id String COMMENT 'Asset, as the source says: CMCD cid.',
  object_type LowCardinality(String) COMMENT 'manifest, init, segment, key, other.',
  protocol LowCardinality(String) COMMENT 'As its standard writes it, such as HTTP/2.',
  cache LowCardinality(String) COMMENT 'hit, stale, revalidated, miss, bypass, error; empty unknown.',
  status Int64 COMMENT 'HTTP status; 0 no answer, -1 unknown.',
  bytes Int64 COMMENT 'Bytes sent or received, -1 unknown.',
  ttfb_ms Int64 COMMENT 'From the request to the first byte, -1 unknown.',
  total_ms Int64 COMMENT 'From the request to the last byte, -1 unknown.',
  origin_ms Int64 COMMENT 'Time that the edge waited for the origin, -1 unknown.',
  hop_ms Int64 COMMENT 'CMSD rd over all servers on the way, -1 unknown.',
  hop_origin_ms Int64 COMMENT 'CMSD rd of the server next to the origin, -1 unknown.',
  media_ms Int64 COMMENT 'CMCD d of a picture, 0 unknown.',
  bitrate Int64 COMMENT 'CMCD br of a picture, bit/s, 0 unknown.',
  aborted UInt8 COMMENT '1 when the client broke it off, as the edge saw it.',
  starved UInt8 COMMENT '1 with CMCD bs.',
  startup UInt8 COMMENT '1 with CMCD su.',
  _partition UInt16 COMMENT 'Partition of the log that the row was concluded from.',
  _epoch UInt64 COMMENT 'Epoch of the partition that wrote the row.',
  INDEX by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (project, view_id, url_key, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE epochs
  ADD COLUMN IF NOT EXISTS delivery_5s_rows UInt64 COMMENT 'Rows written to delivery_5s.' AFTER forgotten_rows,
  ADD COLUMN IF NOT EXISTS requests_rows UInt64 COMMENT 'Rows written to requests.' AFTER delivery_5s_rows`,
  ],
};
