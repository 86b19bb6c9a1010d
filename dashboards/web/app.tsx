/** The page: its header, and what the URL's hash asks for. */
import { useEffect, useRef } from 'preact/hooks';
import type { PageFacts } from './api/answers.ts';
import type { Api } from './api/client.ts';
import { CostPlace } from './cost/cost-page.tsx';
import { OverviewPage } from './overview/overview-page.tsx';
import { PageHeader } from './overview/page-header.tsx';
import { type CostPage, STANDARD_COST } from './state/cost-route.ts';
import { formatRoute, type Overview, type Route, STANDARD } from './state/route.ts';
import { useLive } from './state/use-live.ts';
import { usePoll } from './state/use-poll.ts';
import { useRoute } from './state/use-route.ts';
import { ViewPage } from './view/view-page.tsx';

export function App({ api }: { api: Api }) {
  const { route, go } = useRoute();
  const overview = useRef<Overview>(STANDARD);
  const cost = useRef<CostPage>(STANDARD_COST);
  if (route.page === 'overview') overview.current = route;
  if (route.page === 'cost') cost.current = route;
  const live = useLive(api);
  const facts = usePoll('facts', (signal) => api.read<PageFacts>('page.json', signal), null);
  const back = formatRoute(overview.current);
  const title = titleOf(route);

  useEffect(() => {
    document.title = title;
    scrollTo(0, 0);
  }, [title]);

  const places = [
    { title: 'Overview', href: back, here: route.page === 'overview' },
    { title: 'Cost', href: formatRoute(cost.current), here: route.page === 'cost' },
  ];
  return (
    <>
      <PageHeader api={api} project={facts.value?.project ?? ''} live={live} places={places} />
      {route.page === 'view' && <ViewPage key={route.id} api={api} id={route.id} back={back} />}
      {route.page === 'cost' && <CostPlace api={api} route={route} go={go} />}
      {route.page === 'overview' && <OverviewPage api={api} route={route} live={live} go={go} />}
    </>
  );
}

function titleOf(route: Route): string {
  if (route.page === 'overview') return 'Streamgauge';
  const place = route.page === 'cost' ? 'Cost' : `View ${route.id.slice(0, 8)}`;
  return `${place} – Streamgauge`;
}
