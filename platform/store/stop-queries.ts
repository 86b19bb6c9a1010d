/** Ends queries by the beginning of their ids, and knows when they and all mutations are gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from './store.ts';

const LOOK_AGAIN_MS = 50;

/**
 * Asks the engine to end every query whose id begins so, and returns when none of them runs any more. Nothing to end is
 * no error. A query that a server passed on to another is known there by the id of the first. The embedded engine's own
 * queries are over as soon as the writing connection answers.
 */
export async function stopQueries(store: Store, prefix: string): Promise<void> {
  const options = { params: { prefix } };
  await store.command(
    'KILL QUERY WHERE startsWith(initial_query_id, {prefix:String}) ASYNC',
    options,
  );
  for (;;) {
    const [row] = await store.queryOnWriter<{ running: number }>(
      'SELECT count() AS running FROM system.processes WHERE startsWith(initial_query_id, {prefix:String})',
      options,
    );
    if (row === undefined || row.running === 0) return;
    await sleep(LOOK_AGAIN_MS);
  }
}

/**
 * Returns when no DELETE or UPDATE of the database is under way. One runs on when whoever asked for it was ended, or
 * died: on a server, and in the embedded engine opened again. While it runs it takes rows away part by part, and a count
 * would see any number of them.
 */
export async function mutationsDone(store: Store): Promise<void> {
  for (;;) {
    const [row] = await store.queryOnWriter<{ running: number }>(
      'SELECT count() AS running FROM system.mutations WHERE database = {database:String} AND NOT is_done',
      { params: { database: store.database } },
    );
    if (row === undefined || row.running === 0) return;
    await sleep(LOOK_AGAIN_MS);
  }
}
