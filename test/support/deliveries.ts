/** Random deliveries of a few views, and of everything else that a log may hold. */
import fc from 'fast-check';
import type { LogRecord } from '../../platform/log/log.ts';
import { type BeatEvent, PLAYER_STATES, part } from '../../schemas/beat.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { anyBeat } from './arbitrary.ts';
import { beat, event, T0 } from './beats.ts';

const PIECES = [
  ...PLAYER_STATES.map((state) => part.state(state)),
  part.rendition({ bitrate: 2_000_000, width: 1280, height: 720 }),
  part.rendition({ bitrate: 900_000, width: 640, height: 360, milliFps: 25_000, codec: 'avc1' }),
  part.playbackMode('fullscreen'),
  part.status({ playhead: 2_500, liveLatency: 4_000, droppedFrames: 3, shownFrames: 900 }),
  part.request({ kind: 'segment', status: 200, bytes: 90_000, ttfb: 40, ttlb: 90 }),
  part.error({ code: 'E1', fatal: 'unknown' }),
  part.context([{ name: 'country', value: 'DE' }]),
];

interface Step {
  readonly gapMs: number;
  readonly view: number;
  readonly what: 'beat' | 'beat' | 'stranger' | 'foreign' | 'reject' | 'tick';
  readonly pieces: readonly number[];
  readonly stranger: Buffer;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.oneof(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 20_000 })),
  view: fc.integer({ min: 0, max: 4 }),
  what: fc.constantFrom('beat', 'beat', 'beat', 'beat', 'stranger', 'foreign', 'reject', 'tick'),
  pieces: fc.array(fc.nat(PIECES.length - 1), { minLength: 1, maxLength: 5 }),
  // A clock that is corrected: a trusted one may say a day that no table has.
  stranger: anyBeat.map((body) => encodeRecord('beat', { ...body, trustedClock: false })),
});

/** Records of one partition, then enough ticks for every view to close. Offsets have gaps. */
export const anyRecords: fc.Arbitrary<LogRecord[]> = fc
  .array(step, { minLength: 4, maxLength: 40 })
  .map((steps) => {
    const records: LogRecord[] = [];
    const sequences = new Map<number, number>();
    let appendTimeMs = T0;
    const append = (value: Buffer): void => {
      records.push({ offset: 5 + records.length * 3, appendTimeMs, value });
    };
    for (const one of steps) {
      appendTimeMs += one.gapMs;
      append(recordOf(one, appendTimeMs - T0, sequences));
    }
    for (let quietMs = 0; quietMs <= 3_900_000; quietMs += 300_000) {
      appendTimeMs += quietMs === 0 ? 10_000 : 300_000;
      append(encodeRecord('tick', {}));
    }
    return records;
  });

function recordOf(one: Step, atMs: number, sequences: Map<number, number>): Buffer {
  if (one.what === 'stranger') return one.stranger;
  if (one.what === 'foreign') return Buffer.from('no record of ours');
  if (one.what === 'tick') return encodeRecord('tick', {});
  const view = `view-${one.view}`;
  if (one.what === 'reject') {
    const bytes = Buffer.from(`{"view":"${view}"`);
    const why = { route: 'beats', code: 'body_malformed', message: 'It is cut.' };
    return encodeRecord('reject', { project: 'default', view, ...why, bytes });
  }
  const events: BeatEvent[] = one.pieces.map((piece, index) => {
    const seq = (sequences.get(one.view) ?? -1) + 1;
    sequences.set(one.view, seq);
    return event(seq, atMs - 2_000 + index * 300, 'x', PIECES[piece] ?? part.state('playing'));
  });
  const context = [
    { name: 'video_id', value: `video ${one.view}` },
    { name: 'viewer_user_id', value: `viewer-${one.view % 3}-hash` },
  ];
  return encodeRecord('beat', beat(events, { view, context }));
}
