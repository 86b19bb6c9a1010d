/**
 * Annotations: notes on a project's figures, kept in a table that only the api writes.
 *
 * Guarantee: a note that was acknowledged is on disk. Of two changes at once the later holds whole; none is mixed.
 */
import { randomUUID } from 'node:crypto';
import { RowWriter } from '../platform/store/row-binary.ts';
import { type Store, StoreError } from '../platform/store/store.ts';
import { annotations as table } from '../schemas/tables/annotations.ts';
import { refuse } from './errors.ts';
import type { QueryLimits } from './limits.ts';
import {
  type AnnotationRow,
  type AnnotationsQuestion,
  planAnnotation,
  planAnnotationCount,
  planAnnotations,
} from './planner/annotations.ts';
import type { QueryRunner } from './query-runner.ts';

export interface AnnotationsDeps {
  readonly store: Pick<Store, 'insert'>;
  readonly runner: QueryRunner;
  readonly limits: QueryLimits;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

/** What a client says of one. */
export interface Note {
  /** Seconds since 1970. */
  readonly date: number;
  readonly note: string;
  readonly sub_property_id: string;
}

/** A note as it is answered. */
export interface Annotation {
  readonly id: string;
  /** ISO 8601. */
  readonly date: string;
  readonly note: string;
  readonly sub_property_id: string | null;
}

export class Annotations {
  readonly #deps: AnnotationsDeps;
  #lastChangeMs = 0;

  constructor(deps: AnnotationsDeps) {
    this.#deps = deps;
  }

  /** A page of rows; each tells how many there are in all. */
  list(
    project: string,
    question: AnnotationsQuestion,
    signal: AbortSignal,
  ): Promise<AnnotationRow[]> {
    return this.#deps.runner.run<AnnotationRow>(planAnnotations(project, question), signal);
  }

  /** @throws ProblemError `annotation_not_found` */
  async find(project: string, id: string, signal: AbortSignal): Promise<Annotation> {
    const [row] = await this.#deps.runner.run<AnnotationRow>(planAnnotation(project, id), signal);
    if (row === undefined) {
      const shown = JSON.stringify(id.slice(0, 64));
      throw refuse('annotation_not_found', { detail: `there is no annotation ${shown}` });
    }
    return answered(row);
  }

  /** @throws ProblemError `annotations_full` */
  async create(project: string, note: Note, signal: AbortSignal): Promise<Annotation> {
    const { runner, limits } = this.#deps;
    const [row] = await runner.run<{ count: number }>(planAnnotationCount(project), signal);
    if ((row?.count ?? 0) >= limits.annotationsMax) {
      const detail = `the project has ${limits.annotationsMax} annotations (annotationsMax); delete some`;
      throw refuse('annotations_full', { detail });
    }
    return this.#write(project, randomUUID(), note, 0);
  }

  async change(
    project: string,
    id: string,
    change: Partial<Note>,
    signal: AbortSignal,
  ): Promise<Annotation> {
    return this.#write(project, id, { ...(await this.#noteOf(project, id, signal)), ...change }, 0);
  }

  async remove(project: string, id: string, signal: AbortSignal): Promise<void> {
    await this.#write(project, id, await this.#noteOf(project, id, signal), 1);
  }

  async #noteOf(project: string, id: string, signal: AbortSignal): Promise<Note> {
    const { date, note, sub_property_id } = await this.find(project, id, signal);
    return { date: Date.parse(date) / 1_000, note, sub_property_id: sub_property_id ?? '' };
  }

  async #write(project: string, id: string, note: Note, deleted: 0 | 1): Promise<Annotation> {
    const changedAtMs = this.#changeTime();
    const row = new RowWriter(256);
    row.string(project);
    row.string(id);
    row.uint32(note.date);
    row.string(note.note);
    row.string(note.sub_property_id);
    row.uint8(deleted);
    row.int64(changedAtMs);
    row.endRow();
    try {
      await this.#deps.store.insert(table.name, row.take(), {
        columns: table.columns.map(({ name }) => name),
        token: `${id}:${changedAtMs}:${randomUUID()}`,
      });
    } catch (cause) {
      if (cause instanceof StoreError) throw refuse('store_unavailable', { cause });
      throw cause;
    }
    return answered({ ...note, id, date_s: note.date });
  }

  /** Two changes of this process are never of one moment: the later must win. */
  #changeTime(): number {
    this.#lastChangeMs = Math.max(this.#deps.now(), this.#lastChangeMs + 1);
    return this.#lastChangeMs;
  }
}

/** A note as it is answered, from its row. */
export function answered(
  row: Pick<AnnotationRow, 'id' | 'date_s' | 'note' | 'sub_property_id'>,
): Annotation {
  return {
    id: row.id,
    date: new Date(row.date_s * 1_000).toISOString().replace('.000Z', 'Z'),
    note: row.note,
    sub_property_id: row.sub_property_id === '' ? null : row.sub_property_id,
  };
}
