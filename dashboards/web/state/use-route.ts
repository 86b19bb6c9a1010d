/** The route of the URL's hash, as it changes. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatRoute, parseRoute, type Route } from './route.ts';

export interface Navigation {
  readonly route: Route;
  /** Goes there; `replace` leaves no step for the browser's back. */
  readonly go: (route: Route, replace?: boolean) => void;
}

export function useRoute(): Navigation {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const read = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const go = useCallback((next: Route, replace = false) => {
    const hash = formatRoute(next);
    if (replace) history.replaceState(null, '', hash);
    else history.pushState(null, '', hash);
    setRoute(next);
  }, []);
  return { route, go };
}
