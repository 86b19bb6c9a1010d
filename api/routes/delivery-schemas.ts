/** Schemas of the delivery routes: parameters are checked by them, answers documented. */
import Type, { type TProperties, type TSchema } from 'typebox';
import { known } from '../../platform/http/reference.ts';
import { measures } from '../../schemas/catalogue/metrics.ts';
import { REQUEST_SOURCES } from '../../schemas/tables/delivery.ts';
import { deliveryDimensionNames, deliveryMetricIds } from '../delivery/names.ts';
import type { AnswerExample } from './examples/envelope.ts';
import { integer, number, numberOrNull } from './quantities.ts';
import * as schema from './schemas.ts';

export const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;
export const TAGS = ['Delivery'];

export const metricParams = Type.Object({
  id: Type.String({
    ...known(deliveryMetricIds),
    description: 'Id of the metric; docs/metrics.md says what each means.',
    examples: ['ttfb'],
  }),
});

export const timeframe = {
  'timeframe[]': Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Duration up to now (`60:minutes`, `24:hours`), widened to whole windows of 5 s, or two times: seconds since 1970, or ISO 8601 with a zone. From is included, to is not; a request is placed by its begin. Default: `24:hours`.',
    }),
  ),
};

export const filters = {
  'filters[]': Type.Optional(
    Type.Array(Type.String(), {
      description:
        '`dimension:value` includes, `!dimension:value` excludes. Values of one dimension are alternatives, different dimensions must all hold. An empty value is the unknown one.',
    }),
  ),
};

export const measurement = {
  measurement: Type.Optional(
    Type.String({
      ...known(measures),
      description: "One that the metric has; default: the metric's own. `avg` is `ratio`.",
    }),
  ),
};

export const source = {
  source: schema.choice(
    REQUEST_SOURCES,
    'Who is asked: edge logs or players. They are never added together. Default: edge. Metrics of both sides take none.',
  ),
};

export const groupBy = (description: string) => ({
  group_by: Type.String({ ...known(deliveryDimensionNames), description, examples: ['cdn'] }),
});

export const totals = {
  total_requests: integer('Requests that meet the filters.', 'count'),
  total_bytes: integer('Bytes of them, as far as known.', 'bytes'),
};

export const overallData = Type.Object({
  value: schema.value,
  ...totals,
  global_value: schema.value,
});

export const breakdownData = Type.Array(
  Type.Object({
    field: Type.String({ description: 'Value of the dimension; empty when unknown.' }),
    value: schema.value,
    ...totals,
    negative_impact: numberOrNull(
      'How much better the whole would be if its requests had the figure of all others; more is worse. 0 for sums, counts, and where neither direction is good; null for percentiles.',
      'what `meta.unit` names',
    ),
  }),
);

const own: TProperties = {
  source: Type.Optional(
    Type.String({ description: 'Who told: `edge`, `player`, or `both` sides of each request.' }),
  ),
  table: Type.Optional(
    Type.String({
      description: '`delivery_5s`, or `requests` where no window carries what was asked.',
    }),
  ),
  percentiles: Type.Optional(
    Type.String({ description: '`exact`, or `sketch`: at most 1 % off. Of percentiles alone.' }),
  ),
};

const THROUGH =
  '`meta.complete_through`: what the log had taken by then is in the figures. Edge logs may come later than what they tell of.';

export const envelopeOf = (data: TSchema, description: string, example: AnswerExample): TSchema =>
  schema.envelopeOf(data, `${description} ${THROUGH}`, example, own);

const hopTimes = (text: string) => ({
  network_time: numberOrNull(`${text} on the network.`, 'ms'),
  edge_time: numberOrNull(`${text} at the edge.`, 'ms'),
  origin_time: numberOrNull(`${text} at the origin.`, 'ms'),
});

export const blameData = Type.Array(
  Type.Object({
    field: Type.String({ description: 'Value of the dimension; empty when unknown.' }),
    requests: integer('Requests that could be judged.', 'count'),
    paired_requests: integer('Of them, those that both sides tell of.', 'count'),
    cmsd_requests: integer('Of them, those divided by CMSD alone.', 'count'),
    affected_requests: integer('Of them, those that were slow or failed.', 'count'),
    affected_percentage: number('Their share.', 'fraction'),
    blame_network_percentage: numberOrNull('Of affected requests: by the network.', 'fraction'),
    blame_edge_percentage: numberOrNull('Of affected requests: by the edge.', 'fraction'),
    blame_origin_percentage: numberOrNull('Of affected requests: by the origin.', 'fraction'),
    ...hopTimes('Mean time of a request'),
  }),
);

export const affectedData = Type.Array(
  Type.Object({
    view_id: Type.String(),
    at: Type.String({ description: 'When it began, ISO 8601.' }),
    object_type: Type.String(),
    cdn: Type.String(),
    asn: Type.String(),
    status: integer('As the player saw it: 0 no answer, -1 unknown.', 'none'),
    edge_status: Type.Union([integer('As the edge sent it.', 'none'), Type.Null()]),
    bytes: integer('Its size, 0 unknown.', 'bytes'),
    total_time: numberOrNull('From the request to the last byte, at the player.', 'ms'),
    expected_time: number('What is normal for one of its kind and size.', 'ms'),
    ...hopTimes('Its time'),
    split_by: Type.String({
      description: 'What its time was divided by: `edge`, a line; `cmsd` alone; empty: nothing.',
    }),
    blamed: Type.String({ description: '`network`, `edge`, `origin`; empty: nothing tells.' }),
  }),
);

export const listData = Type.Array(
  Type.Object({
    name: Type.String({ description: 'Id of the metric.' }),
    display_name: Type.String(),
    definition: Type.String(),
    unit: Type.String({ description: 'Of all measures but `count`.' }),
    good: Type.String({ description: '`low`, `high`, or `none`.' }),
    default_measurement: Type.String(),
    measurements: Type.Array(Type.String()),
    sources: Type.Array(Type.String(), { description: '`edge`, `player`; or `both`.' }),
  }),
);

const names = Type.Array(Type.String());
export const dimensionData = Type.Object({ basic: names, advanced: names });
