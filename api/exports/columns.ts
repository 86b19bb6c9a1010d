/**
 * The columns of an export: what a view is, when it was, how it came out, and every metric under its id in answer units.
 *
 * Guarantee: a text of a CSV that a spreadsheet would take for a formula begins with an apostrophe; numbers are as they
 * are. What is no number is null (empty in CSV).
 */
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import type { ExportFormat } from './formats.ts';

const TEXTS: readonly string[] = [...dimensions.map(({ name }) => name), 'outcome', 'source'];
const TIMES = ['view_start', 'view_end'] as const;

/** Names in the order of the columns. */
export const exportColumns: readonly string[] = [
  ...TIMES,
  ...TEXTS,
  ...viewMetrics.map(({ id }) => id),
];

/** The first line of a CSV. Names are words of letters, digits and _, so none is quoted. */
export const csvHead: string = `${exportColumns.join(',')}\r\n`;

/** A metric's value under a name that hides no column of the table. */
const inner = ({ id }: ViewMetric): string => `metric_${id}`;

function metricSelect(metric: ViewMetric): string {
  if (metric.distinct === true) return `if((${metric.value}) IS NULL, NULL, 1) AS ${inner(metric)}`;
  const value = `(${metric.value}) / ${metric.scale}`;
  return `if(isFinite(${value}), ${value}, NULL) AS ${inner(metric)}`;
}

/** What is read of `views`. */
export const readColumns: readonly string[] = [
  ...TIMES,
  ...TEXTS,
  ...viewMetrics.map(metricSelect),
];

/** = + - @, and what spreadsheets skip before them: tab and carriage return. */
const FORMULA = "('=', '+', '-', '@', '\\t', '\\r')";

const safeText = (name: string): string =>
  `if(substring(${name}, 1, 1) IN ${FORMULA}, concat('\\'', ${name}), ${name}) AS ${name}`;

/** What is written of that. */
export function writtenColumns(format: ExportFormat): string[] {
  return [
    ...TIMES,
    ...(format === 'csv' ? TEXTS.map(safeText) : TEXTS),
    ...viewMetrics.map((metric) => `${inner(metric)} AS ${metric.id}`),
  ];
}
