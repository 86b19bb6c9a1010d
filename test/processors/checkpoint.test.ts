import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyStory,
  chunksOf,
  FEW_TUPLES,
  foldStory,
  LOW,
  loaded,
  SHORT,
} from '../support/checkpoint.ts';

const anySettings = fc.constantFrom(SHORT, LOW);
const anyLimits = fc.constantFrom(undefined, FEW_TUPLES);
/** Whether the state is saved and loaded after each epoch, over and over. */
const anyBreaks = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });

describe('a fold loaded from its saved state', () => {
  it('gives the rows of the fold that went on, to the byte, wherever it was saved', () => {
    fc.assert(
      fc.property(
        anyStory,
        anySettings,
        anyLimits,
        anyBreaks,
        (records, settings, limits, breaks) => {
          const limited = limits === undefined ? {} : { limits };
          const plain = foldStory(records, { settings, ...limited });
          const broken = foldStory(records, {
            settings,
            ...limited,
            between: (fold, epochs) =>
              breaks[epochs % breaks.length] ? loaded(chunksOf(fold), limits) : fold,
          });
          expect(broken).toEqual(plain);
        },
      ),
      { seed: 41, numRuns: 150 },
    );
  });

  it('has the same state, to the byte, then and ever after', () => {
    fc.assert(
      fc.property(
        anyStory,
        anySettings,
        anyLimits,
        anyBreaks,
        (records, settings, limits, breaks) => {
          const limited = limits === undefined ? {} : { limits };
          const states: Buffer[] = [];
          foldStory(records, {
            settings,
            ...limited,
            between: (fold) => {
              states.push(Buffer.concat(chunksOf(fold)));
              return fold;
            },
          });
          foldStory(records, {
            settings,
            ...limited,
            between: (fold, epochs) => {
              const chunks = chunksOf(fold);
              expect(Buffer.concat(chunks).equals(states[epochs - 1] ?? Buffer.alloc(0))).toBe(
                true,
              );
              const again = loaded(chunks, limits);
              expect(Buffer.concat(chunksOf(again)).equals(Buffer.concat(chunks))).toBe(true);
              return breaks[epochs % breaks.length] ? again : fold;
            },
          });
        },
      ),
      { seed: 42, numRuns: 60 },
    );
  });
});
