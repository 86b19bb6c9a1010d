/** Stage 6: the whole of it in one process, from the first request until the last row is committed. */
import { postAll, toBodies } from '../load/http-load.ts';
import { simulateBeats } from '../load/simulated-beats.ts';
import type { Sample } from '../measure.ts';
import { compare, type StageResult } from '../result.ts';
import { rowsPerEvent } from '../rows-per-event.ts';
import type { StageDeps } from '../stage.ts';
import type { Subject } from '../subject.ts';
import type { Written } from '../subjects/server.ts';
import { waitUntil } from '../wait-until.ts';

const CONNECTIONS = 8;
/** Asking the engine costs the server some 20 ms. */
const ASK_MS = 1_000;
const DEADLINE_MS = 300_000;

export async function wholeStage(deps: StageDeps): Promise<StageResult> {
  const { sizes } = deps;
  const samples: Sample[] = [];
  let written: Written = {};
  let events = 0;
  let residentMib = 0;
  for (let nth = 0; nth < sizes.wholeRepetitions; nth++) {
    const server = await deps.open('server', { directory: deps.freshDirectory() });
    try {
      const sample = await pass(deps, server);
      samples.push(sample);
      events = sample.events;
      written = await server.call<Written>('written');
      residentMib = await server.call<number>('residentMib');
    } finally {
      await server.close();
    }
  }
  return {
    stage: 'whole',
    title: 'Whole: HTTP → ingest → embedded log → fold → chDB, one process',
    baseline: null,
    variants: compare([{ name: 'streamgauge', samples }], null),
    facts: { ...rowsPerEvent(written, events), residentMib },
    notes: [
      'From the first request until every event is committed, start-up left out; a fresh server each repetition, not warmed up. A view has its place in time 5 s after its first beat, so the wall time includes some idle seconds.',
      'The load is sent as fast as it is taken: epochs hold many more events than in real time, so there are fewer interval rows an event than in the freshness stage.',
      'Events are placed by their own clocks (key dev-trusted), over as many simulated seconds as they were made for.',
    ],
    warnings: [],
  };
}

async function pass({ sizes, seed }: StageDeps, server: Subject): Promise<Sample> {
  const url = await server.call<string>('url');
  const { wholeViewers: viewers, wholeMs: durationMs } = sizes;
  // The simulated minute ends now, so that nothing lies in the future.
  const startAtMs = Date.now() - durationMs;
  const bodies = toBodies(simulateBeats({ seed, viewers, durationMs, startAtMs }));
  const events = bodies.reduce((sum, body) => sum + body.events, 0);
  const startMs = performance.now();
  await server.call('begin');
  await postAll(bodies, { url, key: 'dev-trusted', connections: CONNECTIONS });
  await waitUntil(
    () => server.call<number>('folded'),
    (folded) => folded >= events,
    { everyMs: 100, deadlineMs: DEADLINE_MS },
  );
  await waitUntil(
    () => server.call<Written>('written'),
    ({ view_events = 0 }) => view_events >= events,
    { everyMs: ASK_MS, deadlineMs: DEADLINE_MS },
  );
  const cpuMs = await server.call<number>('end');
  return { events, cpuMs, wallMs: performance.now() - startMs };
}
