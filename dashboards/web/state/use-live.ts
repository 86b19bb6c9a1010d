/**
 * Follows the stream: the newest figures of the whole project, epoch by epoch.
 *
 * Guarantee: a broken connection is taken up again by itself; a page in the background holds none, because a browser has
 * only a few for one host; while it is broken no figure passes for a live one.
 */
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { type LiveFigures, parseMessage } from './live-message.ts';

export type LiveStatus = 'connecting' | 'live' | 'lost';

export interface Live extends LiveFigures {
  readonly status: LiveStatus;
}

const NOTHING: Live = { status: 'connecting', throughMs: null, figures: new Map() };
/** Pause before a refused stream is asked for again, ms. */
const RETRY_MS = 5_000;

export function useLive(api: Api): Live {
  const [live, setLive] = useState<Live>(NOTHING);
  const url = api.url('data/v1/monitoring/stream');

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const close = (): void => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
    };
    function open(): void {
      close();
      if (document.hidden) return;
      const opened = new EventSource(url);
      source = opened;
      opened.addEventListener('open', () => setLive((before) => ({ ...before, status: 'live' })));
      opened.addEventListener('epoch', ({ data }: MessageEvent<string>) => {
        const figures = parseMessage(data);
        if (figures !== undefined) setLive({ status: 'live', ...figures });
      });
      opened.onerror = () => {
        // What was true is not true any more; only how far it was complete stays.
        setLive(({ throughMs }) => ({ ...NOTHING, status: 'lost', throughMs }));
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS);
      };
    }
    open();
    document.addEventListener('visibilitychange', open);
    return () => {
      document.removeEventListener('visibilitychange', open);
      close();
    };
  }, [url]);

  return live;
}
