/**
 * Rows altered by hand, to see that `verify` finds them: a check that finds nothing on a right store and nothing on a
 * wrong one is no check.
 */
import type { Comparison } from './comparison.ts';
import type { Site } from './site.ts';
import { inStore } from './store-check.ts';

type Row = Readonly<Record<string, unknown>>;

interface Alteration {
  readonly what: string;
  /** Finds one row. */
  readonly find: string;
  /** Alters that row and no other. */
  readonly alter: (row: Row) => string;
  /** Words of the line that tells of it. */
  readonly told: (row: Row) => readonly string[];
}

/** Events of a view at one end of the log. */
const oneEvent = (direction: 'ASC' | 'DESC'): string =>
  `SELECT view_id, lane, run, seq, _partition, _epoch FROM view_events
   WHERE lane = 'main' AND playing_ms > 0 ORDER BY _epoch ${direction}, view_id, seq LIMIT 1`;
const ONE_WINDOW = `SELECT toString(window) AS at, _partition, _epoch FROM playback_5s
  GROUP BY window, _partition, _epoch HAVING count() = 1 AND sum(playing_ms) > 0 ORDER BY _epoch LIMIT 1`;

const thatEvent = ({ view_id, lane, run, seq, _epoch }: Row): string =>
  `view_id = '${view_id}' AND lane = '${lane}' AND run = ${run} AND seq = ${seq} AND _epoch = ${_epoch}`;
const thatWindow = ({ at, _partition, _epoch }: Row): string =>
  `window = toDateTime('${at}', 'UTC') AND _partition = ${_partition} AND _epoch = ${_epoch}`;
const epochOf = ({ _partition, _epoch }: Row): string => `partition ${_partition} epoch ${_epoch}:`;

const ALTERATIONS: readonly Alteration[] = [
  {
    what: 'a changed row of view_events',
    find: oneEvent('ASC'),
    alter: (row) =>
      `ALTER TABLE view_events UPDATE playing_ms = playing_ms + 1 WHERE ${thatEvent(row)} SETTINGS mutations_sync = 2`,
    told: (row) => ['different view_events', epochOf(row), String(row.view_id), 'playing_ms'],
  },
  {
    what: 'a changed row of playback_5s',
    find: ONE_WINDOW,
    alter: (row) =>
      `ALTER TABLE playback_5s UPDATE playing_ms = playing_ms - 1 WHERE ${thatWindow(row)} SETTINGS mutations_sync = 2`,
    told: (row) => ['different playback_5s', epochOf(row), 'playing_ms'],
  },
  {
    what: 'a deleted row of view_events',
    find: oneEvent('DESC'),
    alter: (row) =>
      `ALTER TABLE view_events DELETE WHERE ${thatEvent(row)} SETTINGS mutations_sync = 2`,
    told: (row) => ['missing view_events', epochOf(row), String(row.view_id)],
  },
];

/** Alters three rows in the store of a program that has ended; `verify` must fail and tell of each, and of no other. */
export async function checkAlterations(site: Site, comparison: Comparison): Promise<void> {
  const found = await inStore(
    site,
    ALTERATIONS.map(({ find }) => find),
  );
  const altered = ALTERATIONS.map((alteration, index) => {
    const row = found[index]?.[0];
    if (row === undefined) throw new Error(`there is no row for ${alteration.what}`);
    return { ...alteration, row };
  });
  await inStore(
    site,
    altered.map(({ alter, row }) => alter(row)),
  );
  const { code, stdout } = await site.run('verify');
  comparison.equal('exit code of verify after rows were altered', 1, code);
  const lines = stdout.split('\n');
  for (const { what, told, row } of altered) {
    const words = told(row);
    const telling = lines.filter((line) => words.every((word) => line.includes(word)));
    comparison.equal(`lines of verify about ${what}: ${words.join(', ')}`, 1, telling.length);
  }
}
