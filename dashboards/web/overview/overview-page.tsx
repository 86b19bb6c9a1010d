/** What happens now: figures, one of them over time, by a dimension, and the newest views. */
import { useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { readViews, type ViewOrder } from '../api/views.ts';
import { isInterval } from '../figures/tiles.ts';
import { type Filter, withFilter } from '../state/filters.ts';
import type { Overview } from '../state/route.ts';
import type { Live } from '../state/use-live.ts';
import { usePoll } from '../state/use-poll.ts';
import type { Navigation } from '../state/use-route.ts';
import { BreakdownTable } from './breakdown-table.tsx';
import { ChartPanel } from './chart-panel.tsx';
import { Chips } from './chips.tsx';
import { StartPanel } from './start-panel.tsx';
import { Tiles } from './tiles.tsx';
import { ViewList } from './view-list.tsx';

const POLL_MS = 5_000;
const HOURS = 24;
const VIEWS_FIRST = 15;
const VIEWS_STEP = 50;

interface Props {
  readonly api: Api;
  readonly route: Overview;
  readonly live: Live;
  readonly go: Navigation['go'];
}

export function OverviewPage({ api, route, live, go }: Props) {
  const { filters } = route;
  const [limit, setLimit] = useState(VIEWS_FIRST);
  const [order, setOrder] = useState<ViewOrder>('view_start');
  const views = usePoll(
    JSON.stringify([filters, limit, order]),
    (signal) => readViews(api, { filters, hours: HOURS, limit, order }, signal),
    POLL_MS,
  );
  const change = (changes: Partial<Overview>): void =>
    go({ ...route, ...changes }, !('filters' in changes));
  const now = filters.filter(({ dimension }) => isInterval(dimension));
  const addFilter = (filter: Filter): void => change({ filters: withFilter(filters, filter) });

  if (views.value?.total === 0 && filters.length === 0) {
    return (
      <main>
        <StartPanel />
      </main>
    );
  }
  return (
    <main class="overview">
      <h1 class="hidden">Overview</h1>
      <Chips
        filters={filters}
        partialNote="Figures of this moment do not carry it and stay unfiltered."
        onChange={(left) => change({ filters: left })}
      />
      <Tiles
        api={api}
        filters={now}
        live={live}
        chosen={route.metric}
        onChoose={(metric) => change({ metric })}
      />
      <ChartPanel api={api} route={route} filters={now} onChange={change} />
      <div class="columns">
        <BreakdownTable
          api={api}
          by={route.by}
          filters={isInterval(route.by) ? now : filters}
          minutes={route.minutes}
          onBy={(by) => change({ by })}
          onFilter={addFilter}
        />
        <ViewList
          api={api}
          polled={views}
          limit={limit}
          order={order}
          onOrder={setOrder}
          onMore={() => setLimit(limit + VIEWS_STEP)}
          onOpen={(id) => go({ page: 'view', id })}
        />
      </div>
    </main>
  );
}
