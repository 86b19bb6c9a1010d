/** Rows that need not be there, and what is said of a run. */
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../platform/log/log.ts';
import { defaultFoldSettings } from '../../processors/settings.ts';
import { brokenEquations } from '../../processors/verify/audit.ts';
import { declaredExpiry } from '../../processors/verify/expiry.ts';
import { formatFinding, formatSummary } from '../../processors/verify/summary.ts';
import type { VerifyOptions } from '../../processors/verify/verify.ts';
import { type Entry, part } from '../../schemas/beat.ts';
import { encodeRecord } from '../../schemas/records.ts';
import {
  epochs,
  playback5s,
  rejected,
  viewEvents,
  viewersNow,
  views,
} from '../../schemas/tables/tables.ts';
import { beat, event, states, T0 } from '../support/beats.ts';
import {
  cellOf,
  epochOf,
  MemoryLog,
  MemoryTables,
  type StoredRow,
  type VerifyMemory,
  valueOfRow,
  verifyMemory,
  type Written,
  withCell,
  writeEpochs,
} from '../support/verify.ts';

const settings = defaultFoldSettings;
const VIEWER = 'c0ffee'.repeat(8);

interface World extends VerifyMemory {
  readonly written: Written;
}

/** Records a second apart, and ticks until what they opened has closed. */
async function worldOf(values: readonly Buffer[]): Promise<World> {
  const tick = encodeRecord('tick', {});
  const records: LogRecord[] = values.map((value, offset) => ({
    offset,
    value,
    appendTimeMs: T0 + offset * 1_000,
  }));
  for (let minute = 1; minute <= 8; minute++) {
    const appendTimeMs = T0 + values.length * 1_000 + minute * 60_000;
    records.push({ offset: records.length, appendTimeMs, value: tick });
  }
  const written = await writeEpochs(records, settings);
  const log = new MemoryLog(records);
  return { log, tables: new MemoryTables(written.rows), settings, commit: written.commit, written };
}

const saying = (viewer: string, name = 'viewer_user_id'): Entry[] => [{ name, value: viewer }];

/** A view that says who watches, plays, and ends. */
function viewOf(view: string, context: readonly Entry[] = []): Buffer {
  const events = states([0, 'starting'], [100, 'playing'], [1_100, 'ended']);
  return encodeRecord('beat', beat(events, { view, context }));
}

const FORGET = encodeRecord('forget', { project: 'default', viewer: VIEWER });
const tableOf =
  (...names: readonly unknown[]) =>
  ({ table }: StoredRow): boolean =>
    names.includes(table);

/** Removes rows as the shell does when a viewer is forgotten. */
function purge({ tables, written }: World, viewIds: readonly string[]): void {
  const epoch = Math.max(0, ...written.rows.filter(isForget).map(epochOf));
  tables.rowsStored = tables.rowsStored.filter((row) => {
    if (!tableOf(views, viewEvents, rejected)(row) || epochOf(row) > epoch) return true;
    const bytes = row.table === rejected ? String(valueOfRow(row, 'bytes')) : '';
    return !viewIds.includes(String(valueOfRow(row, 'view_id'))) && !bytes.includes(VIEWER);
  });
}

function isForget({ table }: StoredRow): boolean {
  return table.name === 'forgotten';
}

const quiet = Array.from({ length: 8 }, () => encodeRecord('tick', {}));

describe('a row of rejected that went for its budget', () => {
  it('is excused up to the moment before which they went, and not after it', async () => {
    const world = await worldOf([Buffer.from('foreign'), ...quiet, Buffer.from('foreign')]);
    const { tables } = world;
    expect(world.written.rows.filter(tableOf(rejected))).toHaveLength(2);
    tables.rowsStored = tables.rowsStored.filter(({ table }) => table !== rejected);
    tables.evictedMs = T0 + 1;
    const { findings, summary } = await verifyMemory(world);
    expect(findings).toMatchObject([{ kind: 'missing', table: 'rejected' }]);
    expect(summary).toMatchObject({ evicted: 1, expired: 0 });
    expect(formatSummary(summary)).toContain('rows not required: evicted 1');
  });

  it('must be right when it is there', async () => {
    const world = await worldOf([Buffer.from('foreign'), ...quiet]);
    const { tables } = world;
    tables.rowsStored = tables.rowsStored.map((row) =>
      row.table === rejected ? withCell(row, 'events', Buffer.alloc(8, 1)) : row,
    );
    tables.evictedMs = T0 + 1;
    const { findings } = await verifyMemory(world);
    expect(findings).toMatchObject([{ kind: 'different', table: 'rejected' }]);
  });
});

