/**
 * Recovery: a process with many live views under steady load is killed with SIGKILL and started again. How long until it
 * takes requests, until it has folded what the log held, and until nothing lags behind any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { postBody } from '../load/http-load.ts';
import { SteadyViews } from '../load/steady-views.ts';
import type { StageResult } from '../result.ts';
import type { StageDeps } from '../stage.ts';
import type { Subject } from '../subject.ts';
import type { Progress } from '../subjects/server.ts';
import { waitUntil } from '../wait-until.ts';

const BEATS_PER_BODY = 50;
const CONNECTIONS = 4;
const DEADLINE_MS = 600_000;
/** Log time that is folded is this far behind the clock at most: an epoch, and what it takes to write it. */
const CAUGHT_UP_MS = 5_000;

/** Sends beats at a rate to whatever server is there, until it is stopped; what is not taken is sent again. */
class SteadyLoad {
  readonly #views: SteadyViews;
  readonly #beatsPerSecond: number;
  readonly #lanes: Promise<void>[] = [];
  url = '';
  beats = 0;
  #owed = 0;
  #stopped = false;

  constructor(views: SteadyViews, beatsPerSecond: number) {
    this.#views = views;
    this.#beatsPerSecond = beatsPerSecond;
  }

  start(): void {
    for (let lane = 0; lane < CONNECTIONS; lane++) this.#lanes.push(this.#run());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }

  async #run(): Promise<void> {
    const startMs = performance.now();
    while (!this.#stopped) {
      const due = ((performance.now() - startMs) / 1_000) * this.#beatsPerSecond;
      if (this.#owed > due) {
        await sleep(5);
        continue;
      }
      this.#owed += BEATS_PER_BODY;
      const body = this.#views.body(BEATS_PER_BODY, Date.now());
      while (!this.#stopped && !(await postBody(body.bytes, this.url))) await sleep(50);
      this.beats += body.beats;
    }
  }
}

function progressOf(server: Subject): Promise<Progress> {
  return server.call<Progress>('progress');
}

/** Opens every view, as fast as they are taken. */
async function openViews(views: SteadyViews, url: string): Promise<void> {
  let left = views.count;
  const run = async (): Promise<void> => {
    while (left > 0) {
      const beats = Math.min(BEATS_PER_BODY, left);
      left -= beats;
      const { bytes } = views.body(beats, Date.now());
      while (!(await postBody(bytes, url))) await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
}

export async function recoveryStage({
  sizes,
  freshDirectory,
  open,
}: StageDeps): Promise<StageResult> {
  const { recoveryViews, recoveryBeatsPerSecond, recoverySteadyMs } = sizes;
  const directory = freshDirectory();
  const views = new SteadyViews(recoveryViews);
  const load = new SteadyLoad(views, recoveryBeatsPerSecond);
  let server = await open('server', { directory });
  try {
    load.url = await server.call<string>('url');
    await openViews(views, load.url);
    load.start();
    await sleep(recoverySteadyMs);
    const before = await progressOf(server);
    await server.kill();
    const killedMs = performance.now();
    server = await open('server', { directory });
    load.url = await server.call<string>('url');
    const readySeconds = (performance.now() - killedMs) / 1_000;
    await waitUntil(
      () => progressOf(server),
      ({ caughtUp }) => caughtUp,
      { everyMs: 50, deadlineMs: DEADLINE_MS },
    );
    const foldedSeconds = (performance.now() - killedMs) / 1_000;
    await waitUntil(
      () => progressOf(server),
      ({ behindMs }) => behindMs < CAUGHT_UP_MS,
      { everyMs: 50, deadlineMs: DEADLINE_MS },
    );
    const caughtUpSeconds = (performance.now() - killedMs) / 1_000;
    await load.stop();
    const residentMib = await server.call<number>('residentMib');
    return resultOf({
      liveViews: before.views,
      beatsPerSecond: recoveryBeatsPerSecond,
      readySeconds,
      foldedSeconds,
      caughtUpSeconds,
      checkpointMib: before.checkpointMib,
      checkpointsWritten: before.checkpoints,
      residentMib,
    });
  } finally {
    await load.stop();
    await server.close();
  }
}

function resultOf(facts: Readonly<Record<string, number>>): StageResult {
  const rounded = Object.entries(facts).map(([name, value]) => [name, Math.round(value * 10) / 10]);
  return {
    stage: 'recovery',
    title: 'Recovery: kill -9 under steady load',
    baseline: null,
    variants: [],
    facts: Object.fromEntries(rounded) as Record<string, number>,
    notes: [
      'Ready: the process takes requests again, its start-up included. Folded: every record that the log held at its start is folded. Caught up: what is folded is less than 5 s behind the clock, while the load goes on.',
      'A beat holds five events: four requests and a status. Load generator and server share the cores.',
    ],
    warnings: [],
  };
}
