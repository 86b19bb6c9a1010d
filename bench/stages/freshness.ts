/**
 * Stage 7: how fresh the figures are in real time: from an event's own timestamp until it can be asked for.
 *
 * An event counts as visible when the commit of its epoch is, since that follows all of the epoch's rows; in the chart,
 * when its window is shown as well. Viewers' clocks are this machine's, so the client's wait until it sends a beat is
 * part of it, and is told apart.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SimulateResult, simulate } from '../../ingest/clients/simulate.ts';
import { readSimulateArgs } from '../../ingest/clients/simulate-options.ts';
import { compare, type StageResult } from '../result.ts';
import { rowsPerEvent } from '../rows-per-event.ts';
import type { StageDeps } from '../stage.ts';
import type { Subject } from '../subject.ts';
import type { EventPlace, NewestCommit, Written } from '../subjects/server.ts';
import { waitUntil } from '../wait-until.ts';
import { clientWait, PLACED_AFTER_MS, spread, visibility } from './freshness-figures.ts';
import { type MonitoringSeen, watchMonitoring } from './monitoring-watch.ts';

const POLL_MS = 200;
const ASK_MS = 1_000;
const DEADLINE_MS = 60_000;
/** Above this the interval tables cost more than they save. */
const PLAYBACK_ROWS_PER_EVENT_MAX = 0.5;

export async function freshnessStage(deps: StageDeps): Promise<StageResult> {
  const { freshnessViewers: viewers, freshnessMs } = deps.sizes;
  const server = await deps.open('server', { directory: deps.freshDirectory() });
  try {
    const { result, cpuMs, wallMs, seen, monitoring, written } = await play(deps, server);
    const events = playerEvents(result);
    const facts = {
      viewers,
      edge_requests: result.counts.edge.accepted,
      ...rowsPerEvent(written, events),
      server_cpu_share_percent: Math.round((cpuMs / wallMs) * 100),
      ...visibility(await server.call<EventPlace[]>('eventPlaces'), seen, monitoring.shown),
      ...spread('complete_age', monitoring.completeAgesMs),
      ...spread('gauge_age', monitoring.gaugeAgesMs),
      ...clientWait(deps.seed, viewers, freshnessMs),
    };
    return {
      stage: 'freshness',
      title: `Freshness: ${viewers} viewers in real time for ${freshnessMs / 1_000} s`,
      baseline: null,
      variants: compare([{ name: 'streamgauge', samples: [{ events, cpuMs, wallMs }] }], null),
      facts,
      notes: [
        `Seconds from an event's timestamp until the commit of its epoch can be read (visible), looked for every ${POLL_MS} ms, and until a chart of /data/v1/monitoring shows its window of 5 s, still filling or not, as well (monitoring). complete_age: how far behind the chart's complete_through is; gauge_age: how old the newest count of present viewers is. The client's wait until it sends the beat is part of both (client_wait). Placed: more than ${PLACED_AFTER_MS / 1_000} s after the view's first event; the rows of a new view wait for its place in time.`,
        "Events are the players'; rows of view_events an event are above 1 by the edge requests, which are listed there too.",
        'Events a CPU-second says little here: the process is mostly idle, and ticks, epochs and polls cost the same for any load.',
        ...(monitoring.shown.length === 0
          ? ['The monitoring route showed nothing in this run.']
          : []),
      ],
      warnings: warningsOf(facts),
    };
  } finally {
    await server.close();
  }
}

interface Played {
  readonly result: SimulateResult;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly seen: Seen;
  readonly monitoring: MonitoringSeen;
  readonly written: Written;
}

type Seen = Map<number, { epoch: number; atMs: number }[]>;

async function play({ sizes, seed }: StageDeps, server: Subject): Promise<Played> {
  const url = await server.call<string>('url');
  const duration = sizes.freshnessMs / 1_000;
  const plan = readSimulateArgs({ url, viewers: sizes.freshnessViewers, duration, seed });
  const seen: Seen = new Map();
  const abort = new AbortController();
  const startMs = performance.now();
  await server.call('begin');
  const watching = watchCommits(server, seen, abort.signal);
  const looking = watchMonitoring(url, abort.signal);
  try {
    const result = await simulate({ plan });
    const cpuMs = await server.call<number>('end');
    const wallMs = performance.now() - startMs;
    await waitUntil(
      () => server.call<number>('listed'),
      (listed) => listed >= playerEvents(result),
      { everyMs: ASK_MS, deadlineMs: DEADLINE_MS },
    );
    const written = await server.call<Written>('written');
    // One more look, so that the last commit has been seen too.
    await sleep(2 * POLL_MS);
    abort.abort();
    await watching;
    return { result, cpuMs, wallMs, seen, monitoring: await looking, written };
  } finally {
    abort.abort();
    await Promise.allSettled([watching, looking]);
  }
}

function playerEvents({ counts }: SimulateResult): number {
  return counts.native.accepted + counts.cmcd.accepted;
}

async function watchCommits(server: Subject, seen: Seen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const commits = await server.call<NewestCommit[]>('commits');
    const atMs = Date.now();
    for (const { partition, epoch } of commits) {
      const list = seen.get(partition) ?? [];
      seen.set(partition, list);
      if (epoch > (list.at(-1)?.epoch ?? 0)) list.push({ epoch, atMs });
    }
    await sleep(POLL_MS);
  }
}

function warningsOf(facts: Readonly<Record<string, number>>): string[] {
  const rows = facts.playback_5s_rows_per_event ?? 0;
  if (rows <= PLAYBACK_ROWS_PER_EVENT_MAX) return [];
  return [
    `playback_5s has ${rows} rows an event, more than ${PLAYBACK_ROWS_PER_EVENT_MAX}: too many cells are written.`,
  ];
}
