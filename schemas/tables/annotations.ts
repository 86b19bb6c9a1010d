/** The table that the api writes. */
import { column, DURABLE, type Table } from './table.ts';

export const annotations: Table = {
  name: 'annotations',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('id', 'String', 'UUID.'),
    column('date', "DateTime('UTC')", 'Moment that it is about.'),
    column('note', 'String', 'Text.'),
    column('sub_property_id', 'String', 'Part of the project that it is about; empty for all.'),
    column('deleted', 'UInt8', 'It was taken back.'),
    column(
      'changed_at',
      "DateTime64(3, 'UTC')",
      'When this row was written: of rows with one id the newest holds.',
    ),
  ],
  engine: ['ENGINE = ReplacingMergeTree(changed_at)', 'ORDER BY (project, id)', DURABLE].join('\n'),
};
