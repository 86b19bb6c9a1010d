/** How long the figures stood still: `complete_through` of the api, looked at all the time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteProject } from '../processes/site.ts';

const LOOK_MS = 500;
const PATH = '/data/v1/monitoring/metrics/current-concurrent-viewers/timeseries';

export class StallWatch {
  /** Longest time without an advance, ms. */
  longestMs = 0;
  /** Advances seen. */
  advances = 0;
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;

  constructor(url: string, project: SiteProject) {
    this.#watching = this.#watch(url + PATH, project);
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  async #watch(url: string, { authorization }: SiteProject): Promise<void> {
    const { signal } = this.#ended;
    let through = 0;
    let atMs: number | undefined;
    while (!signal.aborted) {
      const found = await throughOf(url, authorization);
      const nowMs = performance.now();
      if (found > through) {
        if (atMs !== undefined) this.longestMs = Math.max(this.longestMs, nowMs - atMs);
        this.advances++;
        through = found;
        atMs = nowMs;
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** ms since 1970; 0 while nobody answers. */
async function throughOf(url: string, authorization: string): Promise<number> {
  try {
    const answer = await fetch(url, { headers: { authorization } });
    const body = (await answer.json()) as { meta?: { complete_through?: string | null } };
    return Date.parse(body.meta?.complete_through ?? '') || 0;
  } catch {
    return 0;
  }
}
