/** The store alone: epochs of `view_events`, as the fold writes them, inserted into the embedded engine. */

import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { viewEvents } from '../../schemas/tables/tables.ts';
import { readRecordFile } from '../load/record-file.ts';
import { measured } from '../measure.ts';
import type { SubjectMethods } from '../subject-main.ts';

export interface StoreInput {
  readonly file: string;
  readonly directory: string;
  /** Inserted a repetition, rounded up to whole inserts. */
  readonly rows: number;
}

/** Takes rows and keeps none: what is left is reading them. */
const NULL_TABLE = 'view_events_null';

export async function storeInserts({ file, directory, rows }: StoreInput): Promise<SubjectMethods> {
  const inserts = eventRows(file, rows);
  const store = await openStore({ directory, database: 'bench' });
  await migrate(store, migrations);
  await store.command(`CREATE TABLE ${NULL_TABLE} AS ${viewEvents.name} ENGINE = Null`);
  const columns = viewEvents.columns.map(({ name }) => name);
  let pass = 0;
  const insertInto = async (table: string): Promise<number> => {
    pass++;
    let inserted = 0;
    for (const [nth, { bytes, count }] of inserts.entries()) {
      await store.insert(table, bytes, { columns, token: `${table}/${pass}/${nth}` });
      inserted += count;
    }
    return inserted;
  };
  return {
    repeatNull: () => measured(() => insertInto(NULL_TABLE)),
    repeatTable: () => measured(() => insertInto(viewEvents.name)),
    facts: () => ({
      inserts: inserts.length,
      rowsPerInsert: Math.round(
        inserts.reduce((sum, { count }) => sum + count, 0) / inserts.length,
      ),
    }),
    close: () => store.close(),
  };
}

/** Epochs' rows, whole, until there are enough. */
function eventRows(
  file: string,
  rowsWanted: number,
): { readonly bytes: Buffer; readonly count: number }[] {
  const fold = new PartitionFold(0);
  const inserts: { bytes: Buffer; count: number }[] = [];
  let taken = 0;
  for (const record of readRecordFile(file)) {
    if (taken >= rowsWanted) break;
    fold.fold(record, ({ rows }) => {
      const count = rows.viewEvents.rows;
      if (count > 0) inserts.push({ count, bytes: rows.viewEvents.take() });
      taken += count;
      rows.reset();
    });
  }
  return inserts;
}