describe('a row whose time is up', () => {
  it('is excused when it is missing, and must be right when it is there', async () => {
    const playing = encodeRecord('beat', beat(states([0, 'starting'], [100, 'playing'])));
    const world = await worldOf([playing, ...quiet]);
    const rows = world.written.rows.filter(tableOf(viewersNow));
    expect(rows.length).toBeGreaterThan(1);
    const { tables } = world;
    tables.rowsStored = tables.rowsStored.filter((row) => row !== rows[0]);
    const early = await verifyMemory({ ...world, nowMs: T0 });
    expect(early.findings).toMatchObject([{ kind: 'missing', table: 'viewers_now' }]);
    const late = { ...world, nowMs: T0 + 5 * 3_600_000 };
    const excused = await verifyMemory(late);
    expect(excused).toMatchObject({ findings: [], summary: { expired: 1 } });

    const wrong = rows[1] as StoredRow;
    const cell = Buffer.alloc(8, 1);
    tables.rowsStored = tables.rowsStored.map((row) =>
      row === wrong ? withCell(row, 'playing', cell) : row,
    );
    const { findings } = await verifyMemory(late);
    expect(findings).toMatchObject([{ kind: 'different', columns: [{ name: 'playing' }] }]);
  });

  it('is excused in any table that is told to keep rows so long', async () => {
    const world = await worldOf([viewOf('a'), viewOf('b'), ...quiet]);
    const { tables } = world;
    const isKept = tableOf(views, viewEvents, playback5s);
    const gone = tables.rowsStored.filter(isKept).length;
    tables.rowsStored = tables.rowsStored.filter((row) => !isKept(row));
    const expiresAtMs = () => T0;
    const late = await verifyMemory({ ...world, expiresAtMs, nowMs: T0 });
    expect(late).toMatchObject({ findings: [], summary: { expired: gone, superseded: 0 } });
    const early = await verifyMemory({ ...world, expiresAtMs, nowMs: T0 - 60_001 });
    expect(early.summary.findings.missing).toBe(gone);
  });

  it('is only one of a table that says so', async () => {
    expect(viewersNow.engine).toContain("TTL toDateTime(at, 'UTC') + INTERVAL 1 HOUR");
    expect(declaredExpiry(viewersNow, { at: 1_999 })).toBe(3_601_000);
    for (const table of [views, viewEvents, rejected, playback5s]) {
      expect(table.engine).not.toContain('TTL');
      expect(declaredExpiry(table, { at: 0 })).toBeUndefined();
    }
    const world = await worldOf([viewOf('a')]);
    const { tables } = world;
    tables.rowsStored = tables.rowsStored.filter((row) => row.table !== playback5s);
    const { findings } = await verifyMemory({ ...world, nowMs: T0 + 9e12 });
    expect(new Set(findings.map(({ kind, table }) => `${kind} ${table}`))).toEqual(
      new Set(['missing playback_5s']),
    );
  });
});

