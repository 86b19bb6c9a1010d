/** Errors of the stream beyond those of the query side. */
import { type ErrorTable, problemsOf } from '../../platform/http/problem.ts';

export const STREAM_ERRORS = {
  stream_full: {
    status: 503,
    title: 'Too many clients follow the stream',
    advice: 'Try again later, or ask /data/v1/monitoring/metrics every few seconds.',
  },
} as const satisfies ErrorTable;

export const refuseStream = problemsOf(STREAM_ERRORS);
