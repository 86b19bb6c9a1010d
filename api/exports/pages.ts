/**
 * The pages of an export, one after the other.
 *
 * Guarantees: one page is in memory at a time; no turn of the queue is held between two pages; a view is given once. It
 * is no snapshot: a view that closes while the export runs is in it when its place has not been passed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '../../platform/http/problem.ts';
import type { QueryLimits } from '../limits.ts';
import type { Scope } from '../planner/scope.ts';
import type { QueryRunner } from '../query-runner.ts';
import { type ExportFormat, FORMAT_SPECS } from './formats.ts';
import {
  type ExportDayRow,
  type ExportPlace,
  type PageEndRow,
  planPage,
  planPageEnd,
  planStartDays,
} from './statements.ts';

export interface ExportDeps {
  readonly runner: QueryRunner;
  readonly limits: QueryLimits;
}

export interface ExportQuestion {
  readonly scope: Scope;
  readonly format: ExportFormat;
  readonly signal: AbortSignal;
}

/** What a full queue is asked again after, ms. */
const ASK_AGAIN_MS = 500;

export interface ExportPage {
  readonly bytes: Buffer;
  readonly views: number;
}

export async function* exportPages(
  question: ExportQuestion,
  deps: ExportDeps,
): AsyncGenerator<ExportPage> {
  const { scope, signal } = question;
  const days = await deps.runner.run<ExportDayRow>(planStartDays(scope), signal);
  // What has not begun is refused at once when the queue is full; what has begun waits for a place.
  let waitsMs = 0;
  for (const { day } of days) {
    let place: ExportPlace | undefined = { startDay: day, after: undefined };
    while (place !== undefined) {
      const from: ExportPlace = place;
      const { page, next } = await patiently(waitsMs, signal, () => pageAt(from, question, deps));
      if (page !== undefined) yield page;
      waitsMs = deps.limits.exportStallMsMax;
      place = next;
    }
  }
}

async function pageAt(
  place: ExportPlace,
  { scope, format, signal }: ExportQuestion,
  { runner, limits }: ExportDeps,
): Promise<{ page?: ExportPage; next?: ExportPlace }> {
  const rowsMax = limits.exportPageRowsMax;
  const [end] = await runner.run<PageEndRow>(planPageEnd(scope, place, rowsMax), signal);
  if (end === undefined || end.views === 0) return {};
  const { last, views } = end;
  const statement = planPage(scope, place, last, format);
  const { written } = FORMAT_SPECS[format];
  const asked = { statement, format: written, rowsMax: limits.queryRowsMax };
  const page = { bytes: await runner.runFormat(asked, signal), views };
  return views < rowsMax ? { page } : { page, next: { ...place, after: last } };
}

/** Asks again while the queue is full, as long as `waitsMs`. */
async function patiently<Result>(
  waitsMs: number,
  signal: AbortSignal,
  ask: () => Promise<Result>,
): Promise<Result> {
  for (let waitedMs = 0; ; waitedMs += ASK_AGAIN_MS) {
    try {
      return await ask();
    } catch (error) {
      const full = error instanceof ProblemError && error.code === 'query_queue_full';
      if (!full || waitedMs >= waitsMs) throw error;
    }
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}
