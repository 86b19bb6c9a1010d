/** Builds events of a timeline for tests in a few words. */
import type { TimelineEvent } from '../../../dashboards/web/api/answers.ts';

export const T0 = 1_767_225_600_000;

export function event(
  ms: number,
  name: string,
  details: TimelineEvent['details'] = {},
  rest: Partial<TimelineEvent> = {},
): TimelineEvent {
  return {
    client_at: '',
    at: '',
    playback_time: null,
    event_time: T0 + ms,
    viewer_time: T0 + ms,
    name,
    source: 'native',
    lane: 'main',
    state: '',
    taken: 'yes',
    seq: 0,
    details,
    ...rest,
  };
}

export const state = (ms: number, value: string): TimelineEvent =>
  event(ms, 'state', { state: value }, { state: value });
