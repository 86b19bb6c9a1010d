/** The stream of a simulation: the same for the same seed, possible at every moment, and about as many viewers as asked. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../../ingest/clients/simulation/event-queue.ts';
import { MediaBuffer } from '../../../../ingest/clients/simulation/media-buffer.ts';
import { Random } from '../../../../ingest/clients/simulation/random.ts';
import type { SimulationItem } from '../../../../ingest/clients/simulation/reports.ts';
import { Simulation } from '../../../../ingest/clients/simulation/simulation.ts';
import type { PlayerState } from '../../../../schemas/beat.ts';
import { linesOf, play, START_AT_MS } from './played.ts';

function hash(items: readonly SimulationItem[]): string {
  const digest = createHash('sha256');
  for (const { kind, atMs, origin, payload } of items)
    digest.update(`${kind} ${atMs} ${origin} ${payload}\n`);
  return digest.digest('hex');
}

const SMALL = { viewers: 20, durationMs: 60_000 };

interface NativeEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly state?: PlayerState;
  readonly [field: string]: unknown;
}

function eventsByView(items: readonly SimulationItem[]): Map<string, NativeEvent[]> {
  const views = new Map<string, NativeEvent[]>();
  for (const { kind, payload } of items) {
    if (kind !== 'native') continue;
    const { view, events } = JSON.parse(payload) as { view: string; events: NativeEvent[] };
    views.set(view, [...(views.get(view) ?? []), ...events]);
  }
  return views;
}

/** What a player may do next. */
const NEXT: Readonly<Record<PlayerState, readonly PlayerState[]>> = {
  preloading: ['starting', 'quit'],
  starting: ['playing', 'paused', 'failed', 'quit'],
  playing: ['rebuffering', 'seeking', 'paused', 'ended', 'failed', 'quit'],
  rebuffering: ['playing', 'seeking', 'paused', 'failed', 'quit'],
  seeking: ['playing', 'rebuffering', 'paused', 'failed', 'quit'],
  paused: ['playing', 'rebuffering', 'seeking', 'failed', 'quit'],
  ended: [],
  failed: [],
  quit: [],
};

