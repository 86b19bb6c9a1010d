/** What the routes work with, and the scope they are registered on. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { explainUnder } from '../explain.ts';
import type { QueryLimits } from '../limits.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import {
  type CompleteThroughRow,
  completeThrough,
  planCompleteThrough,
} from '../planner/complete-through.ts';
import type { QueryRunner } from '../query-runner.ts';

export interface RouteDeps {
  readonly runner: QueryRunner;
  readonly limits: QueryLimits;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

export type ApiScope = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Aborts when the client leaves before it has its answer. What the request asks of the store runs under it. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) leaving.abort();
  });
  explainUnder(leaving.signal, reply.request);
  return leaving.signal;
}

/**
 * How far the figures are complete. Read before the figures: an epoch that lands between the two may then be in them
 * without being promised, never the other way round.
 */
export async function readCompleteThrough(
  { runner }: Pick<RouteDeps, 'runner'>,
  signal: AbortSignal,
): Promise<string | null> {
  return completeThrough(await runner.run<CompleteThroughRow>(planCompleteThrough(), signal));
}

export interface Envelope<Data> {
  readonly data: Data;
  readonly timeframe: readonly [number, number];
  readonly total_row_count: number | null;
  readonly meta: Readonly<Record<string, unknown>>;
}

export function envelope<Data>(
  data: Data,
  frame: Timeframe,
  rows: number | null,
  meta: Readonly<Record<string, unknown>>,
): Envelope<Data> {
  const timeframe = [frame.fromMs / 1_000, frame.toMs / 1_000] as const;
  return { data, timeframe, total_row_count: rows, meta };
}
