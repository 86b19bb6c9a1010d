/** `/data/v1/delivery/blame` and `/delivery/requests`: which hop is to blame, by a dimension, and of which requests. */
import { HOPS } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { parseDeliveryDimension } from '../delivery/names.ts';
import { deliveryScopeOf, readDeliveredThrough } from '../delivery/questions.ts';
import type { Page } from '../planner/breakdown.ts';
import {
  type AffectedRow,
  BLAME_ORDERS,
  type BlameRow,
  planAffected,
  planBlame,
} from '../planner/delivery-blame.ts';
import { DELIVERY_READS } from '../planner/delivery-rows.ts';
import * as own from './delivery-schemas.ts';
import { type ApiScope, envelope, type RouteDeps, signalOf } from './deps.ts';
import * as example from './examples/delivery.ts';
import { askPage, pageOf } from './questions.ts';
import * as schema from './schemas.ts';

const BOTH = { source: 'both', table: 'requests' };
const RULES =
  'Over requests that the player and its edge both tell of, or that CMSD tells of. docs/delivery.md has the rules.';

export function registerDeliverySides(fastify: ApiScope, deps: RouteDeps): void {
  registerBlame(fastify, deps);
  registerAffected(fastify, deps);
}

function registerBlame(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: DELIVERY_READS },
    schema: {
      tags: own.TAGS,
      summary: 'Which hop is to blame, by the values of a dimension',
      description: `What share of the requests that were slow or failed network, edge and origin are to blame for, and where the time of all went. ${RULES}`,
      querystring: schema.query({
        ...own.timeframe,
        ...own.filters,
        ...own.groupBy('Name of the dimension.'),
        order_by: schema.choice(BLAME_ORDERS, 'What to sort by. Default: affected_requests.'),
        ...schema.direction,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(own.envelopeOf(own.blameData, 'A page of values.', example.blame), [
        'dimension_unknown',
        ...schema.STORE_CODES,
      ]),
    },
  };
  fastify.get('/delivery/blame', options, async (request, reply) => {
    const { query } = request;
    const dimension = parseDeliveryDimension(query.group_by).name;
    const scope = deliveryScopeOf(request, query, deps);
    const orderBy = query.order_by ?? 'affected_requests';
    const direction = query.order_direction ?? (orderBy === 'field' ? 'asc' : 'desc');
    const question = { dimension, orderBy, descending: direction === 'desc' };
    const page = pageOf(query, deps.limits);
    const signal = signalOf(reply);
    const complete_through = await readDeliveredThrough(deps, signal);
    const ask = (wanted: Page): Promise<BlameRow[]> =>
      deps.runner.run<BlameRow>(planBlame(scope, { ...question, ...wanted }), signal);
    const [rows, first] = await askPage(ask, page);
    const meta = { ...BOTH, complete_through };
    return envelope(rows.map(blameItem), scope.timeframe, first?.total_rows ?? 0, meta);
  });
}

const blameItem = (row: BlameRow) => ({
  field: row.field,
  requests: row.requests,
  paired_requests: row.paired_requests,
  cmsd_requests: row.cmsd_requests,
  affected_requests: row.affected_requests,
  affected_percentage: row.affected_percentage,
  blame_network_percentage: row.blame_network,
  blame_edge_percentage: row.blame_edge,
  blame_origin_percentage: row.blame_origin,
  network_time: row.network_time,
  edge_time: row.edge_time,
  origin_time: row.origin_time,
});

function registerAffected(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: DELIVERY_READS },
    schema: {
      tags: own.TAGS,
      summary: 'Requests that were slow or failed',
      description: `The newest first, with where their time went and the hop that is to blame. ${RULES}`,
      querystring: schema.query({
        ...own.timeframe,
        ...own.filters,
        blamed: schema.choice(HOPS, 'Only those of which this hop is to blame.'),
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(
        own.envelopeOf(own.affectedData, 'A page of requests.', example.affected),
        ['dimension_unknown', ...schema.STORE_CODES],
      ),
    },
  };
  fastify.get('/delivery/requests', options, async (request, reply) => {
    const { query } = request;
    const scope = deliveryScopeOf(request, query, deps);
    const page = pageOf(query, deps.limits);
    const signal = signalOf(reply);
    const complete_through = await readDeliveredThrough(deps, signal);
    const ask = (wanted: Page): Promise<AffectedRow[]> =>
      deps.runner.run<AffectedRow>(planAffected(scope, query.blamed, wanted), signal);
    const [rows, first] = await askPage(ask, page);
    const meta = { ...BOTH, complete_through };
    return envelope(rows.map(affectedItem), scope.timeframe, first?.total_rows ?? 0, meta);
  });
}

const affectedItem = (row: AffectedRow) => ({
  view_id: row.view_id,
  at: new Date(row.at_ms).toISOString(),
  object_type: row.object_type,
  cdn: row.cdn,
  asn: row.asn,
  status: row.status,
  edge_status: row.edge_status,
  bytes: row.bytes,
  total_time: row.total_ms,
  expected_time: row.expected_ms,
  network_time: row.network_ms,
  edge_time: row.edge_ms,
  origin_time: row.origin_ms,
  split_by: row.split,
  blamed: row.blamed,
});
