/** What a run of verify came to, and its words. */
import type { FindingCounts, VerifyFinding } from './findings.ts';
import { timeText } from './shown-values.ts';

/** Epochs that another version of the fold has concluded, both ends included. */
export interface NotComparable {
  readonly partition: number;
  readonly fromEpoch: number;
  readonly toEpoch: number;
  readonly foldVersion: number;
}

export interface PartitionSummary {
  readonly partition: number;
  /** Epochs that were compared. */
  readonly epochs: number;
  /** First and last of them; both 0 without any. */
  readonly fromEpoch: number;
  readonly toEpoch: number;
  /** Log time at their ends, ms; 0 without any. */
  readonly fromLogTimeMs: number;
  readonly toLogTimeMs: number;
  readonly recordsRead: number;
}

export interface VerifySummary {
  readonly partitions: readonly PartitionSummary[];
  readonly epochs: number;
  /** Expected rows that were looked for, by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly recordsRead: number;
  /** Missing rows that the engine removed, or may have, because their time was up. */
  readonly expired: number;
  /** Missing rows that went because their table had more than its budget. */
  readonly evicted: number;
  /** Missing rows of `views` that newer ones replaced. */
  readonly superseded: number;
  /** Rows that need not be there because they tell of a forgotten viewer. */
  readonly forgotten: number;
  /** Viewers that were asked to be forgotten while verify ran: rows that it missed may have gone for that. */
  readonly forgottenMeanwhile: number;
  readonly notComparable: readonly NotComparable[];
  readonly findings: FindingCounts;
  /** Findings of all kinds. */
  readonly findingsTotal: number;
  /** Those that were given out one by one. */
  readonly findingsShown: number;
}

/** One line: where, which row, what differs. */
export function formatFinding(finding: VerifyFinding): string {
  const { kind, table, partition, epoch, key, columns = [] } = finding;
  const differences = columns.map(
    ({ name, expected, found }) =>
      `${name} expected ${JSON.stringify(expected)} found ${JSON.stringify(found)}`,
  );
  const line = `${kind} ${table} partition ${partition} epoch ${epoch}: ${key}`;
  return differences.length === 0 ? line : `${line}: ${differences.join('; ')}`;
}

/** Some lines; the last one is the verdict. */
export function formatSummary(summary: VerifySummary): string {
  const lines = summary.partitions.map(partitionLine);
  lines.push(`rows compared: ${listed(summary.rows)}`, ...excuseLines(summary));
  for (const { partition, fromEpoch, toEpoch, foldVersion } of summary.notComparable) {
    lines.push(
      `not comparable: partition ${partition} epochs ${fromEpoch} to ${toEpoch}, concluded by version ${foldVersion} of the fold`,
    );
  }
  if (summary.forgottenMeanwhile > 0) {
    lines.push(
      `${summary.forgottenMeanwhile} viewers were to be forgotten meanwhile: verify again, rows may be missing for that`,
    );
  }
  lines.push(verdict(summary));
  return lines.join('\n');
}

function partitionLine(summary: PartitionSummary): string {
  const { partition, epochs, fromEpoch, toEpoch, fromLogTimeMs, toLogTimeMs } = summary;
  if (epochs === 0) return `partition ${partition}: no epochs`;
  const times = `${timeText(fromLogTimeMs)} to ${timeText(toLogTimeMs)}`;
  return `partition ${partition}: ${epochs} epochs, ${fromEpoch} to ${toEpoch}, log time ${times}, ${summary.recordsRead} records read`;
}

function excuseLines({ expired, evicted, superseded, forgotten }: VerifySummary): string[] {
  const counts = { expired, evicted, superseded, forgotten };
  const excuses = Object.entries(counts).filter(([, rows]) => rows > 0);
  return excuses.length === 0 ? [] : [`rows not required: ${listed(Object.fromEntries(excuses))}`];
}

function verdict({ epochs, findings, findingsTotal, findingsShown }: VerifySummary): string {
  if (findingsTotal === 0) return `no differences in ${epochs} epochs`;
  const kinds = Object.entries(findings).filter(([, count]) => count > 0);
  const shown = findingsShown < findingsTotal ? `, the first ${findingsShown} shown` : '';
  return `${findingsTotal} differences in ${epochs} epochs${shown}: ${listed(Object.fromEntries(kinds))}`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
