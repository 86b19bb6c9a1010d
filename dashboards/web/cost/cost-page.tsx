/** What delivery costs, and what viewers get for it. */
import type { Api } from '../api/client.ts';
import { readCost } from '../api/cost.ts';
import { Chips } from '../overview/chips.tsx';
import { Trouble } from '../overview/trouble.tsx';
import { frameOf, SPAN_TITLES } from '../state/cost-frame.ts';
import { COST_SPANS, type CostPage } from '../state/cost-route.ts';
import { withFilter } from '../state/filters.ts';
import { usePoll } from '../state/use-poll.ts';
import type { Navigation } from '../state/use-route.ts';
import { BlamePanel } from './blame-panel.tsx';
import { OverTimePanel } from './over-time.tsx';
import { Scoreboard } from './scoreboard.tsx';
import { NoEdgeLogs, NoPrices, UnpricedNote } from './states.tsx';
import { CostTiles } from './tiles.tsx';
import { WhatIfPanel } from './what-if-panel.tsx';

const POLL_MS = 30_000;

interface Props {
  readonly api: Api;
  readonly route: CostPage;
  readonly go: Navigation['go'];
}

export function CostPlace({ api, route, go }: Props) {
  const { span, filters } = route;
  const cost = usePoll(
    JSON.stringify([span, filters]),
    (signal) => readCost(api, { frame: frameOf(span, api.now()), filters }, signal),
    POLL_MS,
  );
  const change = (changes: Partial<CostPage>): void =>
    go({ ...route, ...changes }, !('filters' in changes));
  const unpriced = cost.problem?.code === 'prices_missing';
  const empty = cost.value?.data.requests === 0 && filters.length === 0;
  return (
    <main class="cost">
      <h1 class="hidden">Cost</h1>
      <div class="cost-head">
        <Spans span={span} onChange={change} />
        <Chips filters={filters} onChange={(left) => change({ filters: left })} />
      </div>
      {unpriced && <NoPrices what="What delivery costs" />}
      {cost.problem !== undefined && !unpriced && (
        <Trouble problem={cost.problem} old={cost.value !== undefined} />
      )}
      {empty && <NoEdgeLogs origin={location.origin} />}
      {!unpriced && (
        <CostTiles answer={cost.value} stale={cost.stale} filtered={filters.length > 0} />
      )}
      <UnpricedNote unpriced={cost.value?.meta.unpriced ?? []} />
      <Scoreboard
        api={api}
        route={route}
        onChange={change}
        onFilter={(filter) => change({ filters: withFilter(filters, filter) })}
      />
      <div class="columns cost-columns">
        <OverTimePanel api={api} route={route} onChange={change} />
        <BlamePanel api={api} route={route} />
      </div>
      <WhatIfPanel api={api} route={route} onChange={change} />
    </main>
  );
}

interface SpansProps {
  readonly span: CostPage['span'];
  readonly onChange: (change: Partial<CostPage>) => void;
}

function Spans({ span, onChange }: SpansProps) {
  return (
    <fieldset class="choices">
      <legend class="hidden">Time</legend>
      {COST_SPANS.map((each) => {
        const [title, hint] = SPAN_TITLES[each];
        return (
          <button
            key={each}
            type="button"
            title={hint}
            aria-pressed={span === each}
            onClick={() => onChange({ span: each })}
          >
            {title}
          </button>
        );
      })}
    </fieldset>
  );
}
