/** Schemas of answers of cost. Amounts of money are decimals in text: a number of JSON would be rounded by its reader. */
import Type, { type TProperties } from 'typebox';
import { known } from '../../platform/http/reference.ts';
import { REQUEST_SOURCES } from '../../schemas/tables/delivery.ts';
import { dimensionNames } from '../parameters/names.ts';
import { REQUEST_ONLY } from '../planner/cost-scope.ts';
import { integer, integerOrNull, number, numberOrNull } from './quantities.ts';
import * as schema from './schemas.ts';

const text = (description: string) => Type.String({ description });

/** An amount of the currency that `meta.currency` names. */
const amount = (description: string) =>
  Type.String({
    description: `${description} A decimal with six digits, exact, in \`meta.currency\`.`,
    pattern: '^\\d+\\.\\d{6}$',
  });
const amountOrNull = (description: string) =>
  Type.Union([
    Type.String({
      description: `${description} A decimal with six digits in \`meta.currency\`, rounded once, half to even.`,
      pattern: '^\\d+\\.\\d{6}$',
    }),
    Type.Null(),
  ]);
const signedAmount = (description: string) =>
  Type.String({
    description: `${description} A decimal with six digits, exact, in \`currency\`; it may be negative.`,
    pattern: '^-?\\d+\\.\\d{6}$',
  });

const volume = {
  bytes: integer('Bytes sent, as the source counts them.', 'bytes'),
  requests: integer('Requests.', 'count'),
  origin_bytes: integer('Bytes that the CDN had from the origin.', 'bytes'),
};

/** Of a single view. */
export const viewCost = Type.Object(
  {
    amount: Type.String({
      description:
        "Its share of the bills of the months that its requests lie in, a decimal with six digits in the book's currency.",
      pattern: '^\\d+\\.\\d{6}$',
    }),
    currency: text('ISO 4217.'),
    source: text('Who tells of the requests: `edge`.'),
    ...volume,
    unpriced: Type.Object(volume, {
      description: 'The part of it that no contract prices: it is in no cost.',
    }),
  },
  {
    description:
      'What its delivery costs; null without a price book, and when no single request of it is kept.',
  },
);

const unpriced = (description: string) =>
  Type.Array(
    Type.Object({
      cdn: text('CDN.'),
      month: text('Month of UTC.'),
      reason: Type.Unsafe<string>({
        type: 'string',
        enum: ['cdn_unknown', 'date_uncovered', 'region_uncovered'],
        description: 'Why.',
      }),
      ...volume,
    }),
    { description },
  );

/** Of a move from one CDN to another. */
export const moveCost = Type.Object(
  {
    source: text('Who tells of requests: `edge`.'),
    currency: text('ISO 4217.'),
    share_moved: number(
      'Part of what the slice had from `from` that moves: as of its views.',
      'fraction',
    ),
    delta: signedAmount('Bill after less bill before: below 0 the move saves.'),
    months_cost: amount("The whole project's bill of the months that the timeframe touches."),
    months_cost_after: amount('The same after the move.'),
    moved: Type.Object(volume, { description: 'What moves.' }),
    unpriced_before: unpriced('What of it had no price: no bill knows of it.'),
    unpriced_after: unpriced('What of it would have no price.'),
  },
  {
    description:
      "What the move costs or saves: two bills of the whole project, so that it holds what tiers do to everybody's traffic.",
  },
);

/** What every row has. */
const figures = {
  cost: amount('What it costs: its share of the bills of the months it lies in.'),
  cost_by_kind: Type.Object({
    bytes: amount('For bytes, all tiers.'),
    requests: amount('For requests.'),
    origin_egress: amount('For bytes from the origin.'),
  }),
  ...volume,
  unpriced: Type.Object(volume, {
    description: 'The part of it that no contract prices: it is in no cost.',
  }),
  views: integerOrNull(
    'Views that began in the timeframe; null where views have no such dimension.',
    'count',
  ),
  playing_time: integerOrNull('What the closed ones of them played.', 'ms'),
  watched_hours: numberOrNull('The same in hours: 3,600,000 ms are 1.', 'none'),
  cost_per_watched_hour: amountOrNull('Cost of an hour of playing time; null without any.'),
  cost_per_view: amountOrNull('Cost of a view; null without any.'),
  cost_per_gigabyte: amountOrNull('Cost of 1,000,000,000 bytes; null without any.'),
};

const wastedPart = (description: string, coverage: string) =>
  Type.Object(
    {
      bytes: integer('Bytes.', 'bytes'),
      cost: amount('Their part of the cost of bytes.'),
      coverage: numberOrNull(`${coverage} Null without bytes.`, 'fraction'),
    },
    { description },
  );

