/**
 * Rows of `views` that are not there because a newer row of the same view replaced them: the table keeps the newest, and
 * a merge removes the others whenever it likes.
 *
 * A missing row is excused when a newer one is expected (which is compared in its turn), or, at the end, when the store
 * has one. Held are the views whose newest expected row is missing, and no others.
 */
import type { Pacing } from './pacing.ts';
import { epochOfRow, type RowRef, shapeNamed } from './table-shape.ts';
import { type TableSource, type ViewKey, viewKeyText } from './table-source.ts';

const KEYS_PER_QUERY = 1_000;

const shape = shapeNamed('views');
const PROJECT = shape.reader.indexOf('project');
const VIEW_ID = shape.reader.indexOf('view_id');
const START_DAY = shape.reader.indexOf('start_day');

/** A view whose row is missing. */
export interface MissingView extends ViewKey {
  readonly epoch: number;
}

export class SupersededViews {
  readonly #pending = new Map<string, MissingView>();
  /** Rows that were excused. */
  excused = 0;

  /** A row of `views` is expected and not there. */
  addMissing(row: RowRef): void {
    const view = viewOf(row);
    const text = viewKeyText(view);
    const known = this.#pending.get(text);
    if (known !== undefined && known.epoch !== view.epoch) this.excused++;
    if (known === undefined || known.epoch < view.epoch) this.#pending.set(text, view);
  }

  /** True while a row that is expected may excuse an older one. */
  get waits(): boolean {
    return this.#pending.size > 0;
  }

  /** A row of `views` is expected: missing older ones of the view are excused. */
  addExpected(row: RowRef): void {
    const view = viewOf(row);
    const text = viewKeyText(view);
    const known = this.#pending.get(text);
    if (known === undefined || known.epoch >= view.epoch) return;
    this.#pending.delete(text);
    this.excused++;
  }

  /** Views whose row is missing and of which the store has no newer one either. */
  async *settle(
    source: TableSource,
    partition: number,
    pacing: Pacing,
  ): AsyncGenerator<MissingView> {
    const views = [...this.#pending.values()];
    this.#pending.clear();
    for (let from = 0; from < views.length; from += KEYS_PER_QUERY) {
      const some = views.slice(from, from + KEYS_PER_QUERY);
      const newest = await source.newestEpochs(partition, some);
      for (const view of some) {
        if ((newest.get(viewKeyText(view)) ?? 0) > view.epoch) this.excused++;
        else yield view;
      }
      await pacing.pause();
    }
  }
}

function viewOf(row: RowRef): MissingView {
  const { reader } = shape;
  const cells = reader.cellsOf(row.bytes, row.start);
  const at = (column: number) => reader.valueAt(row.bytes, cells[column] as number, column);
  return {
    project: String(at(PROJECT)),
    viewId: String(at(VIEW_ID)),
    startDay: Number(at(START_DAY)),
    epoch: epochOfRow(row),
  };
}
