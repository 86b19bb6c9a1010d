/**
 * The query side as a fastify plugin: `await fastify.register(registerApi, deps)`. All roles share one server; hooks and
 * handlers set here stay within this scope.
 *
 * Guarantee: a request passes the host guard, then the token guard, then the names of its parameters, and only then
 * reaches the store, bound to its token's project. Every refusal is a problem with a stable code.
 */
import helmet from '@fastify/helmet';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { BaseLogger } from 'pino';
import { type OperatorDeps, registerOperators } from '../platform/http/operators.ts';
import { handleError } from '../platform/http/problem.ts';
import { registerReference } from '../platform/http/reference.ts';
import type { Projects } from '../platform/projects.ts';
import type { Store } from '../platform/store/store.ts';
import { Annotations } from './annotations.ts';
import { type CacheCounters, createCacheCounters } from './cache/answer-cache.ts';
import { registerFinishedAnswers } from './cache/finished-answers.ts';
import type { Prices } from './cost/books.ts';
import { createMoveCost } from './cost/move.ts';
import { registerExplain } from './explain.ts';
import { createExportCounters, type ExportCounters } from './exports/download.ts';
import { createHostGuard } from './guards/host.ts';
import { registerTokenGuard, type TokenCounters } from './guards/token.ts';
import type { QueryLimits } from './limits.ts';
import { MONITORING_LIMITS, type MonitoringLimits } from './monitoring/limits.ts';
import type { StreamCounters } from './monitoring/stream-hub.ts';
import { checkBodyNames, checkQueryNames, complaint } from './parameters/query-names.ts';
import { createQueryRunner, type QueryCounters } from './query-runner.ts';
import { registerAnnotations } from './routes/annotations.ts';
import { registerComparison } from './routes/comparison.ts';
import { registerCost } from './routes/cost.ts';
import { registerDelivery } from './routes/delivery.ts';
import { registerDeliverySides } from './routes/delivery-sides.ts';
import type { ApiScope, RouteDeps } from './routes/deps.ts';
import { registerDimensions } from './routes/dimensions.ts';
import { registerReferencePages } from './routes/docs.ts';
import { registerEngagement } from './routes/engagement.ts';
import { registerExports } from './routes/exports.ts';
import { registerMetrics } from './routes/metrics.ts';
import { registerMonitoring } from './routes/monitoring.ts';
import { registerMonitoringStream } from './routes/monitoring-stream.ts';
import { registerPage } from './routes/page.ts';
import { registerSubviews } from './routes/subviews.ts';
import { registerUnavailable } from './routes/unavailable.ts';
import { registerVideoViews } from './routes/video-views.ts';
import { registerErrors } from './routes/view-errors.ts';
import { registerWhatIf } from './routes/what-if.ts';

export { QUERY_LIMITS, type QueryLimits } from './limits.ts';
export { MONITORING_LIMITS, type MonitoringLimits } from './monitoring/limits.ts';

const PREFIX = '/data/v1';
/**
 * Headers of every answer; pages replace the policy by their own. TLS is ended before this server, so what follows from
 * it is said there.
 */
const HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  strictTransportSecurity: false,
};

export interface ApiCounters extends TokenCounters {
  hostRefused: number;
}

export interface ApiDeps {
  readonly store: Store;
  readonly projects: Pick<Projects, 'findReadToken'>;
  /** Wall clock, ms since 1970: what `24:hours` reaches back from. */
  readonly now: () => number;
  readonly logger: Pick<BaseLogger, 'error' | 'warn'>;
  readonly limits: QueryLimits;
  /** Host names that are ours: the one listened on, and those that the operator allows. Addresses always are. */
  readonly hosts: readonly string[];
  /** What operators see of the process; their routes are in the reference with the others. */
  readonly operators: OperatorDeps;
  /** Where the build of the dashboard lies, absolute; without one the page at `/` is text. */
  readonly pageDirectory?: string;
  /** Counts refusals. */
  readonly counters: ApiCounters;
  /** Called once with the counters of queries, for the server's metrics. */
  readonly onQueryCounters?: (counters: Readonly<QueryCounters>) => void;
  /** Called once with the counters of exports, for the server's metrics. */
  readonly onExportCounters?: (counters: Readonly<ExportCounters>) => void;
  /** Called once with the counters of answers kept in memory, for the server's metrics. */
  readonly onCacheCounters?: (counters: Readonly<CacheCounters>) => void;
  /** Limits of the monitoring routes; those of MONITORING_LIMITS where it says nothing. */
  readonly monitoring?: Partial<MonitoringLimits>;
  /** The price book of projects that have none of their own; without it those have no costs. */
  readonly prices?: Prices;
  /** Called once with the counters of the stream, for the server's metrics. */
  readonly onStreamCounters?: (counters: Readonly<StreamCounters>) => void;
}

