/** Schemas of `/data/v1/cost/what-if`: what it takes, and what it answers. */
import Type from 'typebox';
import { known } from '../../platform/http/reference.ts';
import { findViewMetric } from '../../schemas/catalogue/metrics.ts';
import { REFUSALS } from '../cost/what-if/cells.ts';
import { WHAT_IF_LIMITS } from '../cost/what-if/limits.ts';
import { WHAT_IF_FIGURES } from '../planner/what-if.ts';
import { moveCost } from './cost-schemas.ts';
import { whatIf } from './examples/what-if.ts';
import { integer, number, numberOrNull, withUnit } from './quantities.ts';
import * as schema from './schemas.ts';
import { MATCH_DEFAULT, MATCH_MAX, matchNames } from './what-if-question.ts';

const { viewsMin, confidence, refusedMax, eventsMin } = WHAT_IF_LIMITS;

const cdnName = (description: string) =>
  Type.String({ minLength: 1, description, examples: ['fastly'] });

export const whatIfQuery = schema.query({
  from: cdnName('CDN that views leave.'),
  to: cdnName('CDN that they go to.'),
  share: Type.Number({
    exclusiveMinimum: 0,
    maximum: 100,
    description: withUnit(
      "Percent of the slice's views on `from` that move, 20 for a fifth.",
      'none',
    ),
  }),
  'match[]': Type.Optional(
    Type.Array(Type.String(known(matchNames)), {
      description: `Dimensions whose values make a cell: views are compared with views of the same cell alone. Name what decides which CDN a view gets. At most ${MATCH_MAX}. Default: ${MATCH_DEFAULT.join(', ')}.`,
    }),
  ),
  min_views: Type.Optional(
    Type.Integer({
      minimum: viewsMin,
      maximum: 1_000_000,
      default: viewsMin,
      description: withUnit('Views that a cell needs on each of the two CDNs.', 'count'),
    }),
  ),
  ...schema.timeframe,
  'filters[]': schema.filters['filters[]'],
  ...schema.explain,
});

const unit = 'what `unit` names';
const figure = (id: string) =>
  Type.Object(
    {
      unit: Type.String({ description: 'ms, fraction or score.' }),
      now: numberOrNull('As it is, over all views of the slice.', unit),
      would_be: numberOrNull('As it would be.', unit),
      delta: numberOrNull('`would_be` − `now`.', unit),
      low: numberOrNull(`Lower bound of \`delta\` (${confidence * 100} %).`, unit),
      high: numberOrNull('Upper bound.', unit),
      views_from: integer('Views on `from`, in supported cells, whose value is not 0.', 'count'),
      views_to: integer('The same on `to`.', 'count'),
    },
    {
      description: `${findViewMetric(id)?.title ?? id}. All but \`now\` is null where fewer than ${eventsMin} views on either CDN tell of it.`,
    },
  );

const cell = Type.Object(
  {
    cell: Type.Union([
      Type.Record(Type.String(), Type.String(), {
        description: 'Its value of each matched dimension.',
      }),
      Type.Null({ description: 'All cells beyond cellsMax together.' }),
    ]),
    views_from: integer('Its views on `from`.', 'count'),
    views_to: integer('Its views on `to`.', 'count'),
    reason: Type.Unsafe<(typeof REFUSALS)[number]>({ type: 'string', enum: [...REFUSALS] }),
  },
  { description: 'A cell that cannot be compared; its views do not move.' },
);

const data = Type.Object({
  from: Type.String(),
  to: Type.String(),
  share: number('Percent that was asked for.', 'none'),
  match: Type.Array(Type.String(), { description: 'Dimensions that were matched by.' }),
  slice: Type.Object({
    views: integer('Views of the slice that tell of their states, on every CDN.', 'count'),
    views_from: integer('Those on `from`.', 'count'),
    views_to: integer('Those on `to`.', 'count'),
  }),
  moved: Type.Object({
    views: integer('`share` of the views on `from` in supported cells.', 'count'),
  }),
  supported_share: number('Part of the views on `from` that lies in supported cells.', 'fraction'),
  quality: Type.Object(Object.fromEntries(WHAT_IF_FIGURES.map((id) => [id, figure(id)]))),
  cost: Type.Union([moveCost, Type.Null({ description: 'No prices are known.' })]),
  refused: Type.Array(cell, {
    description: `Most views to move first, ${refusedMax} at most.`,
  }),
  refused_cells: integer('All of them.', 'count'),
});

const CODES = ['dimension_unknown', 'support_too_thin', ...schema.STORE_CODES] as const;

export const whatIfAnswers = schema.answers(
  schema.envelopeOf(data, 'What would become of the slice.', whatIf, {
    confidence: number('Share of such intervals that are to hold the truth.', 'fraction'),
  }),
  CODES,
);
