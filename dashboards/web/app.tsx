/** The page: its header, and what the URL's hash asks for. */
import { useEffect, useRef } from 'preact/hooks';
import type { PageFacts } from './api/answers.ts';
import type { Api } from './api/client.ts';
import { OverviewPage } from './overview/overview-page.tsx';
import { PageHeader } from './overview/page-header.tsx';
import { formatRoute, type Overview, STANDARD } from './state/route.ts';
import { useLive } from './state/use-live.ts';
import { usePoll } from './state/use-poll.ts';
import { useRoute } from './state/use-route.ts';
import { ViewPage } from './view/view-page.tsx';

export function App({ api }: { api: Api }) {
  const { route, go } = useRoute();
  const last = useRef<Overview>(STANDARD);
  if (route.page === 'overview') last.current = route;
  const live = useLive(api);
  const facts = usePoll('facts', (signal) => api.read<PageFacts>('page.json', signal), null);
  const back = formatRoute(last.current);
  const place = route.page === 'view' ? route.id : '';

  useEffect(() => {
    document.title = place === '' ? 'Streamgauge' : `View ${place.slice(0, 8)} – Streamgauge`;
    scrollTo(0, 0);
  }, [place]);

  return (
    <>
      <PageHeader api={api} project={facts.value?.project ?? ''} live={live} home={back} />
      {route.page === 'view' ? (
        <ViewPage key={route.id} api={api} id={route.id} back={back} />
      ) : (
        <OverviewPage api={api} route={route} live={live} go={go} />
      )}
    </>
  );
}
