/**
 * The truth of a simulation and what the fold concludes from its messages are the same, to the unit: two programs that
 * share nothing but the definitions.
 */
import { describe, expect, it } from 'vitest';
import type { ViewTruth } from '../../../../ingest/clients/simulation/view-figures.ts';
import { type Concluded, foldDeliveries } from '../../../support/fold.ts';
import type { Row } from '../../../support/row-reader.ts';
import { deliveries, type Played, play } from './played.ts';

/** The columns that a row must have for a view, without its edges. What CMCD has no words for is not compared. */
function expected(view: ViewTruth): Record<string, unknown> {
  const figures = Object.entries(view.figures).filter(([, value]) => value !== null);
  return {
    view_id: view.view_id,
    source: view.source,
    outcome: view.outcome,
    started: view.started ? 1 : 0,
    failed: view.failed ? 1 : 0,
    failed_business: view.failed_business ? 1 : 0,
    closed: 1,
    lasted_ms: view.view_end - view.view_start,
    video_id: view.video_id,
    stream_type: view.stream_type,
    country: view.source === 'native' ? view.country : '',
    cdn: view.cdn,
    reports_received: view.reports,
    reports_lost: 0,
    reports_late: 0,
    reports_duplicate: 0,
    reports_disordered: 0,
    reports_shadowed: 0,
    unknown_ms: 0,
    restart_count: 0,
    ...Object.fromEntries(figures),
  };
}

function found(row: Row, names: readonly string[]): Record<string, unknown> {
  const values = { ...row, lasted_ms: Number(row.view_end) - Number(row.view_start) };
  return Object.fromEntries(names.map((name) => [name, (values as Row)[name]]));
}

function differences({ views }: Played, concluded: Concluded): unknown[] {
  return views.flatMap((view) => {
    const wanted = expected(view);
    const row = found(concluded.view(view.view_id), Object.keys(wanted));
    const names = Object.keys(wanted).filter((name) => wanted[name] !== row[name]);
    return names.map(
      (name) =>
        `${view.source} ${view.view_id} ${view.outcome} ${name}: ${wanted[name]} in truth, ${row[name]} in the row`,
    );
  });
}

describe('the fold', { timeout: 60_000 }, () => {
  const played = [1, 2, 3].map((seed) => play({ seed, viewers: 110, durationMs: 300_000 }));

  it.each([1, 2, 3])('finds the truth of every view of a simulation (seed %i)', (seed) => {
    const one = played[seed - 1];
    if (one === undefined) throw new Error(`seed ${seed} was not played`);
    const concluded = foldDeliveries(deliveries(one.items));
    expect(differences(one, concluded)).toEqual([]);
    expect(concluded.rejects).toEqual([]);
    expect(new Set(concluded.viewRows.map(({ view_id }) => view_id)).size).toBe(one.truth.views);
  });

  it('is asked about every kind of thing that a view can meet', () => {
    const views = played.flatMap((one) => one.views);
    const some = (what: (view: ViewTruth) => boolean): number => views.filter(what).length;
    const met = {
      ended: some(({ outcome }) => outcome === 'ended'),
      quit: some(({ outcome }) => outcome === 'quit'),
      failed: some(({ failed }) => failed),
      refused: some((view) => view.failed_business),
      dropped: some(({ outcome, unreported_ms }) => outcome === 'dropped' && unreported_ms > 0),
      exited: some(({ outcome }) => outcome === 'exit_before_start'),
      cmcd: some(({ source }) => source === 'cmcd'),
      cmcdFailed: some(({ source, failed }) => source === 'cmcd' && failed),
      live: some((view) => view.stream_type === 'live' && view.figures.live_latency_ms !== null),
      rebuffered: some(({ figures }) => (figures.rebuffer_count ?? 0) > 0),
      sought: some(({ figures }) => (figures.seek_count ?? 0) > 0),
      seekOpen: some(({ figures }) => figures.seek_ms !== figures.seek_done_ms),
      paused: some(({ figures }) => (figures.paused_ms ?? 0) > 60_000),
      upscaled: some(({ figures }) => (figures.upscale_ppm ?? 0) > 0),
      advertised: some(({ figures }) => (figures.ad_impression_count ?? 0) > 0),
      requestFailed: some(({ figures }) => (figures.request_failed_count ?? 0) > 0),
    };
    expect(Object.entries(met).filter(([, count]) => count === 0)).toEqual([]);
  });
});
