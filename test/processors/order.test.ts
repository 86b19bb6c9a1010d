import { describe, expect, it } from 'vitest';
import { part } from '../../schemas/beat.ts';
import { beat, event, response, state, states, T0 } from '../support/beats.ts';
import { type Delivery, foldDeliveries } from '../support/fold.ts';

const HOUR = 3_600_000;

function cmcd(atMs: number, ...events: ReturnType<typeof states>): Delivery {
  return { atMs: T0 + HOUR + atMs, beat: beat(events, { source: 'cmcd' }) };
}

describe('a gap in the sequence', () => {
  const [starting, playing, rebuffering, again, ended] = states(
    [0, 'starting'],
    [100, 'playing'],
    [1_100, 'rebuffering'],
    [1_600, 'playing'],
    [2_600, 'ended'],
  ) as [
    ReturnType<typeof state>,
    ReturnType<typeof state>,
    ReturnType<typeof state>,
    ReturnType<typeof state>,
    ReturnType<typeof state>,
  ];

  it('is waited for: what comes within the wait takes its place', () => {
    const row = foldDeliveries([
      cmcd(0, starting, playing),
      cmcd(1_000, again, ended),
      cmcd(4_000, rebuffering),
    ]).view('v');
    expect(row).toMatchObject({
      rebuffer_count: 1,
      rebuffer_ms: 500,
      reports_lost: 0,
      reports_late: 0,
    });
  });

  it('is lost after the wait, and the view goes on without it', () => {
    const result = foldDeliveries([cmcd(0, starting, playing), cmcd(1_000, again, ended)]);
    expect(result.view('v')).toMatchObject({
      rebuffer_count: 0,
      playing_ms: 2_500,
      reports_lost: 1,
    });
  });

  it('that is filled too late is late: no longer lost, its requests taken, its state not', () => {
    const request = part.request({ kind: 'segment', status: 200, ttfb: 30, ttlb: 60 });
    const late = { ...rebuffering, parts: [...rebuffering.parts, request] };
    const result = foldDeliveries([
      cmcd(0, starting, playing),
      cmcd(1_000, again, ended),
      cmcd(9_000),
      cmcd(9_000, late),
    ]);
    expect(result.view('v')).toMatchObject({
      rebuffer_count: 0,
      reports_lost: 0,
      reports_late: 1,
      request_count: 1,
      media_ttfb_sum_ms: 30,
    });
    expect(result.eventRows.find(({ seq }) => seq === 2)).toMatchObject({ taken: 'late' });
  });

  it('is given up at once when too much waits behind it', () => {
    const many = Array.from({ length: 12 }, (_, index) => event(index + 3, 1_000 + index, 't'));
    const result = foldDeliveries([cmcd(0, starting, playing, ...many)], {
      settings: { waitingMax: 10 },
      quietMs: 1_000,
    });
    expect(result.fold.beats.counters.eventsTaken).toBe(14);
  });

  it('at the head counts what was lost before the first report', () => {
    const row = foldDeliveries([cmcd(0, state(3, 0, 'playing'), state(4, 1_000, 'ended'))]).view(
      'v',
    );
    expect(row).toMatchObject({ reports_lost: 3, playing_ms: 1_000 });
  });
});

describe('repeats', () => {
  it('change nothing but their count', () => {
    const events = states([0, 'starting'], [100, 'playing'], [2_100, 'ended']);
    const row = foldDeliveries([
      cmcd(0, ...events),
      cmcd(100, ...events),
      cmcd(7_000, ...events),
    ]).view('v');
    expect(row).toMatchObject({
      playing_ms: 2_000,
      reports_received: 3,
      reports_duplicate: 6,
      reports_lost: 0,
    });
  });
});

