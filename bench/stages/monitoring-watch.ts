/**
 * Watches the monitoring routes, where a server has them: when each window of a chart is first shown, how far the
 * figures are complete, and how old the gauge of present viewers is.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const METRICS = '/data/v1/monitoring/metrics';
/** Not a gauge: its points come from the interval rows alone. */
const CHART = `${METRICS}/current-average-bitrate/timeseries`;
const GAUGE = `${METRICS}/current-concurrent-viewers/timeseries`;
const POLL_MS = 500;
const READ_TOKEN = `Basic ${Buffer.from('dev:dev').toString('base64')}`;

/** A window that became the newest one shown. */
export interface ShownWindow {
  /** Begin of the window, ms since 1970. */
  readonly windowMs: number;
  /** When it was first seen, ms since 1970. */
  readonly seenAtMs: number;
}

export interface MonitoringSeen {
  readonly shown: readonly ShownWindow[];
  /** At each look, how far behind were `complete_through` and the gauge, ms. */
  readonly completeAgesMs: readonly number[];
  readonly gaugeAgesMs: readonly number[];
}

interface Answer {
  readonly data?: readonly { readonly value?: unknown; readonly date?: unknown }[];
  readonly meta?: { readonly complete_through?: unknown; readonly gauge_through?: unknown };
}

/** Polls until the signal. Empty when the server has no such routes. */
export async function watchMonitoring(url: string, signal: AbortSignal): Promise<MonitoringSeen> {
  const shown: ShownWindow[] = [];
  const completeAgesMs: number[] = [];
  const gaugeAgesMs: number[] = [];
  while (!signal.aborted) {
    const [chart, gauge] = await Promise.all([ask(url + CHART), ask(url + GAUGE)]);
    const nowMs = Date.now();
    const windowMs = newestPoint(chart);
    if (windowMs !== undefined && windowMs > (shown.at(-1)?.windowMs ?? 0))
      shown.push({ windowMs, seenAtMs: nowMs });
    addAge(completeAgesMs, nowMs, chart.meta?.complete_through);
    addAge(gaugeAgesMs, nowMs, gauge.meta?.gauge_through);
    await sleep(POLL_MS);
  }
  return { shown, completeAgesMs, gaugeAgesMs };
}

function addAge(agesMs: number[], nowMs: number, through: unknown): void {
  const throughMs = Date.parse(String(through));
  if (Number.isFinite(throughMs)) agesMs.push(nowMs - throughMs);
}

/** The answer; an empty one where there is none, as from a server that is only starting. */
async function ask(address: string): Promise<Answer> {
  const response = await fetch(address, { headers: { authorization: READ_TOKEN } });
  const body = (await response.json().catch(() => ({}))) as Answer;
  return response.ok ? body : {};
}

function newestPoint({ data = [] }: Answer): number | undefined {
  const times = data
    .filter(({ value }) => typeof value === 'number' && value > 0)
    .map(({ date }) => Date.parse(String(date)))
    .filter((ms) => Number.isFinite(ms));
  return times.length === 0 ? undefined : Math.max(...times);
}
