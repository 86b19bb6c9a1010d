/** What a client makes of an ingest's answer: what it says, how long to wait, how to count it. */

/** An answer as the clients keep it. Status 0: none came. */
export interface Answer {
  readonly status: number;
  /** Wait that the server asks for, ms. */
  readonly retryAfterMs: number | undefined;
  readonly said: Record<string, unknown>;
}

export interface BackoffLimits {
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  readonly retryAfterMsMax: number;
}

/** The answer's JSON object; empty when it is none. */
export function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Retry-After is seconds or an HTTP date (RFC 9110, section 10.2.3); ms. */
export function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The server does not have the route: what it would take is skipped. */
export function isLacking(status: number): boolean {
  return status === 404 || status === 501;
}

/** How long to wait before the next attempt, ms: what the server asks for, else longer each time; bounded. */
export function waitMs({ retryAfterMs }: Answer, attempts: number, limits: BackoffLimits): number {
  const { backoffMsMin, backoffMsMax, retryAfterMsMax } = limits;
  if (retryAfterMs !== undefined) {
    return Math.min(Math.max(retryAfterMs, backoffMsMin), retryAfterMsMax);
  }
  return Math.min(backoffMsMin * 2 ** (attempts - 1), backoffMsMax);
}

/** Name under which an answer that was no 2xx is counted: status and code. */
export function answerName({ status, said }: Answer): string {
  if (status === 0) return 'no answer';
  return typeof said.code === 'string' ? `${status} ${said.code}` : String(status);
}

/** How many of the records sent were accepted and rejected, as a 2xx says. */
export function countRecords(
  { said }: Answer,
  sent: number,
): { accepted: number; rejected: number } {
  const { accepted, rejected, rejectedTotal } = said;
  const listed = Array.isArray(rejected) ? rejected.length : 0;
  // The list of an answer is bounded; the total is not.
  const refused = typeof rejectedTotal === 'number' ? rejectedTotal : listed;
  return { accepted: typeof accepted === 'number' ? accepted : sent - refused, rejected: refused };
}
