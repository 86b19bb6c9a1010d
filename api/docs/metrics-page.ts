/** docs/metrics.md, written from the catalogue. A test holds the file to it. */
import {
  type Dimension,
  dimensionAliases,
  dimensions,
} from '../../schemas/catalogue/dimensions.ts';
import { type IntervalMetric, intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { measures, type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { NOW_LEAVES_OUT } from '../../schemas/tables/tables.ts';
import { intervalDimensions } from '../monitoring/names.ts';
import { SETTLE_MS } from '../monitoring/windows.ts';
import { measuresOf } from '../planner/figure.ts';

/** The page, as Markdown. */
export function renderMetricsPage(): string {
  const metrics = [...head(), ...metricTable()];
  const parts = [metrics, notes(), intervals(), intervalNotes(), dimensionTable()];
  return parts.map((part) => `${part.join('\n')}\n`).join('\n');
}

function head(): string[] {
  return [
    '# Metrics and dimensions',
    '',
    'Written from the catalogue in `schemas/catalogue` by `api/docs/metrics-page.ts`; change it there.',
    '',
    '## View metrics',
    '',
    '`GET /data/v1/metrics/{id}/overall`, `/timeseries` and `/breakdown`. A view takes part in a metric only if it has a value for it.',
    '',
  ];
}

function metricTable(): string[] {
  return table(
    ['id', 'title', 'unit', 'value of a view', 'default measure', 'good', 'placed by', 'counts'],
    viewMetrics.map(metricRow),
  );
}

function metricRow(metric: ViewMetric): string[] {
  return [
    code(metric.id),
    metric.title,
    metric.unit,
    metric.definition,
    metric.defaultMeasure,
    metric.good === 'none' ? '' : metric.good,
    metric.bucketedBy === 'start' ? 'view start' : 'view end',
    metric.countsOpenViews ? 'live and closed views' : 'closed views',
  ];
}

function notes(): string[] {
  const ratios = viewMetrics.filter(({ ratio }) => ratio !== undefined).map(({ id }) => code(id));
  const countOnly = viewMetrics
    .filter((metric) => measuresOf(metric, measures).length === 1)
    .map(({ id }) => code(id));
  return [
    '### Measures',
    '',
    `\`measurement\` is one of ${measures.map(code).join(', ')}. A metric without one asked for answers its default.`,
    '',
    '- Percentiles are exact, and interpolate between neighbours: the median of 1 and 2 is 1.5.',
    `- \`ratio\` is sum over sum, never a mean of ratios; \`avg\` is the same for metrics that have one: ${ratios.join(', ')}.`,
    '- `count` is the number of views that take part. A sum or a count over no views is 0; every other measure is null then.',
    `- ${countOnly.join(', ')} has \`count\` alone: distinct values.`,
    '',
    "`negative_impact` in a breakdown is (the value's figure − the figure of all other views) × its share of the views that",
    'take part, with the sign turned where high is good: more is worse. For means this is how much the overall would improve',
    "if its views had the figure of the rest; for sums, how much the sum would change if they had the rest's mean. It is 0 for",
    'counts, for metrics without a good direction, and for a value that has no rest.',
    '',
    '`meta.complete_through`: every view that ended before this time is in the figures. `meta.completeness`: reports received',
    'over reports received and lost, of the views that take part.',
  ];
}

function intervals(): string[] {
  return [
    '## Interval metrics',
    '',
    '`GET /data/v1/monitoring/metrics/{id}/timeseries`, `/breakdown`, `/breakdown-timeseries` and `/histogram-timeseries`: what',
    'happened in each window of 5 s of event time, whatever becomes of the view.',
    '',
    ...table(
      ['id', 'title', 'unit', 'value of a window', 'good', 'joined windows', 'now', 'histogram'],
      intervalMetrics.map(intervalRow),
    ),
  ];
}

const JOINED: Readonly<Record<IntervalMetric['joined'], string>> = {
  sums: 'sums divided anew',
  peak: 'largest window',
  mean: 'mean of windows',
};

function intervalRow(metric: IntervalMetric): string[] {
  return [
    code(metric.id),
    metric.title,
    metric.unit,
    metric.definition,
    metric.good === 'none' ? '' : metric.good,
    metric.value === '' ? 'sketches joined' : JOINED[metric.joined],
    metric.now ? 'gauge' : '',
    metric.sketch === undefined ? '' : `of ${metric.sketch.counts}`,
  ];
}

function intervalNotes(): string[] {
  const left = intervalDimensions.filter(({ name }) => NOW_LEAVES_OUT.has(name));
  return [
    `- Dimensions: ${intervalDimensions.map(({ name }) => code(name)).join(', ')}.`,
    `- A window is complete when the slowest partition's log time is ${SETTLE_MS / 1_000} s past its end: time is credited when the next`,
    '  report tells what became of it. `meta.complete_through` says until when.',
    '- Later windows of a metric with a gauge are answered by it: views in each state at the last epoch that ended by the',
    "  window's end. `meta.source` and `meta.gauge_from` say which windows these are. The gauge has no",
    `  ${left.map(({ name }) => code(name)).join(' and no ')}: a question about them is answered by what the window holds so far.`,
    '- Percentiles and histograms come from sketches: at most 1 % off, nearest rank.',
    '- `negative_impact` is as above, with shares of viewers; 0 for counts.',
    '- `GET /data/v1/monitoring/stream`: server-sent events, one message an epoch.',
  ];
}

function dimensionTable(): string[] {
  return [
    '## Dimensions',
    '',
    'For `filters[]` and `group_by`. Unknown is the empty string, never a guess.',
    '',
    ...table(['name', 'title', 'meaning', 'set by'], dimensions.map(dimensionRow)),
  ];
}

function dimensionRow({ name, title, definition, fromClient }: Dimension): string[] {
  const aliases = Object.keys(dimensionAliases).filter((alias) => dimensionAliases[alias] === name);
  const also = aliases.length === 0 ? '' : ` Also ${aliases.map(code).join(', ')}.`;
  return [code(name), title, definition + also, fromClient ? 'client or enrichment' : 'pipeline'];
}

const code = (text: string): string => `\`${text}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)];
}
