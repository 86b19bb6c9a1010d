/** The product, the project, and how fresh the figures are. */
import type { Api } from '../api/client.ts';
import { age, clock, utc } from '../figures/time.ts';
import { useClock } from '../state/use-clock.ts';
import type { Live } from '../state/use-live.ts';

const STATUS = {
  connecting: 'connecting',
  live: 'live',
  lost: 'stream lost, trying again',
} as const;

interface Props {
  readonly api: Api;
  readonly project: string;
  readonly live: Live;
  /** Places of the page: where each link leads, and which of them is seen. */
  readonly places: readonly Place[];
}

export interface Place {
  readonly title: string;
  readonly href: string;
  readonly here: boolean;
}

export function PageHeader({ api, project, live, places }: Props) {
  return (
    <header class="page-header">
      <a class="brand" href={places[0]?.href ?? '#/'}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path class="brand-arc" d="M5 23a12.5 12.5 0 1 1 22 0" />
          <path class="brand-hand" d="M16 20 22 11" />
        </svg>
        Streamgauge
      </a>
      {project !== '' && (
        <span class="project" title="Project">
          {project}
        </span>
      )}
      <nav class="places" aria-label="Places">
        {places.map(({ title, href, here }) => (
          <a key={title} href={href} aria-current={here ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <Freshness api={api} live={live} />
      <a class="docs" href="docs">
        API
      </a>
    </header>
  );
}

function Freshness({ api, live: { status, throughMs } }: { api: Api; live: Live }) {
  const nowMs = useClock(api);
  return (
    <p class="freshness">
      <i class={`dot dot-${status}`} />
      <span class="status" role="status">
        {STATUS[status]}
      </span>
      {throughMs !== null && (
        <span
          class="through"
          title={`Figures up to ${utc(throughMs)} are complete; later ones are still filling.`}
        >
          complete through <time>{clock(throughMs)}</time>{' '}
          <small>{age(nowMs - throughMs)} ago</small>
        </span>
      )}
    </p>
  );
}
