/** The truth of delivery is the sum over the lines that edges send, however badly they are handed over. */
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../ingest/clients/simulation/truth.ts';
import { createNdjsonReader, mappingNamesIn } from '../../../../ingest/formats/edge-ndjson.ts';
import { type Line, linesOf, play, START_AT_MS, textsOf } from './played.ts';

const SMALL = { seed: 2, viewers: 60, durationMs: 150_000 };
/** Half a minute before a month ends. */
const MONTH_END_MS = Date.UTC(2026, 0, 31, 23, 59, 30);

type Rows = Truth['delivered_by_month'];

/** By hand: each line once, in the period in which it came. */
function summed(lines: readonly Line[], periodLength: number): Rows {
  const sums = new Map<string, Rows[number]>();
  for (const { time, duration, cdn, country, bytes, cache } of lines) {
    const period = new Date(time - duration).toISOString().slice(0, periodLength);
    const key = `${period} ${cdn} ${country}`;
    const sum = sums.get(key) ?? { cdn, country, period, requests: 0, bytes: 0, origin_bytes: 0 };
    sums.set(key, sum);
    sum.requests++;
    sum.bytes += bytes;
    if (cache === 'MISS') sum.origin_bytes += bytes;
  }
  return [...sums.keys()].sort().flatMap((key) => sums.get(key) ?? []);
}

function once(texts: readonly string[]): Line[] {
  return [...new Set(texts)].map((text) => JSON.parse(text) as Line);
}

describe('the truth of delivery', { timeout: 60_000 }, () => {
  const { items, truth } = play({ ...SMALL, startAtMs: MONTH_END_MS });
  const lines = linesOf(items);

  it('is the sum over the lines by CDN, country and month, and by day', () => {
    expect(lines.length).toBeGreaterThan(1_000);
    expect(truth.delivered_by_month).toEqual(summed(lines, 7));
    expect(truth.delivered_by_day).toEqual(summed(lines, 10));
    expect(new Set(truth.delivered_by_month.map(({ period }) => period))).toEqual(
      new Set(['2026-01', '2026-02']),
    );
    expect(truth.delivered_by_month.some(({ origin_bytes }) => origin_bytes > 0)).toBe(true);
  });

  it('comes with what each CDN costs', () => {
    expect(truth.prices.alder?.perGigabyte).toBeGreaterThan(truth.prices.cedar?.perGigabyte ?? 1);
  });

  it('is the same when lines come late, twice and in any order, and all lines come', () => {
    const edges = { delayMs: 40_000, duplicateShare: 0.3, shuffles: true };
    const badly = play({ ...SMALL, startAtMs: MONTH_END_MS, edges });
    const texts = textsOf(badly.items);
    expect(badly.truth.delivered_by_month).toEqual(truth.delivered_by_month);
    expect(badly.truth.sums).toEqual(truth.sums);
    expect(once(texts).length).toBe(lines.length);
    expect(new Set(texts)).toEqual(new Set(textsOf(items)));
    expect(texts.length / lines.length).toBeGreaterThan(1.2);
    expect(texts.length / lines.length).toBeLessThan(1.4);
    const at = badly.items.map(({ atMs }) => atMs);
    expect(at).toEqual([...at].sort((one, other) => one - other));
  });

  it('is of lines that come within the delay, out of the order of their time', () => {
    const edges = { delayMs: 40_000, duplicateShare: 0, shuffles: true };
    const badly = play({ ...SMALL, edges });
    const lateness = badly.items
      .filter(({ kind, atMs }) => kind === 'edge' && atMs < SMALL.durationMs)
      .flatMap((item) => linesOf([item]).map(({ time }) => START_AT_MS + item.atMs - time));
    expect(Math.max(...lateness)).toBeGreaterThan(20_000);
    expect(Math.max(...lateness)).toBeLessThanOrEqual(40_000 + 5_000 + 1_000);
    const times = linesOf(badly.items.filter(({ origin }) => origin === 0)).map(({ time }) => time);
    expect(times).not.toEqual([...times].sort((one, other) => one - other));
  });
});

const SCOPE = { stringLengthMax: 1_024, note: () => undefined };

describe('the lines', { timeout: 60_000 }, () => {
  it('are read by ingest as they stand', () => {
    const names = mappingNamesIn('');
    if (typeof names === 'string') throw new Error(names);
    const read = createNdjsonReader({ names, timeUnit: 'ms', durationUnit: 'ms', cdn: '' });
    const texts = textsOf(play(SMALL).items);
    for (const text of texts) {
      const line = JSON.parse(text) as Line;
      const taken = read(Buffer.from(text), SCOPE);
      if (taken.kind !== 'request') throw new Error(`not taken: ${text}`);
      expect(taken.view).not.toBe('');
      const { request } = taken;
      expect([request.endAt, request.durationMs, request.bytes]).toEqual([
        line.time,
        line.duration,
        line.bytes,
      ]);
      expect([request.ttfbMs, request.originMs]).toEqual([line.ttfb ?? -1, line.origin ?? -1]);
      expect([request.cache, request.cdn, request.country]).toEqual([
        line.cache.toLowerCase(),
        line.cdn,
        line.country,
      ]);
      expect(request.aborted).toBe(line.aborted === '1');
    }
  });
});
