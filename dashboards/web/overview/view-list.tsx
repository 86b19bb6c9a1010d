/** The newest views, live ones too. A press opens a view's timeline. */
import { useState } from 'preact/hooks';
import type { ViewListItem } from '../api/answers.ts';
import type { Api } from '../api/client.ts';
import type { ViewList as Answer, ViewOrder } from '../api/views.ts';
import { figureText } from '../figures/format.ts';
import { valueTitle } from '../figures/tiles.ts';
import { moment, utc } from '../figures/time.ts';
import { formatRoute } from '../state/route.ts';
import type { Polled } from '../state/use-poll.ts';
import { Badge } from './badge.tsx';
import { Trouble } from './trouble.tsx';

interface Props {
  readonly api: Api;
  readonly polled: Polled<Answer>;
  readonly limit: number;
  readonly order: ViewOrder;
  readonly onOrder: (order: ViewOrder) => void;
  readonly onMore: () => void;
  readonly onOpen: (id: string) => void;
}

const ORDERS: readonly (readonly [ViewOrder, string])[] = [
  ['view_start', 'Newest'],
  ['view_end', 'Ended last'],
];

export function ViewList(props: Props) {
  const { api, polled, limit, order, onOrder, onMore, onOpen } = props;
  const { value, problem, stale } = polled;
  const views = value?.views ?? [];
  return (
    <section class="panel" aria-labelledby="views-title">
      <header class="section-head">
        <h2 id="views-title">
          Views {value !== undefined && <small>{figureText(value.total, 'count')} in 24 h</small>}
        </h2>
        <fieldset class="choices choices-left">
          <legend class="hidden">Order</legend>
          {ORDERS.map(([name, title]) => (
            <button
              key={name}
              type="button"
              aria-pressed={order === name}
              onClick={() => onOrder(name)}
            >
              {title}
            </button>
          ))}
        </fieldset>
        <Search onOpen={onOpen} />
      </header>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div class={stale ? 'scroll chart-stale' : 'scroll'}>
        <table class="views">
          <thead>
            <tr>
              <th scope="col">{order === 'view_start' ? 'Began' : 'Ended'}</th>
              <th scope="col" class="name">
                Title
              </th>
              <th scope="col">Outcome</th>
              <th scope="col" class="number">
                Startup
              </th>
              <th scope="col" class="number">
                Rebuffering
              </th>
              <th scope="col">Country</th>
              <th scope="col">Device</th>
            </tr>
          </thead>
          <tbody>
            {views.map((view) => (
              <Row key={view.id} view={view} order={order} nowMs={api.now()} />
            ))}
          </tbody>
        </table>
      </div>
      {value !== undefined && views.length === 0 && <p class="empty">No view matches.</p>}
      {value !== undefined && value.total > views.length && views.length >= limit && (
        <button type="button" class="more" onClick={onMore}>
          Show more
        </button>
      )}
    </section>
  );
}

function Row({ view, order, nowMs }: { view: ViewListItem; order: ViewOrder; nowMs: number }) {
  const atMs = Date.parse(order === 'view_start' ? view.view_start : (view.view_end ?? ''));
  const title = view.video_title || view.video_id;
  const device = [view.viewer_device_category, view.viewer_os_family, view.viewer_application_name];
  return (
    <tr>
      <td>
        {order === 'view_end' && view.live ? (
          '–'
        ) : (
          <time title={utc(atMs)}>{moment(atMs, nowMs)}</time>
        )}
      </td>
      <th scope="row" class="name">
        <a href={formatRoute({ page: 'view', id: view.id })} title={`View ${view.id}`}>
          {title === '' ? <code>{view.id}</code> : title}
        </a>
      </th>
      <td>
        <Badge live={view.live} outcome={view.live ? 'live' : view.outcome} />
      </td>
      <td class="number">{figureText(view.video_startup_time, 'ms')}</td>
      <td class="number">{figureText(view.rebuffer_percentage, 'fraction')}</td>
      <td title={valueTitle('country', view.country_code ?? '')}>{view.country_code ?? '–'}</td>
      <td class="device">
        {device.filter((part) => part !== null && part !== undefined && part !== '').join(', ') ||
          '–'}
      </td>
    </tr>
  );
}

function Search({ onOpen }: { onOpen: (id: string) => void }) {
  const [id, setId] = useState('');
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (id.trim() !== '') onOpen(id.trim());
        }}
      >
        <input
          type="search"
          value={id}
          placeholder="View id"
          aria-label="View id"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setId(currentTarget.value)}
        />
        <button type="submit" disabled={id.trim() === ''}>
          Open
        </button>
      </form>
    </search>
  );
}
