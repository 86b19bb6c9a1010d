/** docs/metrics.md, written from the catalogue. A test holds the file to it. */
import {
  type Dimension,
  dimensionAliases,
  dimensions,
} from '../../schemas/catalogue/dimensions.ts';
import { measures, type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { measuresOf } from '../planner/figure.ts';

/** The page, as Markdown. */
export function renderMetricsPage(): string {
  return `${[...head(), ...metricTable(), '', ...notes(), '', ...dimensionTable()].join('\n')}\n`;
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
