import { describe, expect, it } from 'vitest';
import { bucketTitle, momentTitle, tickTitle } from '../../dashboards/web/cost/bucket-times.ts';
import { changeText, columnText } from '../../dashboards/web/cost/column-text.ts';
import { crossingText, nextCrossing } from '../../dashboards/web/cost/crossings.ts';
import { costEffectOf, placeOf, verdictOf } from '../../dashboards/web/cost/effects.ts';
import { refusalOf, refusedOf } from '../../dashboards/web/cost/refused.ts';
import {
  extremesOf,
  rowOf,
  type ScoreRow,
  scoreColumns,
  verdictOf as scoreVerdict,
  sortedRows,
} from '../../dashboards/web/cost/score-columns.ts';
import { stackOf } from '../../dashboards/web/cost/stack.ts';
import { questionOf, sidesOf } from '../../dashboards/web/cost/what-if-question.ts';
import { frameOf } from '../../dashboards/web/state/cost-frame.ts';
import { type CostPage, STANDARD_COST } from '../../dashboards/web/state/cost-route.ts';
import { formatRoute, parseRoute } from '../../dashboards/web/state/route.ts';

const plain = (shown: string): string => shown.replaceAll('\u00a0', ' ');

describe('the route of cost', () => {
  const route: CostPage = {
    page: 'cost',
    span: 'month',
    filters: [{ dimension: 'country', value: 'DE' }],
    by: 'asn',
    sort: 'hourly',
    order: 'asc',
    split: 'none',
    quality: 'video_startup_time',
    from: 'a:b&c',
    to: 'd',
    share: 0,
    match: ['country', 'stream_type'],
    slice: { dimension: 'asn', value: '64512' },
  };

  it('comes back as it was written, and is short when all is as usual', () => {
    expect(parseRoute(formatRoute(route))).toEqual(route);
    expect(formatRoute(STANDARD_COST)).toBe('#/cost');
    expect(parseRoute('#/cost')).toEqual(STANDARD_COST);
  });

  it.each([
    '#/cost?span=year&by=view_id&sort=x&order=up&split=asn&quality=views&filter=x:1',
    '#/cost?share=101&match=&slice=cdn:a',
    '#/cost?share=-5&match=video_id&slice=country',
    '#/cost?share=1e1',
  ])('falls back to the standard where it says what does not exist: %s', (hash) => {
    expect(parseRoute(hash)).toEqual(STANDARD_COST);
  });
});

describe('the time that is looked at', () => {
  const nowMs = Date.UTC(2026, 10, 22, 14, 3, 7, 250);
  const hours = (span: CostPage['span']) => {
    const { fromMs, toMs, granularity } = frameOf(span, nowMs);
    return [
      new Date(fromMs).toISOString(),
      new Date(toMs).toISOString().slice(11, 19),
      granularity,
    ];
  };

  it('begins with a day of UTC and ends with a window of 5 s', () => {
    expect(hours('today')).toEqual(['2026-11-22T00:00:00.000Z', '14:03:10', 'hour']);
    expect(hours('7-days')).toEqual(['2026-11-16T00:00:00.000Z', '14:03:10', 'hour']);
    expect(hours('30-days')).toEqual(['2026-10-24T00:00:00.000Z', '14:03:10', 'day']);
    expect(hours('month')).toEqual(['2026-11-01T00:00:00.000Z', '14:03:10', 'day']);
  });

  it('is never empty, and has finer buckets early in the day', () => {
    const midnightMs = Date.UTC(2026, 10, 1);
    const { fromMs, toMs, granularity } = frameOf('month', midnightMs);
    expect([toMs - fromMs, granularity]).toEqual([5_000, 'minute']);
    expect(frameOf('today', midnightMs + 3 * 3_600_000).granularity).toBe('ten_minutes');
  });
});

const named = (name: string, cost: string | null, share: number, ttfb: number | null): ScoreRow =>
  rowOf(
    { name, share, cost, hourly: null },
    {
      rebuffer_percentage: null,
      video_startup_time: null,
      ttfb,
      hit_ratio: share,
      error_percentage: 0,
    },
  );

