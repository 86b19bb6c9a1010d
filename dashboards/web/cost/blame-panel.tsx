/** Which hop slow and failed requests are to be blamed on, by CDN. */
import type { Api } from '../api/client.ts';
import { type BlameRow, readBlame } from '../api/delivery.ts';
import { figureText } from '../figures/format.ts';
import { valueTitle } from '../figures/tiles.ts';
import { Trouble } from '../overview/trouble.tsx';
import { frameOf } from '../state/cost-frame.ts';
import type { CostPage } from '../state/cost-route.ts';
import { usePoll } from '../state/use-poll.ts';

/** The heaviest question of the page. */
const POLL_MS = 120_000;

const HOPS = ['network', 'edge', 'origin'] as const;

interface Props {
  readonly api: Api;
  readonly route: CostPage;
}

export function BlamePanel({ api, route: { span, filters } }: Props) {
  const { value, problem, stale } = usePoll(
    JSON.stringify([span, filters]),
    (signal) => readBlame(api, { frame: frameOf(span, api.now()), filters }, signal),
    POLL_MS,
  );
  const rows = value ?? [];
  return (
    <section class="panel blame" aria-labelledby="blame-title">
      <header class="section-head">
        <h2 id="blame-title">Who is to blame</h2>
      </header>
      <p class="definition">
        Of requests that were slow or failed, as far as both the player and its edge tell of them.
      </p>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div class={stale ? 'scroll chart-stale' : 'scroll'}>
        {value === undefined && problem === undefined && (
          <p class="empty">Looking through single requests…</p>
        )}
        {rows.length > 0 && <Table rows={rows} />}
      </div>
      {value !== undefined && rows.length === 0 && (
        <p class="empty">
          No request that a player and its edge both tell of. Send edge logs with the CMCD of their
          requests, and requests from players.
        </p>
      )}
    </section>
  );
}

function Table({ rows }: { rows: readonly BlameRow[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" class="name">
            CDN
          </th>
          <th
            scope="col"
            class="number"
            title="Share of the judged requests that were slow or failed"
          >
            Affected
          </th>
          {HOPS.map((hop) => (
            <th key={hop} scope="col" class="number">
              <i class={`key hop-${hop}`} />
              {hop}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.field} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { row: BlameRow }) {
  const shares = HOPS.map((hop) => [hop, row[`blame_${hop}_percentage`]] as const);
  return (
    <tr>
      <th scope="row" class="name">
        <span class={row.field === '' ? 'unknown' : ''}>{valueTitle('cdn', row.field)}</span>
        <span class="hops" aria-hidden="true">
          {shares.map(([hop, share]) => (
            <i key={hop} class={`hop-${hop}`} style={{ width: `${(share ?? 0) * 100}%` }} />
          ))}
        </span>
      </th>
      <td
        class="number"
        title={`${figureText(row.affected_requests, 'count')} of ${figureText(row.requests, 'count')} requests`}
      >
        {figureText(row.affected_percentage, 'fraction')}
      </td>
      {shares.map(([hop, share]) => (
        <td key={hop} class="number">
          {percent(share)}
        </td>
      ))}
    </tr>
  );
}

/** Whole percents: finer ones would pass for more than a judgement is. */
function percent(share: number | null): string {
  if (share === null) return '–';
  return share > 0 && share < 0.01 ? '<1%' : `${Math.round(share * 100)}%`;
}
