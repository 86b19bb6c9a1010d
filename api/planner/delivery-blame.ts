/** What of both sides no single figure says: all three shares and times by a dimension, and the affected requests. */
import { HOPS, type Hop } from '../../schemas/catalogue/delivery-side-metrics.ts';
import type { Page } from './breakdown.ts';
import { hopTime, type SideScope, sideRows } from './delivery-sides.ts';
import { createBinder, type Statement } from './statement.ts';

export const BLAME_ORDERS = [
  'affected_requests',
  'affected_percentage',
  'requests',
  'field',
] as const;
export type BlameOrder = (typeof BLAME_ORDERS)[number];

export interface BlameQuestion extends Page {
  readonly dimension: string;
  readonly orderBy: BlameOrder;
  readonly descending: boolean;
}

export interface BlameRow extends Readonly<Record<`${Hop}_time` | `blame_${Hop}`, number | null>> {
  readonly field: string;
  readonly requests: number;
  readonly paired_requests: number;
  readonly cmsd_requests: number;
  readonly affected_requests: number;
  readonly affected_percentage: number;
  readonly total_rows: number;
}

/** The values of a dimension with the shares of each hop in what was affected, and its mean time. */
export function planBlame(scope: SideScope, question: BlameQuestion): Statement {
  const binder = createBinder();
  const rows = sideRows(scope, [question.dimension], binder);
  const inner = [
    `${rows.dimension(question.dimension)} AS q_field`,
    's.paired AS q_paired',
    's.by_cmsd AS q_cmsd',
    's.affected AS q_affected',
    's.blamed AS q_blamed',
    ...HOPS.map((hop) => `${hopTime(hop)} AS q_${hop}`),
  ];
  const hops = HOPS.flatMap((hop) => [
    `if(affected_requests = 0, NULL, countIf(q_blamed = '${hop}') / affected_requests) AS blame_${hop}`,
    `if(count(q_${hop}) = 0, NULL, sum(q_${hop}) / count(q_${hop})) AS ${hop}_time`,
  ]);
  const direction = question.descending ? 'DESC' : 'ASC';
  const last = question.orderBy === 'field' ? '' : ', field ASC';
  const sql = `${rows.with} SELECT q_field AS field, count() AS requests, countIf(q_paired = 1) AS paired_requests,
  countIf(q_cmsd = 1) AS cmsd_requests, countIf(q_affected = 1) AS affected_requests,
  affected_requests / requests AS affected_percentage, ${hops.join(', ')}, count() OVER () AS total_rows
FROM (SELECT ${inner.join(', ')} ${rows.from}) GROUP BY q_field
ORDER BY ${question.orderBy} ${direction}${last} LIMIT ${binder.bind('Int64', question.limit)}
OFFSET ${binder.bind('Int64', (question.page - 1) * question.limit)} ${rows.settings}`;
  return { sql, params: binder.params };
}

export interface AffectedRow extends Readonly<Record<`${Hop}_ms`, number | null>> {
  readonly view_id: string;
  /** ms since 1970. */
  readonly at_ms: number;
  readonly object_type: string;
  readonly cdn: string;
  readonly asn: string;
  readonly status: number;
  readonly edge_status: number | null;
  readonly bytes: number;
  readonly total_ms: number | null;
  readonly expected_ms: number;
  readonly split: string;
  readonly blamed: string;
  readonly total_rows: number;
}

/** Affected requests, the newest first. */
export function planAffected(scope: SideScope, hop: Hop | undefined, page: Page): Statement {
  const binder = createBinder();
  const rows = sideRows(scope, ['cdn', 'asn'], binder);
  const columns = [
    's.view_id AS view_id',
    's.at_ms AS at_ms',
    'toString(s.p_object_type) AS object_type',
    `${rows.dimension('cdn')} AS cdn`,
    `${rows.dimension('asn')} AS asn`,
    's.p_status AS status',
    'if(s.paired = 1, s.e_status, NULL) AS edge_status',
    's.size AS bytes',
    'if(s.p_total_ms >= 0, s.p_total_ms, NULL) AS total_ms',
    's.expected_ms AS expected_ms',
    ...HOPS.map((name) => `${hopTime(name)} AS ${name}_ms`),
    "multiIf(s.paired = 1, 'edge', s.by_cmsd = 1, 'cmsd', '') AS split",
    's.blamed AS blamed',
    'count() OVER () AS total_rows',
  ];
  const chosen = hop === undefined ? '' : ` AND s.blamed = ${binder.bind('String', hop)}`;
  const sql = `${rows.with} SELECT ${columns.join(', ')} ${rows.from} AND s.affected = 1${chosen}
ORDER BY s.at_ms DESC, s.view_id, s.url_key LIMIT ${binder.bind('Int64', page.limit)}
OFFSET ${binder.bind('Int64', (page.page - 1) * page.limit)} ${rows.settings}`;
  return { sql, params: binder.params };
}
