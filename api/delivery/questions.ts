/**
 * From parameters to questions about delivery.
 *
 * Guarantee: a duration, which reaches up to now, is widened to whole windows of 5 s, so that windows can answer; two
 * times are taken as they are.
 */
import type { FastifyRequest } from 'fastify';
import { measureLevels } from '../../schemas/catalogue/metrics.ts';
import type { RequestSource } from '../../schemas/tables/delivery.ts';
import { projectOf } from '../guards/token.ts';
import { completeThroughMs } from '../monitoring/sources.ts';
import { wholeWindows } from '../monitoring/windows.ts';
import { parseFilters } from '../parameters/filters.ts';
import { parseTimeframe, type Timeframe } from '../parameters/timeframe.ts';
import {
  type DeliveryFigure,
  deliveryFigureRows,
  type RowsOn,
} from '../planner/delivery-figures.ts';
import { type DeliveryTable, deliveryTable } from '../planner/delivery-rows.ts';
import { type SideFigure, type SideScope, sideFigureRows } from '../planner/delivery-sides.ts';
import {
  intervalWatermark,
  planIntervalWatermark,
  type WatermarkRow,
} from '../planner/monitoring-watermark.ts';
import type { RouteDeps } from '../routes/deps.ts';
import {
  type AnyMetric,
  parseDeliveryDimension,
  parseDeliveryMeasure,
  parseDeliveryMetric,
  sourceOf,
} from './names.ts';

export interface ScopeQuery {
  readonly 'timeframe[]'?: string[];
  readonly 'filters[]'?: string[];
}

export function deliveryScopeOf(
  request: FastifyRequest,
  query: ScopeQuery,
  deps: RouteDeps,
): SideScope {
  const project = projectOf(request);
  const times = query['timeframe[]'] ?? [];
  const asked = parseTimeframe(times, deps.now());
  const filters = query['filters[]'] ?? [];
  return {
    project: project.id,
    timeframe: times.length === 2 ? asked : wholeWindows(asked),
    filters: parseFilters(filters, project, deps.limits, parseDeliveryDimension),
  };
}

/** A figure that was asked for, whichever kind of metric it is of. */
export interface Question {
  readonly timeframe: Timeframe;
  readonly filtered: boolean;
  /** True for sums and counts: nothing is 0. */
  readonly additive: boolean;
  readonly rowsOn: RowsOn;
  /** The same without filters. */
  readonly allRowsOn: RowsOn;
  readonly meta: Readonly<Record<string, unknown>>;
}

interface FigureQuery extends ScopeQuery {
  readonly source?: RequestSource;
  readonly measurement?: string;
}

/** `names`: dimensions that the answer is grouped by. */
export function questionOf(
  id: string,
  query: FigureQuery,
  scope: SideScope,
  names: readonly string[],
): Question {
  const found = parseDeliveryMetric(id);
  const measure = parseDeliveryMeasure(found.metric, query.measurement);
  const source = sourceOf(found, query.source);
  const figure = { metric: found.metric, measure } as DeliveryFigure | SideFigure;
  const table = found.of === 'both' ? 'requests' : deliveryTable(scope, names);
  const rowsOf = (of: SideScope): RowsOn =>
    source === 'both'
      ? (binder) => sideFigureRows(figure as SideFigure, of, names, binder)
      : (binder) =>
          deliveryFigureRows(figure as DeliveryFigure, { ...of, source }, names, table, binder);
  return {
    timeframe: scope.timeframe,
    filtered: scope.filters.length > 0,
    additive: measure === 'sum' || measure === 'count',
    rowsOn: rowsOf(scope),
    allRowsOn: rowsOf({ ...scope, filters: [] }),
    meta: { ...metaOf(found, measure, table), source },
  };
}

function metaOf({ metric }: AnyMetric, measure: string, table: DeliveryTable) {
  const counts = measure === 'count' || (measure === 'sum' && metric.unit === 'fraction');
  const level = measureLevels[measure as keyof typeof measureLevels];
  return {
    unit: counts ? 'count' : metric.unit,
    measurement: measure,
    table,
    ...(level === undefined ? {} : { percentiles: table === 'requests' ? 'exact' : 'sketch' }),
  };
}

/** Until when requests are in the figures, as far as the log has them. */
export async function readDeliveredThrough(
  { runner }: Pick<RouteDeps, 'runner'>,
  signal: AbortSignal,
): Promise<string | null> {
  const rows = await runner.run<WatermarkRow>(planIntervalWatermark(), signal);
  const throughMs = completeThroughMs(intervalWatermark(rows));
  return throughMs === undefined ? null : new Date(throughMs).toISOString();
}
