/**
 * From commits to messages of the stream: pure.
 *
 * Guarantee: a message tells the state of all partitions after its epoch; the same commits give the same messages to
 * whoever resumes.
 */
import type { Commit, CountsRow, StateCounts } from '../planner/monitoring-stream.ts';
import { formatToken } from './resume-token.ts';
import { SETTLE_MS, WINDOW_MS, windowOf } from './windows.ts';

/** Newest commit of each partition. */
export type Heads = ReadonlyMap<number, Commit>;
/** Views in each state, by partition, at its newest commit. */
export type Counts = ReadonlyMap<number, StateCounts>;

export interface StreamTotals extends StateCounts {
  readonly 'current-concurrent-viewers': number;
  readonly 'current-starting-viewers': number;
  readonly 'current-rebuffering-percentage': number | null;
  /** Of the newest complete window: a gauge knows no bitrate. */
  readonly 'current-average-bitrate': number | null;
}

export interface StreamMessage {
  readonly id: string;
  readonly data: {
    /** Log time at the end of the epoch. */
    readonly at: string;
    readonly complete_through: string;
    readonly totals: StreamTotals;
  };
}

/** Average bitrate by begin of window, ms since 1970. */
export type Bitrates = ReadonlyMap<number, number | null>;

export const epochsOf = (heads: Heads): Map<number, number> =>
  new Map([...heads].map(([partition, { epoch }]) => [partition, epoch]));

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

function settledMs(heads: Heads): number {
  return Math.min(...[...heads.values()].map(({ at }) => at)) - SETTLE_MS;
}

/** Begin of the newest window that is complete, ms since 1970. */
export const newestWindow = (heads: Heads): number => windowOf(settledMs(heads)) - WINDOW_MS;

function totalsOf(counts: Counts, bitrate: number | null): StreamTotals {
  const sum = (state: keyof StateCounts): number =>
    [...counts.values()].reduce((total, one) => total + one[state], 0);
  const [starting, playing, rebuffering] = [sum('starting'), sum('playing'), sum('rebuffering')];
  const seeking = sum('seeking');
  const active = playing + rebuffering;
  return {
    'current-concurrent-viewers': starting + playing + rebuffering + seeking,
    'current-starting-viewers': starting,
    'current-rebuffering-percentage': active > 0 ? rebuffering / active : null,
    'current-average-bitrate': bitrate,
    starting,
    playing,
    rebuffering,
    seeking,
    paused: sum('paused'),
  };
}

/** The present state as one message. */
export function snapshot(heads: Heads, counts: Counts, bitrates: Bitrates): StreamMessage {
  return {
    id: formatToken(epochsOf(heads)),
    data: {
      at: iso(Math.max(...[...heads.values()].map(({ at }) => at))),
      complete_through: iso(settledMs(heads)),
      totals: totalsOf(counts, bitrates.get(newestWindow(heads)) ?? null),
    },
  };
}

/** The counts of a commit; it has no row when it held no viewers. */
export type CountsOf = (commit: Commit) => StateCounts;

export function countsFinder(rows: readonly CountsRow[]): CountsOf {
  const byKey = new Map(rows.map((row) => [`${row.partition}/${row.epoch}`, row]));
  const none = { starting: 0, playing: 0, rebuffering: 0, seeking: 0, paused: 0 };
  return ({ partition, epoch }) => byKey.get(`${partition}/${epoch}`) ?? none;
}

/** The state after commits. */
export function advance(
  heads: Heads,
  counts: Counts,
  commits: readonly Commit[],
  countsOf: CountsOf,
): { heads: Heads; counts: Counts } {
  const after = { heads: new Map(heads), counts: new Map(counts) };
  for (const commit of commits) {
    after.heads.set(commit.partition, commit);
    after.counts.set(commit.partition, countsOf(commit));
  }
  return after;
}

/** A message for each commit, in order. */
export function messagesOf(
  heads: Heads,
  counts: Counts,
  commits: readonly Commit[],
  countsOf: CountsOf,
  bitrates: Bitrates,
): StreamMessage[] {
  let state = { heads, counts };
  return commits.map((commit) => {
    state = advance(state.heads, state.counts, [commit], countsOf);
    const message = snapshot(state.heads, state.counts, bitrates);
    return { ...message, data: { ...message.data, at: iso(commit.at) } };
  });
}

/** A message in the form of server-sent events. */
export function eventText({ id, data }: StreamMessage): string {
  return `id: ${id}\nevent: epoch\ndata: ${JSON.stringify(data)}\n\n`;
}
