/**
 * State of one partition's fold, version 4: what version 3 holds, the requests of a view that wait for its place in time or
 * for its player to tell of it, and the dimensions of views that were let go. Immutable once released; a change is a new file.
 *
 * A list that is not here is as in the version before.
 */
import { array, chunk, fields, partition, record } from './checkpoint.v1.ts';
import { countersV3, viewV3 } from './checkpoint.v3.ts';

const counters = {
  ...countersV3,
  fields: [
    ...countersV3.fields,
    ...fields('long', 'edgeRequestsLate', 'requestsNotHeld', 'deliveryCellsCut'),
  ],
};

const request = record('DeliveredRequest', [
  ...fields('string', 'source', 'cdn', 'pop', 'country', 'asn', 'videoId'),
  ...fields('string', 'objectType', 'protocol', 'cache'),
  ...fields('double', 'atMs', 'urlKey', 'bytes', 'ttfbMs', 'totalMs', 'originMs'),
  ...fields('double', 'hopMs', 'hopOriginMs', 'mediaMs', 'bitrate'),
  { name: 'status', type: 'long' },
  ...fields('boolean', 'aborted', 'starved', 'startup'),
]);

const requests = array(request);

const view = {
  ...viewV3,
  fields: [
    ...viewV3.fields,
    { name: 'pendingRequests', type: requests },
    // The same record: a schema names it once and refers to it after that.
    { name: 'heldRequests', type: array('streamgauge.checkpoint.v1.DeliveredRequest') },
  ],
};

/** A view that was let go; its dimensions are a place among the tuples. */
const closedView = record('ClosedView', [
  { name: 'id', type: 'string' },
  { name: 'untilMs', type: 'double' },
  { name: 'tuple', type: 'long' },
]);

/** The chunks that differ from version 3, by what they hold. */
export const checkpointV4 = {
  partition: chunk('PartitionChunk', {
    ...partition,
    fields: partition.fields.map((field) =>
      field.name === 'counters' ? { ...field, type: counters } : field,
    ),
  }),
  views: chunk('ViewChunk', view),
  closedIds: chunk('ClosedIdChunk', closedView),
} as const;
