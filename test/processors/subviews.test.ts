/** A view divides into spans of a rendition and of a mode, to the millisecond, however its reports arrive. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BeatEvent,
  PLAYBACK_MODES,
  PLAYER_STATES,
  type PlayerState,
  part,
} from '../../schemas/beat.ts';
import { beat, event, response, state, T0 } from '../support/beats.ts';
import { type Concluded, foldDeliveries } from '../support/fold.ts';
import { lived, plainSubviews, spansOfRow } from '../support/plain-subviews.ts';

const LATE_MS = 3_600_000;

function foldEvents(events: readonly BeatEvent[], settings = {}): Concluded {
  const delivery = { atMs: T0 + LATE_MS, beat: beat(events, { source: 'cmcd' }) };
  return foldDeliveries([delivery], { settings });
}

const anyState = fc.oneof(
  fc.constantFrom(...PLAYER_STATES),
  fc.constantFrom<PlayerState>('playing', 'rebuffering', 'playing', 'rebuffering'),
);
const anyPart = fc.oneof(
  { weight: 6, arbitrary: anyState.map(part.state) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        bitrate: fc.constantFrom(-1, 1_000_000, 2_000_000),
        basis: fc.constantFrom('shown' as const, 'shown' as const, 'selected' as const),
        width: fc.constantFrom(0, 640),
        milliFps: fc.constantFrom(0, 25_000),
        codec: fc.constantFrom('', 'avc1'),
      })
      .map(part.rendition),
  },
  { weight: 2, arbitrary: fc.constantFrom(...PLAYBACK_MODES).map(part.playbackMode) },
  { weight: 1, arbitrary: fc.constant(part.status({ playhead: 5_000 })) },
);

const anyReports: fc.Arbitrary<BeatEvent[]> = fc
  .array(
    fc.record({
      gapMs: fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: -500, max: 90_000 })),
      parts: fc.array(anyPart, { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 2, maxLength: 18 },
  )
  .map((items) => {
    let ms = 0;
    return items.map(({ gapMs, parts }, seq) => {
      ms += gapMs;
      // A report says one state: what a second one in it did between cannot be told from its totals.
      const states = parts.filter((said) => Object.keys(said)[0]?.endsWith('State'));
      return event(seq, ms, 'x', ...parts.filter((said) => !states.slice(1).includes(said)));
    });
  });

describe('the spans of a view', () => {
  it('are those of a plain recomputation, and add up to its playing and rebuffering', () => {
    fc.assert(
      fc.property(anyReports, (events) => {
        const { viewRows, eventRows } = foldEvents(events);
        const row = viewRows.at(-1) ?? {};
        const inOrder = [...eventRows].sort((a, b) => Number(a.seq) - Number(b.seq));
        const plain = plainSubviews(events, inOrder);
        const found = spansOfRow(row);
        expect(lived(found.renditions)).toEqual(lived(plain.renditions));
        expect(lived(found.modes)).toEqual(lived(plain.modes));
        for (const spans of [plain.renditions, plain.modes]) {
          const sum = Object.values(spans).reduce((total, { playingMs }) => total + playingMs, 0);
          expect(sum).toBe(row.playing_ms);
        }
      }),
      { seed: 21, numRuns: 1_500 },
    );
  });

  it('are none in a view of which no rendition and no mode is said', () => {
    const row = foldEvents([
      state(0, 0, 'starting'),
      state(1, 500, 'playing'),
      state(2, 9_000, 'ended'),
    ]).view('v');
    expect(spansOfRow(row).renditions).toEqual({
      '': { playingMs: 8_500, rebufferMs: 0, rebufferCount: 0 },
    });
    expect([row.rendition_bitrates, row.mode_names, row.content_from_s]).toEqual([[], [], []]);
  });

  it('give a rebuffering to what was shown when it began, and the time before a word of it to none', () => {
    const shown = (bitrate: number) => part.rendition({ bitrate });
    const { renditions, modes } = spansOfRow(
      foldEvents([
        event(0, 0, 'x', part.state('playing')),
        event(1, 1_000, 'x', shown(2_000_000), part.playbackMode('fullscreen')),
        event(2, 5_000, 'x', part.state('rebuffering'), shown(1_000_000)),
        event(3, 6_000, 'x', shown(500_000)),
        event(4, 8_000, 'x', part.state('playing')),
        event(5, 9_000, 'x', part.state('quit')),
      ]).view('v'),
    );
    const span = (playingMs: number, rebufferMs = 0, rebufferCount = 0) => ({
      ...{ playingMs, rebufferMs, rebufferCount },
    });
    expect(renditions).toEqual({
      '2000000,0,0,0,': span(4_000),
      '1000000,0,0,0,': span(0, 3_000, 1),
      '500000,0,0,0,': span(1_000),
      '': span(1_000),
    });
    expect(modes).toEqual({ fullscreen: span(5_000, 3_000, 1), '': span(1_000) });
  });

  it('take nothing from reports about requests, nor what is selected once something was shown', () => {
    const row = foldEvents([
      event(0, 0, 'x', part.state('playing'), part.rendition({ bitrate: 5, basis: 'selected' })),
      event(1, 1_000, 'x', part.rendition({ bitrate: 7 })),
      event(2, 3_000, 'x', part.rendition({ bitrate: 9, basis: 'selected' })),
      response(0, 500, part.rendition({ bitrate: 11 })),
      event(3, 7_000, 'x', part.state('ended')),
    ]).view('v');
    expect([row.rendition_bitrates, row.rendition_playing_ms]).toEqual([
      [5, 7],
      [1_000, 6_000],
    ]);
  });

  it('beyond renditionsPerViewMax are one, which is counted', () => {
    const steps = Array.from({ length: 6 }, (_, index) =>
      event(index + 1, 1_000 * (index + 1), 'x', part.rendition({ bitrate: 1 + index })),
    );
    const events = [state(0, 0, 'playing'), ...steps, state(7, 7_000, 'ended')];
    const result = foldEvents(events, { renditionsPerViewMax: 3 });
    const row = result.view('v');
    expect(row.rendition_codecs).toEqual(['', '', '', '(other)']);
    expect(row.rendition_playing_ms).toEqual([1_000, 1_000, 1_000, 3_000]);
    expect(result.fold.counters().renditionsMerged).toBe(3);
  });
});
