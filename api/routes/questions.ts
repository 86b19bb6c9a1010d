/** From parameters to questions: the parts that several routes share. */
import type { FastifyRequest } from 'fastify';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';
import type { QueryLimits } from '../limits.ts';
import { parseFilters } from '../parameters/filters.ts';
import { parseMetricFilters } from '../parameters/metric-filters.ts';
import { parseMeasure, parseMetric } from '../parameters/names.ts';
import { parseTimeframe } from '../parameters/timeframe.ts';
import type { Page } from '../planner/breakdown.ts';
import { type Figure, type FigureRow, kindOf } from '../planner/figure.ts';
import type { Scope } from '../planner/scope.ts';
import type { RouteDeps } from './deps.ts';

export interface ScopeQuery {
  readonly 'timeframe[]'?: string[];
  readonly 'filters[]'?: string[];
  readonly 'metric_filters[]'?: string[];
}

export function scopeOf(request: FastifyRequest, query: ScopeQuery, deps: RouteDeps): Scope {
  const project = projectOf(request);
  return {
    project: project.id,
    timeframe: parseTimeframe(query['timeframe[]'] ?? [], deps.now()),
    filters: parseFilters(query['filters[]'] ?? [], project, deps.limits),
    metricFilters: parseMetricFilters(query['metric_filters[]'] ?? [], deps.limits),
  };
}

export function figureOf(id: string, measurement: string | undefined): Figure {
  const metric = parseMetric(id);
  return { metric, measure: parseMeasure(metric, measurement) };
}

export function pageOf(
  { page = 1, limit = 25 }: { page?: number; limit?: number },
  { pageOffsetMax }: Pick<QueryLimits, 'pageOffsetMax'>,
): Page {
  if ((page - 1) * limit > pageOffsetMax) {
    const detail = `page ${page} of ${limit} rows lies beyond row ${pageOffsetMax} (pageOffsetMax); narrow the question`;
    throw refuse('parameter_invalid', { detail });
  }
  return { page, limit };
}

/** A page, and a row that tells the totals: a page beyond the last has none, so the first is asked. */
export async function askPage<Row>(
  ask: (page: Page) => Promise<Row[]>,
  page: Page,
): Promise<[rows: Row[], telling: Row | undefined]> {
  const rows = await ask(page);
  const [first] = rows.length > 0 || page.page === 1 ? rows : await ask({ page: 1, limit: 1 });
  return [rows, first];
}

/** A count is a count, whatever is counted; a sum of shares is the number of views that have it. */
export function unitOf(figure: Figure): string {
  const { metric, measure } = figure;
  if (measure === 'count') return 'count';
  const sumOfShares = kindOf(figure).kind === 'sum' && metric.unit === 'fraction';
  return sumOfShares && metric.scale === 1 ? 'count' : metric.unit;
}

/** What a figure's answer says of itself. */
export function figureMeta(
  figure: Figure,
  through: string | null,
  sums: Pick<FigureRow, 'received' | 'expected'>,
): Record<string, unknown> {
  return {
    unit: unitOf(figure),
    measurement: figure.measure,
    aggregation: figure.metric.bucketedBy === 'start' ? 'view_start' : 'view_end',
    complete_through: through,
    completeness: sums.expected > 0 ? sums.received / sums.expected : null,
  };
}
