/** The tally against the API: view by view, and in totals. */
import pLimit from 'p-limit';
import type { Comparison } from './comparison.ts';
import type { Questions } from './questions.ts';
import type { TallyAccount } from './tally-account.ts';

/** Views asked for at once. */
const AT_ONCE = 3;

interface ViewAnswer {
  readonly data: {
    readonly live: boolean;
    readonly outcome: string;
    readonly video_id: string;
    readonly playing_time: number | null;
    readonly rebuffer_count: number | null;
    readonly rebuffer_duration: number | null;
    readonly video_startup_time: number | null;
    readonly report_completeness: number | null;
    readonly edge: { readonly requests: number; readonly bytes: number } | null;
  };
  readonly meta: { readonly events: { readonly total_row_count: number } };
}

export async function checkTally(
  accounts: readonly TallyAccount[],
  questions: Questions,
  comparison: Comparison,
): Promise<void> {
  const turns = pLimit(AT_ONCE);
  await Promise.all(
    accounts.map((account) => turns(() => checkView(account, questions, comparison))),
  );
  await checkCounts(accounts.length, questions, comparison);
  // Nobody can know what states that were given up add to a sum.
  if (accounts.some(({ beyondReorder }) => beyondReorder)) return;
  await checkSums(accounts, questions, comparison);
}

async function checkView(
  account: TallyAccount,
  questions: Questions,
  comparison: Comparison,
): Promise<void> {
  const { script, events, edgeRequests, edgeBytes, beyondReorder } = account;
  const { data, meta } = await questions.ask<ViewAnswer>(`/video-views/${script.id}`);
  const equal = (what: string, expected: unknown, found: unknown): void =>
    comparison.equal(`${what} of ${script.id}`, expected, found);
  equal('live', false, data.live);
  equal('events', events + edgeRequests, meta.events.total_row_count);
  equal('edge requests', edgeRequests, data.edge?.requests ?? 0);
  equal('edge bytes', edgeBytes, data.edge?.bytes ?? 0);
  if (events > 0) equal('video_id', `${script.id}-video`, data.video_id);
  if (events > 0) equal('completeness', 1, data.report_completeness);
  if (beyondReorder) return;
  const figures = account.figures();
  equal('outcome', figures.outcome, data.outcome);
  equal('playing time', figures.playingMs, data.playing_time);
  equal('rebuffer count', figures.rebufferCount, data.rebuffer_count);
  equal('rebuffer time', figures.rebufferMs, data.rebuffer_duration);
  equal('startup time', figures.startupMs, data.video_startup_time);
}

async function checkCounts(
  views: number,
  { overall }: Questions,
  comparison: Comparison,
): Promise<void> {
  for (const metric of ['views', 'ended_views'])
    comparison.equal(`total ${metric} of the tally`, views, await overall(metric));
}

async function checkSums(
  accounts: readonly TallyAccount[],
  { overall }: Questions,
  comparison: Comparison,
): Promise<void> {
  const figures = accounts.map((account) => account.figures());
  const started = figures.filter(({ playingMs }) => playingMs !== null);
  const sum = (name: 'startupMs' | 'playingMs' | 'rebufferMs' | 'rebufferCount'): number =>
    started.reduce((total, view) => total + (view[name] ?? 0), 0);
  const totals: readonly (readonly [string, number, string])[] = [
    ['started_views', started.length, ''],
    ['playing_time', sum('playingMs'), ''],
    ['rebuffer_count', sum('rebufferCount'), 'measurement=sum'],
    ['rebuffer_duration', sum('rebufferMs'), 'measurement=sum'],
    ['video_startup_time', sum('startupMs'), 'measurement=sum'],
  ];
  for (const [metric, expected, query] of totals) {
    comparison.equal(`total ${metric} of the tally`, expected, await overall(metric, query));
  }
}
