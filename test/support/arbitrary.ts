/** Generators of beats for property tests. */
import fc from 'fast-check';
import {
  AD_EVENTS,
  type Beat,
  type BeatEvent,
  FATALITIES,
  type Part,
  PLAYBACK_MODES,
  PLAYER_STATES,
  part,
  REQUEST_KINDS,
  SOURCES,
} from '../../schemas/beat.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
// avsc writes what stays exact through a zigzag: one less than the largest safe integer.
const long = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER - 1 });
const int = fc.integer({ min: -1, max: 0x7fffffff });
const entries = fc.array(fc.record({ name: text, value: text }), { maxLength: 4 });

export const anyPart: fc.Arbitrary<Part> = fc.oneof(
  fc.constantFrom(...PLAYER_STATES).map((state) => part.state(state)),
  fc.record({ bitrate: long, width: int, height: int, codec: text }).map(part.rendition),
  fc.constantFrom(...PLAYBACK_MODES).map((mode) => part.playbackMode(mode)),
  fc.record({ playhead: long, buffer: long, liveLatency: long, playerWidth: int }).map(part.status),
  fc
    .record({
      kind: fc.constantFrom(...REQUEST_KINDS),
      status: int,
      bytes: long,
      ttfb: long,
      url: text,
      cdn: text,
    })
    .map(part.request),
  fc
    .record({
      code: text,
      message: text,
      fatal: fc.constantFrom(...FATALITIES),
      business: fc.boolean(),
    })
    .map(part.error),
  fc.record({ pageLoad: long, playerStartup: long, drm: long }).map(part.timing),
  entries.map(part.context),
  fc.record({ what: fc.constantFrom(...AD_EVENTS), placement: text, code: text }).map(part.ad),
  fc.record({ name: text, value: text }).map(part.custom),
  entries.map(part.keys),
);

export const anyEvent: fc.Arbitrary<BeatEvent> = fc.record({
  seq: long,
  at: long,
  lane: fc.constantFrom('main' as const, 'response' as const),
  name: text,
  parts: fc.array(anyPart, { maxLength: 5 }),
});

export const anyBeat: fc.Arbitrary<Beat> = fc.record({
  project: text,
  view: text,
  source: fc.constantFrom(...SOURCES),
  trustedClock: fc.boolean(),
  sentAt: long,
  context: entries,
  events: fc.array(anyEvent, { maxLength: 8 }),
});
