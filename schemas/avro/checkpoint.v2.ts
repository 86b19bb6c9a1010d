/**
 * State of one partition's fold, version 2: what version 1 holds, and of a view what its player counts by itself and
 * whether the viewer has paused below a seek. Immutable once released; a change is a new file.
 *
 * A list that is not here is as in version 1. What a version 1 lacks is as in a view that was never told of it.
 */
import { chunk, fields, machineValues, view, viewValues as viewValuesV1 } from './checkpoint.v1.ts';

/** Fields of a view that are saved as they are. */
export const viewValues = {
  ...viewValuesV1,
  fields: [
    ...viewValuesV1.fields,
    ...fields(
      'double',
      'startDelayMs',
      'startDelayAt',
      'starvedMainMs',
      'starvedResponseMs',
      'starvedTotalMs',
      'hopDelaySumMs',
    ),
    ...fields('long', 'hopDelayCount'),
  ],
} as const;

const values = {
  ...machineValues,
  fields: [...machineValues.fields, ...fields('boolean', 'pausedBelow')],
};

/** A field with another type where it is one of those that changed. */
function changed(field: (typeof view.fields)[number]): object {
  if (field.name === 'values') return { ...field, type: viewValues };
  if (field.name !== 'machine') return field;
  const inner = field.type.fields.map((entry) =>
    entry.name === 'values' ? { ...entry, type: values } : entry,
  );
  return { ...field, type: { ...field.type, fields: inner } };
}

export const viewV2 = { ...view, fields: view.fields.map(changed) };

/** The chunks that differ from version 1, by what they hold. */
export const checkpointV2 = {
  views: chunk('ViewChunk', viewV2),
} as const;
