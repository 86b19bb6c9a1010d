/** Schemas of the monitoring routes: parameters are checked by them, answers documented. */
import Type, { type TProperties, type TSchema } from 'typebox';
import { known } from '../../platform/http/reference.ts';
import type { MonitoringLimits } from '../monitoring/limits.ts';
import { dimensionNames, metricIds, sketchMetrics } from '../monitoring/names.ts';
import { JOINS } from '../monitoring/windows.ts';
import { INTERVAL_ORDERS } from '../planner/monitoring.ts';
import type { AnswerExample } from './examples/envelope.ts';
import { number, numberOrNull, withUnit } from './quantities.ts';
import * as schema from './schemas.ts';

/** What a breakdown is by unless asked otherwise: Mux Data's clients may leave it out. */
export const DIMENSION_DEFAULT = 'country';
/** Values of a breakdown, and of each point of one over time, unless asked otherwise. */
export const VALUES_DEFAULT = 100;
export const POINT_VALUES_DEFAULT = 10;
/** A metric that every list of ids here has. */
const METRIC_SHOWN = 'current-average-bitrate';
const SECONDS_MAX = 4_294_967_295;

const named = dimensionNames.join(', ');

export const filters = {
  'filters[]': Type.Optional(
    Type.Array(Type.String(), {
      description: `\`dimension:value\` includes, \`!dimension:value\` excludes. Values of one dimension are alternatives, different dimensions must all hold. Dimensions: ${named}.`,
    }),
  ),
};

export const dimension = {
  dimension: Type.Optional(
    Type.String({ ...known(dimensionNames), description: `Default: ${DIMENSION_DEFAULT}.` }),
  ),
};

const metricId = (ids: readonly string[], description: string) =>
  Type.String({ ...known(ids), description, examples: [ids.find((id) => id === METRIC_SHOWN)] });
/** A metric of these routes. */
export const metricParams = Type.Object({ id: metricId(metricIds, 'Id of the metric.') });
/** One that has a distribution. */
export const sketchParams = Type.Object({
  id: metricId(
    sketchMetrics.map(({ id }) => id),
    'Id of a metric with a distribution.',
  ),
});

export const timestamp = (description: string) => ({
  timestamp: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: SECONDS_MAX,
      description: withUnit(description, 's since 1970'),
    }),
  ),
});

export const timeframe = ({ frameMsMax }: MonitoringLimits, standard: string) => ({
  'timeframe[]': Type.Optional(
    Type.Array(Type.String(), {
      description: `Duration up to now (\`60:seconds\`, \`30:minutes\`), or two times: seconds since 1970, or ISO 8601 with a zone. Widened to whole windows of 5 s; at most ${frameMsMax / 3_600_000} hours (frameMsMax). Default: ${standard}.`,
    }),
  ),
});

export const groupBy = {
  group_by: schema.choice(
    JOINS,
    'Joins windows: sums are divided anew, of a peak the largest window stands. Default: five_seconds.',
  ),
};

export const order = {
  order_by: schema.choice(
    INTERVAL_ORDERS,
    'What to sort by: `value` is the figure, `views` the concurrent viewers, `field` the value of the dimension. Default: views.',
  ),
  ...schema.direction,
};

export const limit = (standard: number, most: number, name: string) => ({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: most,
      default: Math.min(standard, most),
      description: withUnit(`Values to answer (${name} is the maximum).`, 'count'),
    }),
  ),
});

const viewers = {
  concurrent_viewers: number(
    'Views in a window; the most of any window where windows are joined.',
    'count',
  ),
};
const starting = {
  starting_up_viewers: number('Of them, those that were starting up.', 'count'),
};
const field = { value: Type.String({ description: 'Value of the dimension; empty is unknown.' }) };
const figure = { metric_value: schema.value };

export const namesData = Type.Array(
  Type.Object({ name: Type.String(), display_name: Type.String() }),
);

export const seriesData = Type.Array(
  Type.Object({
    date: Type.String({ description: 'Begin of the window, ISO 8601.' }),
    value: schema.value,
    ...viewers,
  }),
);

export const breakdownData = Type.Array(
  Type.Object({
    ...field,
    display_value: Type.String({ description: 'The same for people: the name of a country.' }),
    ...figure,
    ...viewers,
    ...starting,
    negative_impact: number(
      "(the value's figure − the figure of all others) × its share of viewers, turned so that more is worse. 0 for counts.",
      'what `meta.unit` names',
    ),
  }),
);

export const breakdownSeriesData = Type.Array(
  Type.Object({
    date: Type.String({ description: 'Begin of the window, ISO 8601.' }),
    values: Type.Array(Type.Object({ ...field, ...figure, ...viewers, ...starting })),
  }),
);

const bar = Type.Object({
  count: number('What is counted, in the bar.', 'what `meta.counts` names'),
  percentage: number('Its share of all bars.', 'fraction'),
});

export const histogramData = Type.Array(
  Type.Object({
    timestamp: Type.String({ description: 'Begin of the window, ISO 8601.' }),
    sum: number('What is counted, over all bars.', 'what `meta.counts` names'),
    median: schema.value,
    p95: schema.value,
    average: schema.value,
    max_percentage: number('Share of the largest bar.', 'fraction'),
    bucket_values: Type.Array(bar, { description: 'One for each of `meta.buckets`.' }),
  }),
);

/** The envelope with what the monitoring answers say of their sources. */
export function envelopeOf(
  data: TSchema,
  description: string,
  example: AnswerExample,
  more: TProperties = {},
): TSchema {
  const note =
    'meta: `complete_through` — windows that end by it are complete (log time of the slowest partition less 30 s); ' +
    '`source` — playback_5s, viewers_now or both; `gauge_from` — points from it on are of viewers_now, the state at the ' +
    "window's end; `gauge_through` — later points carry that state forward; `gauge_left_out` — why viewers_now was not used.";
  return schema.envelopeOf(data, `${description} ${note}`, example, more);
}

/** What `meta` says of the bars of a histogram. */
export const barMeta = {
  bucket_unit: Type.String({ description: 'Unit of the bounds below.' }),
  buckets: Type.Array(
    Type.Object({
      start: number('Begin of a bar, included.', 'what `meta.unit` names'),
      end: numberOrNull('Its end, not included; null of the last.', 'what `meta.unit` names'),
    }),
  ),
  counts: Type.String({ description: 'views, requests, or ms of playing time.' }),
};
