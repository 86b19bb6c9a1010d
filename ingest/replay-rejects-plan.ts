/**
 * One kept reject → the records that can now be made of it, or the reason why none can. Pure but for its counters.
 *
 * Guarantees: a piece is of the project of its row, whatever its bytes say, and names no viewer but as stored. What is
 * kept only in part is never taken for the whole.
 */
import type { IngestLimits } from '../platform/config/config.ts';
import { ProblemError } from '../platform/http/problem.ts';
import { partitionOf } from '../platform/partition.ts';
import type { Project } from '../platform/projects.ts';
import { operatorGrant } from '../platform/write-keys.ts';
import { REFUSED_EVENT } from '../schemas/beat.ts';
import { decodeBody, encodeRecord, HEADER_BYTES, recordVersionOf } from '../schemas/records.ts';
import { isWhole } from '../schemas/whole-record.ts';
import { createIngestCounters } from './counters.ts';
import { EdgeGroups } from './edge-groups.ts';
import { edgeLimits } from './edge-limits.ts';
import { edgeRoutes } from './edge-routes.ts';
import { createEnricher } from './enrichment/enrich.ts';
import type { FormatBeat } from './formats/format.ts';
import { AVRO_TYPES } from './formats/native.ts';
import { type PlannedRecord, planRecords } from './records.ts';
import { beatsRoute, cmcdRoute, type EdgeRoute, epasRoute, type IngestRoute } from './routes.ts';
import { namesStoredViewers } from './viewers.ts';

/** A row of `rejected`, as far as it matters here. */
export interface KeptReject {
  readonly project: string;
  readonly view: string;
  readonly route: string;
  readonly code: string;
  readonly bytes: Buffer;
  /** Rejects that it stands for. */
  readonly rejects: number;
}

/** Why nothing can be made of a row. */
export const REPLAY_REASONS = {
  bytes_missing: 'their bytes were not kept',
  summed: 'a row that stands for several has only their counts',
  cut: 'only the beginning of what came was kept',
  compressed: 'what came could not be decompressed, and is kept as it came',
  project_unknown: 'their project is not in the projects file, or is another than the record says',
  route_unknown: 'this program has no such route',
  view_unknown: 'they name no view, and of whom they came is not kept',
  viewer_unknown: 'they name a viewer by an id that is not one of ours',
  view_closed: 'their view ended long ago, and what was known of it is gone',
  part_of_record: 'the fold refused a part of a record, whose others it took',
  record_unreadable: 'the record is none that this program reads',
  nothing_said: 'they tell of no request',
} as const;

export type ReplayReason = keyof typeof REPLAY_REASONS;

/** What becomes of a row. */
export interface Replayed {
  readonly records: readonly PlannedRecord[];
  readonly events: number;
  readonly edgeRequests: number;
  /** Codes of what is refused again. */
  readonly again: readonly string[];
  /** Set when something of it cannot be replayed. */
  readonly reason?: ReplayReason;
}

export interface ReplayPlanDeps {
  readonly projects: readonly Project[];
  readonly partitions: number;
  readonly limits: IngestLimits;
  readonly dimensions: ReadonlySet<string>;
  /** Parameters of the URL that edge logs came to. */
  readonly query: string;
}

const NOTHING: Replayed = { records: [], events: 0, edgeRequests: 0, again: [] };
/** What one row holds is bounded by its bytes: the limits of one body need not hold it back again. */
const COUNT_MAX = 1_000_000;
/** Refused by the fold for something that may have changed since. */
const FOLD_CODES = new Set(['views_limit', 'record_failed', 'record_unknown']);

function no(reason: ReplayReason): Replayed {
  return { ...NOTHING, reason };
}

