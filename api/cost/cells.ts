/** Rows of the store as cells of usage. */
import type { Volume } from '../../platform/prices/usage.ts';
import type { DeliveredRow } from '../planner/cost.ts';
import type { RequestedRow } from '../planner/cost-requests.ts';

/** Usage of one piece (a period, a CDN, and a group of countries), and of one key. */
export interface DeliveredCell {
  /** The same for the same piece of both tables. */
  readonly id: string;
  readonly period: number;
  readonly cdn: string;
  readonly country: string;
  readonly field: string;
  readonly volume: Volume;
}

export interface RequestedCell extends DeliveredCell {
  /** Whether the filters of views are met. */
  readonly matched: boolean;
}

export function pieceIdOf({ q_period, q_cdn, q_country }: DeliveredRow): string {
  return JSON.stringify([q_period, q_cdn, q_country]);
}

export function cellOf(row: DeliveredRow): DeliveredCell {
  const { q_period: period, q_cdn: cdn, q_country: country, q_field: field } = row;
  return { id: pieceIdOf(row), period, cdn, country, field, volume: volumeOf(row) };
}

export const requestedCellOf = (row: RequestedRow): RequestedCell => ({
  ...cellOf(row),
  matched: row.q_matched === 1,
});

function volumeOf({ q_bytes, q_requests, q_origin }: DeliveredRow): Volume {
  return {
    bytes: BigInt(q_bytes),
    requests: BigInt(q_requests),
    originBytes: BigInt(q_origin),
  };
}
