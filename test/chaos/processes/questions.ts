/** Questions to the API of a running program. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteProject } from './site.ts';

/** Answers that ask to come again. */
const LATER = new Set([429, 503]);
const ATTEMPTS_MAX = 20;
const RETRY_MS = 100;

export interface Questions {
  /** The answer of a route below `/data/v1`. @throws when it is none of 200. */
  ask<Answer>(path: string): Promise<Answer>;
  /** The figure of a metric over all views of the project. */
  overall(metric: string, query?: string): Promise<number>;
}

export function questionsTo(url: string, { authorization }: SiteProject): Questions {
  const ask = async <Answer>(path: string): Promise<Answer> => {
    for (let attempts = 1; ; attempts++) {
      const answer = await fetch(`${url}/data/v1${path}`, { headers: { authorization } });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as Answer;
      if (!LATER.has(answer.status) || attempts >= ATTEMPTS_MAX)
        throw new Error(`${path}: ${answer.status} ${text}`);
      await sleep(RETRY_MS);
    }
  };
  return {
    ask,
    overall: async (metric, query = '') => {
      const answer = await ask<{ data: { value: number } }>(`/metrics/${metric}/overall?${query}`);
      return answer.data.value;
    },
  };
}
