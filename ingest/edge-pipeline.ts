/**
 * The way of an edge log once its sender is known: check the headers → read → decompress → split into lines → read each
 * → enrich → group by view → append, durable → answer. All steps run at once, on one chunk after the other.
 *
 * Guarantee: an answer of 2xx means that every record is durable. After a refusal some may be; the sender sends the
 * body again, and requests that are repeated are known by their identity for `edgeDedupMs`.
 */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../platform/http/problem.ts';
import type { KeyGrant } from '../platform/projects.ts';
import type { Ticket } from './admission.ts';
import type { IngestDeps } from './deps.ts';
import { EdgeIntake } from './edge-intake.ts';
import { edgeLimits } from './edge-limits.ts';
import type { Enricher } from './enrichment/enrich.ts';
import { EnvelopeTaker, firehoseAnswer, isFirehose } from './firehose.ts';
import type { Gate } from './gate.ts';
import { checkHead } from './receive.ts';
import { streamBody } from './receive-stream.ts';
import { refusedBy } from './refusals.ts';
import type { Answer, EdgeRoute, Parameter } from './routes.ts';

export interface EdgePassage {
  readonly request: FastifyRequest;
  readonly body: Readable | undefined;
  readonly route: EdgeRoute;
  readonly gate: Gate;
  readonly enricher: Enricher;
  readonly deps: IngestDeps;
}

/** Takes one edge log. Throws what the connection throws when the sender leaves. */
export async function takeEdgeLog(
  { request, body, route, gate, enricher, deps }: EdgePassage,
  grant: KeyGrant,
  ticket: Ticket,
): Promise<Answer | ProblemError> {
  const limits = { ...deps.limits, ...edgeLimits, ...deps.edgeLimits };
  const bodyLimits = {
    bodyBytesMax: limits.edgeBodyBytesMax,
    decompressedBytesMax: limits.edgeDecompressedBytesMax,
  };
  const head = checkHead(request.headers, route.types, bodyLimits);
  if (head instanceof ProblemError) return head;
  const readLine = route.readerOf(parametersOf(request));
  if (readLine instanceof ProblemError) return readLine;
  const { log, counters } = deps;
  const origin = { grant, route: route.path, partitions: log.partitions };
  const enrich = enricher.ofEdgeLog(route.format, grant.project);
  const intake = new EdgeIntake({
    ...{ log, origin, route, readLine, enrich, limits, counters, ticket },
    used: (taken) => gate.quotas.add(grant.project, taken),
  });
  try {
    const envelope = isFirehose(request.headers) ? new EnvelopeTaker(intake) : undefined;
    const problem =
      (await streamBody(body, head.encoding, bodyLimits, envelope ?? intake)) ?? envelope?.end();
    if (problem?.code === 'encoding_malformed') return await intake.refuse(problem);
    const outcome = problem ?? (await intake.end());
    if (outcome instanceof ProblemError) return refusedBy(outcome, route);
    return envelope === undefined
      ? route.answer(outcome)
      : firehoseAnswer(request.headers, deps.now());
  } finally {
    await intake.close();
  }
}

function parametersOf({ query }: FastifyRequest): Parameter {
  const values = query as Readonly<Record<string, string | readonly string[]>>;
  return (name) => {
    const value = Object.hasOwn(values, name) ? values[name] : '';
    return (typeof value === 'string' ? value : value?.[0]) ?? '';
  };
}
