import { describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../dashboards/web/api/answers.ts';
import { bandAt, bandsOf, totalsOf } from '../../dashboards/web/view/bands.ts';
import { event, state, T0 } from './support/timeline-events.ts';

/** Bands as `kind from-to`, ms after T0. */
function read(events: readonly TimelineEvent[], endMs: number): string[] {
  return bandsOf(events, T0 + endMs).map(
    ({ kind, fromMs, toMs }) => `${kind} ${fromMs - T0}-${toMs - T0}`,
  );
}

describe('the bands of a view', () => {
  it('follow the states, without holes, up to the end', () => {
    const events = [state(0, 'starting'), state(800, 'playing'), state(5_000, 'paused')];
    expect(read(events, 9_000)).toEqual(['starting 0-800', 'playing 800-5000', 'paused 5000-9000']);
  });

  it('join reports that repeat a state', () => {
    const events = [state(0, 'playing'), state(5_000, 'playing'), state(6_000, 'ended')];
    expect(read(events, 6_000)).toEqual(['playing 0-6000', 'ended 6000-6000']);
  });

  it('count as startup until the first playing, whatever the player says', () => {
    const events = [
      state(0, 'starting'),
      state(200, 'rebuffering'),
      state(300, 'seeking'),
      state(900, 'playing'),
    ];
    const kinds = bandsOf(events, T0 + 1_000).map(({ kind }) => kind);
    expect(kinds).toEqual(['starting', 'starting', 'starting', 'playing']);
  });

  it('count rebuffering after a seek as part of the seek, until playing, across a pause', () => {
    const events = [
      state(0, 'playing'),
      state(1_000, 'seeking'),
      state(1_100, 'paused'),
      state(1_200, 'rebuffering'),
      state(2_000, 'playing'),
      state(3_000, 'rebuffering'),
    ];
    expect(read(events, 4_000)).toEqual([
      'playing 0-1000',
      'seeking 1000-1100',
      'paused 1100-1200',
      'seeking 1200-2000',
      'playing 2000-3000',
      'rebuffering 3000-4000',
    ]);
  });

  it('keep what the player said beside what it counts as', () => {
    const events = [state(0, 'playing'), state(10, 'seeking'), state(20, 'rebuffering')];
    expect(bandsOf(events, T0 + 30).at(-1)).toMatchObject({
      kind: 'seeking',
      reported: 'rebuffering',
    });
  });

  it('call a start after playing a restart', () => {
    const events = [state(0, 'playing'), state(1_000, 'starting'), state(1_500, 'playing')];
    expect(read(events, 2_000)[1]).toBe('restarting 1000-1500');
  });

  it('turn a silence of more than a minute into unknown time, unless it is a pause', () => {
    const silent = [state(0, 'playing'), state(90_000, 'paused'), state(400_000, 'playing')];
    expect(read(silent, 400_000)).toEqual([
      'playing 0-60000',
      'unknown 60000-90000',
      'paused 90000-400000',
      'playing 400000-400000',
    ]);
  });

  it('read no states from late, shadowed, response and edge reports', () => {
    const failed = { state: 'failed' };
    const events = [
      state(0, 'playing'),
      event(100, 'state', {}, { ...failed, taken: 'late' }),
      event(200, 'ps', {}, { ...failed, taken: 'shadowed' }),
      event(300, 'rr', {}, { ...failed, lane: 'response' }),
      event(400, 'edge', {}, { ...failed, lane: 'edge' }),
    ];
    expect(read(events, 1_000)).toEqual(['playing 0-1000']);
  });

  it('are none without a state', () => {
    expect(bandsOf([event(0, 't')], T0)).toEqual([]);
  });
});

describe('what is read from bands', () => {
  const bands = bandsOf([state(0, 'starting'), state(500, 'playing')], T0 + 4_000);

  it('is the time of each kind, largest first', () => {
    expect(totalsOf(bands)).toEqual([
      ['playing', 3_500],
      ['starting', 500],
    ]);
  });

  it('is the band of a moment; at a bound, the later one', () => {
    expect(bandAt(bands, T0 + 500)?.kind).toBe('playing');
    expect(bandAt(bands, T0 + 499)?.kind).toBe('starting');
    expect(bandAt(bands, T0 - 1)).toBeUndefined();
  });
});
