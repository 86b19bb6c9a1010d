import { describe, expect, it } from 'vitest';
import { part } from '../../schemas/beat.ts';
import { beat, event, state, states, T0 } from '../support/beats.ts';
import { type Concluded, foldDeliveries } from '../support/fold.ts';

/** Folds one view delivered in one beat when its last event has happened. */
function fold(events: ReturnType<typeof states>): Concluded {
  const lastAt = Math.max(...events.map(({ at }) => at));
  return foldDeliveries([{ atMs: lastAt, beat: beat(events) }]);
}

const figures = (events: ReturnType<typeof states>) => fold(events).view('v');

describe('startup', () => {
  it('runs from the first starting to the first playing', () => {
    const row = figures(
      states([0, 'preloading'], [300, 'starting'], [1_000, 'playing'], [5_000, 'ended']),
    );
    expect(row).toMatchObject({ startup_ms: 700, playing_ms: 4_000, view_start: T0 + 300 });
  });

  it('runs from the first event when the view never says starting', () => {
    const events = [
      event(0, 0, 't'),
      state(1, 400, 'rebuffering'),
      state(2, 900, 'playing'),
      state(3, 1_900, 'ended'),
    ];
    expect(figures(events)).toMatchObject({ startup_ms: 900, rebuffer_ms: 0, rebuffer_count: 0 });
  });

  it('leaves paused time out', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [200, 'paused'],
        [1_200, 'starting'],
        [1_500, 'playing'],
        [2_000, 'ended'],
      ),
    );
    expect(row).toMatchObject({ startup_ms: 500, paused_ms: 1_000 });
  });

  it('takes in seeking and rebuffering before first playing', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'seeking'],
        [300, 'rebuffering'],
        [900, 'playing'],
        [1_000, 'quit'],
      ),
    );
    expect(row).toMatchObject({ startup_ms: 900, seek_count: 0, rebuffer_count: 0, seek_ms: 0 });
  });
});

describe('rebuffering', () => {
  it('is one event until playing resumes, a pause between included', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [1_100, 'rebuffering'],
        [1_600, 'paused'],
        [2_600, 'rebuffering'],
        [2_900, 'playing'],
        [3_900, 'ended'],
      ),
    );
    expect(row).toMatchObject({
      rebuffer_count: 1,
      rebuffer_ms: 800,
      paused_ms: 1_000,
      playing_ms: 2_000,
    });
  });

  it('counts when it is entered from paused', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [200, 'paused'],
        [300, 'rebuffering'],
        [700, 'playing'],
        [800, 'quit'],
      ),
    );
    expect(row).toMatchObject({ rebuffer_count: 1, rebuffer_ms: 400 });
  });

  it('is seek time after a seek, whatever lies between, until playing', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [1_000, 'seeking'],
        [1_100, 'rebuffering'],
        [1_300, 'paused'],
        [1_400, 'rebuffering'],
        [1_900, 'playing'],
        [2_900, 'ended'],
      ),
    );
    expect(row).toMatchObject({
      rebuffer_count: 0,
      rebuffer_ms: 0,
      seek_ms: 800,
      seek_count: 1,
      paused_ms: 100,
    });
  });

  it('is no event when it comes after a failure', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [200, 'failed'],
        [300, 'rebuffering'],
        [500, 'playing'],
        [900, 'ended'],
      ),
    );
    expect(row).toMatchObject({ rebuffer_count: 0, rebuffer_ms: 200, outcome: 'ended', failed: 0 });
  });
});

describe('seeking', () => {
  it('repeated before playing resumes is one seek', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [500, 'seeking'],
        [700, 'seeking'],
        [900, 'playing'],
        [1_000, 'ended'],
      ),
    );
    expect(row).toMatchObject({ seek_count: 1, seek_ms: 400, seek_done_ms: 400 });
  });

  it('that never reaches playing stays out of the latency', () => {
    const row = figures(states([0, 'starting'], [100, 'playing'], [500, 'seeking'], [800, 'quit']));
    expect(row).toMatchObject({ seek_count: 0, seek_ms: 300, seek_done_ms: 0 });
  });
});

describe('restarts', () => {
  it('are neither rebuffering nor playing', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [1_100, 'starting'],
        [1_400, 'rebuffering'],
        [1_900, 'playing'],
        [2_900, 'ended'],
      ),
    );
    expect(row).toMatchObject({
      restart_count: 1,
      restart_ms: 800,
      rebuffer_count: 0,
      playing_ms: 2_000,
      startup_ms: 100,
    });
  });
});

describe('long gaps', () => {
  it('give 60 s to the state and the rest to unknown', () => {
    const row = figures(states([0, 'starting'], [100, 'playing'], [100_100, 'ended']));
    expect(row).toMatchObject({ playing_ms: 60_000, unknown_ms: 40_000 });
  });

  it('stay paused when the view is paused', () => {
    const row = figures(
      states(
        [0, 'starting'],
        [100, 'playing'],
        [1_100, 'paused'],
        [500_000, 'playing'],
        [501_000, 'ended'],
      ),
    );
    expect(row).toMatchObject({ paused_ms: 498_900, unknown_ms: 0, playing_ms: 2_000 });
  });
});

