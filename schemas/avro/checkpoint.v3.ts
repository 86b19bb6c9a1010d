/**
 * State of one partition's fold, version 3: what version 2 holds, and of a view what it divides into (renditions, modes,
 * parts of its content), with the counters of their limits. Immutable once released; a change is a new file.
 *
 * A list that is not here is as in the version before. What a version 2 lacks is as in a view that was never told of it.
 */
import { array, chunk, counters, fields, optional, partition, record } from './checkpoint.v1.ts';
import { viewV2, viewValues as viewValuesV2 } from './checkpoint.v2.ts';

/** Fields of a view that are saved as they are. */
export const viewValues = {
  ...viewValuesV2,
  fields: [...viewValuesV2.fields, ...fields('double', 'soughtPlayedMs')],
} as const;

export const countersV3 = {
  ...counters,
  fields: [
    ...counters.fields,
    ...fields(
      'long',
      'renditionsMerged',
      'contentGapsClosed',
      'troublesUnplaced',
      'positionsIgnored',
    ),
  ],
};

const rendition = record('Rendition', [
  ...fields('double', 'bitrate', 'width', 'height', 'milliFps'),
  { name: 'codec', type: 'string' },
]);

/** Sums of each value that held, and the places of those that hold now. */
function spanSums<const Value>(name: string, value: Value) {
  const span = record(`${name}Span`, [
    { name: 'value', type: value },
    ...fields('double', 'playingMs', 'rebufferMs'),
    ...fields('long', 'rebufferCount'),
  ]);
  return record(`${name}Sums`, [
    { name: 'spans', type: array(span) },
    ...fields('long', 'held', 'rebuffering', 'played'),
  ]);
}

const content = record('Content', [
  ...fields('double', 'anchorMs', 'anchorPlayedMs', 'rate', 'furthestMs'),
  { name: 'rebufferSecond', type: 'long' },
  { name: 'ranges', type: array('long') },
  {
    name: 'troubles',
    type: array(
      record('Trouble', [
        ...fields('long', 'kind', 'second', 'count'),
        { name: 'durationMs', type: 'double' },
      ]),
    ),
  },
]);

const subviews = record('Subviews', [
  { name: 'renditions', type: optional(spanSums('Rendition', rendition)) },
  { name: 'modes', type: optional(spanSums('Mode', 'long')) },
  { name: 'content', type: optional(content) },
  { name: 'shownSaid', type: 'boolean' },
]);

export const viewV3 = {
  ...viewV2,
  fields: [
    ...viewV2.fields.map((field) =>
      (field as { name: string }).name === 'values' ? { ...field, type: viewValues } : field,
    ),
    { name: 'subviews', type: optional(subviews) },
  ],
};

/** The chunks that differ from version 2, by what they hold. */
export const checkpointV3 = {
  partition: chunk('PartitionChunk', {
    ...partition,
    fields: partition.fields.map((field) =>
      field.name === 'counters' ? { ...field, type: countersV3 } : field,
    ),
  }),
  views: chunk('ViewChunk', viewV3),
} as const;