describe('an older row of a view', () => {
  /** A view that starts, and ends much later: a row when it is placed, and one when it closes. */
  async function longView(): Promise<World & { rows: StoredRow[] }> {
    const first = states([0, 'starting'], [100, 'playing']);
    const last = [event(2, 30_000, 'x', part.state('ended'))];
    const values = [encodeRecord('beat', beat(first)), ...quiet, ...quiet, ...quiet, ...quiet];
    const world = await worldOf([...values, encodeRecord('beat', beat(last))]);
    const rows = world.written.rows.filter(tableOf(views));
    expect(rows.length).toBeGreaterThan(1);
    return { ...world, rows };
  }

  it('is excused by a newer one beyond the last epoch that is compared', async () => {
    const { rows, ...world } = await longView();
    const [first] = rows;
    const { tables, written } = world;
    tables.rowsStored = tables.rowsStored.filter((row) => row !== first);
    const before = written.epochs.filter(({ epoch }) => epoch < epochOf(rows[1] as StoredRow));
    const toMs = before.at(-1)?.logTimeMs;
    const found = await verifyMemory(world, { toMs });
    expect(found).toMatchObject({ findings: [], summary: { superseded: 1 } });

    tables.rowsStored = tables.rowsStored.filter(({ table }) => table !== views);
    const { findings } = await verifyMemory(world, { toMs });
    expect(findings).toMatchObject([
      { kind: 'missing', epoch: epochOf(first as StoredRow), key: 'project=default view_id=v' },
    ]);
  });

  it('is excused by a newer one that is missing itself, which is then the finding', async () => {
    const { rows, ...world } = await longView();
    world.tables.rowsStored = world.tables.rowsStored.filter(({ table }) => table !== views);
    const { findings, summary } = await verifyMemory(world, { rowsPerBatchMax: 1 });
    expect(findings).toMatchObject([
      { kind: 'missing', epoch: epochOf(rows.at(-1) as StoredRow), table: 'views' },
    ]);
    expect(summary.superseded).toBe(rows.length - 1);
  });

  it('is not excused by a newer one of another start day', async () => {
    const { rows, ...world } = await longView();
    const [first, ...others] = rows;
    const day = Buffer.from([1, 0]);
    world.tables.rowsStored = [
      ...world.tables.rowsStored.filter(({ table }) => table !== views),
      ...others.map((row) => withCell(row, 'start_day', day)),
    ];
    const toMs = world.written.epochs.find(
      ({ epoch }) => epoch === epochOf(first as StoredRow),
    )?.logTimeMs;
    const { findings } = await verifyMemory(world, { toMs });
    expect(findings).toMatchObject([{ kind: 'missing', table: 'views' }]);
  });
});

