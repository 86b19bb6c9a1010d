/** A view's context remembers the bytes it took last only to save work: with them or without, it says the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BeatCursor } from '../../processors/cursor.ts';
import {
  contextStamp,
  indexOfDimension,
  RANK,
  ViewContext,
} from '../../processors/view-context.ts';
import type { Entry } from '../../schemas/beat.ts';
import { encodeRecord, HEADER_BYTES } from '../../schemas/records.ts';
import { beat } from '../support/beats.ts';

const VIDEO = indexOfDimension('video_id');
const VIEWER = indexOfDimension('viewer_user_id');
const cursor = new BeatCursor();

/** Says entries as a beat would; true when a value changed. */
function say(context: ViewContext, entries: readonly Entry[], stamp: number): boolean {
  cursor.open(encodeRecord('beat', beat([], { context: entries })), HEADER_BYTES);
  return context.take(cursor, cursor.contextStart, cursor.contextEnd, stamp);
}

function video(value: string): Entry[] {
  return [{ name: 'video_id', value }];
}

/** The same statements without anything remembered between them. */
function forgetful(context: ViewContext): ViewContext {
  const again = new ViewContext();
  for (const said of context.save()) again.restore(said);
  return again;
}

describe('a context that is said again', () => {
  it('holds again when another was said later and it was late in between', () => {
    const context = new ViewContext();
    say(context, video('new'), 20);
    say(context, video('old'), 10);
    expect(context.values[VIDEO]).toBe('new');
    expect(say(context, video('old'), 30)).toBe(true);
    expect(context.values[VIDEO]).toBe('old');
  });

  it('holds again when one of its values was said otherwise with the same stamp', () => {
    const context = new ViewContext();
    say(context, video('a'), 10);
    context.set(VIDEO, 'b', 10);
    expect(say(context, video('a'), 11)).toBe(true);
    expect(context.values[VIDEO]).toBe('a');
  });

  it('changes nothing when it stands, also when it says a dimension twice', () => {
    const context = new ViewContext();
    const twice = [
      { name: 'viewer_id', value: 'one' },
      { name: 'viewer_user_id', value: 'two' },
    ];
    expect(say(context, twice, 10)).toBe(true);
    expect(say(context, twice, 11)).toBe(false);
    expect(say(forgetful(context), twice, 12)).toBe(false);
    expect(context.values[VIEWER]).toBe('two');
  });

  it('does what it does when nothing is remembered', () => {
    const names = fc.constantFrom(
      ...['video_id', 'viewer_id', 'viewer_user_id', 'cdn', 'unknown'],
      ...['~video_id', '~cdn', '~viewer_id', '~country'],
    );
    const entry = fc.record({ name: names, value: fc.constantFrom('', 'a', 'b') });
    const statement = fc.record({
      entries: fc.array(entry, { maxLength: 3 }),
      stamp: fc.integer({ min: 0, max: 6 }),
      alone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 14 }), (statements) => {
        const remembering = new ViewContext();
        let plain = new ViewContext();
        for (const { entries, stamp, alone } of statements) {
          plain = forgetful(plain);
          const changes = [remembering, plain].map((context) =>
            alone ? context.set(VIDEO, 'c', stamp) : say(context, entries, stamp),
          );
          expect(changes[0]).toBe(changes[1]);
          expect(remembering.save()).toEqual(plain.save());
        }
      }),
      { seed: 44, numRuns: 1_000 },
    );
  });
});

describe('what ingest found out', () => {
  const COUNTRY = indexOfDimension('country');
  const found = (value: string) => [{ name: '~country', value }];
  const said = (value: string) => [{ name: 'country', value }];

  it('holds while nobody says it, the last by sequence', () => {
    const context = new ViewContext();
    expect(say(context, found('SE'), contextStamp(RANK.native, 0, 5))).toBe(true);
    expect(say(context, found('NO'), contextStamp(RANK.native, 0, 2))).toBe(false);
    expect(say(context, found('FI'), contextStamp(RANK.native, 0, 9))).toBe(true);
    expect(context.values[COUNTRY]).toBe('FI');
  });

  it('gives way to what any source says, before it or after it', () => {
    for (const rank of Object.values(RANK)) {
      const stamp = contextStamp(rank, 0, 0);
      const later = contextStamp(RANK.native, 3, 1_000);
      const first = new ViewContext();
      say(first, said('SE'), stamp);
      expect(say(first, found('NO'), later)).toBe(false);
      const second = new ViewContext();
      say(second, found('NO'), later);
      expect(say(second, said('SE'), stamp)).toBe(true);
      expect([first.values[COUNTRY], second.values[COUNTRY]]).toEqual(['SE', 'SE']);
    }
  });

  it('is the same whatever order it comes in, also of a beat that came over two networks', () => {
    const statement = fc.record({
      entries: fc.constantFrom(found('SE'), found('NO'), found('FI')),
      rank: fc.constantFrom(...Object.values(RANK)),
      seq: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(statement, { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (list, keys) => {
          const shuffled = list
            .map((entry) => ({ entry, key: keys.next().value ?? 0 }))
            .sort((left, right) => left.key - right.key)
            .map(({ entry }) => entry);
          const [one, other] = [list, shuffled].map((order) => {
            const context = new ViewContext();
            for (const { entries, rank, seq } of order) {
              say(context, entries, contextStamp(rank, 0, seq));
            }
            return context.save();
          });
          expect(one).toEqual(other);
        },
      ),
      { seed: 45, numRuns: 500 },
    );
  });

  it('is in force again after a checkpoint', () => {
    const context = new ViewContext();
    say(context, found('SE'), contextStamp(RANK.cmcd, 0, 5));
    const restored = forgetful(context);
    expect(say(restored, found('NO'), contextStamp(RANK.cmcd, 0, 4))).toBe(false);
    expect(say(restored, said('FI'), contextStamp(RANK.request, 0, 0))).toBe(true);
  });
});
