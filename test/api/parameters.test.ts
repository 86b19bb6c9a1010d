import { describe, expect, it } from 'vitest';
import { QUERY_LIMITS } from '../../api/limits.ts';
import { parseFilters } from '../../api/parameters/filters.ts';
import { parseMetricFilters } from '../../api/parameters/metric-filters.ts';
import { parseDimension, parseMeasure, parseMetric } from '../../api/parameters/names.ts';
import { withKnownNames } from '../../api/parameters/query-names.ts';
import { parseTimeframe } from '../../api/parameters/timeframe.ts';
import { bucketCount, bucketsOf, defaultGranularity } from '../../api/planner/timeseries.ts';
import { ProblemError } from '../../platform/http/problem.ts';
import { type Project, storedViewerId } from '../../platform/projects.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const hidden: Project = {
  id: 'p',
  name: 'P',
  viewerSecret: 'secret',
  rawViewerIds: false,
  cdnHosts: new Map(),
  dimensionRules: [],
  eventsPerDayMax: Number.POSITIVE_INFINITY,
  bytesPerDayMax: Number.POSITIVE_INFINITY,
  retention: {},
};
const raw: Project = { ...hidden, rawViewerIds: true };

/** Code and detail of what a call refuses with. */
function refusal(call: () => unknown): { code: string; detail: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof ProblemError) return { code: error.code, detail: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('timeframe[]', () => {
  const parse = (...values: string[]) => parseTimeframe(values, NOW_MS);

  it('is the last 24 hours unless told otherwise', () => {
    expect(parse()).toEqual({ fromMs: NOW_MS - DAY_MS, toMs: NOW_MS });
  });

  it.each([
    ['60:minutes', HOUR_MS],
    ['1:hour', HOUR_MS],
    ['7:days', 7 * DAY_MS],
    ['2:weeks', 14 * DAY_MS],
    ['90:seconds', 90_000],
  ])('takes %s', (text, lengthMs) => {
    expect(parse(text)).toEqual({ fromMs: NOW_MS - lengthMs, toMs: NOW_MS });
  });

  it('reaches to the end of the running second', () => {
    expect(parseTimeframe([], NOW_MS + 1).toMs).toBe(NOW_MS + 1_000);
  });

  it('takes two times in seconds, as ISO, as dates, and mixed', () => {
    const expected = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2) };
    expect(parse('1767225600', '1767312000')).toEqual(expected);
    expect(parse('2026-01-01T00:00:00Z', '2026-01-02T01:00:00+01:00')).toEqual(expected);
    expect(parse('2026-01-01', '1767312000')).toEqual(expected);
  });

  it('includes every millisecond that was asked for', () => {
    const frame = parse('2026-01-01T00:00:00.900Z', '2026-01-01T00:00:01.100Z');
    expect(frame).toEqual({ fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 1) + 2_000 });
  });

  it.each([
    [['yesterday']],
    [['24:fortnights']],
    [['-1:hours']],
    [['0:hours']],
    [['999999999:days']],
    [['1767312000', '1767225600']],
    [['1767225600', '1767225600']],
    [['1767225600000', '1767312000000']],
    [['2026-02-30T00:00:00Z', '2026-03-01T00:00:00Z']],
    [['2026-01-01T00:00:00', '2026-01-02T00:00:00']],
    [['2026-01-01', 'now']],
    [['1', '2', '3']],
  ])('refuses %j', (values) => {
    const { code, detail } = refusal(() => parse(...values));
    expect(code).toBe('parameter_invalid');
    expect(detail).toContain('timeframe[] takes');
  });

  it('given in milliseconds says so', () => {
    expect(refusal(() => parse('1767225600000', '1767312000000')).detail).toContain('milliseconds');
  });
});

describe('filters[]', () => {
  const parse = (...values: string[]) => parseFilters(values, hidden, QUERY_LIMITS);

  it('join the values of one dimension and keep exclusions apart', () => {
    expect(parse('country:DE', '!cdn:fastly', 'country:FR', '!cdn:')).toEqual([
      { dimension: 'country', exclude: false, values: ['DE', 'FR'] },
      { dimension: 'cdn', exclude: true, values: ['fastly', ''] },
    ]);
  });

  it('split at the first colon alone', () => {
    expect(parse('custom_1:a:b:c')[0]?.values).toEqual(['a:b:c']);
  });

  it('look for a viewer as given and as stored', () => {
    const stored = storedViewerId(hidden, 'ann');
    expect(parse('viewer_id:ann')).toEqual([
      { dimension: 'viewer_user_id', exclude: false, values: ['ann', stored] },
    ]);
    expect(parseFilters(['viewer_user_id:ann'], raw, QUERY_LIMITS)[0]?.values).toEqual(['ann']);
    expect(parse('viewer_id:')[0]?.values).toEqual(['']);
  });

  it('name the nearest dimension', () => {
    const { code, detail } = refusal(() => parse('contry:DE'));
    expect(code).toBe('dimension_unknown');
    expect(detail).toContain('did you mean country?');
  });

  it('refuse what is no pair, what is too long and what are too many', () => {
    expect(refusal(() => parse('country')).code).toBe('parameter_invalid');
    expect(refusal(() => parse(`country:${'x'.repeat(2_000)}`)).detail).toContain(
      'filterLengthMax',
    );
    const many = Array.from({ length: 101 }, () => 'country:DE');
    expect(refusal(() => parse(...many)).detail).toContain('filtersMax');
  });

  it('never repeat a long value in a message', () => {
    expect(refusal(() => parse('y'.repeat(1_000))).detail.length).toBeLessThan(200);
  });
});

