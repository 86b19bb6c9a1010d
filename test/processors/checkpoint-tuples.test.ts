/** Tuples that nothing refers to are let go, so that a partition never comes to their end; sums do not notice. */
import { describe, expect, it } from 'vitest';
import { OTHER, type TupleLimits, Tuples } from '../../processors/tuples.ts';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { beat, states, T0 } from '../support/beats.ts';
import { chunksOf, foldStory, loaded, SHORT } from '../support/checkpoint.ts';

/** More than the windows that are remembered, which refer to their tuples. */
const VIEWS = 1_500;
/** Views so far apart that a window has one or two. */
const STEP_MS = 6_000;
const SWEPT: TupleLimits = { tuplesMax: 700, sweepFrom: 300 };
const KEPT: TupleLimits = { tuplesMax: 1_000_000, sweepFrom: 1_000_000 };
const FULL: TupleLimits = { tuplesMax: 700, sweepFrom: 1_000_000 };

/** Views that come and go one after another, each of a video that no other has. */
const records = Array.from({ length: VIEWS }, (_, view) => {
  const startMs = STEP_MS * view;
  const events = states([0, 'starting'], [100, 'playing'], [600, 'ended']).map((event) => ({
    ...event,
    at: event.at + startMs,
  }));
  const context = [{ name: 'video_id', value: `movie-${view}` }];
  return {
    offset: view,
    appendTimeMs: T0 + startMs + 600,
    value: encodeRecord('beat', beat(events, { view: `v${view}`, context })),
  };
});

/** Folds the records: every epoch's bytes, whether a value was cut, the most tuples, and how often some were let go. */
function told(limits: TupleLimits, isBroken: (epochs: number) => boolean = () => false) {
  const sizes: number[] = [];
  const epochs = foldStory(records, {
    settings: SHORT,
    limits,
    between: (fold, count) => {
      sizes.push(fold.beats.intervals.tuples.size);
      return isBroken(count) ? loaded(chunksOf(fold), limits) : fold;
    },
  });
  const sweeps = sizes.filter((size, index) => size < (sizes[index - 1] ?? 0)).length;
  const other = Buffer.from(OTHER);
  const cut = epochs.some((epoch) => Buffer.from(playbackOf(epoch), 'base64').includes(other));
  return { epochs, cut, sweeps, sizeMax: Math.max(...sizes) };
}

function playbackOf(epoch: string): string {
  return /^playback (.*)$/m.exec(epoch)?.[1] ?? '';
}

function tuplesOf(count: number, limits: TupleLimits): Tuples {
  const tuples = new Tuples(limits);
  const video = dimensions.findIndex(({ name }) => name === 'video_id');
  for (let movie = 0; movie < count; movie++) {
    const values = new Array<string>(dimensions.length).fill('');
    values[video] = `movie-${movie}`;
    tuples.ofView('p', values);
  }
  return tuples;
}

describe('the tuples of a partition', () => {
  it('stay bounded however many there ever were, and the rows are those of a fold that keeps all', () => {
    const swept = told(SWEPT);
    const kept = told(KEPT);
    expect(kept.sizeMax).toBeGreaterThan(VIEWS);
    expect(swept.sizeMax).toBeLessThan(SWEPT.tuplesMax);
    expect(swept.sweeps).toBeGreaterThan(3);
    expect(swept.epochs).toEqual(kept.epochs);
  });

  it('would come to their end without being let go', () => {
    expect(told(SWEPT).cut).toBe(false);
    expect(told(FULL).cut).toBe(true);
  });

  it('are let go alike in a fold that was loaded before or after', () => {
    const plain = told(SWEPT);
    expect(told(SWEPT, (count) => count % 7 === 3)).toEqual(plain);
  });
});

describe('a sweep', () => {
  it('keeps what is used in its order, with new numbers, and sets the next', () => {
    const tuples = tuplesOf(10, { tuplesMax: 100, sweepFrom: 8 });
    expect(tuples.sweepDue).toBe(true);
    const used = new Uint8Array(tuples.size);
    for (const id of [1, 4, 5, 8, 9]) used[id] = 1;
    const before = [1, 4, 5, 8, 9].map((id) => tuples.get(id).values);
    const numbers = tuples.sweep(used);
    expect([...numbers]).toEqual([-1, 0, -1, -1, 1, 2, -1, -1, 3, 4]);
    expect([0, 1, 2, 3, 4].map((id) => tuples.get(id).values)).toEqual(before);
    expect(tuples.size).toBe(5);
    expect(tuples.sweepAt).toBe(10);
    expect(tuples.sweepDue).toBe(false);
  });

  it('is due no sooner than at first when little is left', () => {
    const tuples = tuplesOf(10, { tuplesMax: 100, sweepFrom: 8 });
    tuples.sweep(new Uint8Array(tuples.size));
    expect([tuples.size, tuples.sweepAt]).toEqual([0, 8]);
  });
});