describe('a simulation', { timeout: 60_000 }, () => {
  it('gives the same stream for the same seed, however far it is advanced at once', () => {
    const once = play(SMALL, 60_000);
    const again = play(SMALL, 37);
    expect(once.items.length).toBeGreaterThan(100);
    expect(hash(again.items)).toBe(hash(once.items));
    expect(again.truth).toEqual(once.truth);
  });

  it('gives another stream for another seed', () => {
    expect(hash(play({ ...SMALL, seed: 2 }).items)).not.toBe(hash(play(SMALL).items));
  });

  it('moves timestamps and ids with its start, and nothing else', () => {
    const later = play({ ...SMALL, startAtMs: START_AT_MS + 3_600_000 });
    const base = play(SMALL);
    expect(later.truth.sums).toEqual(base.truth.sums);
    const ids = new Set(base.views.map(({ view_id }) => view_id));
    expect(ids.size).toBe(base.views.length);
    expect(later.views.filter(({ view_id }) => ids.has(view_id))).toEqual([]);
  });

  it('hands items over in the order of their time', () => {
    const times = play(SMALL).items.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  it('keeps every view possible: numbers without gaps, time that goes on, legal states, no negative figure', () => {
    const { items } = play();
    for (const events of eventsByView(items).values()) {
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
      const times = events.map(({ at }) => at);
      expect(times).toEqual([...times].sort((one, other) => one - other));
      const states = events.flatMap(({ state }) => (state === undefined ? [] : [state]));
      for (const [index, state] of states.entries()) {
        const next = states[index + 1];
        if (next !== undefined) expect(NEXT[state]).toContain(next);
      }
      for (const event of events) {
        const numbers = Object.values(event).filter((value) => typeof value === 'number');
        expect(numbers.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }
    }
  });

  it('never has a live buffer that reaches beyond what is published', () => {
    const { items, views } = play();
    const live = new Set(
      views.filter(({ stream_type }) => stream_type === 'live').map(({ view_id }) => view_id),
    );
    const statuses = [...eventsByView(items)]
      .filter(([view]) => live.has(view))
      .flatMap(([, events]) => events)
      .filter(({ buffer, liveLatency }) => buffer !== undefined && liveLatency !== undefined);
    expect(statuses.length).toBeGreaterThan(100);
    for (const { buffer, liveLatency } of statuses)
      expect(Number(buffer)).toBeLessThanOrEqual(Number(liveLatency));
  });

  it('lets about as many watch as there are places, from the ramp to the end', () => {
    const simulation = new Simulation({
      seed: 1,
      viewers: 200,
      startAtMs: START_AT_MS,
      durationMs: 120_000,
    });
    simulation.advance(10_000);
    for (let atMs = 11_000; atMs <= 120_000; atMs += 1_000) {
      simulation.advance(atMs);
      expect(simulation.active).toBeGreaterThan(180);
      expect(simulation.active).toBeLessThanOrEqual(200);
    }
    simulation.finish();
    expect(simulation.active).toBe(0);
  });

  it('adds the viewers of a storm within its time, all before one channel', () => {
    const { views } = play({
      viewers: 0,
      durationMs: 60_000,
      storm: { viewers: 300, withinMs: 5_000 },
    });
    expect(views).toHaveLength(300);
    expect(new Set(views.map(({ video_id }) => video_id))).toEqual(new Set(['channel-1']));
    const preloadMs = 40_000;
    for (const { view_start } of views) {
      expect(view_start).toBeGreaterThanOrEqual(START_AT_MS + 10_000);
      expect(view_start).toBeLessThan(START_AT_MS + 15_000 + preloadMs);
    }
  });

  it('plants troubles that the requests show', () => {
    const { items, truth } = play({ seed: 1, viewers: 80, durationMs: 400_000 });
    const failing = truth.troubles.find(({ kind, pop }) => kind === 'errors' && pop === '');
    const failed = linesOf(items).filter(({ status }) => status === 503);
    for (const { time, duration, cdn: by } of failed) {
      const causes = truth.troubles.filter(
        ({ kind, cdn, from, until }) =>
          kind === 'errors' && by === cdn && from <= time && time - duration <= until + 1_000,
      );
      expect(causes).not.toEqual([]);
    }
    if (failing !== undefined) expect(failed.length).toBeGreaterThan(0);
    expect(truth.troubles.length).toBeGreaterThan(0);
  });
});

describe('the pieces', () => {
  it('take events out in the order of time, then of place', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 60 }), (times) => {
        const queue = new EventQueue();
        for (const [place, atMs] of times.entries()) queue.push(atMs, place);
        const taken: [number, number][] = [];
        for (; queue.size > 0; queue.removeNext()) taken.push([queue.nextMs, queue.nextPlace]);
        const sorted = times.map((atMs, place): [number, number] => [atMs, place]);
        sorted.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
        expect(taken).toEqual(sorted);
      }),
      { seed: 21 },
    );
  });

  it('keep a buffer as long as what came less what was played, never negative', () => {
    const step = fc.record({ rung: fc.nat(3), ms: fc.nat(4_000), consumed: fc.nat(4_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const buffer = new MediaBuffer();
        let ms = 0;
        for (const { rung, ms: added, consumed } of steps) {
          buffer.append(rung, added);
          const taken = Math.min(consumed, ms + added);
          buffer.consume(taken);
          ms += added - taken;
          expect(buffer.ms).toBe(ms);
          expect(buffer.headMs).toBeLessThanOrEqual(ms);
          expect(() => buffer.consume(ms + 1)).toThrow(RangeError);
        }
      }),
      { seed: 22 },
    );
  });

  it('draw numbers that are the same for a seed and spread evenly', () => {
    const random = new Random(5, 6);
    const drawn = Array.from({ length: 4_000 }, () => random.fraction());
    const again = new Random(5, 6);
    expect(again.fraction()).toBe(drawn[0]);
    expect(new Random(5, 7).fraction()).not.toBe(drawn[0]);
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = drawn.filter((value) => Math.floor(value * 10) === tenth).length;
      expect(inside).toBeGreaterThan(320);
      expect(inside).toBeLessThan(480);
    }
  });
});
