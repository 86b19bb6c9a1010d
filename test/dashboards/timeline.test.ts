import { describe, expect, it } from 'vitest';
import { listed } from '../../dashboards/web/view/describe.ts';
import { eventName } from '../../dashboards/web/view/event-names.ts';
import { linesOf, valueAt } from '../../dashboards/web/view/lines.ts';
import { momentsOf } from '../../dashboards/web/view/moments.ts';
import { requestsOf } from '../../dashboards/web/view/requests.ts';
import { placeOf, wholeOf, within, zoomed } from '../../dashboards/web/view/window.ts';
import { event, state, T0 } from './support/timeline-events.ts';

describe('the lines of a view', () => {
  const events = [
    event(0, 'rendition', { bitrate: 1_000_000 }),
    event(10, 'status', { buffer: 4_000 }),
    event(10, 'status', { buffer: 5_000 }),
    event(20, 'rr', { bitrate: 9_000_000 }, { lane: 'response' }),
    event(30, 'rendition', { bitrate: 9_000_000 }, { taken: 'late' }),
  ];

  it('are those of which something was said, from reports of the moment', () => {
    expect(linesOf(events).map(({ name, values }) => [name, values])).toEqual([
      ['bitrate', [1_000_000]],
      ['buffer', [5_000]],
    ]);
  });

  it('say what the newest report said, and nothing before the first', () => {
    const [bitrate] = linesOf(events);
    if (bitrate === undefined) throw new Error('no line');
    expect(valueAt(bitrate, T0 + 99)).toBe(1_000_000);
    expect(valueAt(bitrate, T0 - 1)).toBeNull();
  });
});

describe('the requests of a view', () => {
  it('end when a native player reports them, and begin when a CMCD response is dated', () => {
    const request = { request_kind: 'segment', request_status: 200, request_ttlb: 300 };
    const spans = requestsOf([
      event(1_000, 'request', request),
      event(1_000, 'rr', request, { lane: 'response', source: 'cmcd' }),
    ]).map(({ fromMs, toMs }) => [fromMs - T0, toMs - T0]);
    expect(spans).toEqual([
      [700, 1_000],
      [1_000, 1_300],
    ]);
  });

  it('are marked when they failed, got no answer, or were not in the cache', () => {
    const kind = { request_kind: 'segment' };
    const marks = requestsOf([
      event(0, 'request', { ...kind, request_status: 404 }),
      event(0, 'request', { ...kind, request_status: 0 }),
      event(0, 'request', { ...kind, request_status: 206 }),
      event(0, 'edge', { status: 200, cache: 'MISS', cmcd: { ot: 'av' } }, { lane: 'edge' }),
    ]);
    expect(marks.map(({ failed }) => failed)).toEqual([true, true, false, false]);
    expect(marks.map(({ missed }) => missed)).toEqual([false, false, false, true]);
    expect(marks.at(-1)).toMatchObject({ seenBy: 'edge', kind: 'segment' });
  });

  it('say in words what they were', () => {
    const [mark] = requestsOf([
      event(0, 'request', {
        request_kind: 'segment',
        request_status: 200,
        request_bytes: 612_000,
        request_ttfb: 41,
        request_ttlb: 180,
        request_url: 'https://cdn.example/a/seg-7.m4s',
      }),
    ]);
    const said = 'segment 200 · 612 kB · first byte 41 ms · all 180 ms · seg-7.m4s';
    expect(mark?.summary.replaceAll('\u00a0', ' ')).toBe(said);
  });
});

describe('moments and the list of events', () => {
  it('find errors and ads', () => {
    const moments = momentsOf([
      event(0, 'error', { error_code: '27', error_fatal: 'yes', error_message: 'no key' }),
      event(1, 'ad_break_start', { ad_what: 'break_start', ad_placement: 'midroll' }),
      state(2, 'playing'),
    ]);
    expect(moments.map(({ summary }) => summary)).toEqual([
      'fatal error · 27 · no key',
      'ad break start midroll',
    ]);
  });

  it('call a repeated state no change of it', () => {
    const kinds = listed([state(0, 'playing'), state(5, 'playing'), state(9, 'paused')]).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['state', 'other', 'state']);
  });

  it('name CMCD tokens, and leave the names of others', () => {
    expect(eventName('ps', 'cmcd')).toBe('play state');
    expect(eventName('ps', 'native')).toBe('ps');
    expect(eventName('ad_start', 'native')).toBe('ad start');
  });
});

describe('the window of a timeline', () => {
  const whole = { fromMs: 0, toMs: 10_000 };

  it('keeps the time under the cursor where it is while it zooms', () => {
    const window = zoomed(whole, whole, 2_500, 0.5);
    expect(window).toEqual({ fromMs: 1_250, toMs: 6_250 });
    expect(placeOf(window, 2_500)).toBe(placeOf(whole, 2_500));
  });

  it('stays within the whole, and never becomes nothing', () => {
    expect(within({ fromMs: 9_000, toMs: 12_000 }, whole)).toEqual({ fromMs: 7_000, toMs: 10_000 });
    expect(within({ fromMs: 50, toMs: 50 }, whole)).toEqual({ fromMs: 50, toMs: 250 });
    expect(zoomed(whole, whole, 5_000, 4)).toEqual(whole);
  });

  it('covers all that is known, also of a view with a single event', () => {
    expect(wholeOf([T0, T0])).toEqual({ fromMs: T0, toMs: T0 + 200 });
    expect(wholeOf([5, Number.NaN, 900, 3])).toEqual({ fromMs: 3, toMs: 900 });
  });
});
