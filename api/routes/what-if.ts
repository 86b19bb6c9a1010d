/** `/data/v1/cost/what-if`: what a slice would have been like, had another CDN served a part of it. */
import type { FastifyRequest } from 'fastify';
import { nearestHint } from '../../platform/nearest.ts';
import { WHAT_IF_LIMITS } from '../cost/what-if/limits.ts';
import { answerWhatIf, type Refusals, type WhatIf } from '../cost/what-if/what-if.ts';
import { refuse } from '../errors.ts';
import { shown } from '../parameters/names.ts';
import { type CdnRow, planCdns, planWhatIf, type WhatIfRow } from '../planner/what-if.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import { completenessOf, dataOf, inputOf, tooThin } from './what-if-answer.ts';
import { type WhatIfQuestion, whatIfQuestionOf } from './what-if-question.ts';
import { whatIfAnswers, whatIfQuery } from './what-if-schemas.ts';

/** Names of CDNs that are looked through for the nearest. */
const CDNS_MAX = 1_000;

/** What moves: the question, and what of it can be answered. */
export interface Move extends WhatIfQuestion {
  /** Views of the slice on `from`, and those that move. */
  readonly viewsFrom: number;
  readonly viewsMoved: number;
  /** Values of `match`, in its order, of the cells that they move from. */
  readonly cells: readonly (readonly string[])[];
}

export interface WhatIfDeps extends RouteDeps {
  /** What a move costs or saves, as the answer tells it under `cost`; null without prices. */
  readonly costOf?: (
    move: Move,
    signal: AbortSignal,
    request: FastifyRequest,
  ) => Promise<Readonly<Record<string, unknown>> | null>;
}

export function registerWhatIf(fastify: ApiScope, deps: WhatIfDeps): void {
  const options = {
    schema: {
      tags: ['Cost'],
      summary: 'What if another CDN had served a part',
      description:
        'Moves a share of the views that meet the filters from one CDN to another. Views are compared within cells of `match[]` and weighed as the moved ones are; cells without enough views on both are refused and do not move. Startup time is the mean. docs/cost.md has the method and what it assumes.',
      querystring: whatIfQuery,
      response: whatIfAnswers,
    },
  };
  fastify.get('/cost/what-if', options, async (request, reply) => {
    const question = whatIfQuestionOf(request, request.query, deps);
    const limits = {
      ...WHAT_IF_LIMITS,
      viewsMin: request.query.min_views ?? WHAT_IF_LIMITS.viewsMin,
    };
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const statement = planWhatIf({ ...question, ...limits }, question.scope);
    const rows = await deps.runner.run<WhatIfRow>(statement, signal);
    const answer = answerWhatIf(inputOf(rows, question.share), limits);
    await refuseUnknownCdn(question, answer, deps, signal);
    if (answer.effects === null) throw tooThin(question, answer, limits);
    const cost = (await deps.costOf?.(moveOf(question, answer), signal, request)) ?? null;
    const data = { ...dataOf(question, answer, rows), share: request.query.share, cost };
    const meta = {
      aggregation: 'view_end',
      complete_through: through,
      completeness: completenessOf(rows),
      confidence: limits.confidence,
    };
    return envelope(data, question.scope.timeframe, 1, meta);
  });
}

const moveOf = (question: WhatIfQuestion, answer: WhatIf): Move => ({
  ...question,
  viewsFrom: answer.viewsFrom,
  viewsMoved: answer.movedViews,
  cells: answer.movedCells,
});

/** A CDN without views in the slice may be misspelt, or may only have none here: that is told apart. */
async function refuseUnknownCdn(
  { scope, from, to }: WhatIfQuestion,
  { viewsFrom, viewsTo }: Refusals,
  { runner }: Pick<RouteDeps, 'runner'>,
  signal: AbortSignal,
): Promise<void> {
  if (viewsFrom > 0 && viewsTo > 0) return;
  const rows = await runner.run<CdnRow>(planCdns(scope, CDNS_MAX), signal);
  const names = rows.map(({ cdn }) => cdn).filter((cdn) => cdn !== '');
  for (const [parameter, name] of Object.entries({ from, to })) {
    if (names.includes(name) || rows.length === CDNS_MAX) continue;
    const detail = `${parameter}: no view of the timeframe has the cdn ${shown(name)}${nearestHint(name, names)}`;
    throw refuse('parameter_invalid', { detail });
  }
}
