/** `/data/v1/video-views`: single views, closed and live, and the timeline of one. */
import Type from 'typebox';
import { findBook, type Prices } from '../cost/books.ts';
import { askViewCost } from '../cost/view-cost.ts';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';
import { type Filter, storedValues } from '../parameters/filters.ts';
import { shown } from '../parameters/names.ts';
import type { Page } from '../planner/breakdown.ts';
import {
  type LiveRow,
  planLiveView,
  planTimeline,
  planView,
  planViewList,
  type TimelineRow,
  VIEW_ORDERS,
  type ViewKey,
  type ViewRow,
  type ViewSearch,
} from '../planner/video-views.ts';
import { timelineEvent } from '../views/timeline.ts';
import { isLive, listItem, viewDetail } from '../views/view-answer.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/views.ts';
import { withUnit } from './quantities.ts';
import { askPage, pageOf, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';
import { eventPages, viewDetail as viewDetailSchema, viewListItem } from './view-schemas.ts';

const TAGS = ['Video views'];

export interface VideoViewsDeps extends RouteDeps {
  /** The price book of projects without one of their own. */
  readonly prices?: Prices;
}

export function registerVideoViews(fastify: ApiScope, deps: VideoViewsDeps): void {
  registerList(fastify, deps);
  registerDetail(fastify, deps);
}

function registerList(fastify: ApiScope, deps: RouteDeps): void {
  const { limits } = deps;
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'Views',
      description:
        'Closed views that ended in the timeframe, and live ones that began in it. Fields as in Mux Data, with `live` and `outcome` beside them. Times are ms, the score is out of 100.',
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        viewer_id: Type.Optional(
          Type.String({
            description: 'Views of this viewer; the same as a filter on viewer_user_id.',
          }),
        ),
        error_id: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 4_294_967_295,
            description: withUnit('An `id` of /errors.', 'none'),
          }),
        ),
        search: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: limits.filterLengthMax,
            description:
              "Begin of a view's id, a video's or a viewer's id, or any part of a title in either case.",
          }),
        ),
        order_by: schema.choice(VIEW_ORDERS, 'What to sort by. Default: view_end.'),
        ...schema.direction,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(Type.Array(viewListItem), 'A page of views.', example.viewList),
        ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES],
      ),
    },
  };
  fastify.get('/video-views', options, async (request, reply) => {
    const { query } = request;
    const asked = scopeOf(request, query, deps);
    const scope = { ...asked, filters: [...asked.filters, ...viewerFilter(request)] };
    const page = pageOf(query, deps.limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const ask = (wanted: Page): Promise<ViewRow[]> =>
      deps.runner.run<ViewRow>(
        planViewList(scope, {
          ...wanted,
          orderBy: query.order_by ?? 'view_end',
          descending: query.order_direction !== 'asc',
          errorId: query.error_id,
          search: searchOf(request, query.search),
        }),
        signal,
      );
    const [rows, first] = await askPage(ask, page);
    const count = Number(first?.total_rows ?? 0);
    return envelope(rows.map(listItem), scope.timeframe, count, { complete_through: through });
  });

  function viewerFilter(request: Parameters<typeof projectOf>[0]): Filter[] {
    const { viewer_id: viewer } = request.query as { viewer_id?: string };
    if (viewer === undefined) return [];
    const dimension = 'viewer_user_id';
    return [
      { dimension, exclude: false, values: storedValues(projectOf(request), dimension, viewer) },
    ];
  }
}

function searchOf(
  request: Parameters<typeof projectOf>[0],
  text: string | undefined,
): ViewSearch | undefined {
  if (text === undefined) return undefined;
  return { text, viewers: storedValues(projectOf(request), 'viewer_user_id', text) };
}

function registerDetail(fastify: ApiScope, deps: VideoViewsDeps): void {
  const { limits } = deps;
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One view',
      description:
        `Every metric under its id in answer units (null where the view takes no part), every dimension, Mux Data's field names beside ours, and \`events[]\`, the timeline, oldest first, ${limits.viewEventsMax} to a page (viewEventsMax). ` +
        'A live view (`live: true`) has what its events tell so far.',
      params: schema.viewParams,
      querystring: schema.query({
        page: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: limits.pageOffsetMax,
            default: 1,
            description: withUnit('Page of the timeline, from 1.', 'none'),
          }),
        ),
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: limits.viewEventsMax,
            default: limits.viewEventsMax,
            description: withUnit('Events of a page (viewEventsMax is the maximum).', 'count'),
          }),
        ),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(viewDetailSchema, 'The view.', example.view, { events: eventPages }),
        ['view_not_found', ...schema.STORE_CODES],
      ),
    },
  };
  fastify.get('/video-views/:id', options, async (request, reply) => {
    const key: ViewKey = { project: projectOf(request).id, viewId: request.params.id };
    const page = pageOf({ limit: limits.viewEventsMax, ...request.query }, limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const [row] = await deps.runner.run<ViewRow>(planView(key), signal);
    if (row === undefined) throw notFound(key);
    const startDay = String(row.start_day_text);
    const ask = (wanted: Page): Promise<TimelineRow[]> =>
      deps.runner.run<TimelineRow>(planTimeline(key, startDay, wanted), signal);
    const [rows, first] = await askPage(ask, page);
    const live = isLive(row) ? planLiveView(key, startDay) : undefined;
    const [liveRow] = live === undefined ? [] : await deps.runner.run<LiveRow>(live, signal);
    const book = findBook(request, deps.prices);
    const cost = book === undefined ? null : await askViewCost(deps, { book, key, row }, signal);
    const data = { ...viewDetail(row, liveRow), cost, events: rows.map(timelineEvent) };
    const meta = { complete_through: through, events: timelineMeta(first, page) };
    return envelope(data, frameOf(row, liveRow), 1, meta);
  });
}

function notFound({ viewId }: ViewKey): Error {
  return refuse('view_not_found', { detail: `there is no view ${shown(viewId)}` });
}

/** Which part of the timeline the answer holds. */
function timelineMeta(row: TimelineRow | undefined, { page, limit }: Page): object {
  const total = row?.total_rows ?? 0;
  const more = page * limit < total;
  return { page, limit, total_row_count: total, next_page: more ? page + 1 : null };
}

/** From the view's start to its end, or to its newest event, in whole seconds. */
function frameOf(row: ViewRow, live: LiveRow | undefined): { fromMs: number; toMs: number } {
  const startMs = Number(row.start_ms);
  const endMs = Math.max(startMs, Number(row.end_ms), live?.newest_ms ?? 0);
  return { fromMs: Math.floor(startMs / 1_000) * 1_000, toMs: Math.ceil(endMs / 1_000) * 1_000 };
}
