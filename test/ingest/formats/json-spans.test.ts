import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  elementSpans,
  memberSpan,
  nestsTooDeep,
  rootSpan,
} from '../../../ingest/formats/json-spans.ts';

describe('a text that nests', () => {
  const MEBIBYTE = 1_048_576;
  const deep = (depth: number, inside: string) =>
    Buffer.from('[{"a":'.repeat(depth / 2) + inside + '}]'.repeat(depth / 2));

  it('is too deep when it is large and has a thousand brackets open', () => {
    expect(nestsTooDeep(deep(1_000, `"${'['.repeat(MEBIBYTE)}\\"["`))).toBe(false);
    expect(nestsTooDeep(deep(1_002, `"${'x'.repeat(MEBIBYTE)}"`))).toBe(true);
    expect(nestsTooDeep(deep(1_002, '1'))).toBe(false);
    expect(nestsTooDeep(Buffer.alloc(MEBIBYTE, '[],'))).toBe(false);
    expect(nestsTooDeep(Buffer.alloc(MEBIBYTE, '"'))).toBe(false);
  });
});

describe('JSON spans', () => {
  it('finds every element of an array, however it is printed', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, '\t'), (values, space) => {
        const bytes = Buffer.from(JSON.stringify(values, null, space));
        const spans = elementSpans(bytes, rootSpan(bytes));
        const read = spans.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)));
        expect(read).toEqual(JSON.parse(bytes.toString()));
      }),
    );
  });

  it('finds every member of an object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const bytes = Buffer.from(JSON.stringify(object));
        const parsed = JSON.parse(bytes.toString());
        for (const name of Object.keys(parsed)) {
          const span = memberSpan(bytes, rootSpan(bytes), name);
          expect(JSON.parse(bytes.toString('utf8', span?.start, span?.end))).toEqual(parsed[name]);
        }
      }),
    );
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]{}",:\\ a1') }), (text) => {
        const bytes = Buffer.from(text);
        elementSpans(bytes, rootSpan(bytes));
        memberSpan(bytes, rootSpan(bytes), 'a');
      }),
      { numRuns: 1_000 },
    );
  });
});
