/** Questions about annotations. A row that is not the newest of its id is of no meaning: always read with FINAL. */
import type { Timeframe } from '../parameters/timeframe.ts';
import type { Page } from './breakdown.ts';
import { createBinder, type Statement } from './statement.ts';

export interface AnnotationRow {
  readonly id: string;
  /** Seconds since 1970. */
  readonly date_s: number;
  readonly note: string;
  readonly sub_property_id: string;
  readonly total_rows: number;
}

export interface AnnotationsQuestion extends Page {
  readonly timeframe: Timeframe;
  readonly descending: boolean;
}

const COLUMNS = 'id, toUnixTimestamp(date) AS date_s, note, sub_property_id';

/** A page of those whose moment lies in the timeframe. */
export function planAnnotations(project: string, question: AnnotationsQuestion): Statement {
  const binder = createBinder();
  const { timeframe, descending, limit, page } = question;
  const second = (ms: number): string =>
    `toDateTime(${binder.bind('Int64', Math.floor(ms / 1_000))}, 'UTC')`;
  const conditions = [
    `project = ${binder.bind('String', project)}`,
    'deleted = 0',
    `date >= ${second(timeframe.fromMs)}`,
    `date < ${second(timeframe.toMs)}`,
  ];
  const rows = binder.bind('Int64', limit);
  const skipped = binder.bind('Int64', (page - 1) * limit);
  const sql = `SELECT ${COLUMNS}, count() OVER () AS total_rows FROM annotations FINAL
WHERE ${conditions.join(' AND ')} ORDER BY date ${descending ? 'DESC' : 'ASC'}, id ASC LIMIT ${rows} OFFSET ${skipped}`;
  return { sql, params: binder.params };
}

export function planAnnotation(project: string, id: string): Statement {
  const binder = createBinder();
  const sql = `SELECT ${COLUMNS}, 1 AS total_rows FROM annotations FINAL
WHERE project = ${binder.bind('String', project)} AND id = ${binder.bind('String', id)} AND deleted = 0`;
  return { sql, params: binder.params };
}

/** How many a project has. */
export function planAnnotationCount(project: string): Statement {
  const binder = createBinder();
  const sql = `SELECT count() AS count FROM annotations FINAL
WHERE project = ${binder.bind('String', project)} AND deleted = 0`;
  return { sql, params: binder.params };
}
