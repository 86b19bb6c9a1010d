import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, LineSplitter } from '../../ingest/edge-lines.ts';

interface Seen {
  readonly number: number;
  readonly text: string;
  readonly tooLong: boolean;
}

function seen({ number, bytes, tooLong }: Line): Seen {
  return { number, text: bytes.toString('latin1'), tooLong };
}

/** Splits a text that comes in chunks of some sizes, over and over. */
function split(text: string, bytesMax: number, sizes: readonly number[] = [text.length || 1]) {
  const splitter = new LineSplitter(bytesMax);
  const body = Buffer.from(text, 'latin1');
  const lines: Seen[] = [];
  for (let start = 0, turn = 0; start < body.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy that is wiped afterwards shows what was kept without one.
    const chunk = Buffer.from(body.subarray(start, start + size));
    for (const line of splitter.push(chunk)) lines.push(seen(line));
    chunk.fill('!');
    start += size;
  }
  for (const line of splitter.end()) lines.push(seen(line));
  return lines;
}

const texts = (text: string, bytesMax = 10) => split(text, bytesMax).map((line) => line.text);

describe('lines', () => {
  it('end with LF, CR LF or the body, and blank ones only count', () => {
    expect(split('a\r\n\n \t\nb', 10)).toEqual([
      { number: 1, text: 'a', tooLong: false },
      { number: 4, text: 'b', tooLong: false },
    ]);
    expect(texts('a\n')).toEqual(['a']);
    expect(texts('')).toEqual([]);
    expect(texts('\n\r\n')).toEqual([]);
    expect(texts('a\rb')).toEqual(['a\rb']);
  });

  it('lose a byte order mark, at the begin of the first only', () => {
    expect(texts('\xef\xbb\xbfa\n\xef\xbb\xbfb')).toEqual(['a', '\xef\xbb\xbfb']);
    expect(texts('\xef\xbb\xbf')).toEqual([]);
  });

  it('beyond the limit are given once, cut, and those after them whole', () => {
    expect(split('abcd\nabc\r\nabcde\nx', 3)).toEqual([
      { number: 1, text: 'abc', tooLong: true },
      { number: 2, text: 'abc', tooLong: false },
      { number: 3, text: 'abc', tooLong: true },
      { number: 4, text: 'x', tooLong: false },
    ]);
  });

  it('are the same however the chunks fall', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', ' ', '\xef\xbb\xbf') });
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    fc.assert(
      fc.property(text, sizes, fc.integer({ min: 1, max: 6 }), (body, chunks, bytesMax) => {
        const whole = split(body, bytesMax);
        expect(split(body, bytesMax, chunks)).toEqual(whole);
        expect(split(body, bytesMax, [1])).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});
