/** Exceptions as ClickHouse's HTTP interface tells them: a number, a text that begins with it, a status. */
import { ClickHouseError } from '@clickhouse/client';
import { StoreError } from '../../../platform/store/store.ts';

export class Exception extends Error {
  readonly code: number;
  constructor(code: number, type: string, message: string) {
    super(`Code: ${code}. DB::Exception: ${message} (${type})`);
    this.code = code;
  }
}

const STATUS: Readonly<Record<number, number>> = {
  // Texts and data that cannot be read.
  ...ofAll(400, [6, 25, 26, 27, 33, 38, 41, 53, 62, 72, 117]),
  194: 401, // REQUIRED_PASSWORD
  ...ofAll(403, [192, 193, 516]),
  // Names of things that are not there.
  ...ofAll(404, [36, 46, 47, 50, 56, 60, 73, 78, 81, 115]),
  159: 408, // TIMEOUT_EXCEEDED
  48: 501, // NOT_IMPLEMENTED
  ...ofAll(503, [76, 209]),
};

function ofAll(status: number, codes: readonly number[]): Record<number, number> {
  return Object.fromEntries(codes.map((code) => [code, status]));
}

export function statusOf({ code }: Exception): number {
  return STATUS[code] ?? 500;
}

/** What the embedded engine, or the front around it, threw. */
export function exceptionOf(cause: unknown): Exception {
  if (cause instanceof Exception) return cause;
  if (cause instanceof ClickHouseError) {
    return new Exception(
      Number(cause.code),
      cause.type ?? 'UNKNOWN_EXCEPTION',
      cause.message.trim(),
    );
  }
  if (cause instanceof StoreError)
    return new Exception(456, 'UNKNOWN_QUERY_PARAMETER', cause.message);
  return new Exception(1001, 'STD_EXCEPTION', String(cause));
}