describe('metric_filters[]', () => {
  const parse = (...values: string[]) => parseMetricFilters(values, QUERY_LIMITS);

  it.each(['>=', '<=', '!=', '>', '<', '='])('take %s', (operator) => {
    const [filter] = parse(`video_startup_time${operator}-1.5`);
    expect(filter).toMatchObject({ operator, value: -1.5 });
    expect(filter?.metric.id).toBe('video_startup_time');
  });

  it('refuse what is no comparison, and metrics without a number for one view', () => {
    for (const text of [
      'video_startup_time',
      'video_startup_time>=',
      'views~1',
      'views>1e9',
      '>1',
    ]) {
      expect(refusal(() => parse(text)).code).toBe('parameter_invalid');
    }
    expect(refusal(() => parse('unique_viewers>1')).code).toBe('parameter_invalid');
    expect(refusal(() => parse('rebuffer_ratio>1')).code).toBe('metric_unknown');
  });
});

describe('names', () => {
  it('of metrics and dimensions that are wrong bring the nearest right one', () => {
    expect(refusal(() => parseMetric('video_startup_tim')).detail).toContain('video_startup_time?');
    expect(refusal(() => parseMetric('video_startup_tim')).code).toBe('metric_unknown');
    expect(refusal(() => parseDimension('operatingsystem')).detail).toContain('operating_system?');
    expect(parseDimension('viewer_id').name).toBe('viewer_user_id');
  });

  it('of object members are no metrics and no dimensions', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(refusal(() => parseMetric(name)).code).toBe('metric_unknown');
      expect(refusal(() => parseDimension(name)).code).toBe('dimension_unknown');
    }
  });

  it('of measures are those that the metric has', () => {
    expect(parseMeasure(parseMetric('video_startup_time'), undefined)).toBe('median');
    expect(parseMeasure(parseMetric('rebuffer_percentage'), 'ratio')).toBe('ratio');
    const wrong = refusal(() => parseMeasure(parseMetric('video_startup_time'), 'ratio'));
    expect(wrong.code).toBe('parameter_invalid');
    expect(refusal(() => parseMeasure(parseMetric('views'), 'medain')).detail).toContain('median?');
    expect(refusal(() => parseMeasure(parseMetric('unique_viewers'), 'avg')).detail).toContain(
      'it has count',
    );
  });

  it('of parameters are those of the route, lists with brackets or without', () => {
    const names = ['filters[]', 'limit'];
    expect(withKnownNames({ filters: 'a:1', limit: '2' }, names)).toEqual({
      'filters[]': 'a:1',
      limit: '2',
    });
    expect(withKnownNames({ filters: 'a:1', 'filters[]': ['b:2', 'c:3'] }, names)).toEqual({
      'filters[]': ['a:1', 'b:2', 'c:3'],
    });
    const { code, detail } = refusal(() => withKnownNames({ limits: '2' }, names));
    expect(code).toBe('parameter_unknown');
    expect(detail).toContain('did you mean limit?');
    expect(refusal(() => withKnownNames({ a: '1' }, [])).detail).toContain('takes no parameter');
  });
});

describe('buckets', () => {
  it.each([
    [HOUR_MS, 'minute'],
    [90 * 60_000, 'ten_minutes'],
    [6 * HOUR_MS, 'ten_minutes'],
    [6 * HOUR_MS + 1_000, 'hour'],
    [15 * DAY_MS, 'hour'],
    [15 * DAY_MS + 1_000, 'day'],
  ] as const)('of %d ms are a %s long by default', (lengthMs, granularity) => {
    expect(defaultGranularity({ fromMs: NOW_MS, toMs: NOW_MS + lengthMs })).toBe(granularity);
  });

  it('are aligned, cover the timeframe, and are as many as counted', () => {
    const frame = { fromMs: NOW_MS + 1_000, toMs: NOW_MS + 2 * HOUR_MS };
    expect([...bucketsOf(frame, 'hour')]).toEqual([NOW_MS, NOW_MS + HOUR_MS]);
    for (const granularity of ['minute', 'ten_minutes', 'hour', 'day'] as const) {
      expect([...bucketsOf(frame, granularity)]).toHaveLength(bucketCount(frame, granularity));
    }
  });
});
