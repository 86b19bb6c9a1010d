/** Whatever a client, an edge or a record says: the partition goes on, and no figure is one that cannot be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FoldRecord } from '../../processors/fold-record.ts';
import { type EpochCounts, Ledger } from '../../processors/ledger.ts';
import { type Epoch, PartitionFold } from '../../processors/partition.ts';
import { defaultFoldSettings, type FoldSettings } from '../../processors/settings.ts';
import {
  playback5s,
  playbackSketches,
  playbackSums,
  rejected,
  viewEvents,
  viewersNow,
  viewersNowCounts,
  viewFigures,
  views,
} from '../../schemas/tables/tables.ts';
import { chunksOf, FEW_TUPLES, foldStory, LOW, loaded, SHORT } from '../support/checkpoint.ts';
import { anyHostileStory, anyHostileView } from '../support/hostile.ts';
import { type Row, readRows } from '../support/row-reader.ts';

/** Last moment that the column of windows can hold, ms. */
const WINDOWS_END_MS = 2 ** 32 * 1_000;
const ONE_WINDOW_MS = 5_000;
const DAY_MS = 86_400_000;

interface Told {
  readonly fold: PartitionFold;
  readonly counts: EpochCounts;
  readonly viewRows: Row[];
  readonly eventRows: Row[];
  readonly playbackRows: Row[];
  readonly nowRows: Row[];
  readonly rejects: Row[];
}

function tell(records: readonly FoldRecord[], settings: FoldSettings): Told {
  const fold = new PartitionFold(0, settings);
  const total = new Ledger();
  const told = {
    viewRows: [] as Row[],
    eventRows: [] as Row[],
    playbackRows: [] as Row[],
    nowRows: [] as Row[],
    rejects: [] as Row[],
  };
  const collect = ({ rows, counts }: Epoch): void => {
    told.viewRows.push(...readRows(views, rows.views.take()));
    told.eventRows.push(...readRows(viewEvents, rows.viewEvents.take()));
    told.playbackRows.push(...readRows(playback5s, rows.playback.take()));
    told.nowRows.push(...readRows(viewersNow, rows.viewersNow.take()));
    told.rejects.push(...readRows(rejected, rows.rejected.take()));
    rows.reset();
    total.recordsRejected += counts.recordsRejected;
    total.events += counts.events;
    total.eventsDuplicate += counts.eventsDuplicate;
    total.eventsRejected += counts.eventsRejected;
  };
  for (const record of records) fold.fold(record, collect);
  collect(fold.endEpoch());
  return { fold, counts: total.take(), ...told };
}

/** The columns that are below what they can be, with their values. */
function below(row: Row, columns: readonly { name: string }[], least: number): [string, unknown][] {
  return columns.flatMap(({ name }): [string, unknown][] => {
    const value = row[name] ?? least;
    return typeof value === 'number' && value >= least ? [] : [[name, value]];
  });
}

const figures = viewFigures.filter(({ name }) => name !== 'clock_skew_ms');
const DURATIONS = [
  'startup_ms',
  'playing_ms',
  'rebuffer_ms',
  'seek_ms',
  'restart_ms',
  'paused_ms',
  'unknown_ms',
];

function checkViews({ viewRows }: Told): void {
  for (const row of viewRows) {
    expect(below(row, figures, 0)).toEqual([]);
    const [start, end] = [Number(row.view_start), Number(row.view_end)];
    expect([start >= 0, end >= start, end < WINDOWS_END_MS]).toEqual([true, true, true]);
    const spent = DURATIONS.reduce((sum, name) => sum + Number(row[name]), 0);
    expect(spent).toBeLessThanOrEqual(end - start);
    expect(Number(row.bitrate_known_ms)).toBeLessThanOrEqual(Number(row.playing_ms));
    expect(Number(row.seek_done_ms)).toBeLessThanOrEqual(Number(row.seek_ms));
  }
}

const TOTALS = ['startup_ms', 'playing_ms', 'rebuffer_ms', 'rebuffer_count', 'seek_ms'].map(
  (name) => ({ name }),
);

function checkTimeline({ eventRows, fold }: Told): void {
  const latestMs = fold.logTimeMs + DAY_MS;
  for (const row of eventRows) {
    expect(below(row, TOTALS, 0)).toEqual([]);
    const at = Number(row.at);
    expect([at, at >= 0 && at <= latestMs]).toEqual([at, true]);
  }
}

