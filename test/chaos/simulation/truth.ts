/**
 * What each view must have come to: its events once, in order, all at once, without a log in between. And which views may
 * differ from that, because something came beyond the reorder wait: told from the log alone, not from the fold.
 */
import { PartitionFold } from '../../../processors/partition.ts';
import { defaultFoldSettings, withAnnounced } from '../../../processors/settings.ts';
import { encodeRecord } from '../../../schemas/records.ts';
import { views } from '../../../schemas/tables/tables.ts';
import { type Row, readRows } from '../../support/row-reader.ts';
import { keyOf } from './clients.ts';
import type { StoredRecord } from './log-model.ts';
import type { Plan } from './plan.ts';
import { PROJECT, type ScriptedView } from './players.ts';

/** Depends on when and how often reports came, and where the view's clock was placed. */
const BY_ARRIVAL: ReadonlySet<string> = new Set([
  'reports_duplicate',
  'clock_skew_ms',
  'view_start',
  'view_end',
  'start_day',
  '_epoch',
]);

/** What of a row must be the same however its reports came. */
export function withoutArrival(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !BY_ARRIVAL.has(name)));
}

/** The last row of each view, folded undisturbed. */
export function trueRows(plan: Plan, scripts: readonly ScriptedView[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (let partition = 0; partition < plan.partitions; partition++) {
    const here = scripts.filter((view) => view.partition === partition);
    for (const row of foldUndisturbed(plan, partition, here)) rows.set(String(row.view_id), row);
  }
  return rows;
}

function foldUndisturbed(plan: Plan, partition: number, scripts: readonly ScriptedView[]): Row[] {
  const settings = withAnnounced(defaultFoldSettings, plan.settings);
  const fold = new PartitionFold(partition, settings);
  const values = [...scripts.map(beatOf), ...scripts.flatMap(edgesOf)].filter((value) => value);
  let offset = 0;
  const take = (appendTimeMs: number, value: Buffer): void => {
    fold.take({ offset: offset++, appendTimeMs, value });
  };
  for (const value of values) if (value !== undefined) take(plan.quietMs, value);
  const tick = encodeRecord('tick', {});
  take(plan.quietMs + settings.reorderMs, tick);
  const timeoutMs = Math.max(settings.viewTimeoutMs, settings.pausedTimeoutMs);
  take(plan.quietMs + settings.reorderMs + timeoutMs, tick);
  const { rows } = fold.endEpoch();
  return readRows(views, rows.views.take());
}

function beatOf({ id, context, events }: ScriptedView): Buffer | undefined {
  if (events.length === 0) return undefined;
  return encodeRecord('beat', {
    project: PROJECT,
    view: id,
    source: 'native',
    trustedClock: false,
    sentAt: 0,
    context,
    events: events.map(({ event }) => event),
  });
}

function edgesOf({ id, edges }: ScriptedView): Buffer[] {
  return edges.map(({ request }) =>
    encodeRecord('edge', { project: PROJECT, view: id, format: 'cmcd', requests: [request] }),
  );
}

/** What a log says of one view. */
export interface ViewArrivals {
  /** Events in its beats, repeats too. */
  events: number;
  /** Log time at which each event came first, by its key. */
  readonly firstMs: Map<string, number>;
  readonly identities: Set<string>;
}

export function arrivalsOf(records: readonly StoredRecord[]): Map<string, ViewArrivals> {
  const arrivals = new Map<string, ViewArrivals>();
  let logTimeMs = 0;
  for (const { appendTimeMs, note } of records) {
    logTimeMs = Math.max(logTimeMs, appendTimeMs);
    if (note === undefined) continue;
    const view = arrivals.get(note.view) ?? {
      events: 0,
      firstMs: new Map(),
      identities: new Set(),
    };
    arrivals.set(note.view, view);
    view.events += note.events.length;
    for (const key of note.events) if (!view.firstMs.has(key)) view.firstMs.set(key, logTimeMs);
    for (const identity of note.identities) view.identities.add(identity);
  }
  return arrivals;
}

/** True when every event came, and none later than `reorderMs` after one that follows it. */
export function isUndisturbed(
  { events }: ScriptedView,
  { firstMs }: ViewArrivals,
  reorderMs: number,
): boolean {
  return (['main', 'response'] as const).every((lane) => {
    const times = events
      .filter(({ event }) => event.lane === lane)
      .map(({ event }) => firstMs.get(keyOf(event)) ?? Number.POSITIVE_INFINITY);
    let followedSinceMs = Number.POSITIVE_INFINITY;
    for (const atMs of times.reverse()) {
      if (atMs === Number.POSITIVE_INFINITY || atMs - followedSinceMs >= reorderMs) return false;
      followedSinceMs = Math.min(followedSinceMs, atMs);
    }
    return true;
  });
}