describe('the scoreboard', () => {
  const rows = [
    named('a', '9007199254740993.000001', 0.5, 20),
    named('b', '9007199254740993.000002', 0.4, 10),
    named('c', null, 0.095, null),
    named('d', '0.000000', 0.005, 1),
  ];
  const column = (id: string) => {
    const found = scoreColumns.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no column ${id}`);
    return found;
  };
  const order = (sort: CostPage['sort'], direction: CostPage['order']): string =>
    sortedRows(rows, { sort, order: direction })
      .map(({ name }) => name)
      .join('');

  it('sorts money by its last digit, and what is unknown last either way', () => {
    expect([order('cost', 'desc'), order('cost', 'asc')]).toEqual(['badc', 'dabc']);
    expect([order('ttfb', 'desc'), order('ttfb', 'asc')]).toEqual(['abdc', 'dbac']);
    expect([order('errors', 'desc'), order('name', 'desc')]).toEqual(['abcd', 'dcba']);
  });

  it('names the best and worst of those that carry something', () => {
    expect(extremesOf(rows, column('ttfb'))).toEqual({ best: 10, worst: 20 });
    expect(extremesOf(rows, column('hits'))).toEqual({ best: 0.5, worst: 0.095 });
    const ttfb = extremesOf(rows, column('ttfb'));
    expect(rows.map((row) => scoreVerdict(row, 'ttfb', ttfb))).toEqual([
      'worst',
      'best',
      undefined,
      undefined,
    ]);
  });

  it('names none where all are the same, and none of an amount', () => {
    expect(extremesOf(rows, column('errors'))).toBeUndefined();
    expect(extremesOf(rows, column('share'))).toBeUndefined();
  });
});

describe('figures of a column', () => {
  it('have the same decimals, and are never rounded to 0', () => {
    const text = columnText([0.004, 0.0066, 0, 0.000_001], 'fraction');
    expect([0.004, 0.0066, 0, 0.000_001, null].map(text)).toEqual([
      '0.40%',
      '0.66%',
      '0.00%',
      '<0.01%',
      '–',
    ]);
    expect(plain(columnText([6, 16.21], 'ms')(6))).toBe('6.0 ms');
    expect(plain(columnText([6, 16_210], 'ms')(458))).toBe('0.5 s');
    expect(columnText([1, 0.5], 'fraction')(0.5)).toBe('50%');
  });

  it('tell changes of a share in points, with a sign', () => {
    const text = changeText([-0.000_277, -0.000_137, 0.000_022], 'fraction');
    expect([-0.000_277, 0.000_022, 0].map((value) => plain(text(value)))).toEqual([
      '−0.0277 pp',
      '+0.0022 pp',
      '0.0000 pp',
    ]);
    expect(plain(changeText([0.7, 13.2], 'ms')(0.7))).toBe('+0.7 ms');
    expect(changeText([-0.53], 'score')(null)).toBe('–');
  });
});

describe('cost over time', () => {
  it('gives the rest what the named do not have, to a millionth', () => {
    const stack = stackOf(
      ['0.300001', '1.000000'],
      [
        { name: 'a', amounts: ['0.100000', '1.000000'] },
        { name: 'b', amounts: ['0.200000', '0.000000'] },
      ],
    );
    expect(stack).toEqual({
      names: ['a', 'b', 'others'],
      parts: [
        [100_000n, 1_000_000n],
        [200_000n, 0n],
        [1n, 0n],
      ],
    });
    expect(stackOf(['0.1'], [{ name: 'a', amounts: ['0.1'] }]).names).toEqual(['a']);
  });
});

describe('times of buckets', () => {
  const atMs = Date.UTC(2026, 10, 21, 14);

  it('are of UTC, and days where buckets are days', () => {
    expect(bucketTitle(atMs, { stepMs: 3_600_000 })).toBe('21 Nov, 14:00 to 15:00 UTC');
    expect(bucketTitle(Date.UTC(2026, 10, 21), { stepMs: 86_400_000 })).toBe('21 Nov, UTC');
    expect(momentTitle(atMs)).toBe('21 Nov, 14:00 UTC');
    expect(tickTitle(atMs, 3_600_000)).toBe('14:00');
    expect(tickTitle(Date.UTC(2026, 10, 21), 3_600_000)).toBe('21 Nov');
  });
});

describe('a what-if', () => {
  const filters = [
    { dimension: 'cdn', value: 'x' },
    { dimension: 'country', value: 'DE' },
  ];

  it('is between the two with most views until others are chosen', () => {
    expect(sidesOf({ from: '', to: '' }, ['', 'a', 'b'])).toEqual({ from: 'a', to: 'b' });
    expect(sidesOf({ from: '', to: 'a' }, ['a', 'b'])).toEqual({ from: 'b', to: 'a' });
    expect(sidesOf({ from: 'b', to: '' }, ['a', 'b'])).toEqual({ from: 'b', to: 'a' });
  });

  it('takes the filters of the page but those that follow from the CDN, and its slice', () => {
    const slice = { dimension: 'asn', value: '1' };
    const route = { ...STANDARD_COST, filters, slice };
    expect(questionOf(route, ['a', 'b'])?.filters).toEqual([filters[1], slice]);
  });

  it('asks nothing where nothing moves', () => {
    expect(questionOf({ ...STANDARD_COST, share: 0 }, ['a', 'b'])).toBeUndefined();
    expect(questionOf(STANDARD_COST, ['a'])).toBeUndefined();
    expect(questionOf({ ...STANDARD_COST, from: 'a', to: 'a' }, ['a', 'b'])).toBeUndefined();
  });

  it.each([
    [-2, -1, 'low', 'better'],
    [-2, -1, 'high', 'worse'],
    [1, 2, 'low', 'worse'],
    [1, 2, 'high', 'better'],
    [-1, 2, 'low', 'open'],
    [0, 2, 'high', 'open'],
    [0, 0, 'low', 'same'],
  ] as const)('calls %s to %s, where %s is good, %s', (low, high, good, verdict) => {
    expect(verdictOf({ low, high }, good)).toBe(verdict);
  });

  it('draws zero in the middle, whatever the range', () => {
    const drawn = { low: -1, delta: 1, high: 4 };
    expect(placeOf(0, drawn)).toBe(50);
    expect(placeOf(4, drawn)).toBeGreaterThan(90);
    expect(placeOf(-4, drawn)).toBeLessThan(10);
    expect(placeOf(0, { low: 0, delta: 0, high: 0 })).toBe(50);
  });

  it('tells a saving with the decimals that it needs, in both bills too', () => {
    const none = { bytes: 0, requests: 0, origin_bytes: 0 };
    const effect = costEffectOf({
      source: 'edge',
      currency: 'EUR',
      share_moved: 0.2,
      delta: '-0.857700',
      months_cost: '10.010000',
      months_cost_after: '9.152300',
      moved: none,
      unpriced_before: [],
      unpriced_after: [],
    });
    expect([effect?.delta, effect?.now, effect?.wouldBe, effect?.verdict]).toEqual([
      '−€0.858',
      '€10.010',
      '€9.152',
      'better',
    ]);
    expect(costEffectOf(null)).toBeUndefined();
  });

  it('names what cannot be compared, and why', () => {
    const sides = { from: 'alder', to: 'birch' };
    const cell = { country: 'DE', asn: '64512', viewer_device_category: '' };
    const refused = { cell, views_from: 44, views_to: 7, reason: 'too_few_views_to' };
    expect(refusalOf(refused, sides)).toEqual({
      name: 'Germany · AS 64512 · unknown',
      views: '44 on alder, 7 on birch',
      why: 'too few views on birch',
    });
    expect(refusalOf({ ...refused, cell: null }, sides).name).toBe('all smaller ones');
    expect(refusedOf({ refused: [refused, 7, { cell: 'x' }, null] })).toEqual([refused]);
    expect(refusedOf({})).toEqual([]);
  });
});

describe('tiers of the month', () => {
  const crossing = (day: string, state: 'expected' | 'reached', tier = 1) => ({
    ...{ cdn: 'alder', region: 'europe', contract: 0, tier, from_bytes: 2e12, day, state },
  });

  it('are told by the next that is to come', () => {
    const crossings = [
      crossing('2026-11-29', 'expected', 3),
      crossing('2026-11-02', 'reached'),
      crossing('2026-11-24', 'expected', 2),
    ];
    const next = nextCrossing(crossings);
    expect(next?.tier).toBe(2);
    expect(plain(crossingText(crossing('2026-11-24', 'expected', 2)))).toBe(
      'alder, europe: tier 3, from 2 TB, expected on 24 Nov',
    );
    expect(nextCrossing([crossing('2026-11-02', 'reached')])).toBeUndefined();
  });
});
