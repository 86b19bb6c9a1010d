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
import { requests } from '../../schemas/tables/delivery.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { rejected, viewEvents, views } from '../../schemas/tables/tables.ts';
import { BeatCursor } from '../cursor.ts';
import { avroText } from '../shell/forgets.ts';
import type { Pacing } from './pacing.ts';
import { epochOfRow, type RowRef, shapeNamed } from './table-shape.ts';
import type { StoredForget } from './table-source.ts';

const NOTHING = Buffer.alloc(0);
const VIEWER = 'viewer_user_id';
/** Names by which a beat may say the viewer. */
const VIEWER_NAMES: readonly string[] = [
  VIEWER,
  ...Object.keys(dimensionAliases).filter((alias) => dimensionAliases[alias] === VIEWER),
];

/** The column of each table of views that may say a viewer; none where only the view's id tells. */
const SAYS_VIEWER = new Map<Table, string | undefined>([
  [views, VIEWER],
  [viewEvents, 'parts'],
  [rejected, 'bytes'],
  [requests, undefined],
]);

interface ForgottenViewer extends StoredForget {
  readonly text: Buffer;
  /** What a context says of them, name and value, as Avro writes it: a short id is not found inside another. */
  readonly entries: readonly Buffer[];
  /** As a body of JSON says them. */
  readonly quoted: Buffer;
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
    this.#viewers = forgets.map(viewerOf);
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
    if (this.#viewers.length === 0 || !SAYS_VIEWER.has(table)) return 'compared';
    const column = SAYS_VIEWER.get(table);
    const { reader } = shapeNamed(table.name);
    const cells = reader.cellsOf(row.bytes, row.start);
    const cell = (name: string) => stringBytes(row.bytes, cells[reader.indexOf(name)] as number);
    const project = String(cell('project'));
    const said = column === undefined ? NOTHING : cell(column);
    const says = (viewer: ForgottenViewer): boolean => saysViewer(table, said, viewer);
    const epoch = epochOfRow(row);
    if (table === rejected && this.#anyBefore(project, epoch, says)) return 'says_viewer';
    const view = this.#views.get(keyOf(project, String(cell('view_id'))));
    if (view === undefined || epoch > view.epoch) return 'compared';
    return view.viewers.some(says) ? 'says_viewer' : 'excused';
  }

  #anyBefore(project: string, epoch: number, says: (viewer: ForgottenViewer) => boolean): boolean {
    return this.#viewers.some(
      (viewer) =>
        // A record that could not be read at all is of no project.
        (viewer.project === project || project === '') && epoch <= viewer.epoch && says(viewer),
    );
  }

  #look({ offset, value }: LogRecord): void {
    const named = this.#viewers.filter(
      (viewer) => offset < viewer.offset && viewer.entries.some((entry) => value.includes(entry)),
    );
    if (named.length === 0) return;
    const { project, view } = this.#viewOf(value) ?? {};
    if (project === undefined || view === undefined) return;
    for (const viewer of named) if (viewer.project === project) this.#add(project, view, viewer);
  }

  /** The view that a record is of; undefined for a record of none. */
  #viewOf(value: Buffer): { project: string; view: string } | undefined {
    const { kind } = recordVersionOf(value) ?? {};
    if (kind !== 'beat') return bodyOf('edge', value);
    const cursor = this.#cursor;
    if (!cursor.open(value, HEADER_BYTES)) return undefined;
    const project = cursor.text(cursor.projectStart, cursor.projectEnd);
    return { project, view: cursor.text(cursor.viewStart, cursor.viewEnd) };
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

function viewerOf(forget: StoredForget): ForgottenViewer {
  const value = avroText(forget.viewer);
  return {
    ...forget,
    text: Buffer.from(forget.viewer),
    entries: VIEWER_NAMES.map((name) => Buffer.concat([avroText(name), value])),
    quoted: Buffer.from(JSON.stringify(forget.viewer)),
  };
}

function saysViewer(table: Table, said: Buffer, viewer: ForgottenViewer): boolean {
  if (table === views) return said.equals(viewer.text);
  if (viewer.entries.some((entry) => said.includes(entry))) return true;
  return table === rejected && said.includes(viewer.quoted);
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
