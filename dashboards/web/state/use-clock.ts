/** The time, once a second, for ages that grow by themselves. */
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';

const TICK_MS = 1_000;

export function useClock(api: Api): number {
  const [nowMs, setNow] = useState(api.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(api.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [api]);
  return nowMs;
}
