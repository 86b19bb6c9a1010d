/** One view: what it came to, its timeline, its events. A live view goes on as it is watched. */
import { useMemo, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { readView, type WholeView } from '../api/views.ts';
import { figureText } from '../figures/format.ts';
import { moment, utc } from '../figures/time.ts';
import { Badge } from '../overview/badge.tsx';
import { Trouble } from '../overview/trouble.tsx';
import { usePoll } from '../state/use-poll.ts';
import { bandsOf } from './bands.ts';
import { EventList } from './event-list.tsx';
import { Facts } from './facts.tsx';
import { linesOf } from './lines.ts';
import { momentsOf } from './moments.ts';
import { requestsOf } from './requests.ts';
import { type Picture, Timeline, usePlace } from './timeline.tsx';
import { useWindow } from './use-window.ts';
import { type Window, wholeOf } from './window.ts';

const POLL_MS = 4_000;
const EVENTS_A_PAGE = 1_000;

interface Props {
  readonly api: Api;
  readonly id: string;
  /** Where the list of views is. */
  readonly back: string;
}

export function ViewPage({ api, id, back }: Props) {
  const [everyMs, setEvery] = useState<number | null>(POLL_MS);
  const { value, problem } = usePoll(
    id,
    async (signal) => {
      const whole = await readView(api, id, signal);
      // A long timeline is many answers: it is asked for less often.
      const pages = Math.ceil(whole.events.length / EVENTS_A_PAGE);
      setEvery(whole.view.live ? POLL_MS * Math.max(1, pages) : null);
      return whole;
    },
    everyMs,
  );
  return (
    <main class="view-page">
      <p class="back">
        <a href={back}>← All views</a>
      </p>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      {value === undefined ? (
        <ViewWaiting code={problem?.code} />
      ) : (
        <WholeViewPage whole={value} nowMs={api.now()} />
      )}
    </main>
  );
}

function ViewWaiting({ code }: { code: string | undefined }) {
  if (code === undefined) return <p class="empty waiting">Reading the view …</p>;
  if (code !== 'view_not_found') return null;
  return (
    <p class="empty">
      A view is found a few seconds after its first report, and for as long as the store keeps it.
      This page looks for it again by itself.
    </p>
  );
}

function WholeViewPage({ whole, nowMs }: { whole: WholeView; nowMs: number }) {
  const { view, events, total } = whole;
  const picture = useMemo(() => pictureOf(whole), [whole]);
  const seen = useMemo(() => windowOf(picture, whole), [picture, whole]);
  const { lanes, placeAt } = usePlace();
  const lens = useWindow(seen, placeAt);
  return (
    <>
      <ViewHead whole={whole} nowMs={nowMs} />
      <div class="view-columns">
        {events.length === 0 ? (
          <p class="empty">
            This view has no events here. They are kept as long as the store keeps them.
          </p>
        ) : (
          <Timeline picture={picture} lens={lens} lanes={lanes} />
        )}
        <Facts view={view} />
        <EventList events={events} startMs={picture.startMs} total={total} onPoint={lens.point} />
      </div>
    </>
  );
}

/** Up to its end, or to the newest that is known of a live view. */
function pictureOf({ view, events }: WholeView): Picture {
  const startMs = Date.parse(view.view_start);
  const lastMs = events.at(-1)?.event_time ?? startMs;
  const endMs = Math.max(lastMs, Date.parse(view.view_end ?? '') || lastMs);
  return {
    bands: bandsOf(events, endMs),
    lines: linesOf(events),
    requests: requestsOf(events),
    moments: momentsOf(events),
    startMs,
  };
}

function windowOf({ bands, startMs }: Picture, { events }: WholeView): Window {
  const times = events.map(({ event_time }) => event_time);
  return wholeOf([startMs, ...times, ...bands.map(({ toMs }) => toMs)]);
}

const HEAD = [
  ['video_startup_time', 'Startup', 'ms'],
  ['rebuffer_percentage', 'Rebuffering', 'fraction'],
  ['weighted_average_bitrate', 'Bitrate', 'bit/s'],
  ['playing_time', 'Playing', 'ms'],
  ['viewer_experience_score', 'Experience', 'score'],
] as const;

function ViewHead({ whole: { view }, nowMs }: { whole: WholeView; nowMs: number }) {
  const startMs = Date.parse(view.view_start);
  const title = view.video_title || view.video_id || 'Untitled';
  return (
    <header class="view-head">
      <div>
        <h1>{title}</h1>
        <p>
          <Badge live={view.live} outcome={view.live ? view.state || 'live' : view.outcome} />
          <time title={utc(startMs)}>{moment(startMs, nowMs)}</time>
          <code class="view-id" title="View id">
            {view.id}
          </code>
        </p>
      </div>
      <dl class="view-figures">
        {HEAD.map(([id, name, unit]) => {
          const value = view[id];
          return (
            <div key={id}>
              <dt>{name}</dt>
              <dd>{figureText(typeof value === 'number' ? value : null, unit)}</dd>
            </div>
          );
        })}
      </dl>
    </header>
  );
}
