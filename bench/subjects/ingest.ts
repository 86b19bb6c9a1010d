/**
 * Receiving alone: a real HTTP server whose log takes everything at once, and the least that such a server could do.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { registerIngest } from '../../ingest/app.ts';
import { createIngestCounters } from '../../ingest/counters.ts';
import { ingestLimits } from '../../platform/config/config.ts';
import { createServer } from '../../platform/http/server.ts';
import type { Log } from '../../platform/log/log.ts';
import { createLogger } from '../../platform/logging.ts';
import { openProjects } from '../../platform/projects.ts';
import { clientDimensions } from '../../schemas/catalogue/dimensions.ts';
import { sinceCpu } from '../measure.ts';
import type { SubjectMethods } from '../subject-main.ts';

const HOST = '127.0.0.1';
const PARTITIONS = 4;

/** Reads the body and parses it as JSON; nothing else. */
export async function bareRoute(): Promise<SubjectMethods> {
  const server = Fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, JSON.parse(body.toString())),
  );
  server.post('/v1/beats', async ({ body }, reply) => {
    const accepted = Array.isArray(body) ? body.length : 1;
    return reply.code(202).send({ accepted, rejected: [], rejectedTotal: 0 });
  });
  return serving(server);
}

export async function ingestRoute(): Promise<SubjectMethods> {
  const logger = createLogger('warn', false);
  const server = createServer(logger);
  const counters = createIngestCounters();
  await registerIngest(server, {
    log: willingLog(),
    projects: openProjects({ file: '', host: HOST, logger, now: Date.now }),
    limits: ingestLimits(),
    dimensions: clientDimensions,
    now: Date.now,
    counters,
  });
  return { ...(await serving(server)), accepted: () => counters.acceptedEvents };
}

async function serving(server: FastifyInstance): Promise<SubjectMethods> {
  const url = await server.listen({ host: HOST, port: 0 });
  let start = process.cpuUsage();
  return {
    url: () => url,
    begin: () => {
      start = process.cpuUsage();
    },
    end: () => sinceCpu(start).cpuMs,
    close: () => server.close(),
  };
}

/** A log that takes every record at once and keeps none. */
function willingLog(): Log {
  const offsets = new Array<number>(PARTITIONS).fill(0);
  const nothing = async (): Promise<number> => 0;
  return {
    topic: 'bench',
    partitions: PARTITIONS,
    append: async (partition) => {
      const offset = offsets[partition] ?? 0;
      offsets[partition] = offset + 1;
      return { offset, appendTimeMs: Date.now() };
    },
    read: async function* () {},
    earliest: nothing,
    latest: nothing,
    close: async () => undefined,
  };
}
