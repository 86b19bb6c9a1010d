/** Verify finds nothing where the store is right, and everything where it is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultFoldSettings, type FoldSettings } from '../../processors/settings.ts';
import { epochs, views } from '../../schemas/tables/tables.ts';
import { anyRecords } from '../support/deliveries.ts';
import { seeded } from '../support/rows.ts';
import {
  cellOf,
  epochOf,
  MemoryLog,
  MemoryTables,
  type StoredRow,
  type Verified,
  type VerifyMemory,
  valueOfRow,
  verifyMemory,
  viewKeyOf,
  type Written,
  withCell,
  writeEpochs,
} from '../support/verify.ts';

const settings: FoldSettings = { ...defaultFoldSettings };

interface World extends VerifyMemory {
  readonly written: Written;
  readonly commit: Written['commit'];
}

async function worldOf(records: MemoryLog['records'], seed: number): Promise<World> {
  const written = await writeEpochs(records, settings);
  const log = new MemoryLog(records, 1 + (seed % 11));
  const tables = new MemoryTables(written.rows, seeded(seed));
  return { log, tables, settings, commit: written.commit, written };
}

/** How a run may be cut up. */
const cutting = fc.record({
  seed: fc.nat(1_000_000),
  rowsPerBatchMax: fc.integer({ min: 1, max: 60 }),
  bytesPerBatchMax: fc.constantFrom(1_000, 10_000, 1_000_000),
});