describe('a number that falls back with a later time', () => {
  it('begins a new run: a restart, with losses counted within runs', () => {
    const row = foldDeliveries([
      cmcd(0, ...states([0, 'starting'], [500, 'playing'])),
      cmcd(
        20_000,
        event(0, 20_000, 't'),
        state(1, 20_100, 'rebuffering'),
        state(2, 21_100, 'playing'),
        state(3, 25_000, 'ended'),
      ),
    ]).view('v');
    expect(row).toMatchObject({
      restart_count: 1,
      restart_ms: 1_100,
      rebuffer_count: 0,
      reports_received: 6,
      reports_lost: 0,
      reports_duplicate: 0,
    });
  });

  it('is no restart when its first report says that it plays on', () => {
    const row = foldDeliveries([
      cmcd(0, ...states([0, 'starting'], [500, 'playing'])),
      cmcd(20_000, state(0, 20_000, 'playing'), state(1, 22_000, 'ended')),
    ]).view('v');
    expect(row).toMatchObject({ restart_count: 0, playing_ms: 21_500 });
  });

  it('is told from a repeat of the run before', () => {
    const first = states(
      [0, 'starting'],
      [500, 'playing'],
      [900, 'rebuffering'],
      [1_000, 'playing'],
    );
    const row = foldDeliveries([
      cmcd(0, ...first),
      cmcd(20_000, state(0, 20_000, 'playing'), state(1, 22_000, 'ended')),
      cmcd(21_000, ...first),
    ]).view('v');
    expect(row).toMatchObject({ reports_received: 6, reports_duplicate: 4, reports_lost: 0 });
  });
});

describe('reports about requests', () => {
  const request = part.request({ kind: 'segment', status: 200, ttfb: 20, ttlb: 50 });
  const main = (numbers: readonly number[]) =>
    numbers.map((seq, index) =>
      index === 0
        ? state(seq, 0, 'starting')
        : state(seq, 1_000 * index, index % 2 === 1 ? 'playing' : 'rebuffering'),
    );

  it('that are numbered apart leave no holes in the other sequence', () => {
    const row = foldDeliveries([
      cmcd(0, ...main([0, 1, 2, 3])),
      cmcd(100, response(0, 100, request), response(1, 200, request), response(3, 300, request)),
    ]).view('v');
    expect(row).toMatchObject({ reports_received: 7, reports_lost: 1 });
  });

  it('that are numbered together fill its holes', () => {
    const row = foldDeliveries([
      cmcd(0, ...main([0, 2, 3, 6])),
      cmcd(100, response(1, 100, request), response(4, 200, request), response(5, 300, request)),
    ]).view('v');
    expect(row).toMatchObject({ reports_received: 7, reports_lost: 0, rebuffer_count: 1 });
  });

  it('never change a state, and their live latency holds from when the last byte came', () => {
    const latency = (liveLatency: number) => part.status({ liveLatency });
    const row = foldDeliveries([
      cmcd(0, ...states([0, 'starting'], [1_000, 'playing'], [11_000, 'ended'])),
      cmcd(
        100,
        response(0, 0, part.request({ ttlb: 1_000 }), latency(4_000)),
        response(1, 5_000, part.request({ ttlb: 1_000 }), latency(8_000)),
      ),
    ]).view('v');
    expect(row).toMatchObject({ playing_ms: 10_000, live_latency_ms: 6_000 });
  });
});

describe('reports without numbers', () => {
  it('are put in the order of their time within the wait, and their completeness is unknown', () => {
    const [starting, playing, ended] = states(
      [0, 'starting'],
      [500, 'playing'],
      [2_500, 'ended'],
    ).map((item) => ({ ...item, seq: -1 }));
    if (starting === undefined || playing === undefined || ended === undefined)
      throw new Error('three expected');
    const row = foldDeliveries([
      cmcd(0, ended),
      cmcd(1_000, starting, ended),
      cmcd(2_000, playing),
    ]).view('v');
    expect(row).toMatchObject({
      startup_ms: 500,
      playing_ms: 2_000,
      reports_duplicate: 1,
      reports_lost: null,
    });
  });
});

