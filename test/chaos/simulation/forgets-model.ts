/** Forgetting in memory: the same deletes in the same order as the real one makes, each a call that may fail. */

import type { Forgets, ForgottenViewer } from '../../../processors/shell/forgets.ts';
import { requests } from '../../../schemas/tables/delivery.ts';
import type { Table } from '../../../schemas/tables/table.ts';
import { forgotten, rejected, viewEvents, views } from '../../../schemas/tables/tables.ts';
import { type Row, readRows } from '../../support/row-reader.ts';
import type { EngineModel, StandingPart } from './engine-model.ts';
import { ask, type EpochStoreDeps } from './epoch-store-model.ts';
import { partsIn, rowBytesOf, rowsOf } from './standing-rows.ts';

const RETRY_MS = 100;

export function connectForgets(deps: EpochStoreDeps): Forgets {
  const { engine, faults, process, scheduler } = deps;

  const call = <Result>(run: () => Result): Promise<Result> =>
    process.ask('forgets.purge', (answer) => ask(deps, answer, run));
  const pause = (): Promise<void> =>
    process.ask('clock.sleep', ({ resolve }) => scheduler.after(RETRY_MS, () => resolve()));

  /** Until it succeeds, as the real one does. */
  async function persist(purge: () => Promise<void>): Promise<void> {
    for (;;) {
      const failed = await purge().then(
        () => false,
        () => true,
      );
      if (!failed) return;
      await pause();
    }
  }

  async function purgeViewer(partition: number, viewer: string): Promise<void> {
    const remove = (table: Table, names: (row: Row) => boolean): Promise<void> =>
      call(() => removeRows(partsOf(engine, table, partition), table, names));
    const ids = await call(() => viewsOf(engine, partition, viewer));
    // The rows of `views` name the others, so they go last.
    for (const table of [viewEvents, requests, rejected, views]) {
      await remove(table, (row) => ids.has(String(row.view_id)));
    }
    await remove(rejected, (row) => String(row.bytes).includes(viewer));
  }

  return {
    async purge({ forgets, partition }) {
      for (const { viewer } of forgets) {
        faults.counters.viewersForgotten++;
        await persist(() => purgeViewer(partition, viewer));
      }
    },
    list: (partition) =>
      process.ask('forgets.list', (answer) => ask(deps, answer, () => listOf(engine, partition))),
  };
}

function viewsOf(engine: EngineModel, partition: number, viewer: string): Set<string> {
  const ids = new Set<string>();
  for (const part of partsOf(engine, views, partition)) {
    for (const row of rowsOf(views, part)) {
      if (row.viewer_user_id === viewer) ids.add(String(row.view_id));
    }
  }
  return ids;
}

function listOf(engine: EngineModel, partition: number): ForgottenViewer[] {
  return partsOf(engine, forgotten, partition)
    .flatMap((part) => rowsOf(forgotten, part))
    .map((row) => ({
      project: String(row.project),
      viewer: String(row.viewer),
      epoch: Number(row._epoch),
    }));
}

function removeRows(
  parts: readonly StandingPart[],
  table: Table,
  names: (row: Row) => boolean,
): void {
  for (const part of parts) {
    const left = rowBytesOf(table, part);
    const kept = left.filter((bytes) => !readRows(table, bytes).some(names));
    if (kept.length < left.length) part.left = kept;
  }
}

function partsOf(engine: EngineModel, table: Table, partition: number): StandingPart[] {
  return partsIn(engine, table).filter(({ block }) => block.partition === partition);
}
