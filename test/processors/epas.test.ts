/** What EPAS leaves unsaid: the state after a seek or a rebuffering, and what an event after the end means. */
import { describe, expect, it } from 'vitest';
import { type BeatEvent, type PlayerState, part } from '../../schemas/beat.ts';
import { beat, event, T0 } from '../support/beats.ts';
import { foldDeliveries } from '../support/fold.ts';

const STATES: Readonly<Record<string, PlayerState>> = {
  loading: 'starting',
  playing: 'playing',
  paused: 'paused',
  buffering: 'rebuffering',
  seeking: 'seeking',
  ended: 'ended',
};

function epas(...list: readonly (readonly [number, string])[]): BeatEvent[] {
  return list.map(([ms, name]) => {
    const state = STATES[name];
    return event(-1, ms, name, ...(state === undefined ? [] : [part.state(state)]));
  });
}

/** Each event as a delivery of its own, in the order given. */
function conclude(events: readonly BeatEvent[], source: 'epas' | 'cmcd' = 'epas') {
  const deliveries = events.map((one) => ({
    atMs: one.at,
    beat: beat([one], { source }),
  }));
  return foldDeliveries(deliveries).view('v');
}

describe('the fold of EPAS', () => {
  it('plays on after a seek and after a rebuffering', () => {
    const row = conclude(
      epas(
        [0, 'loading'],
        [1_000, 'playing'],
        [5_000, 'seeking'],
        [5_500, 'seeked'],
        [8_000, 'buffering'],
        [9_000, 'buffered'],
        [12_000, 'ended'],
      ),
    );
    expect(row).toMatchObject({
      startup_ms: 1_000,
      playing_ms: 9_500,
      seek_ms: 500,
      seek_count: 1,
    });
    expect(row).toMatchObject({ rebuffer_ms: 1_000, rebuffer_count: 1, outcome: 'ended' });
  });

  it('stays paused after a seek in a pause, however long it lasts', () => {
    const row = conclude(
      epas(
        [0, 'loading'],
        [1_000, 'playing'],
        [5_000, 'paused'],
        [6_000, 'seeking'],
        [6_300, 'buffering'],
        [6_400, 'seeked'],
        [36_000, 'heartbeat'],
        [46_400, 'playing'],
        [50_000, 'ended'],
      ),
    );
    expect(row).toMatchObject({ playing_ms: 7_600, paused_ms: 41_000, seek_ms: 400 });
    expect(row).toMatchObject({ rebuffer_count: 0, rebuffer_ms: 0 });
  });

  it('does not begin to play by the end of a rebuffering', () => {
    const row = conclude(epas([0, 'loading'], [500, 'buffering'], [900, 'buffered']));
    expect(row).toMatchObject({ started: 0, outcome: 'exit_before_start' });
  });

  it('does not open again by a rebuffering, and does by playing', () => {
    const ended = epas([0, 'loading'], [1_000, 'playing'], [5_000, 'ended'], [6_000, 'buffering']);
    expect(conclude(ended)).toMatchObject({ outcome: 'ended', playing_ms: 4_000 });
    const again = [...ended, ...epas([7_000, 'playing'], [9_000, 'ended'])];
    expect(conclude(again)).toMatchObject({ outcome: 'ended', playing_ms: 6_000 });
  });

  it('knows a repeat by its words, and takes events in the order of their times', () => {
    const events = epas([0, 'loading'], [1_000, 'playing'], [5_000, 'ended']);
    const [loading, playing, ended] = events;
    if (loading === undefined || playing === undefined || ended === undefined) throw new Error();
    const mixed = [playing, loading, playing, ended].map((one, index) => ({
      atMs: T0 + 5_000 + index,
      beat: beat([one], { source: 'epas' }),
    }));
    const row = foldDeliveries(mixed).view('v');
    expect(row).toMatchObject({ startup_ms: 1_000, playing_ms: 4_000, reports_duplicate: 1 });
    expect(row.reports_lost).toBeNull();
  });

  it('reads the names of other sources as nothing but names', () => {
    const events = epas([0, 'loading'], [1_000, 'playing'], [5_000, 'seeking'], [6_000, 'seeked']);
    const row = conclude([...events, ...epas([8_000, 'ended'])], 'cmcd');
    expect(row).toMatchObject({ playing_ms: 4_000, seek_ms: 3_000 });
  });
});
