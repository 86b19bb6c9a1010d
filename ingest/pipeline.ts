/**
 * The pipeline of ingest, whole: one request in, an answer out once everything it brought is durable in the log.
 *
 *   limit the address → authenticate → check the key's use, rate and quota → admit → check the headers → read → decompress → decode → name views → enrich → hide viewers
 *   → plan records
 *   → append, durable → answer
 *
 * Cheap refusals come first: the key costs one hash, rates, quotas and headers nothing, and only then is a byte read.
 * Beats are enriched and viewers hidden after the formats, so that no format can forget it. Records are planned before any is appended, so that
 * a mistake of ours loses the whole request, visibly, and not half of it. Edge logs can be too large for that: after
 * admission they go their own way, chunk by chunk (`edge-pipeline.ts`).
 *
 * Guarantee: an answer of 2xx means durable. What could not be taken is a reject record, or a refusal with a code.
 */

import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../platform/http/problem.ts';
import type { KeyGrant } from '../platform/projects.ts';
import { type Admission, createAdmission, type Ticket } from './admission.ts';
import { appendRecords } from './append.ts';
import { count } from './counters.ts';
import type { IngestDeps } from './deps.ts';
import { takeEdgeLog } from './edge-pipeline.ts';
import { createEnricher, type Enricher } from './enrichment/enrich.ts';
import { INGEST_ERRORS, type IngestErrorCode, refusal } from './errors.ts';
import { withoutTokens } from './formats/edge-redact.ts';
import type { FormatResult } from './formats/format.ts';
import { AVRO_TYPES } from './formats/native.ts';
import { createGate, type Gate } from './gate.ts';
import { createGuessedViews, type GuessedViews, nameViews } from './guessed-views.ts';
import { checkHead, decompress, readBody } from './receive.ts';
import { type Plan, planRecords } from './records.ts';
import { logAway, overloaded, refusedBy } from './refusals.ts';
import type { Answer, EdgeRoute, IngestRoute } from './routes.ts';
import { hideViewer, hideViewerInBytes } from './viewers.ts';

export type Pipeline = (request: FastifyRequest, body: Readable | undefined) => Promise<Answer>;

/** Makes the pipelines of several routes; they share what may be under way at once. */
export function createPipelines(deps: IngestDeps): (route: IngestRoute | EdgeRoute) => Pipeline {
  const admission = createAdmission(deps.limits, deps);
  const enricher = createEnricher(deps);
  const guessed = createGuessedViews(deps);
  const gate = createGate(deps);
  return (route) => async (request, body) => {
    deps.counters.requests++;
    const answer = await receive({
      request,
      body,
      route,
      admission,
      gate,
      enricher,
      guessed,
      deps,
    });
    if (!(answer instanceof ProblemError)) return answer;
    count(deps.counters.refusals, answer.code);
    throw answer;
  };
}

/** One request on its way. */
interface Passage<Route> {
  readonly request: FastifyRequest;
  readonly body: Readable | undefined;
  readonly route: Route;
  readonly admission: Admission;
  readonly gate: Gate;
  readonly enricher: Enricher;
  readonly guessed: GuessedViews;
  readonly deps: IngestDeps;
}

async function receive(passage: Passage<IngestRoute | EdgeRoute>): Promise<Answer | ProblemError> {
  const { request, route, admission, gate } = passage;
  const grant = gate.letIn(request, route);
  if (grant instanceof ProblemError) return grant;
  const ticket = admission.enter();
  if (ticket === undefined) return overloaded(route);
  try {
    return 'readerOf' in route
      ? await takeEdgeLog({ ...passage, route }, grant, ticket)
      : await take({ ...passage, route }, grant, ticket);
  } finally {
    ticket.release();
  }
}

async function take(
  { request, body, route, gate, enricher, guessed, deps }: Passage<IngestRoute>,
  grant: KeyGrant,
  ticket: Ticket,
): Promise<Answer | ProblemError> {
  const { limits, counters } = deps;
  const head = checkHead(request.headers, route.types, limits);
  if (head instanceof ProblemError) return head;
  const sent = await readBody(body, limits, ticket);
  if (sent instanceof ProblemError) return refusedBy(sent, route);
  counters.bodyBytes += sent.length;
  const plain = await decompress(sent, head.encoding, limits, ticket);
  if (plain instanceof ProblemError && plain.code !== 'encoding_malformed') {
    return refusedBy(plain, route);
  }
  const result = plain instanceof ProblemError ? unreadable(plain) : route.decode(plain, head.type);
  counters.decompressedBytes += plain instanceof ProblemError ? 0 : plain.length;
  const isText = !(plain instanceof ProblemError) && !AVRO_TYPES.includes(head.type);
  const whole = withWholeBody(result, isText ? plain : sent.subarray(0, UNREADABLE_BYTES));
  const kept = nameViews(whole, () => guessed.viewOf(grant, request.ip, userAgentOf(request)));
  const enrich = enricher.ofRequest(request, grant.project);
  const beats = kept.beats.map((beat) => hideViewer(enrich(beat), grant.project));
  const rejects = kept.rejects.map((reject) => ({
    ...reject,
    bytes: withoutTokens(hideViewerInBytes(reject.bytes, grant.project, limits.rejectBytesMax)),
  }));
  const origin = { grant, route: route.path, partitions: deps.log.partitions };
  const plan = planRecords({ ...kept, beats, rejects }, origin, limits);
  const away = await appendRecords(deps.log, [...plan.beats, ...plan.rejectRecords]);
  if (away !== undefined) return logAway(away, route);
  const bytes = plain instanceof ProblemError ? sent.length : plain.length;
  gate.quotas.add(grant.project, { events: plan.acceptedEvents, bytes });
  countTaken(plan, result, deps);
  if (result.malformed !== undefined) return malformed(result.malformed);
  return route.answer(kept.session === undefined ? plan : { ...plan, session: kept.session });
}

function userAgentOf({ headers }: FastifyRequest): string {
  return headers['user-agent'] ?? '';
}

function unreadable({ code, message }: ProblemError): FormatResult {
  return { beats: [], rejects: [], malformed: { code, message } };
}

/** Tell an encoding, or a schema. More of what is no text could have viewers in it that nobody finds. */
const UNREADABLE_BYTES = 10;

/** A body that could not be read at all is kept as one reject, decompressed where that was possible. */
function withWholeBody(result: FormatResult, body: Buffer): FormatResult {
  if (result.malformed === undefined) return result;
  const whole = { ...result.malformed, bytes: body, view: '', beat: 0 };
  return { ...result, rejects: [...result.rejects, whole] };
}

function malformed({ code, message }: { code: string; message: string }): ProblemError {
  const known = Object.hasOwn(INGEST_ERRORS, code) ? (code as IngestErrorCode) : 'body_malformed';
  return refusal(known, { detail: message });
}

function countTaken(plan: Plan, { notes = {} }: FormatResult, { counters }: IngestDeps): void {
  counters.acceptedEvents += plan.acceptedEvents;
  counters.beatRecords += plan.beats.length;
  counters.rejectRecords += plan.rejectRecords.length;
  counters.splitBeats += plan.splitBeats;
  for (const { code } of plan.rejects) count(counters.rejects, code);
  for (const [code, times] of Object.entries(notes)) count(counters.notes, code, times);
}
