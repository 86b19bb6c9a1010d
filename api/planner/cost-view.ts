/** What edge logs tell of the requests of one view, by day of UTC: no price changes within one. */
import { DAY_MS } from '../../platform/prices/months.ts';
import { FILLED } from './cost-scope.ts';
import { allOf, projectCondition } from './scope.ts';
import { createBinder, type Statement } from './statement.ts';

export interface ViewUsageRow {
  /** Begin of the day, ms since 1970. */
  readonly q_day: number;
  readonly q_cdn: string;
  readonly q_country: string;
  readonly q_bytes: string;
  readonly q_requests: string;
  readonly q_origin: string;
}

export interface ViewOf {
  readonly project: string;
  readonly viewId: string;
  /** What is known of the view, for requests that do not say it. */
  readonly cdn: string;
  readonly country: string;
}

export function planViewUsage(view: ViewOf): Statement {
  const binder = createBinder();
  const said = (name: 'cdn' | 'country'): string =>
    `if(${name} != '', toString(${name}), ${binder.bind('String', view[name])})`;
  const columns = [
    `intDiv(toUnixTimestamp64Milli(at), ${DAY_MS}) * ${DAY_MS} AS q_day`,
    `${said('cdn')} AS q_cdn`,
    `${said('country')} AS q_country`,
    'toString(sum(greatest(bytes, 0))) AS q_bytes',
    'toString(count()) AS q_requests',
    `toString(sumIf(greatest(bytes, 0), cache IN (${FILLED}))) AS q_origin`,
  ];
  const where = allOf([
    projectCondition(view, binder),
    `view_id = ${binder.bind('String', view.viewId)}`,
    "source = 'edge'",
  ]);
  const sql = `SELECT ${columns.join(', ')} FROM requests WHERE ${where} GROUP BY q_day, q_cdn, q_country`;
  return { sql, params: binder.params };
}