/** Makes the step for many rows. */
export function createReplayPlan(deps: ReplayPlanDeps): (row: KeptReject) => Replayed {
  const limits = { ...deps.limits, beatsPerBodyMax: COUNT_MAX, eventsPerBeatMax: COUNT_MAX };
  const routeDeps = { limits, dimensions: deps.dimensions };
  const bodies = [beatsRoute(routeDeps), cmcdRoute(routeDeps), epasRoute(routeDeps)];
  const edges = edgeRoutes();
  const projects = new Map(deps.projects.map((project) => [project.id, project]));
  const enricher = createEnricher({ counters: createIngestCounters() });

  function ofBody(row: KeptReject, route: IngestRoute, project: Project): Replayed {
    const { body, type } = bodyOf(row);
    const result = route.decode(body, type);
    if (result.malformed !== undefined) return { ...NOTHING, again: [result.malformed.code] };
    const enrich = enricher.ofRequest({ headers: {}, ip: '' }, project);
    const named = result.beats.filter(({ view }) => view !== '');
    // Also what a rule of the project has put there: as it is, it could not be stored.
    const own = named.map(enrich).filter((beat) => namesStoredViewers(beat, row.bytes, project));
    const origin = { grant: operatorGrant(project), route: row.route, partitions: deps.partitions };
    const plan = planRecords({ ...result, beats: own }, origin, limits);
    return {
      ...NOTHING,
      records: plan.beats,
      events: plan.acceptedEvents,
      again: plan.rejects.map(({ code }) => code),
      ...reasonOf(result.beats, named, own),
    };
  }

  function ofLine(row: KeptReject, route: EdgeRoute, project: Project): Replayed {
    const parameters = new URLSearchParams(deps.query);
    const readLine = route.readerOf((name) => parameters.get(name) ?? '');
    if (readLine instanceof ProblemError) return { ...NOTHING, again: [readLine.code] };
    const { stringLengthMax, recordBytesMax } = limits;
    const line = readLine(row.bytes, { stringLengthMax, note: () => undefined });
    if (line.kind === 'reject') return { ...NOTHING, again: [line.code] };
    if (line.kind !== 'request') return no('nothing_said');
    const origin = { grant: operatorGrant(project), route: row.route, partitions: deps.partitions };
    const requestsPerRecordMax = edgeLimits.edgeRequestsPerRecordMax;
    const groups = new EdgeGroups(origin, { requestsPerRecordMax, recordBytesMax });
    const enrich = enricher.ofEdgeLog(route.format, project);
    groups.add(line.view, enrich(line.request, ''), row.bytes.length);
    const group = groups.takeOldest();
    if (group === undefined) return no('nothing_said');
    return { ...NOTHING, records: [groups.recordOf(group, route.format)], edgeRequests: 1 };
  }

  function ofRecord(row: KeptReject): Replayed {
    if (row.code === 'view_closed') return no('view_closed');
    if (row.code === 'time_out_of_range') return no('part_of_record');
    if (!FOLD_CODES.has(row.code)) return no('record_unreadable');
    return replayRecord(row, (project) => projects.has(project), deps.partitions);
  }

  return (row) => {
    if (row.rejects > 1 || row.code === 'rejects_capped') return no('summed');
    if (row.bytes.length === 0) return no('bytes_missing');
    if (row.route === 'fold') return ofRecord(row);
    if (row.bytes.length >= limits.rejectBytesMax || row.code === 'line_too_long') return no('cut');
    if (row.code === 'encoding_malformed') return no('compressed');
    const project = projects.get(row.project);
    if (project === undefined) return no('project_unknown');
    const route = bodies.find(({ path }) => path === row.route);
    if (route !== undefined) return ofBody(row, route, project);
    const edge = edges.find(({ path }) => path === row.route);
    return edge === undefined ? no('route_unknown') : ofLine(row, edge, project);
  };
}

/** What was left out of a body on its way to records. */
function reasonOf(
  all: readonly FormatBeat[],
  named: readonly FormatBeat[],
  own: readonly FormatBeat[],
): { readonly reason?: ReplayReason } {
  if (own.length < named.length) return { reason: 'viewer_unknown' };
  return named.length < all.length ? { reason: 'view_unknown' } : {};
}

const AVRO_MARK = Buffer.from([0xc3, 0x01]);

/**
 * A body that says what the row kept. The content type is not kept: Avro is known by its first two bytes, and the other
 * formats of these routes tell JSON and lines apart by themselves. A native beat is kept whole, its events are not: those
 * are put into a beat of their view, and beats beyond the limit of a body into an array.
 */
function bodyOf({ route, code, view, bytes }: KeptReject): { body: Buffer; type: string } {
  const json = { type: 'application/json' };
  if (route !== '/v1/beats') return { body: bytes, type: '' };
  if (code === 'too_many_beats') return { ...json, body: joined('[', bytes, '') };
  if (view !== '') {
    const head = `{"view":${JSON.stringify(view)},"events":[`;
    return { ...json, body: joined(head, bytes, ']}') };
  }
  const isAvro = bytes.subarray(0, 2).equals(AVRO_MARK);
  return { body: bytes, type: isAvro ? (AVRO_TYPES[0] ?? '') : json.type };
}

function joined(before: string, bytes: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
}

/** A record that the fold could not take then. Its viewers are as stored, because it was in the log. */
function replayRecord(
  { project, code, bytes }: KeptReject,
  isProject: (id: string) => boolean,
  partitions: number,
): Replayed {
  const version = recordVersionOf(bytes);
  if (version === undefined || !isWhole(version.type, bytes, HEADER_BYTES)) {
    return no('record_unreadable');
  }
  const isOf = (id: string) => isProject(id) && (project === '' || project === id);
  try {
    if (version.kind === 'beat') {
      const beat = decodeBody({ ...version, kind: 'beat' }, bytes);
      if (!isOf(beat.project)) return no('project_unknown');
      const partition = partitionOf(beat.project, beat.view, partitions);
      const value = encodeRecord('beat', { ...beat, trustedClock: true });
      const events = beat.events.filter(({ name }) => name !== REFUSED_EVENT).length;
      return { ...NOTHING, records: [{ partition, value }], events };
    }
    if (version.kind !== 'edge') return no('record_unreadable');
    // Some of its requests may be counted: only their identities tell, and those are forgotten soon.
    if (code === 'record_failed') return no('part_of_record');
    const edge = decodeBody({ ...version, kind: 'edge' }, bytes);
    if (!isOf(edge.project)) return no('project_unknown');
    const name = edge.view === '' ? edge.requests[0]?.identity.toString('hex') : edge.view;
    const partition = partitionOf(edge.project, name ?? '', partitions);
    const records = [{ partition, value: encodeRecord('edge', edge) }];
    return { ...NOTHING, records, edgeRequests: edge.requests.length };
  } catch {
    // What is whole can still say what no value is: a long beyond 2^53.
    return no('record_unreadable');
  }
}
