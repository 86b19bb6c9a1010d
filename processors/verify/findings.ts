/**
 * What verify found: differences between what the log says and what the store holds.
 *
 * Every finding is counted; the words for one are made only while there is room for it, so that a store that is wrong
 * throughout costs no more memory than one that is right.
 */

export const FINDING_KINDS = [
  'missing',
  'unexpected',
  'different',
  'commit_missing',
  'commit_doubled',
  'commit_different',
  'forgotten_found',
  'audit',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A value as it is shown; times and maps are texts, integers beyond 2^53 too. */
export type ShownValue = string | number | null;

export interface ColumnDifference {
  readonly name: string;
  readonly expected: ShownValue;
  readonly found: ShownValue;
}

export interface VerifyFinding {
  readonly kind: FindingKind;
  readonly table: string;
  readonly partition: number;
  readonly epoch: number;
  /** Names the row: project, view or window, and what else tells it from its neighbours. */
  readonly key: string;
  readonly columns?: readonly ColumnDifference[];
}

export type FindingCounts = Readonly<Record<FindingKind, number>>;

export class Findings {
  readonly #counts = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 0])) as Record<
    FindingKind,
    number
  >;
  readonly #waiting: VerifyFinding[] = [];
  #room: number;

  /** @param shownMax Findings beyond are counted only. */
  constructor(shownMax: number) {
    this.#room = shownMax;
  }

  get counts(): FindingCounts {
    return { ...this.#counts };
  }

  add(kind: FindingKind, describe: () => Omit<VerifyFinding, 'kind'>): void {
    this.#counts[kind]++;
    if (this.#room === 0) return;
    this.#room--;
    this.#waiting.push({ kind, ...describe() });
  }

  /** Those since the last call. */
  take(): VerifyFinding[] {
    return this.#waiting.splice(0);
  }
}
