import { describe, expect, it } from 'vitest';
import { displayValue } from '../../api/monitoring/answers.ts';
import { completeThroughMs, gaugeSpan } from '../../api/monitoring/sources.ts';
import { bucketsOf, wholeWindows } from '../../api/monitoring/windows.ts';
import { barBuckets } from '../../api/planner/monitoring-sketch.ts';
import { intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { sketchBucket, sketchValue } from '../../schemas/sketch.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 2, 10, 12);
const watermark = { newestMs: NOW_MS - 1_000, firstMs: NOW_MS - 5 * HOUR_MS };
const day = { fromMs: NOW_MS - 24 * HOUR_MS, toMs: NOW_MS + HOUR_MS };

describe('windows', () => {
  it('of a frame are whole', () => {
    expect(wholeWindows({ fromMs: 12_000, toMs: 20_000 })).toEqual({
      fromMs: 10_000,
      toMs: 20_000,
    });
    expect(wholeWindows({ fromMs: 10_000, toMs: 20_001 })).toEqual({
      fromMs: 10_000,
      toMs: 25_000,
    });
  });

  it('are joined into buckets that the frame cuts', () => {
    expect(bucketsOf({ fromMs: 55_000, toMs: 130_000 }, 60_000)).toEqual([
      { atMs: 0, windows: 1 },
      { atMs: 60_000, windows: 12 },
      { atMs: 120_000, windows: 2 },
    ]);
  });
});

describe('the gauge', () => {
  it('answers from the first window that is not complete up to now', () => {
    expect(completeThroughMs(watermark)).toBe(NOW_MS - 31_000);
    const span = { fromMs: NOW_MS - 35_000, toMs: NOW_MS + 5_000 };
    expect(gaugeSpan(day, watermark, NOW_MS)).toEqual(span);
  });

  it('leaves a window alone that is complete to the millisecond', () => {
    const even = { ...watermark, newestMs: NOW_MS };
    expect(gaugeSpan(day, even, NOW_MS)?.fromMs).toBe(NOW_MS - 30_000);
  });

  it('does not answer for what its rows no longer hold', () => {
    const late = { ...watermark, newestMs: NOW_MS - 3 * HOUR_MS };
    expect(gaugeSpan(day, late, NOW_MS)?.fromMs).toBe(NOW_MS - 50 * 60_000);
  });

  it('does not answer for what was before the first epoch of a partition', () => {
    const fresh = { ...watermark, firstMs: NOW_MS - 7_000 };
    expect(gaugeSpan(day, fresh, NOW_MS)?.fromMs).toBe(NOW_MS - 10_000);
  });

  it('has nothing to say of complete windows, nor before the first epoch', () => {
    const old = { fromMs: NOW_MS - HOUR_MS, toMs: NOW_MS - HOUR_MS / 2 };
    expect(gaugeSpan(old, watermark, NOW_MS)).toBeUndefined();
    expect(gaugeSpan(day, { newestMs: undefined, firstMs: 0 }, NOW_MS)).toBeUndefined();
  });
});

describe('the bars of a histogram', () => {
  it('hold what the sketch puts within them, to 1 %', () => {
    for (const { sketch } of intervalMetrics) {
      if (sketch === undefined) continue;
      const begins = barBuckets(sketch);
      for (const [index, begin] of sketch.bars.entries()) {
        const bucket = begins[index] ?? Number.NaN;
        expect(sketchValue(bucket) * sketch.factor).toBeGreaterThanOrEqual(begin);
        if (begin > 0) expect(sketchValue(bucket - 1) * sketch.factor).toBeLessThan(begin);
        const clearly = sketchBucket((begin * 1.02 + 1) / sketch.factor);
        expect(clearly).toBeGreaterThanOrEqual(bucket);
      }
    }
  });
});

describe('a value for people', () => {
  it.each([
    ['country', 'DE', 'Germany'],
    ['country', 'QQ', 'QQ'],
    ['country', '', ''],
    ['country', 'de', 'de'],
    ['cdn', 'DE', 'DE'],
  ])('of %s %j is %j', (dimension, value, name) => {
    expect(displayValue(dimension, value)).toBe(name);
  });
});
