/** What an event of a timeline says, in a few words, and which kind of event it is. */
import type { TimelineEvent } from '../api/answers.ts';
import { figureText } from '../figures/format.ts';
import { drives } from './bands.ts';
import { errorSummary, isError, momentsOf } from './moments.ts';
import { isRequest, requestsOf } from './requests.ts';

export type EventKind = 'state' | 'request' | 'error' | 'other';

/** `before`: the driving event before it. A report that repeats the state is no change of it. */
export function kindOf(event: TimelineEvent, before: TimelineEvent | undefined): EventKind {
  if (isError(event)) return 'error';
  if (isRequest(event)) return 'request';
  return drives(event) && event.state !== (before?.state ?? '') ? 'state' : 'other';
}

export interface ListedEvent {
  readonly event: TimelineEvent;
  readonly kind: EventKind;
  readonly summary: string;
}

export function listed(events: readonly TimelineEvent[]): readonly ListedEvent[] {
  let before: TimelineEvent | undefined;
  return events.map((event) => {
    const kind = kindOf(event, before);
    if (drives(event)) before = event;
    return { event, kind, summary: summaryOf(event, kind) };
  });
}

function summaryOf(event: TimelineEvent, kind: EventKind): string {
  const { details } = event;
  const [request] = kind === 'request' ? requestsOf([event]) : [];
  const [moment] = momentsOf([event]);
  const parts = [
    kind === 'state' ? event.state : '',
    kind === 'error' ? errorSummary(details) : (moment?.summary ?? ''),
    request?.summary ?? '',
    ...pictureOf(details),
    ...changesOf(details.context),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function pictureOf(details: TimelineEvent['details']): string[] {
  const { bitrate, width, height, buffer, live_latency, mode } = details;
  return [
    typeof bitrate === 'number' ? figureText(bitrate, 'bit/s') : '',
    typeof width === 'number' && typeof height === 'number' ? `${width}×${height}` : '',
    typeof buffer === 'number' ? `buffer ${figureText(buffer, 'ms')}` : '',
    typeof live_latency === 'number' ? `latency ${figureText(live_latency, 'ms')}` : '',
    typeof mode === 'string' ? mode : '',
  ];
}

function changesOf(context: unknown): string[] {
  if (typeof context !== 'object' || context === null) return [];
  return Object.entries(context).map(([name, value]) => `${name} ${String(value)}`);
}
