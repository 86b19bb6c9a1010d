/**
 * Native beats as clients may send them in Avro, version 1: what the JSON beat says, field by field. Immutable once
 * released; a change is a new file. `docs/client-beat.v1.avsc` is this schema as a file.
 *
 * It is not the log's: a client says neither its project nor whether its clock is trusted, and what is not said is null.
 */
const namespace = 'streamgauge.client.v1';

function record(name: string, fields: readonly object[]): object {
  return { type: 'record', name, namespace, fields };
}

/** Fields that may be left out. */
function optional(type: string, ...names: readonly string[]): object[] {
  return names.map((name) => ({ name, type: ['null', type], default: null }));
}

const context = { type: 'map', values: 'string' };

/** The body of an event, by the type of the JSON event that it stands for. */
export const clientEventTypes: Readonly<Record<string, string>> = {
  State: 'state',
  Rendition: 'rendition',
  PlaybackMode: 'playback_mode',
  Status: 'status',
  Request: 'request',
  Error: 'error',
  Timing: 'timing',
  Context: 'context',
  Ad: 'ad',
  Custom: 'custom',
};

const bodies = [
  record('State', [{ name: 'state', type: 'string' }]),
  record('Rendition', [
    ...optional('long', 'bitrate', 'width', 'height'),
    ...optional('double', 'frameRate'),
    ...optional('string', 'codec'),
  ]),
  record('PlaybackMode', [{ name: 'mode', type: 'string' }]),
  record(
    'Status',
    optional(
      'long',
      'playhead',
      'buffer',
      'liveLatency',
      'droppedFrames',
      'shownFrames',
      'playerWidth',
      'playerHeight',
    ),
  ),
  record('Request', [
    ...optional('string', 'kind'),
    ...optional('long', 'status', 'bytes', 'ttfb', 'ttlb'),
    ...optional('string', 'url', 'cdn', 'host'),
  ]),
  record('Error', [
    ...optional('string', 'code', 'message'),
    ...optional('boolean', 'fatal', 'business'),
  ]),
  record('Timing', optional('long', 'pageLoad', 'playerStartup', 'drm')),
  record('Context', [{ name: 'context', type: context }]),
  // What happened: request, start, end, skip, error, break_start or break_end.
  record('Ad', [{ name: 'what', type: 'string' }, ...optional('string', 'kind', 'code')]),
  record('Custom', [{ name: 'name', type: 'string' }, ...optional('string', 'value')]),
];

const event = record('Event', [
  { name: 'seq', type: 'long' },
  { name: 'at', type: 'long' },
  { name: 'body', type: bodies },
]);

const beat = record('Beat', [
  { name: 'view', type: 'string' },
  ...optional('long', 'sentAt'),
  { name: 'context', type: context },
  { name: 'events', type: { type: 'array', items: event } },
]);

export const clientBeatsV1 = record('Beats', [
  { name: 'beats', type: { type: 'array', items: beat } },
]);
