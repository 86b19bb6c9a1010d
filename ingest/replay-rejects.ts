/**
 * `streamgauge rejects replay`: takes what was kept of rejects once more, by the route that it came in, and appends what
 * can now be taken to the log.
 *
 * It appends by itself and not over HTTP, because the kept bytes hold viewer ids as they are stored, and no request may
 * say those. Nothing else of the request is left: neither address nor user agent enrich it, and a client without a view
 * id cannot be guessed. Guarantee: what is refused again is counted and not written again; its row is still there.
 */
import type { IngestLimits } from '../platform/config/config.ts';
import type { Log, LogError } from '../platform/log/log.ts';
import type { Projects } from '../platform/projects.ts';
import { clientDimensions } from '../schemas/catalogue/dimensions.ts';
import { appendRecords } from './append.ts';
import {
  createReplayPlan,
  type KeptReject,
  REPLAY_REASONS,
  type Replayed,
} from './replay-rejects-plan.ts';

export interface ReplayRejectsDeps {
  readonly log: Log;
  readonly projects: Pick<Projects, 'list'>;
  readonly limits: IngestLimits;
}

export interface ReplayRejectsArgs {
  /** Pages of rows, in the order in which they are to be taken. */
  readonly rows: AsyncIterable<readonly KeptReject[]>;
  /** Parameters of the URL that edge logs came to, which are not kept: `fields=time,status`. */
  readonly query: string;
  /** Says what would be done, and appends nothing. */
  readonly dryRun: boolean;
}

interface Totals {
  rows: number;
  replayed: number;
  events: number;
  edgeRequests: number;
  readonly again: Record<string, number>;
  readonly reasons: Record<string, number>;
}

/** Exit code 0; 1 when nothing could be replayed, or the log took only some. */
export async function replayRejects(
  { log, projects, limits }: ReplayRejectsDeps,
  { rows, query, dryRun }: ReplayRejectsArgs,
  print: (line: string) => void,
): Promise<number> {
  const { partitions } = log;
  const known = { projects: projects.list(), dimensions: clientDimensions };
  const planOf = createReplayPlan({ ...known, partitions, limits, query });
  const totals = { rows: 0, replayed: 0, events: 0, edgeRequests: 0, again: {}, reasons: {} };
  let away: LogError | undefined;
  for await (const page of rows) {
    const plans = page.map(planOf);
    if (!dryRun)
      away = await appendRecords(
        log,
        plans.flatMap(({ records }) => records),
      );
    if (away !== undefined) break;
    for (const plan of plans) add(totals, plan);
  }
  for (const line of linesOf(totals, dryRun)) print(line);
  if (away !== undefined) {
    print(
      `the log takes no more now (${away.message}): give the command again, what it took already is recognised`,
    );
  }
  return totals.replayed > 0 && away === undefined ? 0 : 1;
}

function add(totals: Totals, { records, events, edgeRequests, again, reason }: Replayed): void {
  totals.rows++;
  totals.events += events;
  totals.edgeRequests += edgeRequests;
  for (const code of again) totals.again[code] = (totals.again[code] ?? 0) + 1;
  if (reason !== undefined) totals.reasons[reason] = (totals.reasons[reason] ?? 0) + 1;
  if (records.length > 0) totals.replayed++;
}

function linesOf(totals: Totals, dryRun: boolean): string[] {
  const { rows, replayed, events, edgeRequests, again, reasons } = totals;
  if (rows === 0) return ['no rejects'];
  const done = dryRun ? 'would be replayed' : 'replayed';
  const lines = [
    `${replayed} of ${rows} rejects ${done}: ${events} events, ${edgeRequests} edge requests`,
  ];
  for (const [code, times] of Object.entries(again)) {
    lines.push(`rejected again: ${times} ${code}`);
  }
  for (const [reason, text] of Object.entries(REPLAY_REASONS)) {
    const times = reasons[reason] ?? 0;
    if (times > 0) lines.push(`not replayable: ${times} ${reason}, ${text}`);
  }
  return lines;
}
