import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointError, encodeState, StateLoader } from '../../processors/checkpoint-state.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { defaultFoldSettings } from '../../processors/settings.ts';
import { part } from '../../schemas/beat.ts';
import { CHUNK_HEADER_BYTES, chunkVersionOf, chunkVersions } from '../../schemas/checkpoints.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { beat, event, states, T0 } from '../support/beats.ts';
import { chunksOf, loaded } from '../support/checkpoint.ts';

const VIEWS = 40;

/** A fold between epochs with some views, one of them waiting for its place in time. */
function someFold(): PartitionFold {
  const fold = new PartitionFold(0);
  for (let view = 0; view < VIEWS; view++) {
    const context = [{ name: 'video_id', value: `video of some length, number ${view}` }];
    const events = [
      ...states([0, 'starting'], [300, 'playing']),
      event(2, 400, 'r', part.rendition({ bitrate: 1_000_000 })),
    ];
    const value = encodeRecord('beat', beat(events, { view: `v${view}`, context }));
    fold.take({ offset: view, appendTimeMs: T0 + 400 + 200 * view, value });
  }
  fold.endEpoch();
  fold.rows.reset();
  return fold;
}

function codeOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof CheckpointError) return error.code;
    throw error;
  }
  return 'loaded';
}

describe('the chunks of a saved state', () => {
  it('hold at most the bytes asked for and the rest of one item', () => {
    const whole = Math.max(...chunksOf(someFold(), 1).map(({ length }) => length));
    for (const bytesMax of [1, 500, 3_000, 8 * 1024 * 1024]) {
      for (const { length } of chunksOf(someFold(), bytesMax)) {
        expect(length - CHUNK_HEADER_BYTES).toBeLessThan(bytesMax + whole);
      }
    }
    expect(chunksOf(someFold(), 1).length).toBeGreaterThan(VIEWS);
  });

  it('give the same fold however they are cut', () => {
    const state = Buffer.concat(chunksOf(someFold()));
    for (const bytesMax of [1, 700, 5_000]) {
      const again = loaded(chunksOf(someFold(), bytesMax));
      expect(Buffer.concat(chunksOf(again)).equals(state)).toBe(true);
    }
  });

  it('are Avro that any reader of their schema can read', () => {
    const views = chunksOf(someFold()).flatMap((chunk) => {
      const version = chunkVersionOf(chunk);
      const body = version?.type.fromBuffer(chunk.subarray(CHUNK_HEADER_BYTES)) as {
        items: { id: string }[];
      };
      return version?.kind === 'views' ? body.items.map(({ id }) => id) : [];
    });
    expect(views).toEqual(Array.from({ length: VIEWS }, (_, view) => `v${view}`));
  });

  it('hold a text of a view as it is, so that a search of the bytes finds it', () => {
    const state = Buffer.concat(chunksOf(someFold(), 300));
    expect(state.includes('video of some length, number 17')).toBe(true);
    expect(state.includes('video of some length, number 41')).toBe(false);
  });

  it('say by their fingerprint which list they hold', () => {
    const headers = chunkVersions.map(({ header }) => header.toString('hex'));
    expect(new Set(headers).size).toBe(chunkVersions.length);
    expect(chunkVersionOf(Buffer.alloc(3))).toBeUndefined();
  });
});

describe('a state', () => {
  it('is saved between epochs only, and not while the fold goes on', () => {
    const fold = someFold();
    const tick = { offset: VIEWS, appendTimeMs: T0 + 60_000, value: encodeRecord('tick', {}) };
    const chunks = encodeState(fold, 300);
    chunks.next();
    fold.take(tick);
    expect(() => chunks.next()).toThrow(/within an epoch/);
    expect(() => chunksOf(fold)).toThrow(/within an epoch/);
    fold.endEpoch();
    expect(() => chunksOf(fold)).not.toThrow();
  });

  it('has the settings in force, and defaults for those that it does not know', () => {
    const fold = new PartitionFold(0, { ...defaultFoldSettings, reorderMs: 777 });
    expect(loaded(chunksOf(fold)).settings).toEqual({ ...defaultFoldSettings, reorderMs: 777 });
  });

  it('is refused when a chunk has a fingerprint that nobody knows', () => {
    const chunks = chunksOf(someFold());
    const unknown = Buffer.from(chunks[1] ?? []);
    unknown[5] = (unknown[5] ?? 0) ^ 1;
    const [head] = chunks;
    expect(codeOf(() => loaded([head ?? unknown, unknown]))).toBe('checkpoint_unknown');
    expect(codeOf(() => loaded([Buffer.alloc(0)]))).toBe('checkpoint_unknown');
  });

  it('is refused wherever it is cut off', () => {
    const chunks = chunksOf(someFold());
    const whole = Buffer.concat(chunks).length;
    fc.assert(
      fc.property(fc.nat(whole - 1), (kept) => {
        let left = kept;
        const cut = chunks.flatMap((chunk) => {
          const some = chunk.subarray(0, left);
          left -= some.length;
          // What is too short to have a fingerprint is another error, tested above.
          return some.length > CHUNK_HEADER_BYTES ? [some] : [];
        });
        expect(codeOf(() => loaded(cut))).toBe('checkpoint_malformed');
      }),
      { seed: 43, numRuns: 300 },
    );
  });

  it('is refused when its chunks are not all there, in order and of one partition', () => {
    const chunks = chunksOf(someFold(), 500);
    expect(codeOf(() => loaded(chunks.slice(1)))).toBe('checkpoint_malformed');
    expect(codeOf(() => loaded(chunks.slice(0, -1)))).toBe('checkpoint_malformed');
    expect(codeOf(() => loaded(chunks.filter((_, index) => index !== 4)))).toBe(
      'checkpoint_malformed',
    );
    expect(codeOf(() => loaded([...chunks, ...chunks.slice(-1)]))).toBe('checkpoint_malformed');
    expect(
      codeOf(() => loaded([Buffer.concat([chunks[0] ?? Buffer.alloc(0), Buffer.from([0])])])),
    ).toBe('checkpoint_malformed');
    expect(codeOf(() => new StateLoader(1).add(chunks[0] ?? Buffer.alloc(0)))).toBe(
      'checkpoint_malformed',
    );
    expect(codeOf(() => new StateLoader(0).finish())).toBe('checkpoint_malformed');
    expect(codeOf(() => loaded(chunks))).toBe('loaded');
  });
});