describe('true rows', () => {
  it('give no finding, in any order, in pieces and batches of any size', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, cutting, async (records, { seed, ...limits }) => {
        const world = await worldOf(records, seed);
        const { findings, summary } = await verifyMemory(world, limits);
        expect(findings).toEqual([]);
        const { written } = world;
        expect(summary).toMatchObject({
          findingsTotal: 0,
          expired: 0,
          evicted: 0,
          superseded: 0,
          epochs: written.epochs.length,
        });
        for (const [name, rows] of Object.entries(summary.rows)) {
          expect([name, rows]).toEqual([
            name,
            written.rows.filter(({ table }) => table.name === name).length,
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('give no finding from a state in the middle, to a time in the middle', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, cutting, async (records, { seed, ...limits }) => {
        const world = await worldOf(records, seed);
        const count = world.written.epochs.length;
        const startEpoch = seed % count;
        const wanted = world.written.epochs.slice(startEpoch + 1 + (seed % 2), count - (seed % 3));
        const fromMs = wanted[0]?.logTimeMs;
        const toMs = wanted.at(-1)?.logTimeMs;
        fc.pre(fromMs !== undefined && toMs !== undefined);
        const options = { ...limits, fromMs, toMs };
        const { findings, summary } = await verifyMemory({ ...world, startEpoch }, options);
        expect(findings).toEqual([]);
        expect(summary.partitions[0]).toMatchObject({
          epochs: wanted.length,
          fromEpoch: wanted[0]?.epoch,
          toEpoch: wanted.at(-1)?.epoch,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('give no finding when merges have removed older rows of views', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, cutting, async (records, { seed, ...limits }) => {
        const world = await worldOf(records, seed);
        const merged = seeded(seed);
        const { tables } = world;
        const before = tables.rowsStored.length;
        tables.rowsStored = tables.rowsStored.filter(
          (row) => isNewest(world, row) || merged() < 0.4,
        );
        const { findings, summary } = await verifyMemory(world, limits);
        expect(findings).toEqual([]);
        expect(summary.superseded).toBe(before - tables.rowsStored.length);
      }),
      { numRuns: 60 },
    );
  });
});

/** True but for rows of `views` that have a newer one. */
function isNewest(world: World, row: StoredRow): boolean {
  if (row.table !== views) return true;
  const key = viewKeyOf(row);
  const epoch = epochOf(row);
  return !world.written.rows.some(
    (other) => other.table === views && viewKeyOf(other) === key && epochOf(other) > epoch,
  );
}

const ZEROS = Buffer.alloc(8);

/** Another value of a cell, of the same type. */
function otherCell(type: string, cell: Buffer): Buffer {
  if (type.startsWith('Array')) {
    if (cell[0] !== 0) return Buffer.from([0]);
    return Buffer.from(type.includes('String') ? [1, 1, 0x78] : [1, ...ZEROS]);
  }
  if (type.includes('String')) {
    if (cell.length === 1) return Buffer.from([1, 0x78]);
    const other = Buffer.from(cell);
    other[cell.length - 1] = ((other[cell.length - 1] ?? 0) + 1) % 128;
    return other;
  }
  if (type.startsWith('Nullable')) return cell.length === 1 ? Buffer.alloc(9) : Buffer.from([1]);
  if (type.startsWith('Map')) {
    const entry = Buffer.from('01000100000000000000', 'hex');
    return cell.length === 1 ? Buffer.concat([Buffer.from([1]), entry]) : Buffer.from([0]);
  }
  const other = Buffer.from(cell);
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
}

function pick<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Some finding is of this row: its table, its epoch, and its view where it has one. */
function expectNamed({ findings }: Verified, row: StoredRow): void {
  const mine = findings.filter(
    ({ table, epoch }) => table === row.table.name && epoch === epochOf(row),
  );
  expect(mine).not.toEqual([]);
  if (!row.table.columns.some(({ name }) => name === 'view_id')) return;
  const view = String(valueOfRow(row, 'view_id'));
  if (/^view-\d$/.test(view))
    expect(mine.map(({ key }) => key).join()).toContain(`view_id=${view}`);
}

function sortingKeyOf({ table }: StoredRow): string[] {
  return /ORDER BY \(([^)]+)\)/.exec(table.engine)?.[1]?.split(', ') ?? [];
}

const spoiling = fc.record({ row: fc.nat(1_000_000), column: fc.nat(1_000_000), run: cutting });

async function spoil(
  records: MemoryLog['records'],
  how: { row: number; run: { seed: number; rowsPerBatchMax: number; bytesPerBatchMax: number } },
  change: (row: StoredRow, world: World) => readonly StoredRow[],
): Promise<{ verified: Verified; row: StoredRow; world: World }> {
  const { seed, ...limits } = how.run;
  const world = await worldOf(records, seed);
  const { tables } = world;
  const rows = tables.rowsStored.filter(({ table }) => table !== epochs);
  const row = pick(rows, how.row);
  tables.rowsStored = [...tables.rowsStored.filter((one) => one !== row), ...change(row, world)];
  return { verified: await verifyMemory(world, limits), row, world };
}

describe('one wrong row', () => {
  it('is found when any byte of any column has changed', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        let name = '';
        const { verified, row } = await spoil(records, how, (one) => {
          const column = pick(one.table.columns.slice(0, -2), how.column);
          name = column.name;
          return [withCell(one, name, otherCell(column.type, cellOf(one, name)))];
        });
        const { findings, summary } = verified;
        // A version of a view's row that a newer one replaces need not be there: only the strange one is told.
        if (summary.superseded === 0) expectNamed(verified, row);
        if (sortingKeyOf(row).includes(name)) {
          // What finds a row has changed: one is lost, and a strange one is there.
          const { missing, unexpected } = summary.findings;
          expect([missing + summary.superseded, unexpected]).toEqual([1, 1]);
        } else {
          expect(findings).toMatchObject([{ kind: 'different', columns: [{ name }] }]);
          const [{ expected, found } = { expected: '', found: '' }] = findings[0]?.columns ?? [];
          expect(found).not.toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is found when it is lost', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        const { verified, row, world } = await spoil(records, how, () => []);
        if (isNewest(world, row)) {
          expectNamed(verified, row);
          expect(verified.findings).toMatchObject([{ kind: 'missing' }]);
        } else {
          expect(verified.summary).toMatchObject({ findingsTotal: 0, superseded: 1 });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is found when it is there twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        const { verified, row } = await spoil(records, how, (one) => [one, one]);
        expectNamed(verified, row);
        expect(verified.findings).toMatchObject([{ kind: 'unexpected' }]);
      }),
      { numRuns: 100 },
    );
  });

  it('is found when it has moved to another epoch', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        let moved: StoredRow | undefined;
        await spoil(records, how, (one, { commit }) => {
          const cell = Buffer.from(cellOf(one, '_epoch'));
          const epoch = Number(cell.readBigUInt64LE());
          const other = epoch === commit.epoch ? epoch - 1 : epoch + 1;
          cell.writeBigUInt64LE(BigInt(other));
          moved = withCell(one, '_epoch', cell);
          return [moved];
        }).then(({ verified, row, world }) => {
          expectNamed(verified, moved as StoredRow);
          if (isNewest(world, row) && row.table !== views) expectNamed(verified, row);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('is found when it is none of the log’s', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        let extra: StoredRow | undefined;
        const { verified } = await spoil(records, how, (one) => {
          extra = withCell(one, 'project', Buffer.from('\x05other'));
          return [one, extra];
        });
        expectNamed(verified, extra as StoredRow);
        expect(verified.findings).toMatchObject([{ kind: 'unexpected' }]);
      }),
      { numRuns: 60 },
    );
  });
});

async function spoilCommit(
  records: MemoryLog['records'],
  how: { row: number; run: { seed: number; rowsPerBatchMax: number } },
  change: (row: StoredRow) => readonly StoredRow[],
): Promise<{ verified: Verified; epoch: number }> {
  const world = await worldOf(records, how.run.seed);
  const { tables } = world;
  const row = pick(
    tables.rowsStored.filter(({ table }) => table === epochs),
    how.row,
  );
  tables.rowsStored = [...tables.rowsStored.filter((one) => one !== row), ...change(row)];
  const verified = await verifyMemory(world, { rowsPerBatchMax: how.run.rowsPerBatchMax });
  return { verified, epoch: epochOf(row) };
}

describe('one wrong commit', () => {
  it('is found when it is lost, and when it is there twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        const lost = await spoilCommit(records, how, () => []);
        expect(lost.verified.findings).toMatchObject([
          { kind: 'commit_missing', table: 'epochs', epoch: lost.epoch },
        ]);
        const doubled = await spoilCommit(records, how, (row) => [row, row]);
        expect(doubled.verified.findings).toMatchObject([
          { kind: 'commit_doubled', table: 'epochs', epoch: doubled.epoch },
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('is found when any of its numbers has changed, but for the attempt', async () => {
    const names = epochs.columns
      .map(({ name }) => name)
      .filter((name) => !['topic', '_partition', '_epoch', 'fold_version'].includes(name));
    await fc.assert(
      fc.asyncProperty(anyRecords, spoiling, async (records, how) => {
        const name = pick(names, how.column);
        const { verified, epoch } = await spoilCommit(records, how, (row) => [
          withCell(row, name, otherCell('UInt64', cellOf(row, name))),
        ]);
        const expected = { kind: 'commit_different', table: 'epochs', epoch, columns: [{ name }] };
        expect(verified.findings).toMatchObject(name === 'attempt' ? [] : [expected]);
      }),
      { numRuns: 100 },
    );
  });

  it('is found beyond the last epoch of the log, and before the first', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, cutting, async (records, { seed }) => {
        const world = await worldOf(records, seed);
        const { tables, commit } = world;
        const last = tables.rowsStored.find(
          (row) => row.table === epochs && epochOf(row) === commit.epoch,
        );
        for (const epoch of [0, commit.epoch + 1]) {
          const cell = Buffer.alloc(8);
          cell.writeBigUInt64LE(BigInt(epoch));
          tables.rowsStored.push(withCell(last as StoredRow, '_epoch', cell));
        }
        const newest = { ...commit, epoch: commit.epoch + 1 };
        const { findings } = await verifyMemory({ ...world, commit: newest });
        expect(findings.map(({ kind, epoch }) => [kind, epoch]).sort()).toEqual([
          ['unexpected', 0],
          ['unexpected', newest.epoch],
        ]);
      }),
      { numRuns: 10 },
    );
  });
});
