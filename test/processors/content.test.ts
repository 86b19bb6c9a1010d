/** What parts of its content a view played, and where it met trouble. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addRange } from '../../processors/content-ranges.ts';
import { type BeatEvent, type Part, part } from '../../schemas/beat.ts';
import { beat, event, T0 } from '../support/beats.ts';
import { type Concluded, foldDeliveries } from '../support/fold.ts';

const at = (playhead: number): Part => part.status({ playhead });

function foldEvents(events: readonly BeatEvent[], settings = {}): Concluded {
  return foldDeliveries([{ atMs: T0 + 3_600_000, beat: beat(events) }], { settings });
}

/** Reports at seconds, each with its parts. */
function story(...steps: readonly (readonly [seconds: number, ...parts: Part[]])[]): BeatEvent[] {
  return steps.map(([seconds, ...parts], seq) => event(seq, 1_000 * seconds, 'x', ...parts));
}

function partsOf(result: Concluded): (readonly [number, number])[] {
  const row = result.view('v');
  const to = row.content_to_s as readonly number[];
  return (row.content_from_s as readonly number[]).map((from, index) => [from, to[index] ?? 0]);
}

function troublesOf(result: Concluded): string[] {
  const row = result.view('v');
  const list = (name: string) => row[name] as readonly (string | number)[];
  return list('trouble_kinds').map((kind, place) => {
    const [second, count, ms] = ['trouble_seconds', 'trouble_counts', 'trouble_ms'].map(
      (name) => list(name)[place],
    );
    return `${kind} at ${second}: ${count}, ${ms} ms`;
  });
}

describe('ranges', () => {
  it('hold the seconds that were added and no other, apart and in order', () => {
    const range = fc
      .tuple(fc.nat(60_000), fc.nat(20_000))
      .map(([from, length]) => [from, from + length]);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (added) => {
        const ranges: number[] = [];
        const seconds = new Set<number>();
        for (const [from = 0, to = 0] of added) {
          expect(addRange(ranges, from, to, 100)).toBe(0);
          for (let s = Math.floor(from / 1_000); s < Math.floor(to / 1_000); s++) seconds.add(s);
        }
        const found = new Set<number>();
        for (let place = 0; place < ranges.length; place += 2) {
          const [from = 0, to = 0] = ranges.slice(place, place + 2);
          expect(from).toBeGreaterThan(place === 0 ? -1 : (ranges[place - 1] ?? 0));
          for (let s = from; s < to; s++) found.add(s);
        }
        expect([...found].sort((a, b) => a - b)).toEqual([...seconds].sort((a, b) => a - b));
      }),
      { seed: 31 },
    );
  });

  it('beyond the limit join those that are nearest, and say so', () => {
    const ranges: number[] = [];
    const closed = [0, 10, 15, 40].map((s) => addRange(ranges, s * 1_000, (s + 2) * 1_000, 3));
    expect(closed).toEqual([0, 0, 0, 1]);
    expect(ranges).toEqual([0, 2, 10, 17, 40, 42]);
  });

  it('are none where a position is not known', () => {
    const ranges: number[] = [];
    addRange(ranges, Number.NaN, 5_000, 3);
    addRange(ranges, 5_000, Number.NaN, 3);
    expect(ranges).toEqual([]);
  });
});

describe('the content of a view', () => {
  it('is played between two positions, back to the start, and on to the end', () => {
    const result = foldEvents(
      story(
        [0, part.state('starting')],
        [1, part.state('playing')],
        [11, at(10_000)],
        [21, at(20_000)],
        [26, part.state('quit')],
      ),
    );
    expect(partsOf(result)).toEqual([[0, 25]]);
    expect(result.view('v')).toMatchObject({ content_end_ms: 25_000, content_exit_ms: 25_000 });
  });

  it('jumps at a seek: played up to it, and back from the first position after it', () => {
    const result = foldEvents(
      story(
        [0, part.state('playing'), at(0)],
        [10, part.state('seeking')],
        [12, part.state('playing')],
        [16, at(504_000)],
        [20, part.state('ended')],
      ),
    );
    expect(partsOf(result)).toEqual([
      [0, 10],
      [500, 508],
    ]);
  });

  it('takes the position said with a seek as where it leads', () => {
    const result = foldEvents(
      story(
        [0, part.state('playing'), at(100_000)],
        [5, part.state('seeking'), at(30_000)],
        [6, part.state('playing')],
        [9, part.state('ended')],
      ),
    );
    expect(partsOf(result)).toEqual([
      [30, 33],
      [100, 105],
    ]);
  });

  it('moves at the rate seen last, and not through pauses, rebuffering or an ad', () => {
    const result = foldEvents(
      story(
        [0, part.state('playing'), at(0)],
        [10, at(20_000)],
        [12, part.state('paused')],
        [40, part.state('playing')],
        [42, part.state('rebuffering')],
        [50, part.state('playing')],
        [51, part.state('quit')],
      ),
    );
    expect(partsOf(result)).toEqual([[0, 30]]);
    const ad = foldEvents(
      story([0, part.state('playing'), at(0)], [30, at(0)], [34, part.state('quit')]),
    );
    expect(partsOf(ad)).toEqual([[0, 4]]);
  });

  it('takes what playing cannot have led to as a jump', () => {
    const result = foldEvents(
      story(
        [0, part.state('playing'), at(0)],
        [10, at(900_000)],
        [20, at(100_000)],
        [22, part.state('quit')],
      ),
    );
    expect(partsOf(result)).toEqual([
      [0, 10],
      [100, 102],
      [900, 910],
    ]);
  });

  it('has no position that no content has, which is counted', () => {
    const result = foldEvents(
      story([0, part.state('playing'), at(T0)], [9, at(T0 + 9_000)], [10, part.state('ended')]),
    );
    expect(partsOf(result)).toEqual([]);
    expect(result.view('v')).toMatchObject({ content_end_ms: 0, content_exit_ms: null });
    expect(result.fold.counters().positionsIgnored).toBe(2);
  });

  it('has its troubles where they began', () => {
    const error = part.error({ code: 'E', fatal: 'no' });
    const result = foldEvents(
      story(
        [0, part.state('playing'), at(60_000), part.rendition({ bitrate: 2_000 })],
        [5, part.rendition({ bitrate: 1_000 })],
        [8, part.state('rebuffering')],
        [11, part.state('playing'), at(68_000)],
        [20, error],
        [20, error],
        [21, part.rendition({ bitrate: 2_000 })],
        [25, part.state('quit')],
      ),
    );
    expect(troublesOf(result)).toEqual([
      'downswitch at 65: 1, 0 ms',
      'rebuffer at 68: 1, 3000 ms',
      'error at 77: 2, 0 ms',
    ]);
    expect(result.view('v')).toMatchObject({ rebuffer_ms: 3_000, content_exit_ms: 82_000 });
  });

  it('keeps so many parts and troubles, and counts the rest', () => {
    const error = part.error({ code: 'E', fatal: 'no' });
    const steps = Array.from({ length: 6 }, (_, index) => [
      [10 * index, part.state('seeking'), at(100_000 * (index + 1))] as const,
      [10 * index + 1, part.state('playing'), error] as const,
    ]).flat();
    const events = story([0, part.state('playing'), at(0)], ...steps, [70, part.state('quit')]);
    const result = foldEvents(events, { contentRangesMax: 3, troublesPerViewMax: 2 });
    expect(partsOf(result).length).toBeLessThanOrEqual(4);
    expect(troublesOf(result)).toHaveLength(2);
    expect(result.fold.counters()).toMatchObject({ troublesUnplaced: 4, contentGapsClosed: 2 });
  });
});
