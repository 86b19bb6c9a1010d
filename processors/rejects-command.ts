/** `streamgauge rejects list` and `show`: what was refused, by reason or one by one, and the bytes of one. */
import { rejectIdText } from '../platform/control/reject-id.ts';
import type { RejectsListArgs, RejectsShowArgs } from '../platform/control/rejects-program.ts';
import type { Command } from '../platform/control/server.ts';
import type { Store } from '../platform/store/store.ts';
import {
  everyReject,
  newestRejects,
  type RejectGroup,
  rejectGroups,
  type StoredReject,
} from './rejects/reject-source.ts';
import {
  bytesKind,
  bytesLines,
  columnLines,
  safeJson,
  safeText,
  shortText,
} from './rejects/reject-text.ts';

const EXIT_NOTHING = 1;
const MESSAGE_CHARACTERS_MAX = 100;
const CELL_CHARACTERS_MAX = 64;

/** Exit code 0. */
export function createRejectsListCommand(store: Store): Command<RejectsListArgs> {
  return async ({ filter, each, limit, json }, print, signal) => {
    const options = { limit, signal };
    const lines = each
      ? eachLines(await newestRejects(store, filter, options), json)
      : groupLines(await rejectGroups(store, filter, options), json);
    for (const line of lines) print(line);
    if (lines.length === 0 && !json) print('no rejects');
    return 0;
  };
}

function groupLines(groups: readonly RejectGroup[], json: boolean): readonly string[] {
  if (json) {
    return groups.map(({ firstMs, lastMs, ...group }) =>
      safeJson({ ...group, first: timeText(firstMs), last: timeText(lastMs) }),
    );
  }
  if (groups.length === 0) return [];
  const head = ['project', 'route', 'code', 'rejects', 'first', 'last', 'message'];
  return columnLines([
    head,
    ...groups.map(({ project, route, code, rejects, firstMs, lastMs, message }) => [
      ...[project, route, code].map(cellOf),
      String(rejects),
      timeText(firstMs),
      timeText(lastMs),
      shortText(message, MESSAGE_CHARACTERS_MAX),
    ]),
  ]);
}

function eachLines(rows: readonly Omit<StoredReject, 'bytes'>[], json: boolean): readonly string[] {
  if (json) return rows.map((row) => safeJson(objectOf(row)));
  if (rows.length === 0) return [];
  const head = ['id', 'time', 'project', 'route', 'code', 'view', 'message'];
  return columnLines([
    head,
    ...rows.map((row) => [
      rejectIdText(row),
      timeText(row.atMs),
      ...[row.project, row.route, row.code, row.view].map(cellOf),
      shortText(row.message, MESSAGE_CHARACTERS_MAX),
    ]),
  ]);
}

/** An empty cell would move those after it to the left, for whoever splits a line. */
function cellOf(text: string): string {
  return text === '' ? '-' : shortText(text, CELL_CHARACTERS_MAX);
}

function objectOf({ atMs, partition, offset, event, ...row }: Omit<StoredReject, 'bytes'>) {
  return { id: rejectIdText({ partition, offset, event }), time: timeText(atMs), ...row };
}

export interface RejectsShowDeps {
  readonly store: Store;
  /** Bytes that ingest keeps of what it refuses. */
  readonly rejectBytesMax: number;
}

/** Exit code 0; 1 when there is no such row. */
export function createRejectsShowCommand(deps: RejectsShowDeps): Command<RejectsShowArgs> {
  return async ({ id, json }, print, signal) => {
    let found = 0;
    // A record may be refused for several reasons, and another generation of the topic has offsets of its own.
    for await (const rows of everyReject(deps.store, { ids: [id] }, signal)) {
      for (const row of rows) {
        for (const line of json ? [jsonLine(row)] : rowLines(row, deps.rejectBytesMax)) print(line);
        found++;
      }
    }
    if (found === 0)
      print(`there is no reject ${rejectIdText(id)}; it may be older than rejects are kept`);
    return found === 0 ? EXIT_NOTHING : 0;
  };
}

function jsonLine({ bytes, ...row }: StoredReject): string {
  return safeJson({ ...objectOf(row), bytes: bytes.toString('base64') });
}

function rowLines(row: StoredReject, rejectBytesMax: number): readonly string[] {
  const { bytes } = row;
  const facts = Object.entries({ ...objectOf(row), bytes: bytesText(row, rejectBytesMax) });
  return [
    ...columnLines(facts.map(([name, value]) => [name, safeText(String(value))])),
    ...(bytes.length === 0 ? [] : bytesLines(bytes)),
  ];
}

function bytesText({ bytes, route }: StoredReject, rejectBytesMax: number): string {
  if (bytes.length === 0) return 'none were kept';
  const size = `${bytes.length}, shown as ${bytesKind(bytes)}`;
  return isCut({ bytes, route }, rejectBytesMax)
    ? `${size}; what came may have been longer: ingest keeps ${rejectBytesMax}`
    : size;
}

/** Ingest keeps so many bytes of what it refuses; a record that the fold refuses is kept whole. */
export function isCut(
  { bytes, route }: Pick<StoredReject, 'bytes' | 'route'>,
  rejectBytesMax: number,
): boolean {
  return route !== 'fold' && bytes.length >= rejectBytesMax;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
