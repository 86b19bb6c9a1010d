import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BeatCursor, PART } from '../../processors/cursor.ts';
import type { Beat } from '../../schemas/beat.ts';
import { encodeRecord, HEADER_BYTES } from '../../schemas/records.ts';
import { anyBeat } from '../support/arbitrary.ts';

/** What the cursor reads of a beat, in the shape that avsc would give for the same fields. */
function readThrough(bytes: Buffer): unknown {
  const cursor = new BeatCursor();
  if (!cursor.open(bytes, HEADER_BYTES)) return undefined;
  const events = [];
  let step = cursor.next();
  for (; step === 1; step = cursor.next()) {
    const event = {
      seq: cursor.seq,
      at: cursor.at,
      lane: cursor.lane,
      name: cursor.text(cursor.nameStart, cursor.nameEnd),
      types: [...cursor.partTypes.subarray(0, cursor.partCount)],
      bytes: Buffer.from(bytes.subarray(cursor.eventStart, cursor.eventEnd)),
      first: firstNumber(cursor),
    };
    events.push(event);
  }
  return {
    project: cursor.text(cursor.projectStart, cursor.projectEnd),
    view: cursor.text(cursor.viewStart, cursor.viewEnd),
    source: cursor.source,
    trustedClock: cursor.trustedClock,
    sentAt: cursor.sentAt,
    whole: step === 0,
    events,
  };
}

/** First number of the first part, where the part begins with one. */
function firstNumber(cursor: BeatCursor): number | undefined {
  const type = cursor.partTypes[0];
  if (cursor.partCount === 0 || (type !== PART.rendition && type !== PART.status)) return undefined;
  cursor.seekPart(0);
  return cursor.readLong();
}

const PART_NAMES = [
  'State',
  'Rendition',
  'PlaybackMode',
  'Status',
  'Request',
  'PlayerError',
  'Timing',
  'ContextChange',
  'Ad',
  'Custom',
  'Keys',
];

function expected(beat: Beat): unknown {
  return {
    project: beat.project,
    view: beat.view,
    source: ['native', 'cmcd', 'epas'].indexOf(beat.source),
    trustedClock: beat.trustedClock,
    sentAt: beat.sentAt,
    whole: true,
    events: beat.events.map((event) => ({
      seq: event.seq,
      at: event.at,
      lane: event.lane === 'main' ? 0 : 1,
      name: event.name,
      types: event.parts.map((part) =>
        PART_NAMES.indexOf(Object.keys(part)[0]?.split('.')[2] ?? ''),
      ),
      bytes: expect.any(Buffer),
      first: firstExpected(event.parts[0]),
    })),
  };
}

function firstExpected(
  part: Beat['events'][number]['parts'][number] | undefined,
): number | undefined {
  if (part === undefined) return undefined;
  if ('streamgauge.v1.Rendition' in part) return part['streamgauge.v1.Rendition'].bitrate;
  if ('streamgauge.v1.Status' in part) return part['streamgauge.v1.Status'].playhead;
  return undefined;
}

describe('the cursor', () => {
  it('reads in place what avsc wrote', () => {
    fc.assert(
      fc.property(anyBeat, (beat) => {
        expect(readThrough(encodeRecord('beat', beat))).toEqual(expected(beat));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('reads an event again from its own bytes', () => {
    fc.assert(
      fc.property(anyBeat, (beat) => {
        const bytes = encodeRecord('beat', beat);
        const cursor = new BeatCursor();
        const again = new BeatCursor();
        cursor.open(bytes, HEADER_BYTES);
        while (cursor.next() === 1) {
          expect(again.openEvent(bytes.subarray(cursor.eventStart, cursor.eventEnd))).toBe(true);
          expect([again.seq, again.at, again.partCount]).toEqual([
            cursor.seq,
            cursor.at,
            cursor.partCount,
          ]);
        }
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it('ends on any bytes at all, and never takes a cut beat for a whole one', () => {
    fc.assert(
      fc.property(anyBeat, fc.nat(), fc.uint8Array({ maxLength: 200 }), (beat, cut, noise) => {
        const bytes = encodeRecord('beat', beat);
        readThrough(Buffer.concat([bytes.subarray(0, HEADER_BYTES), noise]));
        const short = bytes.subarray(0, HEADER_BYTES + (cut % (bytes.length - HEADER_BYTES)));
        const read = readThrough(Buffer.from(short)) as
          | { whole: boolean; events: unknown[] }
          | undefined;
        if (read?.whole) expect(read.events.length).toBeLessThanOrEqual(beat.events.length);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
