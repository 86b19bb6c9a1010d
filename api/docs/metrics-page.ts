/** docs/metrics.md, written from the catalogue. A test holds the file to it. */
import {
  type DeliveryDimension,
  deliveryDimensions,
  requestOnlyDimensions,
} from '../../schemas/catalogue/delivery-dimensions.ts';
import { type DeliveryMetric, deliveryMetrics } from '../../schemas/catalogue/delivery-metrics.ts';
import { type SideMetric, sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
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
import { attributesOf, SUBVIEW_METRICS, SUBVIEW_TYPES } from '../planner/subviews.ts';
import { BUCKETS_MAX, BUCKETS_MIN } from '../views/content-buckets.ts';

/** The page, as Markdown. */
export function renderMetricsPage(): string {
  const metrics = [...head(), ...metricTable()];
  const parts = [metrics, notes(), subviews(), engagement(), intervals(), intervalNotes()];
  parts.push(delivery(), deliveryNotes(), dimensionTable());
  return parts.map((part) => `${part.join('\n')}\n`).join('\n');
}

function subviews(): string[] {
  const kinds = SUBVIEW_TYPES.map(
    (type) => `${code(type)} (${attributesOf(type).map(code).join(', ')})`,
  );
  return [
    '## Subviews',
    '',
    `\`GET /data/v1/subview-metrics/{id}/{type}/overall\`, \`/breakdown\`, \`/comparison\` and \`/breakdown-timeseries\`: ${SUBVIEW_METRICS.map(code).join(', ')} by spans of a view. The kinds of span, with their attributes: ${kinds.join('; ')}.`,
    '',
    "Playing time belongs to what was said last to be shown, or to be the mode, when it was played; a rebuffer event, with all its time, to what held once the report that began it was taken. What is only selected counts until something is said to be shown. Only the reports that make a view's states divide it: what another source or a report about a request says does not. What was played while nothing was known has empty attributes, so that the spans of a view add up to its own figure, and an overall to the metric of the same name.",
  ];
}

function engagement(): string[] {
  return [
    '## Engagement',
    '',
    `\`GET /data/v1/engagement/videos/{video_id}/heatmap\`, \`/hotspots\` and \`/quality-heatmap\`. The content, as long as the largest position that any view said or reached, is cut into ${BUCKETS_MIN} to ${BUCKETS_MAX} buckets, one for each five seconds.`,
    '',
    '- A value of the heatmap is the share of its bucket that a view played, in the mean of all views that have ended and said where they were: 1 when every view played all of it. A view counts once for a second, however often it played it.',
    '- Hotspots are stretches above the mean of the heatmap by more than half a standard deviation, or, with `order_direction=asc`, below it. Their score is the mean of the heatmap over them.',
    '- The quality heatmap has rebuffering, changes to a lower bitrate, errors and exits (views that ended other than at the end) where in the content they began; `unplaced` is what the same views met where their position was not known.',
    '- Between two positions with nothing but playing, pauses and rebuffering, the content between them was played. Up to a seek, or the end, it went on at the rate seen last; after a seek it is counted back from the first position said. Parts are kept in whole seconds. Positions in live streams mean another moment each time: those views are left out.',
  ];
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

function delivery(): string[] {
  return [
    '## Delivery metrics',
    '',
    '`GET /data/v1/delivery/metrics/{id}/overall`, `/timeseries` and `/breakdown`: what edge logs (`source=edge`, the default)',
    'or players (`source=player`) tell of requests; those of both sides are about requests that both tell of. [delivery.md](delivery.md)',
    'says how they are joined, and how a hop is blamed.',
    '',
    ...table(
      ['id', 'title', 'unit', 'definition', 'default measure', 'good', 'measures', 'source'],
      [
        ...deliveryMetrics.map((metric) =>
          deliveryRow(metric, metric.edgeOnly ? 'edge' : 'edge, player'),
        ),
        ...sideMetrics.map((metric) => deliveryRow(metric, 'both sides')),
      ],
    ),
  ];
}

function deliveryRow(metric: DeliveryMetric | SideMetric, source: string): string[] {
  return [
    code(metric.id),
    metric.title,
    metric.unit,
    metric.definition,
    metric.defaultMeasure,
    metric.good === 'none' ? '' : metric.good,
    metric.measures.join(', '),
    source,
  ];
}

function deliveryNotes(): string[] {
  const carried = deliveryDimensions.filter(({ windowed }) => windowed);
  return [
    `- Windows of 5 s carry ${carried.map(({ name }) => code(name)).join(', ')}. A question about these alone, with bounds on 5 s, is`,
    '  answered by `delivery_5s`; any other by `requests`, each joined with its view. `meta.table` says which.',
    '- Percentiles interpolate between neighbours. Over `requests` they are exact, over the sketches of `delivery_5s` at most 1 %',
    '  off: `meta.percentiles` says which.',
    '- `ratio` and `avg` are sum over sum. `count` is the number of requests that take part; `sum` and `count` over none are 0,',
    '  every other measure is null then.',
    '- `negative_impact` is how much better the whole would be if its requests had the figure of all others; 0 for sums, counts and',
    '  metrics without a good direction, null for percentiles.',
    '- `meta.complete_through`: what the log had taken by then is in the figures.',
    '',
    'Dimensions that only requests have:',
    '',
    ...table(['name', 'title', 'meaning', 'set by'], requestOnlyDimensions.map(ownDimensionRow)),
  ];
}

function ownDimensionRow({ name, title, definition }: DeliveryDimension): string[] {
  return [code(name), title, definition, 'edge logs, players'];
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
