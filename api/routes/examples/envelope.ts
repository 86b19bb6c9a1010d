/** What every example of the reference shares: a day, and the envelope around its data. */

/** What stands in the envelope of an answer. */
export interface AnswerExample {
  readonly data: unknown;
  /** Rows over all pages; null where an answer has no rows. */
  readonly rows: number | null;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** The day that examples are about, s since 1970: 2026-01-01, UTC. */
const FROM_S = 1_767_225_600;
const DAY_S = 86_400;

/** Figures of the day are complete. */
export const THROUGH = '2026-01-02T00:00:04.120Z';

export function envelopeExample({ data, rows, meta }: AnswerExample): object {
  return { data, timeframe: [FROM_S, FROM_S + DAY_S], total_row_count: rows, meta };
}