const waste = Type.Optional(
  Type.Union(
    [
      Type.Object({
        unplayed: wastedPart(
          'Delivered and never played: media beyond what its view played.',
          'Share of the bytes of which it is known how much was played.',
        ),
        oversized: wastedPart(
          'Played with more pixels than the player had.',
          'Share of the bytes of which it is known that they were played, and how large the player was.',
        ),
      }),
      Type.Null(),
    ],
    { description: 'Null for what players report: they do not say how much media came.' },
  ),
);

const quality = Type.Optional(
  Type.Object({
    rebuffer_percentage: numberOrNull('Of views that ended in the timeframe.', 'fraction'),
    video_startup_time: numberOrNull('Their median.', 'ms'),
    viewer_experience_score: numberOrNull('Their mean.', 'score'),
    ttfb: numberOrNull('Median time to first byte of requests that succeeded.', 'ms'),
    hit_ratio: numberOrNull(
      'Bytes that the cache had over bytes of known cache status.',
      'fraction',
    ),
    error_percentage: numberOrNull('Requests with a status of 400 and above.', 'fraction'),
  }),
);

const line = Type.Object({
  cdn: text('CDN.'),
  region: text('Region of the price book, or `*`, the rest.'),
  month: text('Month of UTC, such as 2026-01.'),
  contract: integer('Place of the contract in the book, from 0.', 'none'),
  kind: Type.Unsafe<string>({
    type: 'string',
    enum: ['bytes', 'requests', 'origin_egress'],
    description: 'What is charged.',
  }),
  tier: integerOrNull('Place of the tier, from 0; null but for bytes.', 'none'),
  quantity: integer('Bytes, or for `requests` requests.', 'none'),
  cost: amount('Cost of the line.'),
});

const forecast = Type.Optional(
  Type.Object(
    {
      month: text('The running month.'),
      as_of: text('Until when usage is known, ISO 8601.'),
      cost_so_far: amount('The bill of the month until then.'),
      cost_expected: amount('The bill of the month at its end.'),
      basis: Type.Array(
        Type.Object({
          cdn: text('CDN.'),
          method: Type.Unsafe<string>({
            type: 'string',
            enum: ['weekdays', 'mean', 'none'],
            description: 'What coming days are taken to be like.',
          }),
          days: integer('Full days that were gone by.', 'count'),
        }),
      ),
      tier_crossings: Type.Array(
        Type.Object({
          cdn: text('CDN.'),
          region: text('Region, or `*`.'),
          contract: integer('Place of the contract in the book, from 0.', 'none'),
          tier: integer('Place of the tier that is reached, from 0.', 'none'),
          from_bytes: integer('Where it begins.', 'bytes'),
          day: text('Day of UTC.'),
          state: Type.Unsafe<string>({
            type: 'string',
            enum: ['reached', 'expected'],
            description: 'Whether it was reached, or is expected to be.',
          }),
        }),
      ),
    },
    { description: "The whole project's bill of the running month, whatever is filtered." },
  ),
);

export const overallData = Type.Object({
  ...figures,
  waste,
  lines: Type.Array(line, { description: 'What the cost is the sum of, to the last digit.' }),
  months_cost: amount("The whole project's bill of the months that the timeframe touches."),
  forecast,
});

export const timeseriesData = Type.Array(
  Type.Object({ at: text('Begin of the bucket, ISO 8601.'), ...figures }),
);

export const breakdownData = Type.Array(
  Type.Object({
    field: text('Value of the dimension; empty when unknown.'),
    ...figures,
    waste,
    quality,
  }),
);

const validity = Type.Object({
  contracts: integer('Contracts of the book.', 'count'),
  valid_from: Type.Union([Type.String(), Type.Null()], { description: 'First day of the first.' }),
  valid_to: Type.Union([Type.String(), Type.Null()], {
    description: 'The day after the last of the last; null where one has no end.',
  }),
});

/** What `meta` has beside what all have. */
export const costMeta: TProperties = {
  source: schema.choice(REQUEST_SOURCES, 'Who tells of requests.'),
  currency: text('ISO 4217.'),
  price_book: validity,
  unpriced: unpriced('Usage of the question that no contract prices: it is in no cost.'),
  unaccounted_bytes: integer(
    'Bytes of which single requests do not tell, so that nothing is known of their views.',
    'bytes',
  ),
};

export const source = {
  source: schema.choice(
    REQUEST_SOURCES,
    'Who tells of requests: `edge` (logs of CDNs: what they bill), or `player`. Never added together. Default: edge.',
  ),
};

export const withWaste = {
  waste: Type.Optional(
    Type.Boolean({
      description:
        'False leaves out `waste`, and the reading of single requests for it. Default: true.',
    }),
  ),
};

const costDimensions = [...dimensionNames, ...REQUEST_ONLY];
/** Names that `group_by` of a breakdown takes. */
export const groupBy = {
  group_by: Type.String({
    ...known(costDimensions),
    description: 'Name of a dimension: of views, or of requests alone.',
    examples: ['cdn'],
  }),
};
