/** `/data/v1/engagement/videos/{id}/…`: which parts of a video are watched, and where along it playback suffers. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import {
  type ContentRow,
  type PlayedRow,
  planContent,
  planPlayed,
  planTroubles,
  type TroubleRow,
} from '../planner/engagement.ts';
import type { Scope } from '../planner/scope.ts';
import {
  BUCKETS_MAX,
  BUCKETS_MIN,
  type Bucket,
  bucketOf,
  bucketsFor,
  hotspotsOf,
  playedIn,
} from '../views/content-buckets.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/content.ts';
import { integer, number, withUnit } from './quantities.ts';
import { type ScopeQuery, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;
const TAGS = ['Engagement'];
const WHICH_VIEWS =
  'Of views that have ended and said where in the content they were, live ones left out; the content is as long as the largest position of any.';

export function registerEngagement(fastify: ApiScope, deps: RouteDeps): void {
  registerHeatmap(fastify, deps);
  registerHotspots(fastify, deps);
  registerQuality(fastify, deps);
}

const params = Type.Object({ id: Type.String({ description: 'Value of `video_id`.' }) });
const views = { total_views: integer('Views that the answer is made from.', 'count') };
const metaFields = {
  content_ms: integer('Length of the content.', 'ms'),
  bucket_count: integer('Buckets that it is cut into.', 'count'),
};

/** What is known of a video's views before their content is looked at. */
interface Asked {
  readonly scope: Scope;
  readonly through: string | null;
  readonly signal: AbortSignal;
  readonly content: ContentRow;
  readonly buckets: readonly Bucket[];
}

const NO_CONTENT: ContentRow = {
  views: 0,
  content_ms: 0,
  rebuffer_ms: 0,
  rebuffer_count: 0,
  error_count: 0,
  exit_count: 0,
};

async function askContent(
  request: FastifyRequest<{ Params: { id: string }; Querystring: ScopeQuery }>,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<Asked> {
  const scope = scopeOf(request, request.query, deps);
  const signal = signalOf(reply);
  const through = await readCompleteThrough(deps, signal);
  const statement = planContent(request.params.id, scope);
  const [content = NO_CONTENT] = await deps.runner.run<ContentRow>(statement, signal);
  return { scope, through, signal, content, buckets: bucketsFor(content.content_ms) };
}

/** Share of each bucket that a view played, in the mean of all. */
async function askValues(video: string, asked: Asked, deps: RouteDeps): Promise<number[]> {
  const { buckets, content, scope, signal } = asked;
  if (buckets.length === 0) return [];
  const rows = await deps.runner.run<PlayedRow>(planPlayed(video, scope), signal);
  return playedIn(buckets, rows).map((playedMs, index) => {
    const { startMs = 0, endMs = 0 } = buckets[index] ?? {};
    return endMs > startMs ? playedMs / (content.views * (endMs - startMs)) : 0;
  });
}

function metaOf({ through, content, buckets }: Asked) {
  return {
    aggregation: 'view_end',
    complete_through: through,
    content_ms: content.content_ms,
    bucket_count: buckets.length,
  };
}

const heatmapData = Type.Object({
  value: Type.Array(number('Share of a bucket.', 'fraction'), {
    description: `${BUCKETS_MIN} to ${BUCKETS_MAX} buckets of equal length from the start of the content to its end, one for each 5 s: the share of the bucket that a view played, in the mean of all views. 1 when every view played all of it; a view counts once however often it played.`,
  }),
  ...views,
});

function registerHeatmap(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'How much of each part of a video is watched',
      description: WHICH_VIEWS,
      params,
      querystring: schema.query({ ...schema.timeframe, ...schema.filters }),
      response: schema.answers(
        schema.envelopeOf(heatmapData, 'Values along the content.', example.heatmap, metaFields),
        CODES,
      ),
    },
  };
  fastify.get('/engagement/videos/:id/heatmap', options, async (request, reply) => {
    const asked = await askContent(request, reply, deps);
    const value = await askValues(request.params.id, asked, deps);
    const data = { total_views: asked.content.views, value };
    return envelope(data, asked.scope.timeframe, null, metaOf(asked));
  });
}

const bounds = {
  start_ms: integer('From the start of the content, included.', 'ms'),
  end_ms: integer('From the start of the content, not included.', 'ms'),
};
const hotspotsData = Type.Object({
  hotspots: Type.Array(
    Type.Object({
      ...bounds,
      score: number('Mean of the heatmap over it, 0 to 1.', 'fraction'),
    }),
  ),
  ...views,
});

