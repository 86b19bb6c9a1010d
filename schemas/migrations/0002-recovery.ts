/** What exact recovery needs: durable parts, counts by epoch, checkpoints, viewers to forget. */
import type { Migration } from './migration.ts';

export const recovery: Migration = {
  number: 2,
  name: 'recovery',
  statements: [
    `ALTER TABLE views MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE view_events MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE rejected MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE playback_5s MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE viewers_now MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE epochs MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `ALTER TABLE views ADD INDEX IF NOT EXISTS by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000`,
    `ALTER TABLE view_events ADD INDEX IF NOT EXISTS by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000`,
    `ALTER TABLE rejected ADD INDEX IF NOT EXISTS by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000`,
    `ALTER TABLE playback_5s ADD INDEX IF NOT EXISTS by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000`,
    `ALTER TABLE viewers_now ADD INDEX IF NOT EXISTS by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000`,
    `ALTER TABLE rejected
  ADD COLUMN IF NOT EXISTS rejects UInt64 DEFAULT 1 COMMENT 'Rejects that the row stands for: more than 1 where it sums up many.' AFTER bytes,
  ADD COLUMN IF NOT EXISTS events UInt64 COMMENT 'Events lost with them that ingest had accepted.' AFTER rejects`,
    `ALTER TABLE epochs
  ADD COLUMN IF NOT EXISTS forgotten_rows UInt64 COMMENT 'Rows written to forgotten.' AFTER viewers_now_rows,
  ADD COLUMN IF NOT EXISTS records_rejected UInt64 COMMENT 'Records of which nothing could be folded.' AFTER forgotten_rows,
  ADD COLUMN IF NOT EXISTS events UInt64 COMMENT 'Events in its beats.' AFTER records_rejected,
  ADD COLUMN IF NOT EXISTS events_duplicate UInt64 COMMENT 'Events that had come before.' AFTER events,
  ADD COLUMN IF NOT EXISTS events_rejected UInt64 COMMENT 'Events that were refused: rows of rejected say why.' AFTER events_duplicate`,
    `CREATE TABLE IF NOT EXISTS forgotten
(
  project LowCardinality(String) COMMENT 'Tenant.',
  viewer String COMMENT 'The viewer, as ingest stores it.',
  at DateTime64(3, 'UTC') COMMENT 'When the log took the request.',
  log_offset UInt64 COMMENT 'Where the request lies in its partition.',
  _partition UInt16 COMMENT 'Partition of the log that the row was concluded from.',
  _epoch UInt64 COMMENT 'Epoch of the partition that wrote the row.',
  INDEX by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000
)
ENGINE = MergeTree
ORDER BY (_partition, _epoch)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
    `CREATE TABLE IF NOT EXISTS checkpoints
(
  topic LowCardinality(String) COMMENT 'Topic, with its generation.',
  _partition UInt16 COMMENT 'Partition.',
  _epoch UInt64 COMMENT 'Last epoch that the state has seen.',
  next_offset UInt64 COMMENT 'First offset that it has not seen.',
  log_time DateTime64(3, 'UTC') COMMENT 'Log time at the end of the epoch.',
  fold_version UInt32 COMMENT 'Version of the fold that concluded it.',
  chunk UInt32 COMMENT 'Position of the chunk, from 0.',
  chunks UInt32 COMMENT 'Number of chunks in the last one, 0 in those before it.',
  hash String COMMENT 'SHA-256 of the chunk and of the hash of the one before it.',
  state String COMMENT 'The chunk, Avro.' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (topic, _partition, _epoch)
ORDER BY chunk
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
  ],
};
