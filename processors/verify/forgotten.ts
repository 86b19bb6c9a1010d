/**
 * Viewers who were forgotten: their rows went from the store although the log still tells of them.
 *
 * The log is read first for the views that named them. Rows of those views up to the request need not be there; those
 * that are must not say the viewer. The same holds for rejects whose bytes say them. Requests are taken from the store
 * and, beyond its last commit, from the log, because rows go before the request's own epoch is committed.
 */
import type { Log, LogRecord } from '../../platform/log/log.ts';
import { stringBytes } from '../../platform/store/row-reader.ts';
import { dimensionAliases } from '../../schemas/catalogue/dimensions.ts';
import {
  decodeBody,
  HEADER_BYTES,
  type RecordBodies,
  type RecordKind,
  type RecordVersion,
  recordVersionOf,
} from '../../schemas/records.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { rejected, viewEvents, views } from '../../schemas/tables/tables.ts';
import { BeatCursor } from '../cursor.ts';
import type { Pacing } from './pacing.ts';
import { epochOfRow, type RowRef, shapeNamed } from './table-shape.ts';
import type { StoredForget } from './table-source.ts';

const VIEWER = 'viewer_user_id';
/** Names by which a beat may say the viewer. */
const VIEWER_NAMES: ReadonlySet<string> = new Set([
  VIEWER,
  ...Object.keys(dimensionAliases).filter((alias) => dimensionAliases[alias] === VIEWER),
]);

/** The column of each table that may say a viewer. */
const SAYS_VIEWER = new Map<Table, string>([
  [views, VIEWER],
  [viewEvents, 'parts'],
  [rejected, 'bytes'],
]);

interface ForgottenViewer extends StoredForget {
  readonly bytes: Buffer;
}

/** The newest request that covers a view, and whom it may name. */
interface ForgottenView {
  epoch: number;
  readonly viewers: ForgottenViewer[];
}

/** What a row is to verify. */
export type RowStanding = 'compared' | 'excused' | 'says_viewer';

export class ForgottenViews {
  readonly #viewers: readonly ForgottenViewer[];
  readonly #views = new Map<string, ForgottenView>();
  readonly #cursor = new BeatCursor();

  constructor(forgets: readonly StoredForget[]) {
    this.#viewers = forgets.map((forget) => ({ ...forget, bytes: Buffer.from(forget.viewer) }));
  }

