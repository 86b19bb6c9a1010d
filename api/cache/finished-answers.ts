/**
 * Answers over time that is over: kept, and recognised when a client has them.
 *
 * A range is finished when it ends before `complete_through`: every view that ended in it is in its figures. A late
 * report may still open a view again, a deletion or retention take one away; so an answer is given from memory, or with
 * 304, only while the tables hold the very parts that it was made from. Guarantees: an answer from memory has the bytes
 * that asking the tables would give, but for `complete_through`, which is as of then; no answer is shared between
 * projects; a request has passed all guards before it is looked at here. When in doubt nothing is kept.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BaseLogger } from 'pino';
import { ProblemError } from '../../platform/http/problem.ts';
import { storedViewerId } from '../../platform/projects.ts';
import { asksToExplain } from '../explain.ts';
import { projectOf } from '../guards/token.ts';
import type { QueryLimits } from '../limits.ts';
import { parseTimeframe, type Timeframe } from '../parameters/timeframe.ts';
import type { Statement } from '../planner/statement.ts';
import type { QueryRunner } from '../query-runner.ts';
import { readCompleteThrough, signalOf } from '../routes/deps.ts';
import { AnswerCache, type CacheCounters, digestOf, etagOf, heldTag } from './answer-cache.ts';
import { planTableState, type TableStateRow, tableState } from './table-state.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Tables that the answers of a route are made from, and nothing else but the question. */
    answersFrom?: readonly string[];
    /** Until when rows change an answer about a timeframe, ms since 1970; its end, unless the route says a later time. */
    answersUntil?: (frame: Timeframe) => number;
    /** What an answer depends on beside the tables and the question, as text. */
    answersWith?: (request: FastifyRequest) => string;
  }
}

export interface FinishedDeps {
  readonly runner: QueryRunner;
  readonly limits: QueryLimits;
  readonly now: () => number;
  readonly logger: Pick<BaseLogger, 'warn'>;
  readonly counters: CacheCounters;
}

/** A request over a finished range whose answer is to be kept. */
interface Pending {
  readonly key: string;
  /** The key as it is by now. */
  readonly again: () => Promise<string | undefined>;
}

const PENDING = 'pendingAnswer';

/** Hooks for every route that is registered on this scope after it and says what its answers are made from. */
export function registerFinishedAnswers(fastify: FastifyInstance, deps: FinishedDeps): void {
  const answers = new FinishedAnswers(deps);
  fastify.decorateRequest(PENDING);
  fastify.addHook('preHandler', (request, reply) => answers.before(request, reply));
  fastify.addHook('onSend', (request, reply, payload) => answers.after(request, reply, payload));
}

class FinishedAnswers {
  readonly #deps: FinishedDeps;
  readonly #cache: AnswerCache;
  /** Another program may answer otherwise: a tag of an earlier process is not known any more. */
  readonly #process = randomUUID();
  #possible = true;

  constructor(deps: FinishedDeps) {
    this.#deps = deps;
    this.#cache = new AnswerCache(deps.limits, deps.counters);
  }

  /** Answers when the client, or the cache, has the answer. */
  async before(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { answersFrom: tables, answersUntil } = request.routeOptions.config;
    if (tables === undefined || asksToExplain(request) || !this.#possible) return undefined;
    const frame = frameOf(request, this.#deps.now());
    if (frame === undefined) return undefined;
    const signal = signalOf(reply);
    const untilMs = answersUntil?.(frame) ?? frame.toMs;
    const keyNow = () => this.#keyOf(request, frame, planTableState(tables, untilMs), signal);
    const key = (await this.#isFinished(untilMs, signal)) ? await keyNow() : undefined;
    if (key === undefined) return undefined;
    const tag = heldTag(request.headers['if-none-match'], key);
    if (tag !== undefined) {
      this.#deps.counters.notModified++;
      return this.#headed(reply, tag).code(304).send();
    }
    const found = this.#cache.get(key);
    if (found === undefined) {
      request.setDecorator<Pending>(PENDING, { key, again: keyNow });
      return undefined;
    }
    return this.#headed(reply, found.etag).type(JSON_TYPE).send(found.body);
  }

  /** Keeps an answer when nothing came or went while it was made. */
  async after(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const pending = request.getDecorator<Pending | undefined>(PENDING);
    if (pending === undefined || reply.statusCode !== 200 || typeof payload !== 'string') {
      return payload;
    }
    if ((await pending.again()) !== pending.key) {
      this.#deps.counters.changed++;
      return payload;
    }
    const body = Buffer.from(payload);
    const etag = etagOf(pending.key, body);
    this.#cache.set(pending.key, { etag, body });
    this.#headed(reply, etag);
    return payload;
  }

  #headed(reply: FastifyReply, etag: string): FastifyReply {
    const seconds = this.#deps.limits.answerFreshSecondsMax;
    return reply.headers({
      etag,
      'cache-control': `private, max-age=${seconds}, must-revalidate`,
      vary: 'authorization',
    });
  }

  async #isFinished(toMs: number, signal: AbortSignal): Promise<boolean> {
    // What reaches up to now, as every relative timeframe does, need not be asked about.
    if (toMs >= this.#deps.now()) return false;
    const through = await readCompleteThrough(this.#deps, signal).catch(() => null);
    return through !== null && toMs <= Date.parse(through);
  }

  async #keyOf(
    request: FastifyRequest,
    frame: Timeframe,
    plan: Statement,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const state = await this.#stateOf(plan, signal);
    if (state === undefined) return undefined;
    const more = request.routeOptions.config.answersWith?.(request) ?? '';
    const question = [...questionText(request), more];
    return digestOf(this.#process, state, projectText(request), question, frame);
  }

  /** A failure here is not the answer's: it goes its way without us. What the engine refuses is not asked again. */
  async #stateOf(plan: Statement, signal: AbortSignal): Promise<string | undefined> {
    try {
      return tableState(await this.#deps.runner.run<TableStateRow>(plan, signal));
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'query_failed') {
        this.#possible = false;
        const message = 'answers are not kept: the engine does not tell which parts tables have';
        this.#deps.logger.warn({ err: error }, `${message}; grant SELECT on system.parts`);
      }
      return undefined;
    }
  }
}

/** As fastify itself says it. */
const JSON_TYPE = 'application/json; charset=utf-8';

/** Undefined when the route will refuse it. */
function frameOf(request: FastifyRequest, nowMs: number): Timeframe | undefined {
  const { 'timeframe[]': values = [] } = request.query as { 'timeframe[]'?: string[] };
  try {
    return parseTimeframe(values, nowMs);
  } catch {
    return undefined;
  }
}

/** The project, and the secret by which viewers are found in it, which may change. */
function projectText(request: FastifyRequest): readonly string[] {
  const project = projectOf(request);
  return [project.id, storedViewerId(project, 'viewer')];
}

/** The question, whatever the order of its parameters. */
function questionText({ routeOptions, params, query }: FastifyRequest): readonly unknown[] {
  const pairs = Object.entries(query as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [routeOptions.url, params, pairs];
}