/** Sums over all epochs, of each window and each combination of dimensions. */
function checkWindows({ playbackRows, fold }: Told): void {
  const totals = new Map<string, number>();
  const add = (key: string, value: number): void => {
    totals.set(key, (totals.get(key) ?? 0) + value);
  };
  const latest = (fold.logTimeMs + 2 * DAY_MS) / 1_000;
  for (const row of playbackRows) {
    expect(Number(row.window)).toBeLessThanOrEqual(latest);
    const cell = ['window', 'video_id', 'asn', 'cdn', 'country'].map((name) => row[name]).join('|');
    for (const { name } of playbackSums) add(`${name} ${cell}`, Number(row[name]));
    for (const { name } of playbackSketches) {
      for (const [bucket, weight] of row[name] as [number, number][])
        add(`${name} ${bucket} ${cell}`, weight);
    }
  }
  expect([...totals].filter(([, total]) => total < 0)).toEqual([]);
}

function checkBooks({ fold, counts, nowRows }: Told): void {
  const { eventsInViews, viewsPlayingMs, intervalsPlayingMs } = fold.beats.life.audit();
  expect(eventsInViews).toBe(counts.events - counts.eventsDuplicate - counts.eventsRejected);
  expect(viewsPlayingMs).toBe(intervalsPlayingMs);
  // The last line of defence has nothing to do.
  const { rejectsRecordFailed, deadlinesFailed, rowsFailed } = fold.counters();
  expect([rejectsRecordFailed, deadlinesFailed, rowsFailed, fold.failure]).toEqual([
    0,
    0,
    0,
    undefined,
  ]);
  for (const row of nowRows) expect(below(row, viewersNowCounts, 0)).toEqual([]);
}

/** Deadlines of one view: one of each kind, and what was set for later before something sooner. */
const DEADLINES_A_VIEW = 8;

function checkBounds(fold: PartitionFold, settings: FoldSettings): void {
  const { views: held, deadlines, closedIds, edgeIds, waitingReports } = fold.gauges();
  const opened = fold.counters().viewsOpened;
  expect(deadlines).toBeLessThanOrEqual(DEADLINES_A_VIEW * opened);
  expect(waitingReports).toBeLessThanOrEqual(held * 12 * (settings.waitingMax + 1));
  expect(closedIds).toBeLessThanOrEqual(Math.max(settings.closedMemoryMax, 50));
  expect(edgeIds).toBeLessThanOrEqual(Math.max(settings.edgeDedupMax, 50));
}

const anySettings = fc.constantFrom(defaultFoldSettings, SHORT, LOW);

describe('any records at all', () => {
  it('never stop the fold, nor give a figure, a time or a sum that cannot be', () => {
    fc.assert(
      fc.property(anyHostileStory, anySettings, (records, settings) => {
        const told = tell(records, settings);
        checkViews(told);
        checkTimeline(told);
        checkWindows(told);
        checkBooks(told);
        checkBounds(told.fold, settings);
      }),
      { seed: 51 + Number(process.env.HS ?? 0), numRuns: 300 * Number(process.env.HN ?? 1) },
    );
  });

  it('credit a view with at most 5 s in a window of 5 s, whatever its clock does', () => {
    fc.assert(
      fc.property(anyHostileView, anySettings, (records, settings) => {
        const told = tell(records, settings);
        const lives = told.fold.beats.life.counters.viewsOpened;
        const viewing = new Map<unknown, number>();
        for (const { window, viewing_ms } of told.playbackRows)
          viewing.set(window, (viewing.get(window) ?? 0) + Number(viewing_ms));
        expect(Math.max(0, ...viewing.values())).toBeLessThanOrEqual(lives * ONE_WINDOW_MS);
        checkViews(told);
        checkBooks(told);
      }),
      { seed: 52 + Number(process.env.HS ?? 0), numRuns: 300 * Number(process.env.HN ?? 1) },
    );
  });

  it('give the same rows, to the byte, after the state was saved and loaded anywhere', () => {
    fc.assert(
      fc.property(
        anyHostileStory,
        anySettings,
        fc.constantFrom(undefined, FEW_TUPLES),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        (records, settings, limits, breaks) => {
          const limited = limits === undefined ? {} : { limits };
          const plain = foldStory(records, { settings, ...limited });
          const broken = foldStory(records, {
            settings,
            ...limited,
            between: (fold, epochs) =>
              breaks[epochs % breaks.length] ? loaded(chunksOf(fold), limits) : fold,
          });
          expect(broken).toEqual(plain);
        },
      ),
      { seed: 53 + Number(process.env.HS ?? 0), numRuns: 200 * Number(process.env.HN ?? 1) },
    );
  });
});
