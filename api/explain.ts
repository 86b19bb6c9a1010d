/**
 * `explain=true`: an answer says by which statements it came to be.
 *
 * Guarantee: only for tokens with the scope `admin`. What runs under the signal of a request belongs to that request, and
 * is in no other's answer.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { QueryStatistics, QueryValue } from '../platform/store/store.ts';
import { tables } from '../schemas/tables/tables.ts';
import { refuse } from './errors.ts';
import { grantOf, type TokenCounters } from './guards/token.ts';
import type { Statement } from './planner/statement.ts';

/** One statement as answers tell of it. */
export interface ExplainedStatement {
  readonly tables: readonly string[];
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryValue>>;
  readonly rows_read: number | null;
  readonly bytes_read: number | null;
  /** Why the two are null. */
  readonly unknown?: string;
  /** From its turn to its rows, ms. */
  readonly elapsed_ms: number;
}

const UNKNOWN = 'the engine does not tell what it read; the embedded one never does';

const STATEMENTS = 'explainedStatements';

const recorded = new WeakMap<AbortSignal, ExplainedStatement[]>();

/** Has what runs under the signal recorded, when the request asks for it. */
export function explainUnder(signal: AbortSignal, request: FastifyRequest): void {
  const statements = statementsOf(request);
  if (statements !== undefined) recorded.set(signal, statements);
}

/** True when what runs under the signal is recorded. */
export const isExplained = (signal: AbortSignal): boolean => recorded.has(signal);

/** Records a statement that ran. */
export function explain(
  signal: AbortSignal,
  { sql, params }: Statement,
  ran: { readonly read: QueryStatistics | undefined; readonly elapsedMs: number },
): void {
  recorded.get(signal)?.push({
    tables: tablesOf(sql),
    sql,
    params,
    rows_read: ran.read?.rows ?? null,
    bytes_read: ran.read?.bytes ?? null,
    ...(ran.read === undefined ? { unknown: UNKNOWN } : {}),
    elapsed_ms: Math.round(ran.elapsedMs * 1_000) / 1_000,
  });
}

const NAMES: ReadonlySet<string> = new Set(tables.map(({ name }) => name));

/** Tables that a statement reads, in the order that it names them. */
export function tablesOf(sql: string): string[] {
  const named = Array.from(sql.matchAll(/\b(?:FROM|JOIN)\s+(\w+)/g), ([, name = '']) => name);
  return [...new Set(named.filter((name) => NAMES.has(name)))];
}

function statementsOf(request: FastifyRequest): ExplainedStatement[] | undefined {
  return request.getDecorator<ExplainedStatement[] | undefined>(STATEMENTS);
}

/** Hooks for every route that is registered on this scope after it. Only those with the parameter can be asked. */
export function registerExplain(fastify: FastifyInstance, counters: TokenCounters): void {
  fastify.decorateRequest(STATEMENTS);
  fastify.addHook('preHandler', async (request) => {
    if (!asksToExplain(request)) return;
    const { scopes, tokenId } = grantOf(request);
    if (!scopes.has('admin')) {
      counters.scopeMissing++;
      const detail = `explain needs the scope \`admin\`; the token ${tokenId} has ${[...scopes].join(', ')}.`;
      throw refuse('scope_missing', { detail });
    }
    request.setDecorator(STATEMENTS, []);
  });
  fastify.addHook('preSerialization', async (request, _reply, payload) => {
    const statements = statementsOf(request);
    return statements === undefined ? payload : withStatements(payload, statements);
  });
}

export function asksToExplain({ query }: FastifyRequest): boolean {
  return (query as { readonly explain?: unknown } | undefined)?.explain === true;
}

function withStatements(payload: unknown, explained: readonly ExplainedStatement[]): unknown {
  if (typeof payload !== 'object' || payload === null || !('meta' in payload)) return payload;
  return { ...payload, meta: { ...(payload.meta as object), explain: explained } };
}
