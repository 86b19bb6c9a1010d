import { describe, expect, it } from 'vitest';
import { quantile, rateOf, spreadOf } from '../../bench/measure.ts';
import { BenchOptionError, readBenchOptions, STAGE_NAMES } from '../../bench/options.ts';
import { rounded, toMarkdown, toText } from '../../bench/report.ts';
import { type BenchResult, compare, thisMachine } from '../../bench/result.ts';
import { takeTurns } from '../../bench/stage.ts';
import { visibility } from '../../bench/stages/freshness-figures.ts';

const sample = (events: number, cpuMs: number, wallMs = cpuMs) => ({ events, cpuMs, wallMs });

describe('a comparison', () => {
  const variants = [
    { name: 'old', samples: [sample(100, 1_000), sample(100, 500), sample(100, 250)] },
    { name: 'new', samples: [sample(100, 100, 200)] },
  ];

  it('gives medians a CPU-second with the least and the most, and ratios of medians', () => {
    const [old, fresh] = compare(variants, 'old');
    expect(old).toMatchObject({ perCpuSecond: { median: 200, min: 100, max: 400 }, ratio: 1 });
    expect(fresh).toMatchObject({ perSecond: 500, ratio: 5, repetitions: 1, count: 100 });
  });

  it('has no ratio without a baseline', () => {
    expect(compare(variants, null).map(({ ratio }) => ratio)).toEqual([null, null]);
  });

  it('needs samples', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
    expect(rateOf(sample(10, 1_000))).toBe(10);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
  });
});

describe('taking turns', () => {
  it('repeats every contender in turn and does not count the first round', async () => {
    const order: string[] = [];
    const contender = (name: string) => ({
      name,
      repeat: async () => sample(order.push(name), 1),
    });
    const samples = await takeTurns([contender('a'), contender('b')], 2);
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(samples.map(({ samples: counted }) => counted.map(({ events }) => events))).toEqual([
      [3, 5],
      [4, 6],
    ]);
  });
});

describe('the options', () => {
  const read = (...args: string[]) => readBenchOptions(args, 'out.json');

  it('run every stage in full by default', () => {
    expect(read()).toMatchObject({ quick: false, stages: STAGE_NAMES, jsonFile: 'out.json' });
  });

  it('run what is asked for in the order of the pipeline', () => {
    expect(read('--only', 'fold,decode')).toMatchObject({ stages: ['decode', 'fold'] });
  });

  it.each([
    [['--only', 'fald'], /--only knows decode/],
    [['--seed', 'x'], /--seed/],
    [['--fast'], /--fast/],
    [['--write-docs', '--quick'], /--write-docs needs all stages/],
    [['--write-docs', '--only', 'fold'], /--write-docs needs all stages/],
  ])('refuse %j', (args, message) => {
    expect(() => read(...args)).toThrow(BenchOptionError);
    expect(() => read(...args)).toThrow(message);
  });
});

describe('the freshness of an event', () => {
  const place = (at: number, epoch: number) => ({ view: 'v', at, partition: 0, epoch });
  const seen = new Map([
    [
      0,
      [
        { epoch: 2, atMs: 9_000 },
        { epoch: 5, atMs: 22_000 },
      ],
    ],
  ]);

  it('lasts until the first commit seen that has its epoch, in the chart until its window is shown', () => {
    const shown = [{ windowMs: 15_000, seenAtMs: 24_000 }];
    expect(visibility([place(1_000, 1), place(16_000, 4)], seen, shown)).toEqual({
      event_to_visible_p50_s: 7,
      event_to_visible_p95_s: 7.9,
      event_to_visible_placed_p50_s: 6,
      event_to_visible_placed_p95_s: 6,
      event_to_monitoring_placed_p50_s: 8,
      event_to_monitoring_placed_p95_s: 8,
    });
  });

  it('is left out where it was never seen', () => {
    expect(visibility([place(1_000, 6)], seen, [])).toEqual({});
  });
});

describe('the report', () => {
  const result: BenchResult = {
    version: 1,
    at: '2026-01-01T00:00:00.000Z',
    quick: false,
    seed: 1,
    machine: thisMachine(),
    stages: [
      {
        stage: 'fold',
        title: 'Fold',
        baseline: 'old',
        variants: compare([{ name: 'old', samples: [sample(1_234_567, 1_000)] }], 'old'),
        facts: { rows: 3 },
        notes: ['A note.'],
        warnings: ['Too many rows.'],
      },
    ],
  };

  it('names the baseline, the figures and the warnings on the terminal and in the page', () => {
    for (const text of [toText(result), toMarkdown(result)]) {
      expect(text).toContain('Baseline: old. 1 repetition.');
      expect(text).toContain('1.23 M');
      expect(text).toContain('Too many rows.');
      expect(text).toContain('A note.');
      expect(text).toMatch(/rows[ |]+3/);
    }
    expect(toText({ ...result, quick: true })).toContain('its figures mean nothing');
  });

  it('rounds to what a shared machine can say', () => {
    expect([rounded(999.6), rounded(9_999), rounded(12_345), rounded(1_000_000)]).toEqual([
      '1000',
      '9999',
      '12 k',
      '1.00 M',
    ]);
  });
});