function registerHotspots(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'The parts of a video that are watched most, or least',
      description: `Stretches of the heatmap that stand above its mean by more than half a standard deviation; with \`order_direction=asc\` those that stand below it, least first. ${WHICH_VIEWS}`,
      params,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.direction,
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: BUCKETS_MAX,
            description: withUnit('How many at most. Default: all.', 'count'),
          }),
        ),
      }),
      response: schema.answers(
        schema.envelopeOf(hotspotsData, 'Stretches.', example.hotspots, metaFields),
        CODES,
      ),
    },
  };
  fastify.get('/engagement/videos/:id/hotspots', options, async (request, reply) => {
    const asked = await askContent(request, reply, deps);
    const values = await askValues(request.params.id, asked, deps);
    const coldest = request.query.order_direction === 'asc';
    const hotspots = hotspotsOf(asked.buckets, values, coldest).slice(0, request.query.limit);
    const data = { total_views: asked.content.views, hotspots };
    return envelope(data, asked.scope.timeframe, null, metaOf(asked));
  });
}

const troubleCounts = {
  rebuffer_duration: integer('Of rebuffering that began there.', 'ms'),
  rebuffer_count: integer('Rebufferings that began there.', 'count'),
  error_count: integer('Errors that happened there.', 'count'),
  exit_count: integer('Views that ended there, before the end.', 'count'),
};
const qualityData = Type.Object({
  ...views,
  buckets: Type.Array(
    Type.Object({
      ...bounds,
      downswitch_count: integer('Changes to a lower bitrate.', 'count'),
      ...troubleCounts,
    }),
  ),
  unplaced: Type.Object(troubleCounts, {
    description: 'What the same views met where their position was not known.',
  }),
});

interface Suffered {
  start_ms: number;
  end_ms: number;
  rebuffer_duration: number;
  rebuffer_count: number;
  downswitch_count: number;
  error_count: number;
  exit_count: number;
}

function registerQuality(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'Where along a video playback suffers',
      description: `Rebuffering, changes to a lower bitrate, errors and exits in the buckets of the heatmap. ${WHICH_VIEWS}`,
      params,
      querystring: schema.query({ ...schema.timeframe, ...schema.filters }),
      response: schema.answers(
        schema.envelopeOf(qualityData, 'Along the content.', example.quality, metaFields),
        CODES,
      ),
    },
  };
  fastify.get('/engagement/videos/:id/quality-heatmap', options, async (request, reply) => {
    const asked = await askContent(request, reply, deps);
    const { buckets, content, scope, signal } = asked;
    const statement = planTroubles(request.params.id, scope);
    const rows = buckets.length === 0 ? [] : await deps.runner.run<TroubleRow>(statement, signal);
    const suffered = sufferedIn(buckets, rows);
    const data = {
      total_views: content.views,
      buckets: suffered,
      unplaced: unplacedOf(content, suffered),
    };
    return envelope(data, scope.timeframe, null, metaOf(asked));
  });
}

function sufferedIn(buckets: readonly Bucket[], rows: readonly TroubleRow[]): Suffered[] {
  const suffered = buckets.map(({ startMs, endMs }) => ({
    start_ms: startMs,
    end_ms: endMs,
    rebuffer_duration: 0,
    rebuffer_count: 0,
    downswitch_count: 0,
    error_count: 0,
    exit_count: 0,
  }));
  for (const { kind, second, count, duration } of rows) {
    const bucket = suffered[bucketOf(buckets, second)];
    if (bucket === undefined) continue;
    bucket.rebuffer_duration += duration;
    if (kind === 'rebuffer') bucket.rebuffer_count += count;
    else if (kind === 'downswitch') bucket.downswitch_count += count;
    else if (kind === 'error') bucket.error_count += count;
    else if (kind === 'exit') bucket.exit_count += count;
  }
  return suffered;
}

function unplacedOf(content: ContentRow, suffered: readonly Suffered[]) {
  const placed = (name: keyof Suffered): number =>
    suffered.reduce((sum, bucket) => sum + bucket[name], 0);
  return {
    rebuffer_duration: content.rebuffer_ms - placed('rebuffer_duration'),
    rebuffer_count: content.rebuffer_count - placed('rebuffer_count'),
    error_count: content.error_count - placed('error_count'),
    exit_count: content.exit_count - placed('exit_count'),
  };
}
