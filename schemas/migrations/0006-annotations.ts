/** Notes that a project's people put on its figures, written by the api. */
import type { Migration } from './migration.ts';

export const annotations: Migration = {
  number: 6,
  name: 'annotations',
  statements: [
    `CREATE TABLE IF NOT EXISTS annotations
(
  project LowCardinality(String) COMMENT 'Tenant.',
  id String COMMENT 'UUID.',
  date DateTime('UTC') COMMENT 'Moment that it is about.',
  note String COMMENT 'Text.',
  sub_property_id String COMMENT 'Part of the project that it is about; empty for all.',
  deleted UInt8 COMMENT 'It was taken back.',
  changed_at DateTime64(3, 'UTC') COMMENT 'When this row was written: of rows with one id the newest holds.'
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (project, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1`,
  ],
};
