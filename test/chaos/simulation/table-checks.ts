/** The tables and commits against a straight fold: every row, as often as it must be there, and no other. */
import type { SealedEpoch } from '../../../processors/shell/epoch-store.ts';
import type { Table } from '../../../schemas/tables/table.ts';
import { rejected, views } from '../../../schemas/tables/tables.ts';
import { readRows } from '../../support/row-reader.ts';
import { partsOf, type StandingPart } from './engine-model.ts';
import { commitsOf, rowCountsOf } from './epoch-store-model.ts';
import { cut, rowBytesOf } from './standing-rows.ts';
import type { World } from './world.ts';

/** True for rows that a forget took away, or must have. */
type Purged = (table: Table, row: Buffer) => boolean;

const NOTHING = Buffer.alloc(0);

/** Exactly one commit for each epoch from the first on, each saying what a straight fold says. */
export function checkCommits(
  { engine }: World,
  partition: number,
  expected: readonly SealedEpoch[],
): string[] {
  const commits = commitsOf(engine, partition);
  const numbers = commits.map(({ epoch }) => epoch);
  if (numbers.some((epoch, index) => epoch !== index + 1)) {
    return [`commits are not one for each epoch: ${numbers.join(' ')}`];
  }
  const wrong = commits.filter((commit, index) => {
    const epoch = expected[index];
    if (epoch === undefined) return true;
    const { tables, forgets, partition: _, ...said } = epoch;
    const { attempt, ...found } = commit;
    return canonical(found) !== canonical({ ...said, rows: rowCountsOf(tables) });
  });
  const failures = wrong.map((commit) => `not what the log gives: ${JSON.stringify(commit)}`);
  // The last epoch is never over before a record that follows it.
  const open = expected.length - commits.length;
  return open > 1 ? [...failures, `${open} epochs are not committed`] : failures;
}

function canonical(value: object): string {
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(entries);
}

/** The rows that stand are those of a straight fold, epoch by epoch, each as often. */
export function checkTables(
  { engine }: World,
  partition: number,
  expected: readonly SealedEpoch[],
): string[] {
  const committed = commitsOf(engine, partition).at(-1)?.epoch ?? 0;
  const purgedOf = purgesOf(expected.slice(0, committed));
  return expected.flatMap(({ epoch, tables }) =>
    tables.flatMap(({ table, bytes }) => {
      const parts = engine.partsAt(table.name, partition, epoch);
      const wanted = epoch <= committed ? bytes : NOTHING;
      const difference = differenceOf(table, parts, wanted, purgedOf(epoch));
      return difference === undefined ? [] : [`${table.name} of epoch ${epoch}: ${difference}`];
    }),
  );
}

function differenceOf(
  table: Table,
  parts: readonly StandingPart[],
  wanted: Buffer,
  purged: Purged | undefined,
): string | undefined {
  if (parts.length === 0 && wanted.length === 0) return undefined;
  if (purged === undefined && isJust(parts, wanted)) return undefined;
  const counts = new Map<string, number>();
  const count = (row: Buffer, by: number): void => {
    const key = row.toString('latin1');
    counts.set(key, (counts.get(key) ?? 0) + by);
  };
  for (const part of parts) for (const row of rowBytesOf(table, part)) count(row, 1);
  for (const row of cut(table, wanted)) if (purged?.(table, row) !== true) count(row, -1);
  let missing = 0;
  let surplus = 0;
  for (const left of counts.values()) {
    if (left > 0) surplus += left;
    else missing -= left;
  }
  return missing + surplus === 0 ? undefined : `${missing} rows missing, ${surplus} too many`;
}

/** True for one insert that brought just these rows: the common case, told without looking at rows. */
function isJust(parts: readonly StandingPart[], wanted: Buffer): boolean {
  const [first] = parts;
  if (first === undefined || !first.block.bytes.equals(wanted)) return false;
  const shares = new Set(parts.map(({ share }) => share));
  return (
    parts.every(({ block, left }) => block === first.block && left === undefined) &&
    parts.length === partsOf(first.block) &&
    shares.size === parts.length
  );
}

/** For each epoch, what later forgets removed of it; undefined when nothing. */
function purgesOf(expected: readonly SealedEpoch[]): (epoch: number) => Purged | undefined {
  const asked = expected.flatMap(({ epoch, forgets }) =>
    forgets.map(({ viewer }) => ({ epoch, viewer })),
  );
  const forgets = asked.map(({ epoch, viewer }, index) => {
    // What an earlier request removed is not found again.
    const before = asked.slice(0, index).findLast((other) => other.viewer === viewer);
    const ids = viewsNaming(expected.slice(before?.epoch ?? 0, epoch), viewer);
    return { epoch, viewer, ids };
  });
  return (epoch) => {
    const later = forgets.filter((forget) => forget.epoch > epoch);
    if (later.length === 0) return undefined;
    return (table, bytes) => {
      const [row] = readRows(table, bytes);
      return later.some(
        ({ ids, viewer }) =>
          ids.has(String(row?.view_id)) ||
          (table === rejected && String(row?.bytes).includes(viewer)),
      );
    };
  };
}

/** Views whose rows in these epochs name the viewer. */
function viewsNaming(epochs: readonly SealedEpoch[], viewer: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { table, bytes } of epochs.flatMap(({ tables }) => tables)) {
    if (table !== views) continue;
    for (const row of readRows(table, bytes)) {
      if (row.viewer_user_id === viewer) found.add(String(row.view_id));
    }
  }
  return found;
}
