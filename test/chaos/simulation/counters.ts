/** What happened in runs, to be shown and to be asserted: a fault that never happens proves nothing. */

const NAMES = [
  'epochs',
  'epochsInDoubt',
  'attemptsRaised',
  'crashes',
  'crashesInRecovery',
  'crashesInInsert',
  'crashesInSettling',
  'crashesInCommit',
  'crashesInCheckpoint',
  'crashesInPruning',
  'processesHung',
  'engineCrashes',
  'cleanStops',
  'stopsKilled',
  'storeCallsInOutage',
  'storeCallsFailed',
  'insertsRefused',
  'insertAcksLost',
  'insertsTorn',
  'insertsShort',
  'insertsGivenUp',
  'insertsStopped',
  'insertsCut',
  'insertsDelayedInNetwork',
  'landedLate',
  'landedAfterDeath',
  'tokensDropped',
  'tokensLost',
  'tokensWithoutRows',
  'rowsDeleted',
  'appendsRefused',
  'appendAcksLost',
  'appendsCut',
  'appendsDelayed',
  'offsetGaps',
  'clockSteps',
  'requestsLost',
  'responsesLost',
  'beatsRepeated',
  'beatsSplit',
  'beatsJoined',
  'eventsAbandoned',
  'viewsUndisturbed',
  'viewsDisturbed',
  'viewsReopened',
  'viewsTimedOut',
  'eventsLate',
  'eventsDuplicate',
  'recordsRejected',
  'edgeRepeats',
  'settingsChanged',
  'viewersForgotten',
  'recordsRetired',
  'checkpointsWritten',
  'checkpointsFailed',
  'checkpointsBroken',
  'checkpointsIncomplete',
  'checkpointsDropped',
  'chunksCorrupted',
  'foldedFromStart',
  'foldedFromCheckpoint',
] as const;

export type CounterName = (typeof NAMES)[number];
export type Counters = Record<CounterName, number>;

export function newCounters(): Counters {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counters;
}

export function addCounters(sum: Counters, more: Counters): void {
  for (const name of NAMES) sum[name] += more[name];
}
