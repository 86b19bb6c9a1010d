/** Schemas of the monitoring routes: parameters are checked by them, answers documented. */
import Type, { type TSchema } from 'typebox';
import type { MonitoringLimits } from '../monitoring/limits.ts';
import { intervalDimensions, sketchMetrics } from '../monitoring/names.ts';
import { JOINS } from '../monitoring/windows.ts';
import { INTERVAL_ORDERS } from '../planner/monitoring.ts';
import * as schema from './schemas.ts';

/** What a breakdown is by unless asked otherwise: Mux Data's clients may leave it out. */
export const DIMENSION_DEFAULT = 'country';
/** Values of a breakdown, and of each point of one over time, unless asked otherwise. */
export const VALUES_DEFAULT = 100;
export const POINT_VALUES_DEFAULT = 10;
const SECONDS_MAX = 4_294_967_295;

const named = intervalDimensions.map(({ name }) => name).join(', ');

export const filters = {
  'filters[]': Type.Optional(
    Type.Array(Type.String(), {
      description: `\`dimension:value\` includes, \`!dimension:value\` excludes. Values of one dimension are alternatives, different dimensions must all hold. Dimensions: ${named}.`,
    }),
  ),
};

export const dimension = {
  dimension: Type.Optional(
    Type.String({ description: `One of ${named}. Default: ${DIMENSION_DEFAULT}.` }),
  ),
};

export const timestamp = (description: string) => ({
  timestamp: Type.Optional(Type.Integer({ minimum: 0, maximum: SECONDS_MAX, description })),
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
      description: `Values to answer (${name} is the maximum).`,
    }),
  ),
});

const viewers = {
  concurrent_viewers: Type.Number({
    description: 'Views in a window; the most of any window where windows are joined.',
  }),
};
const starting = {
  starting_up_viewers: Type.Number({ description: 'Of them, those that were starting up.' }),
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
    negative_impact: Type.Number({
      description:
        "(the value's figure − the figure of all others) × its share of viewers, turned so that more is worse. 0 for counts.",
    }),
  }),
);

export const breakdownSeriesData = Type.Array(
  Type.Object({
    date: Type.String({ description: 'Begin of the window, ISO 8601.' }),
    values: Type.Array(Type.Object({ ...field, ...figure, ...viewers, ...starting })),
  }),
);

export const histogramData = Type.Array(
  Type.Object({
    timestamp: Type.String({ description: 'Begin of the window, ISO 8601.' }),
    sum: Type.Number({ description: 'What is counted, over all bars; `meta.counts` says what.' }),
    median: schema.value,
    p95: schema.value,
    average: schema.value,
    max_percentage: Type.Number({ description: 'Share of the largest bar.' }),
    bucket_values: Type.Array(Type.Object({ count: Type.Number(), percentage: Type.Number() }), {
      description: 'One for each of `meta.buckets`.',
    }),
  }),
);

/** The envelope with what the monitoring answers say of their sources. */
export function envelopeOf(data: TSchema, description: string): TSchema {
  const note =
    'meta: `complete_through` — windows that end by it are complete (log time of the slowest partition less 30 s); ' +
    '`source` — playback_5s, viewers_now or both; `gauge_from` — points from it on are of viewers_now, the state at the ' +
    "window's end; `gauge_through` — later points carry that state forward; `gauge_left_out` — why viewers_now was not used.";
  return schema.envelopeOf(data, `${description} ${note}`);
}

export const sketchIds = sketchMetrics.map(({ id }) => id).join(', ');
