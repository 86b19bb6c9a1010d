import { describe, expect, it } from 'vitest';
import { createApi, target } from '../../dashboards/web/api/client.ts';
import { joined, sorted } from '../../dashboards/web/overview/breakdown-columns.ts';
import { withFilter } from '../../dashboards/web/state/filters.ts';
import { parseMessage } from '../../dashboards/web/state/live-message.ts';
import {
  formatRoute,
  type Overview,
  parseRoute,
  STANDARD,
} from '../../dashboards/web/state/route.ts';

describe('the route in the hash', () => {
  const route: Overview = {
    page: 'overview',
    metric: 'video-startup-time',
    minutes: 60,
    split: 'country',
    by: 'browser',
    filters: [
      { dimension: 'cdn', value: 'a:b&c' },
      { dimension: 'country', value: '' },
    ],
  };

  it('comes back as it was written', () => {
    expect(parseRoute(formatRoute(route))).toEqual(route);
    const view = { page: 'view', id: 'a/b ?#%' } as const;
    expect(parseRoute(formatRoute(view))).toEqual(view);
  });

  it('is short when all is as usual', () => {
    expect(formatRoute(STANDARD)).toBe('#/');
    expect(parseRoute('')).toEqual(STANDARD);
  });

  it('falls back to the standard where it says what does not exist', () => {
    const wrong = '#/?metric=nope&minutes=7&split=nope&by=nope&filter=nope:1&filter=cdn';
    expect(parseRoute(wrong)).toEqual(STANDARD);
    expect(parseRoute('#/view/%E0%A4%A')).toEqual({ page: 'view', id: '%E0%A4%A' });
  });

  it('takes a filter once', () => {
    const filter = { dimension: 'cdn', value: 'a' };
    expect(withFilter([filter], { ...filter })).toEqual([filter]);
    expect(withFilter([filter], { dimension: 'cdn', value: 'b' })).toHaveLength(2);
  });
});

describe('the rows of the breakdown', () => {
  const columns = [{ unit: 'count' }, { unit: 'ms' }] as const;
  const row = (name: string, value: number | null) => ({ name, value, viewers: 1 });

  it('join answers by value: no count is 0, anything else unknown', () => {
    const rows = joined(columns, [[row('a', 3)], [row('b', 700), row('a', null)]]);
    expect(rows).toEqual([
      { name: 'a', values: [3, null] },
      { name: 'b', values: [0, 700] },
    ]);
  });

  it('sort by a column with the unknown last either way, ties by name', () => {
    const rows = joined(columns, [
      [row('c', 1), row('b', 1), row('a', 5)],
      [row('a', 10), row('c', 20)],
    ]);
    const names = (column: number, descending: boolean): string =>
      sorted(rows, { column, descending })
        .map(({ name }) => name)
        .join('');
    expect(names(0, true)).toBe('abc');
    expect(names(0, false)).toBe('bca');
    expect(names(1, true)).toBe('cab');
    expect(names(1, false)).toBe('acb');
    expect(names(-1, true)).toBe('cba');
  });
});

describe('a message of the stream', () => {
  it('tells figures by metric, and until when all is complete', () => {
    const message = parseMessage(
      JSON.stringify({
        at: '2026-01-01T00:00:30.000Z',
        complete_through: '2026-01-01T00:00:00.000Z',
        totals: { playing: 3, 'current-average-bitrate': null, odd: 'x' },
      }),
    );
    expect(message?.throughMs).toBe(1_767_225_600_000);
    expect([...(message?.figures ?? [])]).toEqual([
      ['playing', 3],
      ['current-average-bitrate', null],
    ]);
  });

  it.each(['', '[]', 'null', '{"totals":1}', '{'])('is none of ours: %j', (text) => {
    expect(parseMessage(text)).toBeUndefined();
  });
});

describe('the addresses that the page asks', () => {
  it('lie beside the page, repeat lists, and never hold its credentials', () => {
    const api = createApi({ origin: 'https://qos.example', pathname: '/gauge/' });
    const query = { 'filters[]': ['cdn:a', 'cdn:b'], limit: 5 };
    const url = api.url(target('/data/v1/video-views/{id}', { id: 'a/b?' }, query));
    expect(url).toContain('/video-views/a%2Fb%3F?');
    expect(decodeURIComponent(url)).toBe(
      'https://qos.example/gauge/data/v1/video-views/a/b??filters[]=cdn:a&filters[]=cdn:b&limit=5',
    );
  });
});
