/** What holds whatever is sent. Each throws by `expect` where it does not. */
import { expect } from 'vitest';
import { INGEST_ERRORS } from '../../../ingest/errors.ts';
import { PartitionFold } from '../../../processors/partition.ts';
import { REFUSED_EVENT } from '../../../schemas/beat.ts';
import { decodeBody, HEADER_BYTES, recordVersionOf } from '../../../schemas/records.ts';
import { isWhole } from '../../../schemas/whole-record.ts';
import { type Appended, bodiesOf } from '../ingest-server.ts';

export interface SeenAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const PROBLEM = 'application/problem+json';
const REFUSALS: ReadonlySet<number> = new Set([
  ...[400, 401, 404, 405, 408, 410, 411, 413, 414, 415, 417, 429, 431],
]);

/** A documented status, and of a refusal a problem with a code of the table. Nothing here is overloaded: no 5xx. */
export function checkAnswer({ statusCode, headers, body }: SeenAnswer): void {
  if (statusCode >= 200 && statusCode < 300) return;
  expect(REFUSALS, `${statusCode} ${body}`).toContain(statusCode);
  expect(headers['content-type']).toContain(PROBLEM);
  const { code, status, detail } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  expect(Object.keys(INGEST_ERRORS)).toContain(code);
  expect(status).toBe(statusCode);
  expect(String(detail).length).toBeLessThan(1_000);
}

/** How much a run of the event loop may take. A clock would also count other processes. */
const HELD_CPU_MS_MAX = 1_000;

/** CPU that a step took, ms. */
export function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Runs a step, which must not hold the event loop. */
export async function withoutHang<Result>(step: () => Result | Promise<Result>): Promise<Result> {
  const before = process.cpuUsage();
  const result = await step();
  expect(cpuMsSince(before)).toBeLessThan(HELD_CPU_MS_MAX);
  return result;
}

/** What of a request came to the log. */
export interface Logged {
  readonly events: number;
  readonly requests: number;
  readonly rejects: number;
}

/** Every record can be read, and the fold takes it without a fault. */
export function checkRecords(appended: readonly Appended[]): Logged {
  const fold = new PartitionFold(0);
  for (const [offset, { value }] of appended.entries()) {
    const version = recordVersionOf(value);
    if (version === undefined) throw new Error('the log has a record of no known schema');
    expect(isWhole(version.type, value, HEADER_BYTES)).toBe(true);
    decodeBody(version, value);
    fold.fold({ offset, appendTimeMs: 1_795_326_200_000 + offset, value }, () => undefined);
  }
  fold.endEpoch();
  expect(fold.failure).toBeUndefined();
  const values = appended.map(({ value }) => value);
  const events = bodiesOf('beat', values).flatMap((beat) => beat.events);
  return {
    events: events.filter(({ name }) => name !== REFUSED_EVENT).length,
    requests: bodiesOf('edge', values).flatMap((record) => record.requests).length,
    rejects: bodiesOf('reject', values).length,
  };
}

export interface Faults {
  /** Throws when something failed of which nobody was told. */
  check(): void;
  stop(): void;
}

/** Watches for promises and callbacks that failed and that nobody caught. */
export function watchFaults(): Faults {
  const faults: unknown[] = [];
  const remember = (fault: unknown) => void faults.push(fault);
  process.on('unhandledRejection', remember);
  process.on('uncaughtException', remember);
  return {
    check: () => expect(faults).toEqual([]),
    stop: () => {
      process.off('unhandledRejection', remember);
      process.off('uncaughtException', remember);
    },
  };
}