describe('a forgotten viewer', () => {
  const inParts = encodeRecord(
    'beat',
    beat(
      [
        ...states([0, 'starting'], [100, 'playing']),
        event(2, 300, 'x', part.context(saying(VIEWER))),
      ],
      {
        view: 'by-part',
      },
    ),
  );
  const naming = [
    viewOf('by-context', saying(VIEWER)),
    viewOf('by-alias', saying(VIEWER, 'viewer_id')),
    inParts,
  ];
  const others = [viewOf('other', saying('somebody else')), viewOf('nobody')];
  const names = ['by-context', 'by-alias', 'by-part'];
  const reject = encodeRecord('reject', {
    project: 'default',
    view: '',
    route: 'beats',
    code: 'body_malformed',
    message: 'It is cut.',
    bytes: Buffer.from(`{"viewer":"${VIEWER}"`),
  });

  it('is missed by nobody: no row that named them must be there, all others must', async () => {
    const world = await worldOf([...naming, ...others, reject, ...quiet, FORGET, viewOf('later')]);
    const before = world.tables.rowsStored.length;
    purge(world, names);
    const gone = before - world.tables.rowsStored.length;
    expect(gone).toBeGreaterThan(9);
    const { findings, summary } = await verifyMemory(world);
    expect(findings).toEqual([]);
    expect(summary).toMatchObject({ forgotten: gone, forgottenMeanwhile: 0 });

    const { tables } = world;
    const lost = tables.rowsStored.find(
      (row) => row.table === viewEvents && valueOfRow(row, 'view_id') === 'nobody',
    );
    tables.rowsStored = tables.rowsStored.filter((row) => row !== lost);
    const again = await verifyMemory(world);
    expect(again.findings).toMatchObject([{ kind: 'missing', table: 'view_events' }]);
    expect(again.findings[0]?.key).toContain('view_id=nobody');
  });

  it.each([
    ['views', (row: StoredRow) => valueOfRow(row, 'viewer_user_id') === VIEWER],
    ['view_events', (row: StoredRow) => String(valueOfRow(row, 'parts')).includes(VIEWER)],
    ['rejected', (row: StoredRow) => String(valueOfRow(row, 'bytes')).includes(VIEWER)],
  ] as const)('is found where a row of %s still says them', async (name, says) => {
    const world = await worldOf([...naming, ...others, reject, ...quiet, FORGET]);
    const kept = world.written.rows.find((row) => row.table.name === name && says(row));
    expect(kept).toBeDefined();
    purge(world, names);
    world.tables.rowsStored.push(kept as StoredRow);
    const { findings } = await verifyMemory(world);
    expect(findings).toMatchObject([
      { kind: 'forgotten_found', table: name, epoch: epochOf(kept as StoredRow) },
    ]);
  });

  it('leaves what does not say them, and what came after the request, to be compared or not', async () => {
    const world = await worldOf([
      ...naming,
      ...quiet,
      FORGET,
      viewOf('by-context', saying(VIEWER)),
    ]);
    const kept = world.written.rows.find(
      (row) => row.table === viewEvents && valueOfRow(row, 'view_id') === 'by-alias',
    );
    purge(world, names);
    world.tables.rowsStored.push(kept as StoredRow);
    expect((await verifyMemory(world)).findings).toEqual([]);
    const after = world.tables.rowsStored.filter(
      (row) => row.table === views && valueOfRow(row, 'view_id') === 'by-context',
    );
    expect(after).not.toEqual([]);
    world.tables.rowsStored = world.tables.rowsStored.filter((row) => !after.includes(row));
    const { findings } = await verifyMemory(world);
    expect(findings).toMatchObject([{ kind: 'missing', table: 'views' }]);
  });

  it('is no reason to miss rows of a view that named them only later', async () => {
    const quietly = encodeRecord('beat', beat(states([0, 'starting'], [100, 'playing'])));
    const later = encodeRecord('beat', beat([event(2, 300, 'x')], { context: saying(VIEWER) }));
    const another = encodeRecord('forget', { project: 'default', viewer: 'another' });
    const world = await worldOf([quietly, ...quiet, FORGET, later, ...quiet, another]);
    expect((await verifyMemory(world)).findings).toEqual([]);
    const { tables } = world;
    const lost = tables.rowsStored.find(tableOf(viewEvents));
    tables.rowsStored = tables.rowsStored.filter((row) => row !== lost);
    const { findings } = await verifyMemory(world);
    expect(findings).toMatchObject([{ kind: 'missing', table: 'view_events' }]);
  });

  it('is not taken for another whose id holds theirs', async () => {
    const texts = [part.custom({ name: 'note', value: 'a' }), part.context(saying('a b'))];
    const events = [...states([0, 'starting']), event(1, 10, 'a', ...texts)];
    const values = [encodeRecord('beat', beat(events, { view: 'a', context: saying('aa') }))];
    const forget = encodeRecord('forget', { project: 'default', viewer: 'a' });
    const world = await worldOf([...values, reject, ...quiet, forget, ...quiet]);
    expect(await verifyMemory(world)).toMatchObject({ findings: [], summary: { forgotten: 0 } });
  });

  it('is known from the log when the request is not committed yet', async () => {
    const world = await worldOf([...naming, ...others, ...quiet, ...quiet, FORGET]);
    const { tables, written } = world;
    const forget = written.rows.find(isForget) as StoredRow;
    purge(world, names);
    tables.rowsStored = tables.rowsStored.filter((row) => epochOf(row) < epochOf(forget));
    const commit = written.epochs.find(({ epoch }) => epoch === epochOf(forget) - 1);
    const { findings, summary } = await verifyMemory({
      ...world,
      commit: commit as Written['commit'],
    });
    expect(findings).toEqual([]);
    expect(summary.forgotten).toBeGreaterThan(6);
  });

  it('is told of when the request came while verify ran', async () => {
    const world = await worldOf([...naming, ...quiet]);
    const { log } = world;
    const latest = await log.latest();
    const late = new MemoryLog(log.records);
    // Appended after verify has asked where the log ends.
    late.latest = async () => {
      late.records.push({ offset: latest, appendTimeMs: T0 + 1e9, value: FORGET });
      return latest;
    };
    const { summary } = await verifyMemory({ ...world, log: late });
    expect(summary.forgottenMeanwhile).toBe(1);
    expect(formatSummary(summary)).toMatch(/verify again/);
  });
});

