/** What each CDN costs and what viewers got for it: a row for each value, best and worst named. */
import type { Api } from '../api/client.ts';
import { SCORE_ROWS_MAX } from '../api/cost.ts';
import { figureText } from '../figures/format.ts';
import { decimalsFor, moneyText } from '../figures/money.ts';
import { dimensionTitle, valueTitle } from '../figures/tiles.ts';
import { Trouble } from '../overview/trouble.tsx';
import { frameOf } from '../state/cost-frame.ts';
import { COST_DIMENSIONS, type CostColumn, type CostPage } from '../state/cost-route.ts';
import type { Filter } from '../state/filters.ts';
import { usePoll } from '../state/use-poll.ts';
import { columnText } from './column-text.ts';
import { readScores, type Scores } from './read-scores.ts';
import {
  columnsFor,
  extremesOf,
  type ScoreColumn,
  type ScoreRow,
  sortedRows,
  verdictOf,
} from './score-columns.ts';

const POLL_MS = 30_000;

interface Props {
  readonly api: Api;
  readonly route: CostPage;
  readonly onChange: (change: Partial<CostPage>) => void;
  readonly onFilter: (filter: Filter) => void;
}

export function Scoreboard({ api, route, onChange, onFilter }: Props) {
  const { span, filters, by } = route;
  const { value, problem, stale } = usePoll(
    JSON.stringify([span, filters, by]),
    (signal) => readScores(api, { frame: frameOf(span, api.now()), filters, by }, signal),
    POLL_MS,
  );
  return (
    <section class="panel" aria-labelledby="scores-title">
      <header class="section-head">
        <h2 id="scores-title">Scoreboard</h2>
        <fieldset class="choices choices-left">
          <legend class="hidden">A row for each</legend>
          {COST_DIMENSIONS.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={by === name}
              onClick={() => onChange({ by: name })}
            >
              {SHORT[name]}
            </button>
          ))}
        </fieldset>
      </header>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div class={stale ? 'scroll score-scroll chart-stale' : 'scroll score-scroll'}>
        <Table
          scores={value ?? { by, rows: [], total: 0, currency: '' }}
          route={route}
          onChange={onChange}
          onFilter={onFilter}
        />
      </div>
      {value !== undefined && <Note scores={value} filtered={filters.length > 0} />}
    </section>
  );
}

const SHORT = {
  cdn: 'CDN',
  country: 'Country',
  asn: 'Network',
  viewer_device_category: 'Device',
  video_title: 'Video',
} as const;

function Note({ scores: { rows, total }, filtered }: { scores: Scores; filtered: boolean }) {
  if (rows.length === 0) {
    return (
      <p class="empty">
        {filtered
          ? 'Nothing was delivered that matches the filters.'
          : 'Nothing was delivered in this time. Send edge logs, or choose a longer time.'}
      </p>
    );
  }
  return (
    <p class="definition">
      Press a name to filter by it. Best and worst among those with at least 1% of the bytes.
      {total > rows.length && ` The ${SCORE_ROWS_MAX} dearest of ${figureText(total, 'count')}.`}
    </p>
  );
}

interface TableProps {
  readonly scores: Scores;
  readonly route: CostPage;
  readonly onChange: Props['onChange'];
  readonly onFilter: Props['onFilter'];
}

function Table({ scores, route, onChange, onFilter }: TableProps) {
  const { by, rows, currency } = scores;
  const columns = columnsFor(currency !== undefined);
  const cells = columns.map((column) => ({ column, ...lookOf(rows, column, currency ?? '') }));
  return (
    <table class="scores">
      <thead>
        <tr>
          <Head id="name" title={dimensionTitle(by)} hint="" route={route} onChange={onChange} />
          {columns.map((column) => (
            <Head key={column.id} {...column} route={route} onChange={onChange} />
          ))}
        </tr>
      </thead>
      <tbody>
        {sortedRows(rows, route).map((row) => (
          <tr key={row.name}>
            <th scope="row" class="name">
              <button
                type="button"
                class="value"
                title={`Show only ${dimensionTitle(by)}: ${valueTitle(by, row.name)}`}
                onClick={() => onFilter({ dimension: by, value: row.name })}
              >
                <span class={row.name === '' ? 'unknown' : ''}>{valueTitle(by, row.name)}</span>
              </button>
            </th>
            {cells.map((cell) => (
              <Cell key={cell.column.id} row={row} {...cell} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps {
  readonly id: CostColumn | 'name';
  readonly title: string;
  readonly hint: string;
  readonly good?: 'low' | 'high';
  readonly route: CostPage;
  readonly onChange: Props['onChange'];
}

/** The first press sorts by what there is most of; by a figure that can be bad, the worst first. */
function Head({ id, title, hint, good, route: { sort, order }, onChange }: HeadProps) {
  const sorting = sort === id;
  const first = id === 'name' || good === 'high' ? 'asc' : 'desc';
  const next = sorting ? (order === 'asc' ? 'desc' : 'asc') : first;
  return (
    <th
      scope="col"
      class={id === 'name' ? 'name' : 'number'}
      aria-sort={sorting ? (order === 'desc' ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" title={hint} onClick={() => onChange({ sort: id, order: next })}>
        {title}
        <span class="arrow" aria-hidden="true">
          {sorting ? (order === 'desc' ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  );
}

interface Look {
  readonly extremes: ReturnType<typeof extremesOf>;
  readonly text: (row: ScoreRow) => string;
  /** Length of the bar of an amount, 0 to 1. */
  readonly bar: (row: ScoreRow) => number | undefined;
}

function lookOf(rows: readonly ScoreRow[], column: ScoreColumn, currency: string): Look {
  const { id, unit, good } = column;
  const most = Math.max(0, ...rows.map(({ values }) => Number(values[id] ?? 0)));
  const bar = (row: ScoreRow): number | undefined =>
    good === undefined && most > 0 ? Number(row.values[id] ?? 0) / most : undefined;
  const extremes = extremesOf(rows, column);
  if (unit !== 'money') {
    const textOf = columnText(
      rows.map(({ values }) => numberOf(values[id])),
      unit,
    );
    return { extremes, bar, text: ({ values }) => textOf(numberOf(values[id])) };
  }
  const of = ({ money }: ScoreRow) => money[id === 'cost' ? 'cost' : 'hourly'];
  const decimals = decimalsFor(rows.map(of));
  return { extremes, bar, text: (row) => moneyText(of(row), { currency, decimals }) };
}

const numberOf = (value: number | bigint | null): number | null =>
  value === null ? null : Number(value);

function Cell({ row, column, extremes, text, bar }: Look & { row: ScoreRow; column: ScoreColumn }) {
  const verdict = verdictOf(row, column.id, extremes);
  const length = bar(row);
  return (
    <td class="number" data-column={column.id}>
      {verdict !== undefined && <span class={`verdict verdict-${verdict}`}>{verdict}</span>}
      <span class="figure">{text(row)}</span>
      {length !== undefined && (
        <span class="score-bar" aria-hidden="true">
          <i style={{ width: `${Math.max(0, length) * 100}%` }} />
        </span>
      )}
    </td>
  );
}
