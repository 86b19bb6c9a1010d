/** The events of a view, oldest first, each with what it said. */
import { useMemo, useState } from 'preact/hooks';
import type { TimelineEvent } from '../api/answers.ts';
import { words } from '../figures/format.ts';
import { clock, offset, utc } from '../figures/time.ts';
import { type EventKind, type ListedEvent, listed } from './describe.ts';
import { eventName } from './event-names.ts';

/** Rows shown at first, and added at each wish for more. */
const ROWS_STEP = 60;

const CHOICES = [
  ['all', 'All'],
  ['state', 'State changes'],
  ['request', 'Requests'],
  ['error', 'Errors'],
] as const;
type Choice = (typeof CHOICES)[number][0];

interface Props {
  readonly events: readonly TimelineEvent[];
  readonly startMs: number;
  /** Events that there are, when not all are here. */
  readonly total: number;
  /** Points at a time in the timeline. */
  readonly onPoint: (timeMs: number) => void;
}

export function EventList({ events, startMs, total, onPoint }: Props) {
  const [choice, setChoice] = useState<Choice>('all');
  const [rowsMax, setRowsMax] = useState(ROWS_STEP);
  const all = useMemo(() => listed(events), [events]);
  const chosen = choice === 'all' ? all : all.filter(({ kind }) => kind === choice);
  const counts = (kind: Choice): number =>
    kind === 'all' ? all.length : all.filter((each) => each.kind === kind).length;
  return (
    <section class="events" aria-labelledby="events-title">
      <header class="section-head">
        <h2 id="events-title">Events</h2>
        <fieldset class="choices">
          <legend class="hidden">Which events</legend>
          {CHOICES.map(([kind, title]) => (
            <button
              key={kind}
              type="button"
              aria-pressed={choice === kind}
              onClick={() => setChoice(kind)}
            >
              {title} <small>{counts(kind)}</small>
            </button>
          ))}
        </fieldset>
      </header>
      {chosen.length === 0 && <p class="empty">No such event in this view.</p>}
      <ol class="event-rows">
        {chosen.slice(0, rowsMax).map((each, index) => (
          <EventRow
            key={`${each.event.lane} ${each.event.seq ?? index} ${each.event.event_time} ${index}`}
            listed={each}
            startMs={startMs}
            onPoint={onPoint}
          />
        ))}
      </ol>
      {chosen.length > rowsMax && (
        <button type="button" class="more" onClick={() => setRowsMax(rowsMax + ROWS_STEP * 5)}>
          Show more ({chosen.length - rowsMax} left)
        </button>
      )}
      {total > events.length && (
        <p class="empty">
          The first {events.length} of {total} events are here; the API has all of them.
        </p>
      )}
    </section>
  );
}

interface RowProps {
  readonly listed: ListedEvent;
  readonly startMs: number;
  readonly onPoint: (timeMs: number) => void;
}

const KIND_MARKS: Readonly<Record<EventKind, string>> = {
  state: 'state',
  request: 'request',
  error: 'error',
  other: '',
};

function EventRow({ listed: { event, kind, summary }, startMs, onPoint }: RowProps) {
  const { event_time: atMs, details, name, source, lane, taken, seq } = event;
  return (
    <li class={`event event-${kind}`}>
      <details onToggle={({ currentTarget }) => currentTarget.open && onPoint(atMs)}>
        <summary onPointerEnter={() => onPoint(atMs)}>
          <time title={`${clock(atMs)} here, ${utc(atMs)}`}>{offset(atMs - startMs)}</time>
          <span class="event-name" title={`${source}: ${name}`}>
            {KIND_MARKS[kind] !== '' && (
              <i class={kind === 'state' ? `key band-${event.state}` : `key key-${kind}`} />
            )}
            {eventName(name, source)}
          </span>
          <span class="event-summary">{summary}</span>
          <span class="event-tail">{taken === 'yes' ? '' : taken}</span>
        </summary>
        <dl class="details">
          <Pair
            name="at"
            value={utc(atMs).replace(' UTC', `.${String(atMs % 1_000).padStart(3, '0')} UTC`)}
          />
          <Pair name="from" value={`${source}, number ${seq ?? 'none'}, ${lane}`} />
          <Pair name="state after it" value={event.state === '' ? 'none yet' : event.state} />
          {Object.entries(details).map(([key, value]) => (
            <Pair key={key} name={words(key)} value={said(value)} />
          ))}
        </dl>
      </details>
    </li>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function said(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${name}=${String(each)}`)
    .join('  ');
}
