/**
 * State of one partition's fold, version 1, in chunks: one schema for each list that the state holds. Immutable once
 * released; a change is a new file.
 *
 * What a client or an edge said, and what is computed from it, is a double: it may be fractional, infinite, not a number
 * or beyond 2^53, and comes back to the bit. What the fold counts by ones is a long. Times are ms.
 */

const namespace = 'streamgauge.checkpoint.v1';

/** Fields of one type, in the order of their names. */
export function fields<const Name extends string, const Type>(type: Type, ...names: Name[]) {
  return names.map((name) => ({ name, type }));
}

export function record<const Fields>(name: string, list: Fields) {
  return { type: 'record', name, namespace, fields: list } as const;
}

export function array<const Items>(items: Items) {
  return { type: 'array', items } as const;
}

/** A value that may be missing; a missing one costs a byte. */
export function optional<const Type>(type: Type) {
  return ['null', type] as const;
}

/** How often a limit was passed, or something was said that cannot be. */
export const counters = record(
  'Counters',
  fields(
    'long',
    'rejectsRecordMalformed',
    'rejectsRecordUnknown',
    'rejectsRecordFailed',
    'rejectsTimeOutOfRange',
    'rejectsViewClosed',
    'rejectsViewsLimit',
    'gapsGivenUpEarly',
    'timedPassedEarly',
    'viewsPlacedEarly',
    'spansForgotten',
    'pointsSummedEarly',
    'holesClosed',
    'timedIdentitiesForgotten',
    'closedIdsForgotten',
    'edgeIdsForgotten',
    'tuplesLimited',
    'rejectBytesCut',
    'epochsCut',
    'valuesIgnored',
    'settingsIgnored',
    'appendTimesCorrected',
    'deadlinesFailed',
    'rowsFailed',
  ),
);

/** What there is once; the first chunk. */
export const partition = record('Partition', [
  ...fields('int', 'partition', 'announcedVersion'),
  ...fields('long', 'epoch', 'rejectsSummed'),
  ...fields('double', 'logTimeMs', 'nextOffset'),
  { name: 'settings', type: { type: 'map', values: 'double' } },
  { name: 'counters', type: counters },
  // Names of the dimensions, in the order in which the other chunks number them.
  ...fields(array('string'), 'dimensions', 'tupleDimensions'),
  {
    name: 'beats',
    type: record('Beats', [
      {
        name: 'last',
        type: record('LastRecord', [
          ...fields('double', 'offset', 'appendTimeMs'),
          ...fields('long', 'event'),
        ]),
      },
      ...fields('long', 'eventsTaken', 'eventsRefused', 'eventsUnlisted'),
      {
        name: 'edge',
        type: record(
          'EdgeCounters',
          fields(
            'long',
            'requestsTaken',
            'requestsRepeated',
            'requestsRefused',
            'requestsWithoutView',
          ),
        ),
      },
      {
        name: 'life',
        type: record('Life', [
          ...fields('long', 'viewsOpened', 'viewsClosed', 'nextOrder', 'tuplesCut'),
          ...fields('long', 'tuplesSweepAt', 'goneEvents'),
          ...fields('double', 'gonePlayingMs', 'intervalsPlayingMs'),
        ]),
      },
    ]),
  },
]);

/** A dimension tuple; its number is its place among all. */
const tuple = record('Tuple', [
  { name: 'project', type: 'string' },
  { name: 'values', type: array('string') },
]);

/** Views of one tuple by state: starting, playing, rebuffering, seeking, paused. */
const gauge = record('Gauge', [
  { name: 'tuple', type: 'long' },
  { name: 'counts', type: array('long') },
]);

/** Tuples of a remembered window. */
const window = record('Window', [
  { name: 'window', type: 'double' },
  { name: 'tuples', type: array('long') },
]);

/** An id that is remembered until a moment of log time. */
const rememberedId = record('RememberedId', [
  { name: 'id', type: 'string' },
  { name: 'untilMs', type: 'double' },
]);

/** What is to be done to a view, which is named by its place among all. */
const deadline = record('Deadline', [
  { name: 'atMs', type: 'double' },
  { name: 'order', type: 'long' },
  {
    name: 'kind',
    type: {
      type: 'enum',
      name: 'DeadlineKind',
      symbols: ['reorder', 'place', 'timeout', 'silent', 'forget'],
    },
  },
  { name: 'view', type: 'long' },
]);