describe('an epoch of another version of the fold', () => {
  it('is named and not compared', async () => {
    const world = await worldOf([viewOf('a'), ...quiet, viewOf('b'), ...quiet]);
    const { tables, written } = world;
    const old = (row: StoredRow) => epochOf(row) >= 2 && epochOf(row) <= 3;
    const isKept = tableOf(epochs, viewEvents);
    expect(tables.rowsStored.filter((row) => old(row) && !isKept(row))).not.toEqual([]);
    expect(tables.rowsStored.filter((row) => old(row) && row.table === viewEvents)).not.toEqual([]);
    // Of the old epochs some rows are lost, and the others say something else.
    tables.rowsStored = tables.rowsStored
      .filter((row) => !old(row) || isKept(row))
      .map((row) => {
        if (!old(row)) return row;
        const name = row.table === epochs ? 'fold_version' : 'playing_ms';
        return withCell(row, name, Buffer.alloc(row.table === epochs ? 4 : 8, 1));
      });
    for (const options of [{}, { rowsPerBatchMax: 1 }] satisfies VerifyOptions[]) {
      const { findings, summary } = await verifyMemory(world, options);
      const foldVersion = 0x01010101;
      expect(findings).toEqual([]);
      expect(summary.notComparable).toEqual([
        { partition: 0, fromEpoch: 2, toEpoch: 3, foldVersion },
      ]);
      expect(summary.epochs).toBe(written.epochs.length - 2);
    }
  });
});

describe('a map', () => {
  it('is the same in any order of its entries', async () => {
    const events = [
      ...states([0, 'starting'], [100, 'playing']),
      event(2, 150, 'x', part.rendition({ bitrate: 1_000_000 })),
      event(3, 190, 'x', part.rendition({ bitrate: 2_000_000 })),
      event(4, 230, 'x', part.state('ended')),
    ];
    const world = await worldOf([encodeRecord('beat', beat(events)), ...quiet]);
    const { tables } = world;
    let turned = 0;
    const turn = (row: StoredRow): StoredRow => {
      const cell = row.table === playback5s ? cellOf(row, 'bitrate_sketch') : Buffer.alloc(0);
      if (cell[0] !== 2) return row;
      turned++;
      const entries = [cell.subarray(11, 21), cell.subarray(1, 11)];
      return withCell(row, 'bitrate_sketch', Buffer.concat([Buffer.from([2]), ...entries]));
    };
    tables.rowsStored = tables.rowsStored.map(turn);
    expect(turned).toBeGreaterThan(0);
    expect((await verifyMemory(world)).findings).toEqual([]);
  });
});

