/** The tables against what players did: nothing accepted is lost, nothing counts twice, figures are the true ones. */
import { requests } from '../../../schemas/tables/delivery.ts';
import { rejected, views } from '../../../schemas/tables/tables.ts';
import type { Row } from '../../support/row-reader.ts';
import type { Client } from './clients.ts';
import type { EngineModel } from './engine-model.ts';
import { commitsOf } from './epoch-store-model.ts';
import type { Plan } from './plan.ts';
import type { Senders } from './senders.ts';
import { partsIn, rowsOf } from './standing-rows.ts';
import { arrivalsOf, isUndisturbed, trueRows, type ViewArrivals, withoutArrival } from './truth.ts';
import type { World } from './world.ts';

const ENDED_BY_SILENCE: ReadonlySet<unknown> = new Set(['dropped', 'paused', 'exit_before_start']);

/** What was found of one view, and what it must have come to. */
interface Found {
  readonly client: Client;
  /** In the log. */
  readonly arrived: ViewArrivals;
  /** The row that stands last. */
  readonly row: Row;
  /** Events in what was refused of it; undefined when nothing was. */
  readonly refusedEvents: number | undefined;
  /** Rows of its edge requests. */
  readonly delivered: number;
  readonly truth: Row | undefined;
}

export function checkTruth(world: World, clients: readonly Client[], senders: Senders): string[] {
  const arrivals = arrivalsIn(world);
  const lost = [...senders.accepted].filter(
    (identity) => ![...arrivals.values()].some(({ identities }) => identities.has(identity)),
  );
  const failures = lost.map((identity) => `edge request ${identity} was accepted and is lost`);
  // Whose rows were removed cannot be compared any more.
  if (world.counters.viewersForgotten > 0) return failures;
  const rows = lastRowsOf(world);
  const refused = refusedEventsOf(world.engine);
  const delivered = deliveredIn(world.engine);
  const truths = trueRows(
    world.plan,
    clients.map(({ view }) => view),
  );
  for (const client of clients) {
    const { id } = client.view;
    const found = {
      client,
      refusedEvents: refused.get(id),
      delivered: delivered.get(id) ?? 0,
      truth: truths.get(id),
    };
    const told = checkView(world, found, arrivals.get(id), rows.get(id));
    failures.push(...told.map((text) => `${id}: ${text}`));
  }
  return failures;
}

function checkView(
  world: World,
  known: Omit<Found, 'arrived' | 'row'>,
  arrived: ViewArrivals | undefined,
  row: Row | undefined,
): string[] {
  const { accepted } = known.client;
  const lost = [...accepted].filter((key) => arrived?.firstMs.has(key) !== true);
  if (lost.length > 0) return [`accepted events are not concluded: ${lost.join(', ')}`];
  if (arrived === undefined) return [];
  if (row === undefined) return ['it has no row'];
  const found = { ...known, arrived, row };
  return [...checkCounts(world.plan, found), ...checkFigures(world, found)];
}

/** Each event in the log is received once, a duplicate, or refused. */
function checkCounts(plan: Plan, found: Found): string[] {
  const { arrived, client, delivered, refusedEvents, row } = found;
  const failures: string[] = [];
  const received = Number(row.reports_received);
  const told = received + Number(row.reports_duplicate) + (refusedEvents ?? 0);
  if (told !== arrived.events) failures.push(`${told} events of ${arrived.events} are told of`);
  if (refusedEvents !== undefined) return failures;
  // Beyond the wait, reports of both lanes may be taken to be numbered together, and one for a repeat of the other.
  const responds = client.view.events.some(({ event }) => event.lane === 'response');
  const isGuess = responds && !isUndisturbed(client.view, arrived, reorderMsOf(plan));
  const came = arrived.firstMs.size;
  if (isGuess ? received > came : received !== came) {
    failures.push(`${received} reports received, ${came} came`);
  }
  const edgesCame = arrived.identities.size;
  if (delivered !== edgesCame) failures.push(`${delivered} edge requests, ${edgesCame} came`);
  // Its own row tells of those that came before it was let go.
  if (Number(row.edge_request_count) > edgesCame) {
    failures.push(`${row.edge_request_count} edge requests in its row, ${edgesCame} came`);
  }
  return failures;
}

/** A view of which everything came within the wait is what its player did. */
function checkFigures({ counters, plan }: World, found: Found): string[] {
  const { arrived, client, refusedEvents, row, truth } = found;
  const edges = client.view.edges.length;
  const isComplete = arrived.identities.size === edges && row.edge_request_count === edges;
  const isFair = plan.settingsFirst && refusedEvents === undefined && isComplete;
  if (!isFair || !isUndisturbed(client.view, arrived, reorderMsOf(plan))) {
    counters.viewsDisturbed++;
    return [];
  }
  counters.viewsUndisturbed++;
  const [want, have] = [withoutArrival(truth ?? {}), withoutArrival(row)];
  return Object.keys(want)
    .filter((name) => JSON.stringify(want[name]) !== JSON.stringify(have[name]))
    .map((name) => `${name} is ${have[name]}, in truth ${want[name]}`);
}

/** The shortest wait that was ever in force. */
function reorderMsOf({ changes, settings }: Plan): number {
  const all = [settings, ...changes.map(({ values }) => values)];
  return Math.min(...all.map(({ reorderMs = 0 }) => reorderMs));
}

/** What came up to the last commits: only that is concluded. */
function arrivalsIn({ engine, log, plan }: World): Map<string, ViewArrivals> {
  const all = new Map<string, ViewArrivals>();
  for (let partition = 0; partition < plan.partitions; partition++) {
    const end = commitsOf(engine, partition).at(-1)?.nextOffset ?? 0;
    const committed = log.durableRecords(partition).filter(({ offset }) => offset < end);
    for (const arrival of arrivalsOf(committed)) all.set(...arrival);
  }
  return all;
}

/** The newest row of each view. */
function lastRowsOf({ counters, engine }: World): Map<string, Row> {
  const rows = partsIn(engine, views).flatMap((part) => rowsOf(views, part));
  const last = new Map<string, Row>();
  for (const row of rows.sort((one, other) => Number(one._epoch) - Number(other._epoch))) {
    const id = String(row.view_id);
    if (last.get(id)?.closed === 1 && row.closed === 0) counters.viewsReopened++;
    last.set(id, row);
  }
  for (const { outcome, reports_late, reports_duplicate } of last.values()) {
    if (ENDED_BY_SILENCE.has(outcome)) counters.viewsTimedOut++;
    counters.eventsLate += Number(reports_late);
    counters.eventsDuplicate += Number(reports_duplicate);
  }
  return last;
}

function deliveredIn(engine: EngineModel): Map<string, number> {
  const delivered = new Map<string, number>();
  for (const part of partsIn(engine, requests)) {
    for (const { source, view_id } of rowsOf(requests, part)) {
      const id = String(view_id);
      if (source === 'edge') delivered.set(id, (delivered.get(id) ?? 0) + 1);
    }
  }
  return delivered;
}

function refusedEventsOf(engine: EngineModel): Map<string, number> {
  const refused = new Map<string, number>();
  for (const part of partsIn(engine, rejected)) {
    for (const row of rowsOf(rejected, part)) {
      const id = String(row.view_id);
      refused.set(id, (refused.get(id) ?? 0) + Number(row.events));
    }
  }
  return refused;
}