/** A value of a view's context; `dimension` is a place in the partition's list of names. */
const said = record('Said', [
  { name: 'dimension', type: 'int' },
  { name: 'value', type: 'string' },
  { name: 'stamp', type: 'double' },
]);

const clock = record('Clock', [
  ...fields('boolean', 'trusted', 'fixed'),
  ...fields('double', 'shiftMs', 'floorMs', 'skewMs', 'adjustMs', 'lastAt', 'lineMs'),
  { name: 'disordered', type: 'long' },
]);

const playClock = record('PlayClock', [
  { name: 'spans', type: array(record('Span', fields('double', 'fromAt', 'toAt', 'beforeMs'))) },
  { name: 'totalMs', type: 'double' },
]);

/** Fields of a state machine that are saved as they are. */
export const machineValues = record('MachineValues', [
  { name: 'state', type: 'double' },
  ...fields('boolean', 'started', 'failed', 'touched'),
  ...fields('long', 'rebufferCount', 'seekCount', 'restartCount'),
  ...fields(
    'double',
    'startLineMs',
    'endLineMs',
    'startupMs',
    'rebufferMs',
    'seekMs',
    'seekDoneMs',
    'restartMs',
    'pausedMs',
    'unknownMs',
  ),
]);

const machine = record('Machine', [
  { name: 'values', type: machineValues },
  ...fields('boolean', 'startingSeen', 'seekOpen', 'restartOpen', 'rebufferOpen'),
  { name: 'seekOpenMs', type: 'double' },
  { name: 'playing', type: playClock },
]);

const holes = record('Holes', [
  { name: 'ranges', type: array(record('Hole', fields('double', 'from', 'to', 'openedMs'))) },
  ...fields('double', 'count', 'closedLost', 'closedTo'),
]);

const run = record('Run', [
  { name: 'number', type: 'long' },
  ...fields('double', 'firstSeq', 'firstAt', 'lastAt', 'next'),
  { name: 'holes', type: holes },
]);

const lane = record('Lane', [
  { name: 'run', type: optional(run) },
  { name: 'previous', type: optional('Run') },
  {
    name: 'waiting',
    type: array(
      record('Waiting', [
        ...fields('double', 'seq', 'at', 'arrivedMs'),
        { name: 'bytes', type: 'bytes' },
      ]),
    ),
  },
  { name: 'lostBefore', type: 'double' },
  ...fields('boolean', 'apart', 'together'),
]);

const timeLane = record('TimeLane', [
  {
    name: 'waiting',
    type: array(
      record('Timed', [...fields('double', 'at', 'arrivedMs'), { name: 'bytes', type: 'bytes' }]),
    ),
  },
  { name: 'identities', type: array('double') },
  { name: 'passedAt', type: 'double' },
]);

/** A lane and its place in the view. */
function placed<const Type>(name: string, type: Type) {
  return record(name, [...fields('int', 'source', 'lane'), { name: 'order', type }]);
}

const track = record('Track', [
  { name: 'keepMs', type: 'long' },
  {
    name: 'points',
    type: array(
      record('Point', [
        ...fields('double', 'at', 'value', 'order', 'arrivedMs'),
        { name: 'playedMs', type: optional('double') },
      ]),
    ),
  },
  {
    name: 'sums',
    type: optional(
      record('TrackSums', [
        ...fields('double', 'knownMs', 'sumPositive', 'sumNegative', 'max', 'min', 'last'),
        ...fields('long', 'changes', 'rises', 'falls'),
      ]),
    ),
  },
  { name: 'held', type: optional('double') },
  { name: 'heldFromMs', type: 'double' },
]);

/** A line of the timeline that waits for its view's place in time. */
const heldEvent = record('HeldEvent', [
  ...fields('int', 'source', 'lane'),
  ...fields('long', 'run', 'rebufferCount'),
  ...fields(
    'double',
    'lineMs',
    'clientAt',
    'seq',
    'state',
    'startupMs',
    'playingMs',
    'rebufferMs',
    'seekMs',
  ),
  { name: 'taken', type: { type: 'enum', name: 'Taken', symbols: ['yes', 'late', 'shadowed'] } },
  ...fields('bytes', 'nameBytes', 'bytes'),
]);

const endedCell = record('EndedCell', [
  { name: 'window', type: 'double' },
  ...fields('long', 'tuple', 'decided', 'exit', 'startupFailure', 'failure'),
]);