describe('a run', () => {
  it('tells when the log ends before the last commit', async () => {
    const world = await worldOf([viewOf('a'), ...quiet]);
    const log = new MemoryLog(world.log.records.slice(0, 6));
    const { findings } = await verifyMemory({ ...world, log });
    expect(findings).toMatchObject([
      { kind: 'audit', key: 'the log ends before the last commit', columns: [{ found: 6 }] },
    ]);
  });

  it('has nothing to compare without a commit', async () => {
    const world = await worldOf([viewOf('a')]);
    const nothing = { ...world, commit: undefined };
    const { findings, summary } = await verifyMemory(nothing);
    expect(findings).toEqual([]);
    expect(summary).toMatchObject({ epochs: 0, partitions: [{ partition: 0, epochs: 0 }] });
    expect(formatSummary(summary)).toContain('partition 0: no epochs');
  });

  it('ends with the reason of its signal, whenever it comes', async () => {
    const world = await worldOf([viewOf('a'), ...quiet]);
    const aborted = verifyMemory(world, { signal: AbortSignal.abort(new Error('before')) });
    await expect(aborted).rejects.toThrow('before');
    for (let pauses = 0; pauses < 2; pauses++) {
      const controller = new AbortController();
      let left = pauses;
      const pause = async () => {
        if (left-- === 0) controller.abort(new Error('enough'));
      };
      const running = verifyMemory({ ...world, pause }, { signal: controller.signal });
      await expect(running).rejects.toThrow('enough');
    }
  });

  it('gives out so many findings and counts all', async () => {
    const world = await worldOf([viewOf('a'), viewOf('b'), ...quiet]);
    const missing = world.written.rows.filter(tableOf(viewEvents, playback5s)).length;
    world.tables.rowsStored = world.tables.rowsStored.filter(
      (row) => !tableOf(viewEvents, playback5s)(row),
    );
    const { findings, summary } = await verifyMemory(world, { findingsMax: 2 });
    expect(findings).toHaveLength(2);
    expect(summary).toMatchObject({ findingsTotal: missing, findingsShown: 2 });
    expect(summary.findings.missing).toBe(missing);
    expect(formatSummary(summary)).toContain(`${missing} differences`);
    expect(formatSummary(summary)).toContain('the first 2 shown');
  });

  it('says in words where a difference is and what differs', async () => {
    const world = await worldOf([viewOf('a'), ...quiet]);
    const { tables } = world;
    const row = world.written.rows.find(tableOf(views)) as StoredRow;
    const title = Buffer.from(`\x0cTitle\n`);
    tables.rowsStored = tables.rowsStored.map((one) =>
      one === row
        ? withCell(withCell(one, 'playing_ms', Buffer.alloc(8)), 'view_start', Buffer.alloc(8))
        : one,
    );
    expect(title).toHaveLength(7);
    const { findings, summary } = await verifyMemory(world);
    const lines = findings.map(formatFinding);
    expect(lines).toEqual([
      `different views partition 0 epoch ${epochOf(row)}: project=default view_id=a: ` +
        'view_start expected "2025-12-31T23:59:58.900Z" found "1970-01-01T00:00:00.000Z"; playing_ms expected 1000 found 0',
    ]);
    expect(formatSummary(summary).split('\n').at(-1)).toBe(
      `1 differences in ${world.written.epochs.length} epochs: different 1`,
    );
  });

  it('shows long texts where they differ, and bytes as digits', async () => {
    const bytes = Buffer.alloc(5_000, 'x');
    const why = { route: 'beats', code: 'body_malformed', message: 'It is cut.', view: 'a' };
    const values = [bytes, Buffer.from([0, 255])].map((body) =>
      encodeRecord('reject', { project: 'default', ...why, bytes: body }),
    );
    const world = await worldOf([...values, ...quiet]);
    const { tables } = world;
    tables.rowsStored = tables.rowsStored.map((row) => {
      if (row.table !== rejected) return row;
      const at = row.bytes.lastIndexOf('x'.repeat(100));
      const other = Buffer.from(row.bytes);
      if (at > 0) other.write('Y', at);
      else other[row.bytes.indexOf(Buffer.from([2, 0, 255])) + 1] = 1;
      return { ...row, bytes: other };
    });
    const { findings } = await verifyMemory(world);
    const shown = findings.flatMap(({ columns = [] }) => columns);
    const where = '(bytes 4876 to 4996 of 5000)';
    expect(shown).toEqual([
      {
        name: 'bytes',
        expected: `${'x'.repeat(120)} ${where}`,
        found: `${'x'.repeat(24)}Y${'x'.repeat(95)} ${where}`,
      },
      { name: 'bytes', expected: '0x00ff', found: '0x01ff' },
    ]);
  });
});

describe('the audit', () => {
  it('names the equations that do not hold, and asks none whose numbers are not known', () => {
    const numbers = { recordsRead: 5, recordsInEpochs: 5 };
    expect(brokenEquations(numbers)).toEqual([]);
    expect(brokenEquations({ ...numbers, recordsInEpochs: 4 })).toEqual([
      { name: 'records_in_epochs', expected: 5, found: 4 },
    ]);
    const events = { accepted: 10, duplicate: 2, rejected: 1, inViews: 7 };
    const playing = { viewsMs: 8, intervalsMs: 8 };
    expect(brokenEquations({ ...numbers, events, playing })).toEqual([]);
    const wrong = { events: { ...events, inViews: 8 }, playing: { ...playing, viewsMs: 9 } };
    expect(brokenEquations({ ...numbers, ...wrong })).toEqual([
      { name: 'events_in_views', expected: 7, found: 8 },
      { name: 'playing_ms_in_intervals', expected: 9, found: 8 },
    ]);
  });
});
