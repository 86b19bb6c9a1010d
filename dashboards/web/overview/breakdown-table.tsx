/** The figures by the values of a dimension. A press on a value filters the whole page by it. */
import { useState } from 'preact/hooks';
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import type { Api } from '../api/client.ts';
import { figureText } from '../figures/format.ts';
import { dimensionTitle, isInterval, valueTitle } from '../figures/tiles.ts';
import type { Filter } from '../state/filters.ts';
import type { SpanMinutes } from '../state/route.ts';
import { usePoll } from '../state/use-poll.ts';
import {
  type BreakdownTableData,
  type Column,
  columnsOf,
  type Order,
  readTable,
  sorted,
  type TableRow,
} from './breakdown-columns.ts';
import { Select } from './select.tsx';
import { Trouble } from './trouble.tsx';

const POLL_MS = 10_000;

/** One value a view, or nothing to group by. */
const LEFT_OUT: ReadonlySet<string> = new Set(['view_id', 'viewer_user_id']);

const choices = (wanted: boolean) =>
  dimensions
    .filter(({ name, interval }) => interval === wanted && !LEFT_OUT.has(name))
    .map(({ name, title }) => [name, title] as const);

interface Props {
  readonly api: Api;
  readonly by: string;
  readonly filters: readonly Filter[];
  readonly minutes: SpanMinutes;
  readonly onBy: (dimension: string) => void;
  readonly onFilter: (filter: Filter) => void;
}

export function BreakdownTable({ api, by, filters, minutes, onBy, onFilter }: Props) {
  const [order, setOrder] = useState<Order>({ column: 0, descending: true });
  const now = isInterval(by);
  const { value, problem, stale } = usePoll(
    JSON.stringify([by, filters, minutes]),
    (signal) => readTable(api, { by, filters, minutes }, signal),
    POLL_MS,
  );
  const data = value ?? { by, columns: columnsOf(by), rows: [] };
  return (
    <section class="panel" aria-labelledby="breakdown-title">
      <header class="section-head">
        <h2 id="breakdown-title">Breakdown</h2>
        <Select
          label="by"
          value={by}
          choices={choices(true)}
          more={{
            first: 'Figures of this moment',
            title: 'Views that ended',
            choices: choices(false),
          }}
          onChange={onBy}
        />
      </header>
      <p class="definition">
        {now
          ? `Viewers now; the rest over ${minutes} min.`
          : `Views that ended within ${minutes} min.`}
      </p>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div class={stale ? 'scroll chart-stale' : 'scroll'}>
        <table>
          <Heads data={data} order={order} onOrder={setOrder} />
          <tbody>
            {sorted(data.rows, order).map((row) => (
              <Row key={row.name} row={row} data={data} onFilter={onFilter} />
            ))}
          </tbody>
        </table>
      </div>
      {value !== undefined && value.rows.length === 0 && (
        <p class="empty">{emptyText(now, minutes, filters.length > 0)}</p>
      )}
    </section>
  );
}

function emptyText(now: boolean, minutes: number, filtered: boolean): string {
  const which = filtered ? 'No view that matches' : 'No view';
  return `${which}${now ? '' : ' ended'} in the last ${minutes} minutes.`;
}

interface HeadsProps {
  readonly data: BreakdownTableData;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}

function Heads({ data: { by, columns }, order, onOrder }: HeadsProps) {
  const head = (index: number, title: string) => {
    const sorting = order.column === index;
    const next = { column: index, descending: sorting ? !order.descending : index >= 0 };
    return (
      <th
        key={title}
        scope="col"
        class={index < 0 ? 'name' : 'number'}
        aria-sort={sorting ? (order.descending ? 'descending' : 'ascending') : 'none'}
      >
        <button type="button" onClick={() => onOrder(next)}>
          {title}
          <span class="arrow" aria-hidden="true">
            {sorting ? (order.descending ? '↓' : '↑') : ''}
          </span>
        </button>
      </th>
    );
  };
  return (
    <thead>
      <tr>
        {head(-1, dimensionTitle(by))}
        {columns.map(({ title }, index) => head(index, title))}
      </tr>
    </thead>
  );
}

interface RowProps {
  readonly row: TableRow;
  readonly data: BreakdownTableData;
  readonly onFilter: (filter: Filter) => void;
}

function Row({ row: { name, values }, data: { by, columns, rows }, onFilter }: RowProps) {
  const most = Math.max(1, ...rows.map((row) => row.values[0] ?? 0));
  const share = Math.max(0, values[0] ?? 0) / most;
  return (
    <tr>
      <th scope="row" class="name">
        <button
          type="button"
          class="value"
          onClick={() => onFilter({ dimension: by, value: name })}
          title={`Show only ${dimensionTitle(by)}: ${valueTitle(by, name)}`}
        >
          <span class={name === '' ? 'unknown' : ''}>{valueTitle(by, name)}</span>
        </button>
        <i class="bar" style={{ width: `${share * 100}%` }} />
      </th>
      {columns.map((column: Column, index) => (
        <td key={column.metric} class="number">
          {figureText(values[index], column.unit)}
        </td>
      ))}
    </tr>
  );
}
