/** Stage 3: HTTP to records, without a log behind it. */
import { type LoadBody, postAll, toBodies } from '../load/http-load.ts';
import type { Sample } from '../measure.ts';
import { compare, type StageResult } from '../result.ts';
import { type StageDeps, takeTurns } from '../stage.ts';
import type { Subject } from '../subject.ts';

const BARE = 'bare fastify route';
const CONNECTIONS = 8;

export async function ingestStage(deps: StageDeps): Promise<StageResult> {
  const { sizes, beats, open } = deps;
  const bodies = toBodies(beats()).slice(0, sizes.ingestBodies);
  const bare = await open('ingest-bare');
  const route = await open('ingest-route');
  try {
    const samples = await takeTurns(
      [
        { name: BARE, repeat: await poster(bare, bodies) },
        { name: 'POST /v1/beats', repeat: await poster(route, bodies) },
      ],
      sizes.repetitions,
    );
    const bytes = bodies.reduce((sum, body) => sum + body.bytes.length, 0);
    return {
      stage: 'ingest',
      title: 'Ingest: HTTP on loopback to encoded records, the log takes all at once',
      baseline: BARE,
      variants: compare(samples, BARE),
      facts: { bodies: bodies.length, bodyBytesMean: Math.round(bytes / bodies.length) },
      notes: [
        `Arrays of ten beats of ten events over ${CONNECTIONS} kept connections; CPU time of the server process alone.`,
        'The bare route reads the body and calls JSON.parse; it neither checks, nor encodes, nor authenticates.',
      ],
      warnings: [],
    };
  } finally {
    await Promise.all([bare.close(), route.close()]);
  }
}

async function poster(
  server: Subject,
  bodies: readonly LoadBody[],
): Promise<() => Promise<Sample>> {
  const url = await server.call<string>('url');
  const events = bodies.reduce((sum, body) => sum + body.events, 0);
  return async () => {
    const startMs = performance.now();
    await server.call('begin');
    await postAll(bodies, { url, key: 'dev', connections: CONNECTIONS });
    return { events, cpuMs: await server.call('end'), wallMs: performance.now() - startMs };
  };
}
