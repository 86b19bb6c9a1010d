/** Folds beats without a log or an engine: what a partition concludes, as row objects. */
import { PartitionFold } from '../../processors/partition.ts';
import { defaultFoldSettings, type FoldSettings } from '../../processors/settings.ts';
import type { Beat } from '../../schemas/beat.ts';
import { type EdgeRequests, encodeRecord } from '../../schemas/records.ts';
import { delivery5s, requests } from '../../schemas/tables/delivery.ts';
import {
  playback5s,
  rejected,
  viewEvents,
  viewersNow,
  views,
} from '../../schemas/tables/tables.ts';
import { type Row, readRows } from './row-reader.ts';

export interface Delivery {
  /** Append time, ms. */
  readonly atMs: number;
  /** A beat, or edge requests; neither is a tick. */
  readonly beat?: Beat;
  readonly edge?: EdgeRequests;
}

export interface Concluded {
  /** Every row written, oldest first. */
  readonly viewRows: Row[];
  readonly eventRows: Row[];
  readonly rejects: Row[];
  readonly playbackRows: Row[];
  readonly nowRows: Row[];
  readonly deliveryRows: Row[];
  readonly requestRows: Row[];
  readonly fold: PartitionFold;
  /** The row of a view that stands: the one of the latest epoch. */
  view(id: string): Row;
}

/** Folds deliveries in order, then lets `quietMs` of log time pass (default: until every view has closed). */
export function foldDeliveries(
  deliveries: readonly Delivery[],
  options: { settings?: Partial<FoldSettings>; quietMs?: number } = {},
): Concluded {
  const settings = { ...defaultFoldSettings, ...options.settings };
  const fold = new PartitionFold(0, settings);
  const viewRows: Row[] = [];
  const eventRows: Row[] = [];
  const rejects: Row[] = [];
  const playbackRows: Row[] = [];
  const nowRows: Row[] = [];
  const deliveryRows: Row[] = [];
  const requestRows: Row[] = [];
  const collect = (): void => {
    viewRows.push(...readRows(views, fold.rows.views.take()));
    eventRows.push(...readRows(viewEvents, fold.rows.viewEvents.take()));
    rejects.push(...readRows(rejected, fold.rows.rejected.take()));
    playbackRows.push(...readRows(playback5s, fold.rows.playback.take()));
    nowRows.push(...readRows(viewersNow, fold.rows.viewersNow.take()));
    deliveryRows.push(...readRows(delivery5s, fold.rows.delivery.take()));
    requestRows.push(...readRows(requests, fold.rows.requests.take()));
    fold.rows.reset();
  };
  let offset = 0;
  let lastMs = 0;
  const give = (delivery: Delivery): void => {
    const { atMs } = delivery;
    const value = encodeDelivery(delivery);
    fold.fold({ offset: offset++, appendTimeMs: atMs, value }, collect);
    lastMs = Math.max(lastMs, atMs);
  };
  for (const delivery of deliveries) give(delivery);
  const quietMs = options.quietMs ?? settings.pausedTimeoutMs + settings.reorderMs;
  const steps = 20;
  for (let step = 1; step <= steps; step++) give({ atMs: lastMs + quietMs / steps });
  fold.endEpoch();
  collect();
  return {
    viewRows,
    eventRows,
    rejects,
    playbackRows,
    nowRows,
    deliveryRows,
    requestRows,
    fold,
    view: (id) => {
      const row = viewRows.filter((entry) => entry.view_id === id).at(-1);
      if (row === undefined) throw new Error(`no row of view ${id}`);
      return row;
    },
  };
}

function encodeDelivery({ beat, edge }: Delivery): Buffer {
  if (beat !== undefined) return encodeRecord('beat', beat);
  return edge === undefined ? encodeRecord('tick', {}) : encodeRecord('edge', edge);
}
