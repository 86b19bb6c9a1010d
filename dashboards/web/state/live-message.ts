/** What a message of the stream says. */

export interface LiveFigures {
  /** Until when figures are complete, ms since 1970; null before the first. */
  readonly throughMs: number | null;
  /** Value of this moment by metric, over the whole project; null where nothing is known. */
  readonly figures: ReadonlyMap<string, number | null>;
}

/** Undefined when it is none of ours: a newer server may say things in another way. */
export function parseMessage(text: string): LiveFigures | undefined {
  const message = objectOf(parsed(text));
  const totals = objectOf(message?.totals);
  if (message === undefined || totals === undefined) return undefined;
  const throughMs = Date.parse(String(message.complete_through));
  const figures = Object.entries(totals).flatMap(([name, value]) =>
    value === null || typeof value === 'number' ? [[name, value] as const] : [],
  );
  return { throughMs: Number.isNaN(throughMs) ? null : throughMs, figures: new Map(figures) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}
