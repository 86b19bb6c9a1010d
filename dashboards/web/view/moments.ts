/** Moments of a view that stand out: errors and ads. */
import type { TimelineEvent } from '../api/answers.ts';

export interface MomentMark {
  readonly kind: 'error' | 'ad';
  /** The log's clock, ms since 1970. */
  readonly atMs: number;
  readonly summary: string;
}

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const isError = ({ details }: TimelineEvent): boolean =>
  'error_code' in details || 'error_fatal' in details || 'error_message' in details;

export function momentsOf(events: readonly TimelineEvent[]): readonly MomentMark[] {
  return events.flatMap((event): MomentMark[] => {
    const { event_time: atMs, details } = event;
    if (isError(event)) return [{ kind: 'error', atMs, summary: errorSummary(details) }];
    if (typeof details.ad_what !== 'string') return [];
    const what = ['ad', details.ad_what.replaceAll('_', ' '), stringOf(details.ad_placement)];
    return [{ kind: 'ad', atMs, summary: what.join(' ').trim() }];
  });
}

export function errorSummary(details: TimelineEvent['details']): string {
  const fatal = details.error_fatal === 'yes' ? 'fatal error' : 'error';
  const parts = [stringOf(details.error_code), stringOf(details.error_message)];
  return [fatal, ...parts.filter((part) => part !== '')].join(' · ');
}