export function createApiCounters(): ApiCounters {
  return { hostRefused: 0, tokenMissing: 0, tokenUnknown: 0, scopeMissing: 0 };
}

export const registerApi: FastifyPluginAsync<ApiDeps> = async (fastify, deps) => {
  fastify.setErrorHandler(handleError);
  fastify.setSchemaErrorFormatter((errors) => complaint(errors));
  // Schemas of answers are documentation: an answer is sent as it is, not cut to its schema.
  fastify.setSerializerCompiler(() => JSON.stringify);
  await registerReference(fastify);
  const runner = createQueryRunner(deps);
  deps.onQueryCounters?.(runner.counters);
  registerOperators(fastify, deps.operators);
  const data: FastifyPluginAsync = (scope) => registerData(scope, deps, { ...deps, runner });
  const guarded: FastifyPluginAsync = async (scope) => {
    // A server that has a policy of its own keeps it.
    if (!fastify.hasReplyDecorator('helmet')) await scope.register(helmet, HEADERS);
    scope.addHook('onRequest', createHostGuard(deps.hosts, deps.counters));
    await registerPage(scope, deps);
    await registerReferencePages(scope);
    await scope.register(data, { prefix: PREFIX });
  };
  await fastify.register(guarded);
};

async function registerData(
  scope: FastifyInstance,
  deps: ApiDeps,
  routeDeps: RouteDeps,
): Promise<void> {
  await registerTokenGuard(scope, deps.projects, deps.counters);
  scope.addHook('preValidation', checkQueryNames);
  scope.addHook('preValidation', checkBodyNames);
  registerExplain(scope, deps.counters);
  const cacheCounters = createCacheCounters();
  deps.onCacheCounters?.(cacheCounters);
  registerFinishedAnswers(scope, { ...deps, ...routeDeps, counters: cacheCounters });
  scope.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, security: [{ readToken: [] }] };
  });
  const typed: ApiScope = scope.withTypeProvider<TypeBoxTypeProvider>();
  registerMetrics(typed, routeDeps);
  const annotations = new Annotations({ ...deps, ...routeDeps });
  registerAnnotations(typed, { ...routeDeps, annotations });
  registerComparison(typed, routeDeps);
  registerErrors(typed, routeDeps);
  registerVideoViews(typed, { ...routeDeps, ...pricesOf(deps) });
  registerDimensions(typed, routeDeps);
  const exportCounters = createExportCounters();
  deps.onExportCounters?.(exportCounters);
  registerExports(typed, { ...routeDeps, counters: exportCounters });
  const monitoring = { ...routeDeps, monitoring: { ...MONITORING_LIMITS, ...deps.monitoring } };
  registerMonitoring(typed, monitoring);
  const streamCounters = registerMonitoringStream(typed, monitoring);
  deps.onStreamCounters?.(streamCounters);
  registerSubviews(typed, routeDeps);
  registerEngagement(typed, routeDeps);
  registerDelivery(typed, routeDeps);
  registerDeliverySides(typed, routeDeps);
  const costDeps = { ...routeDeps, ...pricesOf(deps) };
  registerCost(typed, costDeps);
  registerWhatIf(typed, { ...routeDeps, costOf: createMoveCost(costDeps) });
  registerUnavailable(typed);
}

const pricesOf = ({ prices }: ApiDeps): { readonly prices?: Prices } =>
  prices === undefined ? {} : { prices };
