/**
 * Compares the rows of one table over a range of epochs with those of the store, as multisets of bytes.
 *
 * Rows that are alike go past each other at once. What is left over on both sides is paired, and only then, for what has
 * no partner, a reason is looked for why it need not be there.
 */
import type { Table } from '../../schemas/tables/table.ts';
import { rejected, views } from '../../schemas/tables/tables.ts';
import type { SealedEpoch } from '../shell/epoch-store.ts';
import type { ExpiresAtMs } from './expiry.ts';
import type { FindingKind, Findings } from './findings.ts';
import type { ForgottenViews } from './forgotten.ts';
import type { Pacing } from './pacing.ts';
import { pairRows } from './pairing.ts';
import { RowIndex } from './row-index.ts';
import { differences, differingColumns, rowLabel } from './shown-values.ts';
import type { SupersededViews } from './superseded.ts';
import { epochOfRow, type RowRef, shapeNamed, type TableShape } from './table-shape.ts';
import type { EpochRange, TableSource } from './table-source.ts';

/** The engine removes what has expired when it likes, and its clock is not this one. */
const EXPIRY_MARGIN_MS = 60_000;
/** Strange rows that are kept to be paired; those beyond are told as they come. */
const STRANGERS_MAX = 20_000;

/** What the comparison of a partition counts and looks up. */
export interface ComparisonDeps {
  readonly source: TableSource;
  readonly findings: Findings;
  readonly forgotten: ForgottenViews;
  readonly superseded: SupersededViews;
  readonly expiresAtMs: ExpiresAtMs;
  readonly now: () => number;
  readonly pacing: Pacing;
  readonly counts: RowCounts;
}

export interface RowCounts {
  /** Expected rows that were looked for, by table. */
  readonly rows: Record<string, number>;
  /** Missing rows that the engine may have removed, their time being up. */
  expired: number;
  /** Missing rows that went because their table had more than its budget. */
  evicted: number;
  /** Rows that need not be there because they tell of a forgotten viewer. */
  forgotten: number;
}

/** Epochs whose rows are compared, and the range of the store that must hold them and nothing else. */
export interface ComparedEpochs {
  readonly range: EpochRange;
  readonly epochs: readonly SealedEpoch[];
  /** False for an epoch that another version of the fold has concluded. */
  readonly isComparable: (epoch: number) => boolean;
}

export class TableComparison {
  readonly #deps: ComparisonDeps;
  readonly #compared: ComparedEpochs;
  readonly #table: Table;
  readonly #shape: TableShape;
  readonly #index = new RowIndex();
  readonly #strangers: RowRef[] = [];

  constructor(deps: ComparisonDeps, compared: ComparedEpochs, table: Table) {
    this.#deps = deps;
    this.#compared = compared;
    this.#table = table;
    this.#shape = shapeNamed(table.name);
  }

  async run(): Promise<void> {
    await this.#indexExpected();
    for await (const bytes of this.#deps.source.rows(this.#table, this.#compared.range)) {
      await this.#matchFound(bytes);
    }
    const left = [...this.#index.left()];
    const paired = await pairRows(this.#shape, left, this.#strangers, this.#deps.pacing);
    for (const { expected, found } of paired.pairs) this.#tellDifferent(expected, found);
    for (const row of paired.found) this.#tell('unexpected', row);
    await this.#settleMissing(paired.expected);
  }

  async #indexExpected(): Promise<void> {
    const { counts, forgotten, pacing } = this.#deps;
    const rows = this.#expectedRows();
    for (const row of rows) {
      if (forgotten.standingOf(this.#table, row) === 'compared') {
        this.#index.add(row.bytes, row.start, row.end);
      } else {
        counts.forgotten++;
      }
      if (pacing.isDue()) await pacing.pause();
    }
    counts.rows[this.#table.name] = (counts.rows[this.#table.name] ?? 0) + this.#index.size;
  }

  *#expectedRows(): Generator<RowRef> {
    for (const { epoch, tables } of this.#compared.epochs) {
      if (!this.#compared.isComparable(epoch)) continue;
      for (const { table, bytes } of tables) {
        if (table === this.#table) yield* this.#rowsOf(bytes);
      }
    }
  }

  *#rowsOf(bytes: Buffer): Generator<RowRef> {
    for (let start = 0; start < bytes.length; ) {
      const end = this.#shape.reader.endOf(bytes, start);
      yield { bytes, start, end };
      start = end;
    }
  }

  async #matchFound(bytes: Buffer): Promise<void> {
    const { forgotten, pacing } = this.#deps;
    for (const row of this.#rowsOf(bytes)) {
      const standing = forgotten.standingOf(this.#table, row);
      if (standing === 'says_viewer') this.#tell('forgotten_found', row);
      else if (standing === 'compared') this.#match(row);
      if (pacing.isDue()) await pacing.pause();
    }
  }

  #match(row: RowRef): void {
    if (this.#index.take(row.bytes, row.start, row.end)) return;
    if (!this.#compared.isComparable(epochOfRow(row))) return;
    if (this.#strangers.length >= STRANGERS_MAX) {
      this.#tell('unexpected', row);
      return;
    }
    // A copy: a piece of many rows must not be held for one of them.
    const copy = Buffer.from(row.bytes.subarray(row.start, row.end));
    this.#strangers.push({ bytes: copy, start: 0, end: copy.length });
  }

  async #settleMissing(missing: readonly RowRef[]): Promise<void> {
    const { pacing, source, superseded } = this.#deps;
    // Asked only now: what went while rows were read was told before.
    const hasBudget = this.#table === rejected && missing.length > 0;
    const evictedBeforeMs = hasBudget ? await source.evictedBeforeMs(this.#table) : 0;
    for (const row of missing) {
      if (this.#hasExpired(row)) this.#deps.counts.expired++;
      else if (hasBudget && this.#timeOf(row) < evictedBeforeMs) this.#deps.counts.evicted++;
      else if (this.#table === views) superseded.addMissing(row);
      else this.#tell('missing', row);
      if (pacing.isDue()) await pacing.pause();
    }
    if (this.#table === views) await this.#supersede();
  }

  /** Rows that are expected excuse older ones that are missing. */
  async #supersede(): Promise<void> {
    const { forgotten, pacing, superseded } = this.#deps;
    if (!superseded.waits) return;
    for (const row of this.#expectedRows()) {
      if (forgotten.standingOf(views, row) === 'compared') superseded.addExpected(row);
      if (pacing.isDue()) await pacing.pause();
    }
  }

  #hasExpired(row: RowRef): boolean {
    const decoded = this.#shape.reader.decode(row.bytes, row.start);
    const expiresAtMs = this.#deps.expiresAtMs(this.#table, decoded);
    return expiresAtMs !== undefined && expiresAtMs < this.#deps.now() + EXPIRY_MARGIN_MS;
  }

  #timeOf(row: RowRef): number {
    return Number(this.#shape.reader.decode(row.bytes, row.start).at);
  }

  #tellDifferent(expected: RowRef, found: RowRef): void {
    const shape = this.#shape;
    if (differingColumns(shape, expected, found).length === 0) return;
    this.#tell('different', expected, () => ({ columns: differences(shape, expected, found) }));
  }

  #tell(kind: FindingKind, row: RowRef, more: () => object = () => ({})): void {
    this.#deps.findings.add(kind, () => ({
      table: this.#table.name,
      partition: this.#compared.range.partition,
      epoch: epochOfRow(row),
      key: rowLabel(this.#shape, row),
      ...more(),
    }));
  }
}
