/** What went from a table because it had more than its budget, so that nobody looks for it. */
import type { Migration } from './migration.ts';

export const evictions: Migration = {
  number: 5,
  name: 'evictions',
  statements: [
    `CREATE TABLE IF NOT EXISTS evictions
(
  table_name LowCardinality(String) COMMENT 'Table that had more than its budget.',
  evicted_before DateTime64(3, 'UTC') COMMENT 'Rows from before this moment may be gone.',
  rows UInt64 COMMENT 'Rows that were to go.',
  bytes UInt64 COMMENT 'Their bytes, before compression.',
  at DateTime64(3, 'UTC') COMMENT 'Log time up to which every partition was committed then.'
)
ENGINE = MergeTree
ORDER BY (table_name, evicted_before)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
  ],
};