describe('outcomes', () => {
  const error = (seq: number, ms: number, value: Parameters<typeof part.error>[0]) =>
    event(seq, ms, 'error', part.error(value));

  it('fails at a fatal error', () => {
    const row = figures([
      ...states([0, 'starting'], [100, 'playing']),
      error(2, 900, { code: 'decode', fatal: 'yes' }),
    ]);
    expect(row).toMatchObject({
      outcome: 'failed',
      failed: 1,
      player_error_code: 'decode',
      success_milli: 0,
      playing_ms: 800,
    });
  });

  it('has only had an error when it plays again', () => {
    const row = figures([
      ...states([0, 'starting'], [100, 'playing']),
      error(2, 900, { code: 'decode', fatal: 'yes' }),
      state(3, 1_400, 'playing'),
      state(4, 2_400, 'ended'),
    ]);
    expect(row).toMatchObject({
      outcome: 'ended',
      failed: 0,
      error_count: 1,
      player_error_code: '',
      playing_ms: 1_800,
    });
  });

  it('takes an error of unknown fatality for fatal when nothing plays after it', () => {
    const events = [
      ...states([0, 'starting'], [100, 'playing']),
      error(2, 900, { fatal: 'unknown' }),
    ];
    expect(figures([...events, state(3, 1_500, 'rebuffering')])).toMatchObject({
      outcome: 'failed',
      failed: 1,
    });
    expect(figures([...events, state(3, 1_500, 'playing')])).toMatchObject({
      outcome: 'dropped',
      failed: 0,
    });
    expect(figures([...events, state(3, 1_500, 'ended')])).toMatchObject({
      outcome: 'ended',
      failed: 0,
    });
  });

  it('tells a business failure from a technical one', () => {
    const row = figures([
      ...states([0, 'starting']),
      error(1, 400, { code: 'geo', fatal: 'yes', business: true }),
    ]);
    expect(row).toMatchObject({ failed: 0, failed_business: 1, success_milli: null, started: 0 });
  });

  it('is an exit before start when it fell silent without an error', () => {
    expect(figures(states([0, 'starting'], [2_000, 'rebuffering']))).toMatchObject({
      outcome: 'exit_before_start',
      success_milli: 50_000,
      started: 0,
    });
  });

  it('has no success score when it left within a second', () => {
    expect(figures(states([0, 'starting'], [900, 'quit']))).toMatchObject({ success_milli: null });
  });

  it('is dropped when it fell silent while not paused', () => {
    expect(figures(states([0, 'starting'], [100, 'playing'], [900, 'rebuffering']))).toMatchObject({
      outcome: 'dropped',
      view_end: T0 + 900,
    });
    expect(figures(states([0, 'starting'], [100, 'playing'], [900, 'paused']))).toMatchObject({
      outcome: 'paused',
    });
  });
});

describe('the end', () => {
  it('is not moved by repeats and heartbeats', () => {
    const events = [
      ...states(
        [0, 'starting'],
        [100, 'playing'],
        [1_100, 'ended'],
        [1_200, 'paused'],
        [1_300, 'ended'],
      ),
      event(5, 9_000, 't'),
    ];
    expect(figures(events)).toMatchObject({
      view_end: T0 + 1_100,
      playing_ms: 1_000,
      paused_ms: 0,
      reports_received: 6,
    });
  });

  it('is taken back by a later state, and nothing is counted twice', () => {
    const first = beat(states([0, 'starting'], [100, 'playing'], [1_100, 'ended']));
    const again = beat([state(3, 61_100, 'playing'), state(4, 62_100, 'ended')]);
    const result = foldDeliveries([
      { atMs: T0 + 1_100, beat: first },
      { atMs: T0 + 10_000 },
      { atMs: T0 + 20_000 },
      { atMs: T0 + 62_100, beat: again },
    ]);
    const rows = result.viewRows;
    expect(rows.map(({ closed, playing_ms }) => [closed, playing_ms])).toEqual([
      [1, 1_000],
      [1, 2_000],
    ]);
    expect(new Set(rows.map(({ start_day }) => start_day)).size).toBe(1);
  });

  it('cannot be taken back after reopenMs: what comes then is rejected', () => {
    const result = foldDeliveries([
      { atMs: T0 + 1_100, beat: beat(states([0, 'starting'], [100, 'playing'], [1_100, 'ended'])) },
      { atMs: T0 + 3_000_000, beat: beat([state(3, 3_000_000, 'playing')]) },
    ]);
    expect(result.rejects.map(({ code }) => code)).toEqual(['view_closed']);
    expect(result.view('v')).toMatchObject({ playing_ms: 1_000 });
  });
});

describe('silence', () => {
  it('ends a view two minutes after it went on from a pause, not an hour after the pause', () => {
    const result = foldDeliveries(
      [
        {
          atMs: T0 + 1_000,
          beat: beat(states([0, 'starting'], [100, 'playing'], [900, 'paused'])),
        },
        { atMs: T0 + 20_000, beat: beat([state(3, 19_900, 'playing')]) },
      ],
      { quietMs: 200_000 },
    );
    expect(result.view('v')).toMatchObject({ closed: 1, outcome: 'dropped', paused_ms: 19_000 });
  });

  it('is not taken for an end while the log has not come so far', () => {
    const result = foldDeliveries([{ atMs: T0, beat: beat(states([0, 'starting'])) }], {
      quietMs: 100_000,
    });
    expect(result.view('v')).toMatchObject({ closed: 0, outcome: 'playing' });
  });
});

describe('an ad that was requested', () => {
  const ad = (seq: number, ms: number, what: 'request' | 'start' | 'error') =>
    event(seq, ms, `ad_${what}`, part.ad({ what, placement: 'preroll', code: '' }));

  it.each([
    ['and had not begun when the view ended is an exit', [], 1],
    ['and began is none', [ad(2, 400, 'start')], 0],
    ['and failed is none', [ad(2, 400, 'error')], 0],
  ] as const)('%s', (_, then, exits) => {
    const events = [
      state(0, 0, 'starting'),
      ad(1, 100, 'request'),
      ...then,
      state(9, 5_000, 'ended'),
    ];
    expect(figures(events)).toMatchObject({ ad_exit_before_start_count: exits });
  });
});