describe('two sources', () => {
  const cmcdEvents = states(
    [0, 'starting'],
    [200, 'playing'],
    [1_200, 'rebuffering'],
    [2_200, 'playing'],
    [3_200, 'ended'],
  );
  const native = states([10, 'starting'], [300, 'playing'], [3_300, 'ended']);

  it('are not mixed: the first that reports states drives, the other is counted as shadowed', () => {
    const row = foldDeliveries([
      cmcd(0, ...cmcdEvents.slice(0, 2)),
      { atMs: T0 + HOUR + 100, beat: beat(native.slice(1)) },
      cmcd(200, ...cmcdEvents.slice(2)),
    ]).view('v');
    expect(row).toMatchObject({
      source: 'cmcd',
      rebuffer_count: 1,
      playing_ms: 2_000,
      reports_shadowed: 2,
    });
  });

  it('let the higher one take over before first playing', () => {
    const row = foldDeliveries([
      cmcd(0, ...cmcdEvents.slice(0, 1)),
      { atMs: T0 + HOUR + 100, beat: beat(native) },
      cmcd(200, ...cmcdEvents.slice(1)),
    ]).view('v');
    expect(row).toMatchObject({
      source: 'native',
      rebuffer_count: 0,
      playing_ms: 3_000,
      startup_ms: 290,
    });
  });
});

describe('clocks', () => {
  it('of devices are shifted by the smallest delay of the first beats, and then fixed', () => {
    const wrongBy = 86_400_000;
    const result = foldDeliveries([
      { atMs: T0 + wrongBy + 500, beat: beat([state(0, 0, 'starting')]) },
      { atMs: T0 + wrongBy + 1_100, beat: beat([state(1, 1_000, 'playing')]) },
      { atMs: T0 + wrongBy + 9_000, beat: beat([state(2, 8_990, 'ended')]) },
    ]);
    expect(result.view('v')).toMatchObject({
      view_start: T0 + wrongBy + 100,
      clock_skew_ms: wrongBy + 10,
    });
  });

  it('that are trusted are not shifted', () => {
    const events = states([0, 'starting'], [100, 'playing'], [1_000, 'ended']);
    const result = foldDeliveries([
      { atMs: T0 + 60_000, beat: beat(events, { trustedClock: true }) },
    ]);
    expect(result.view('v')).toMatchObject({ view_start: T0, view_end: T0 + 1_000 });
  });

  it('that step back give one step of zero, and later differences count', () => {
    const events = [
      state(0, 10_000, 'starting'),
      state(1, 11_000, 'playing'),
      event(2, 5_000, 'status'),
      state(3, 8_000, 'ended'),
    ];
    const result = foldDeliveries([{ atMs: T0 + 20_000, beat: beat(events) }]);
    expect(result.view('v')).toMatchObject({
      startup_ms: 1_000,
      playing_ms: 3_000,
      reports_disordered: 1,
    });
    const [start, end] = [result.view('v').view_start, result.view('v').view_end];
    expect(Number(end) - Number(start)).toBe(4_000);
  });

  it('that jump far ahead of the log give one step of zero too', () => {
    const result = foldDeliveries([
      { atMs: T0 + 1_000, beat: beat(states([0, 'starting'], [1_000, 'playing'])) },
      {
        atMs: T0 + 20_000,
        beat: beat([event(2, 3 * HOUR, 'status'), state(3, 3 * HOUR + 2_000, 'ended')]),
      },
    ]);
    expect(result.view('v')).toMatchObject({ playing_ms: 2_000, unknown_ms: 0 });
  });

  it('that place an event more than 35 days back are refused, and nothing else is', () => {
    const events = [
      { ...state(0, 0, 'starting'), at: T0 - 40 * 86_400_000 },
      ...states([0, 'starting'], [100, 'playing'], [1_100, 'ended']).map((item) => ({
        ...item,
        seq: item.seq + 1,
      })),
    ];
    const result = foldDeliveries([{ atMs: T0 + 1_100, beat: beat(events) }]);
    expect(result.rejects.map(({ code }) => code)).toEqual(['time_out_of_range']);
    expect(result.view('v')).toMatchObject({ startup_ms: 100, playing_ms: 1_000 });
  });
});