  /** Finds the views that named one of the viewers before the request. */
  async readLog(log: Log, partition: number, fromOffset: number, pacing: Pacing): Promise<void> {
    const lastOffset = Math.max(-1, ...this.#viewers.map(({ offset }) => offset));
    if (lastOffset <= fromOffset) return;
    for await (const records of log.read(partition, { fromOffset, follow: false })) {
      for (const record of records) {
        if (record.offset >= lastOffset) return;
        this.#look(record);
      }
      await pacing.pause();
    }
  }

  /** What is to be done with a row of a table, expected or found. */
  standingOf(table: Table, row: RowRef): RowStanding {
    const column = SAYS_VIEWER.get(table);
    if (this.#viewers.length === 0 || column === undefined) return 'compared';
    const { reader } = shapeNamed(table.name);
    const cells = reader.cellsOf(row.bytes, row.start);
    const cell = (name: string) => stringBytes(row.bytes, cells[reader.indexOf(name)] as number);
    const project = String(cell('project'));
    const said = cell(column);
    const says = (viewer: ForgottenViewer): boolean =>
      table === views ? said.equals(viewer.bytes) : said.includes(viewer.bytes);
    const epoch = epochOfRow(row);
    if (table === rejected && this.#anyBefore(project, epoch, says)) return 'says_viewer';
    const view = this.#views.get(keyOf(project, String(cell('view_id'))));
    if (view === undefined || epoch > view.epoch) return 'compared';
    return view.viewers.some(says) ? 'says_viewer' : 'excused';
  }

  #anyBefore(project: string, epoch: number, says: (viewer: ForgottenViewer) => boolean): boolean {
    return this.#viewers.some(
      (viewer) => viewer.project === project && epoch <= viewer.epoch && says(viewer),
    );
  }

  #look(record: LogRecord): void {
    const named = this.#viewers.filter(
      ({ bytes, offset }) => record.offset < offset && record.value.includes(bytes),
    );
    if (named.length === 0) return;
    const { kind } = recordVersionOf(record.value) ?? {};
    if (kind === 'beat') this.#lookAtBeat(record.value, named);
    else if (kind === 'edge') this.#lookAtEdge(record.value, named);
  }

  #lookAtBeat(value: Buffer, named: readonly ForgottenViewer[]): void {
    const cursor = this.#cursor;
    for (const viewer of named) {
      if (!cursor.open(value, HEADER_BYTES)) return;
      const project = cursor.text(cursor.projectStart, cursor.projectEnd);
      if (project !== viewer.project || !namesViewer(cursor, viewer)) continue;
      this.#add(project, cursor.text(cursor.viewStart, cursor.viewEnd), viewer);
    }
  }

  #lookAtEdge(value: Buffer, named: readonly ForgottenViewer[]): void {
    const body = bodyOf('edge', value);
    for (const viewer of named) {
      if (body?.project === viewer.project) this.#add(body.project, body.view, viewer);
    }
  }

  #add(project: string, view: string, viewer: ForgottenViewer): void {
    const key = keyOf(project, view);
    const known = this.#views.get(key);
    if (known === undefined) {
      this.#views.set(key, { epoch: viewer.epoch, viewers: [viewer] });
      return;
    }
    known.epoch = Math.max(known.epoch, viewer.epoch);
    if (!known.viewers.includes(viewer)) known.viewers.push(viewer);
  }
}

/** Requests to forget that lie in the log from an offset on: no commit tells of them yet. */
export async function forgetsInLog(
  log: Log,
  partition: number,
  fromOffset: number,
  pacing: Pacing,
): Promise<StoredForget[]> {
  const forgets: StoredForget[] = [];
  for await (const records of log.read(partition, { fromOffset, follow: false })) {
    for (const { offset, value } of records) {
      const body = bodyOf('forget', value);
      // Its epoch is later than any that is looked at.
      if (body !== undefined) forgets.push({ ...body, offset, epoch: Number.MAX_SAFE_INTEGER });
    }
    await pacing.pause();
  }
  return forgets;
}

function keyOf(project: string, view: string): string {
  return `${project}\0${view}`;
}

/** By a dimension in its context, or anywhere in an event's parts, which the timeline keeps as they are. */
function namesViewer(cursor: BeatCursor, { viewer, bytes }: ForgottenViewer): boolean {
  if (contextNames(cursor, viewer)) return true;
  while (cursor.next() === 1) {
    if (cursor.bytes.subarray(cursor.partsStart, cursor.eventEnd).includes(bytes)) return true;
  }
  return false;
}

function contextNames(cursor: BeatCursor, viewer: string): boolean {
  cursor.seekTo(cursor.contextStart);
  for (let left = cursor.readCount(); left > 0; left = cursor.readCount()) {
    for (; left > 0; left--) {
      const isViewer = VIEWER_NAMES.has(cursor.readText());
      if (cursor.readText() === viewer && isViewer) return true;
    }
  }
  return false;
}

/** A record of this kind as an object; undefined for another kind, and for bytes that do not match their schema. */
function bodyOf<Kind extends RecordKind>(
  kind: Kind,
  value: Buffer,
): RecordBodies[Kind] | undefined {
  const version = recordVersionOf(value);
  if (version?.kind !== kind) return undefined;
  try {
    return decodeBody(version as RecordVersion & { kind: Kind }, value);
  } catch {
    return undefined;
  }
}
