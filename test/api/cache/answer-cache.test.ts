import { describe, expect, it } from 'vitest';
import {
  AnswerCache,
  createCacheCounters,
  digestOf,
  etagOf,
  heldTag,
} from '../../../api/cache/answer-cache.ts';

const answer = (bytes: number) => ({ etag: `"${bytes}"`, body: Buffer.alloc(bytes) });

function cacheOf(answerCacheBytesMax: number, answerBytesMax = 1_000_000) {
  const counters = createCacheCounters();
  return { cache: new AnswerCache({ answerCacheBytesMax, answerBytesMax }, counters), counters };
}

describe('the cache of answers', () => {
  it('lets what was not asked for longest go first', () => {
    const { cache, counters } = cacheOf(4_600);
    for (const key of ['a', 'b', 'c']) cache.set(key, answer(1_000));
    expect(counters.evictions).toBe(0);
    expect(cache.get('a')).toBeDefined();
    cache.set('d', answer(1_000));
    expect(counters.evictions).toBe(1);
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual([
      'a',
      'c',
      'd',
    ]);
    expect(counters).toMatchObject({ hits: 4, misses: 1 });
  });

  it('never holds more bytes than it may', () => {
    const { cache, counters } = cacheOf(10_000);
    for (let n = 0; n < 200; n += 1) {
      cache.set(`${n % 13}`, answer((n * 379) % 4_000));
      expect(counters.bytes).toBeLessThanOrEqual(10_000);
      expect(counters.bytes).toBeGreaterThan(0);
    }
    expect(counters.evictions).toBeGreaterThan(10);
  });

  it('counts an answer that takes the place of another once', () => {
    const { cache, counters } = cacheOf(10_000);
    cache.set('a', answer(100));
    const { bytes } = counters;
    cache.set('a', answer(100));
    expect(counters.bytes).toBe(bytes);
  });

  it('keeps none that is larger than one may be, and none at all when it may hold nothing', () => {
    const { cache, counters } = cacheOf(10_000, 50);
    cache.set('a', answer(51));
    cache.set('b', answer(50));
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, answer(50)]);
    expect(counters.tooLarge).toBe(1);
    const none = cacheOf(0);
    none.cache.set('a', answer(0));
    expect(none.cache.get('a')).toBeUndefined();
  });
});

describe('a tag', () => {
  it('is of the same key and bytes alone', () => {
    const body = Buffer.from('{}');
    expect(etagOf('key', body)).toMatch(/^"key\.[\w-]{22}"$/);
    expect(etagOf('key', body)).not.toBe(etagOf('other', body));
    expect(etagOf('key', body)).not.toBe(etagOf('key', Buffer.from('[]')));
  });

  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['"other.x"', undefined],
    ['"keys.x"', undefined],
    ['key.x', undefined],
    ['"key.x"', '"key.x"'],
    ['W/"key.x"', '"key.x"'],
    ['"a", "key.x" , "b"', '"key.x"'],
  ])('is found in If-None-Match: %s', (header, tag) => {
    expect(heldTag(header, 'key')).toBe(tag);
  });
});

describe('a digest', () => {
  it('tells lists of values apart whose texts run together', () => {
    const digests = [
      digestOf('ab', 'c'),
      digestOf('a', 'bc'),
      digestOf('abc'),
      digestOf(['ab', 'c']),
    ];
    expect(new Set(digests).size).toBe(4);
    expect(digestOf('a', { b: 1 })).toBe(digestOf('a', { b: 1 }));
  });
});
