/**
 * `timeframe[]`: which time a question is about.
 *
 * Guarantee: half-open, whole seconds, from before to, within what a table can hold.
 */
import { isValid, parseISO } from 'date-fns';
import { refuse } from '../errors.ts';

/** From inclusive, to exclusive, ms since 1970, whole seconds. */
export interface Timeframe {
  readonly fromMs: number;
  readonly toMs: number;
}

const SECOND_MS = 1_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  seconds: SECOND_MS,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
  weeks: 7 * 86_400_000,
};

const DEFAULT = '24:hours';

/** 2106-02-07: the last second that 32 bits hold. */
const EPOCH_SECONDS_MAX = 4_294_967_295;

const EXPECTED =
  'timeframe[] takes a duration such as 24:hours or 7:days, or two times: timeframe[]=1767225600&timeframe[]=1767312000 ' +
  '(seconds since 1970) or 2026-01-01T00:00:00Z';

/** Parses the values of `timeframe[]`; none is the last 24 hours. */
export function parseTimeframe(values: readonly string[], nowMs: number): Timeframe {
  const [first = DEFAULT, second] = values;
  if (values.length > 2) throw invalid(`it was given ${values.length} times`);
  const frame = second === undefined ? lastOf(first, nowMs) : between(first, second);
  if (frame.fromMs >= frame.toMs) throw invalid('the first time must lie before the second');
  return frame;
}

function lastOf(value: string, nowMs: number): Timeframe {
  const match = /^(\d{1,9}):([a-z]+)$/.exec(value);
  const unit = match?.[2] ?? '';
  const unitMs = UNIT_MS[unit] ?? UNIT_MS[`${unit}s`];
  if (match === null || unitMs === undefined) throw invalid(`${quoted(value)} is no duration`);
  const toMs = Math.ceil(nowMs / SECOND_MS) * SECOND_MS;
  const fromMs = toMs - Number(match[1]) * unitMs;
  if (fromMs < 0) throw invalid(`${quoted(value)} reaches back beyond 1970`);
  return { fromMs, toMs };
}

function between(from: string, to: string): Timeframe {
  return {
    fromMs: Math.floor(parseTime(from) / SECOND_MS) * SECOND_MS,
    toMs: Math.ceil(parseTime(to) / SECOND_MS) * SECOND_MS,
  };
}

/** ISO times need a zone; a date alone is its beginning in UTC. */
function parseTime(value: string): number {
  if (/^\d{1,16}$/.test(value)) {
    if (Number(value) > EPOCH_SECONDS_MAX) {
      throw invalid(`${value} is not a time in seconds since 1970 (is it in milliseconds?)`);
    }
    return Number(value) * SECOND_MS;
  }
  if (!/^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d(:?\d\d)?))?$/.test(value)) {
    throw invalid(`${quoted(value)} is no time`);
  }
  const time = parseISO(value.length === 10 ? `${value}T00:00:00Z` : value);
  const timeMs = time.getTime();
  if (!isValid(time) || timeMs < 0 || timeMs > EPOCH_SECONDS_MAX * SECOND_MS) {
    throw invalid(`${quoted(value)} is no time between 1970 and 2106`);
  }
  return timeMs;
}

const quoted = (value: string): string => JSON.stringify(value.slice(0, 80));

function invalid(reason: string): Error {
  return refuse('parameter_invalid', { detail: `${reason}. ${EXPECTED}.` });
}