/** Credits that wait for the view's place in time. */
const pendingCredits = array([
  record('credit', [
    { name: 'rebuffering', type: 'boolean' },
    ...fields('double', 'state', 'fromLineMs', 'durationMs', 'bitrate', 'latencyMs'),
  ]),
  record('active', fields('double', 'state', 'lineMs')),
  record('started', fields('double', 'lineMs', 'startupMs')),
  record('rebufferStarted', fields('double', 'lineMs')),
  record('firstByte', fields('double', 'lineMs', 'ttfbMs')),
]);

const edgeFigures = record('EdgeFigures', [
  ...fields(
    'long',
    'requestCount',
    'errorCount',
    'starvationCount',
    'startupRequestCount',
    'bufferCount',
    'throughputCount',
  ),
  ...fields(
    'double',
    'firstMs',
    'lastMs',
    'bytes',
    'bitrateBitMs',
    'mediaMs',
    'bufferSumMs',
    'throughputSumKbps',
  ),
]);

/** Fields of a view that are saved as they are. */
export const viewValues = record('ViewValues', [
  ...fields(
    'boolean',
    'driverHasStates',
    'errorBusiness',
    'errorPending',
    'adWaiting',
    'closed',
    'silentScheduled',
    'placeScheduled',
    'forgetScheduled',
  ),
  ...fields(
    'long',
    'driver',
    'tuple',
    'requestCount',
    'requestFailedCount',
    'mediaTtfbCount',
    'errorCount',
    'errorWeight',
    'adAttempts',
    'adImpressions',
    'adBreaks',
    'adErrors',
    'reportsReceived',
    'reportsLate',
    'reportsDuplicate',
    'reportsShadowed',
    'listed',
  ),
  ...fields(
    'double',
    'sourceWidth',
    'sourceHeight',
    'playerWidth',
    'playerHeight',
    'droppedFrames',
    'shownFrames',
    'pageLoadMs',
    'playerStartupMs',
    'drmMs',
    'mediaTtfbSumMs',
    'mediaTtfbMaxMs',
    'mediaBytes',
    'mediaTimeMs',
    'lastArrivalMs',
    'asideLineMs',
    'closedMs',
    'startDay',
    'reorderSetMs',
    'timeoutSetMs',
    'bitrateNow',
    'latencyNow',
    'viewerWindow',
    'startingWindow',
    'startedWindow',
    'viewedToMs',
  ),
  ...fields('string', 'errorCode'),
]);

export const view = record('View', [
  ...fields('string', 'project', 'id'),
  { name: 'values', type: viewValues },
  { name: 'context', type: array(said) },
  { name: 'clock', type: clock },
  { name: 'machine', type: machine },
  { name: 'lanes', type: array(placed('PlacedLane', lane)) },
  { name: 'timeLanes', type: array(placed('PlacedTimeLane', timeLane)) },
  { name: 'runsSeen', type: array('long') },
  { name: 'shown', type: optional(track) },
  ...fields(optional('Track'), 'selected', 'scale', 'latency'),
  { name: 'held', type: array(heldEvent) },
  { name: 'endedCell', type: optional(endedCell) },
  {
    name: 'gaugePlace',
    type: record('GaugePlace', fields('long', 'tuple', 'state')),
  },
  { name: 'pendingCredits', type: pendingCredits },
  { name: 'edge', type: optional(edgeFigures) },
]);

/** A chunk: its place among all, from 0, and items of one list. */
export function chunk<const Items>(name: string, items: Items) {
  return record(name, [
    { name: 'chunk', type: 'int' },
    { name: 'items', type: array(items) },
  ]);
}

/** The chunks by what they hold, in the order in which they are written. The last holds nothing: the state is whole. */
export const checkpointV1 = {
  partition: chunk('PartitionChunk', partition),
  tuples: chunk('TupleChunk', tuple),
  views: chunk('ViewChunk', view),
  deadlines: chunk('DeadlineChunk', deadline),
  closedIds: chunk('ClosedIdChunk', rememberedId),
  edgeIdentities: chunk('EdgeIdentityChunk', rememberedId),
  gauges: chunk('GaugeChunk', gauge),
  windows: chunk('WindowChunk', window),
  end: chunk('EndChunk', record('Nothing', [])),
} as const;
