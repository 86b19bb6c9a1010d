import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isKey,
  isToken,
  paramsMax,
  parseDictionary,
  type SfMember,
  serializeDictionary,
  serializeMember,
} from '../../../ingest/formats/structured-fields.ts';

function read(text: string): Record<string, string> {
  const { members } = parseDictionary(text);
  return Object.fromEntries([...members].map(([key, member]) => [key, serializeMember(member)]));
}

const letters = 'abcdefghijklmnopqrstuvwxyz';
const arbitraryKey = fc
  .tuple(
    fc.constantFrom(...letters, '*'),
    fc.string({ unit: fc.constantFrom(...letters, ...'0123456789_-.*'), maxLength: 12 }),
  )
  .map(([first, rest]) => first + rest);
const arbitraryToken = fc
  .tuple(
    fc.constantFrom(...letters, 'A', 'Z', '*'),
    fc.string({ unit: fc.constantFrom(...letters, ...`0189!#$%&'*+-.^_\`|~:/`), maxLength: 12 }),
  )
  .map(([first, rest]) => first + rest);
const arbitraryBare = fc.oneof(
  fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map((n) => n + 0),
  fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }).map((n) => n / 1000 + 0),
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  arbitraryToken.map((token) => ({ token })),
  fc.base64String().map((base64) => ({ base64 })),
);
const arbitraryParams = fc.uniqueArray(fc.record({ name: arbitraryKey, value: arbitraryBare }), {
  selector: (param) => param.name,
  maxLength: 3,
});
const arbitraryItem = fc.record({ value: arbitraryBare, params: arbitraryParams });
const arbitraryMember: fc.Arbitrary<SfMember> = fc.oneof(
  arbitraryItem,
  fc.record({ items: fc.array(arbitraryItem, { maxLength: 4 }), params: arbitraryParams }),
);
const arbitraryDictionary = fc
  .array(fc.tuple(arbitraryKey, arbitraryMember), { maxLength: 8 })
  .map((entries) => new Map(entries));

describe('parseDictionary', () => {
  it('reads every type of the RFC', () => {
    const { members, dropped } = parseDictionary(
      'a=1,b=-2.5,c="x",d=tok/en,e=?0,f,g=:aGk=:,h=(1 "two" three),i=();q,*j=4;p;r="s"',
    );
    expect(dropped).toEqual([]);
    expect(Object.fromEntries(members)).toEqual({
      a: { value: 1, params: [] },
      b: { value: -2.5, params: [] },
      c: { value: 'x', params: [] },
      d: { value: { token: 'tok/en' }, params: [] },
      e: { value: false, params: [] },
      f: { value: true, params: [] },
      g: { value: { base64: 'aGk=' }, params: [] },
      h: {
        items: [
          { value: 1, params: [] },
          { value: 'two', params: [] },
          { value: { token: 'three' }, params: [] },
        ],
        params: [],
      },
      i: { items: [], params: [{ name: 'q', value: true }] },
      '*j': {
        value: 4,
        params: [
          { name: 'p', value: true },
          { name: 'r', value: 's' },
        ],
      },
    });
  });

  it('drops a bad value alone and names its key', () => {
    const bad = ['1e3', '1.', '-', '"x"y', '(1', '(1,2)', '@12', '?2', ':a b:', '(1 @)', '', '+1'];
    for (const value of bad) {
      const { members, dropped } = parseDictionary(`a=1,bad=${value},z=2`);
      expect(dropped, value).toContain('bad');
      expect(read(`a=1,bad=${value},z=2`), value).toMatchObject({ a: '1', z: '2' });
      expect(members.has('bad'), value).toBe(false);
    }
  });

  it('steps over a quoted comma behind a bad value', () => {
    expect(read('a=@"x,evil=1,y",z=2')).toEqual({ z: '2' });
  });

  it('goes on behind a lone quote in what it cannot read', () => {
    expect(read('a=x",z=2')).toEqual({ z: '2' });
  });

  it('takes nothing out of a string that never ends', () => {
    expect(read('a=1,b="cut, sid=x,z=2')).toEqual({ a: '1' });
    expect(read('a=1,b=("cut, z=2')).toEqual({ a: '1' });
  });

  it('has no key for what begins with an upper-case letter', () => {
    expect(read('BR=1,Aa,a=2')).toEqual({ a: '2' });
    expect(parseDictionary('BR=1').dropped).toEqual(['']);
  });

  it('lets the last duplicate win, of keys and of parameters', () => {
    expect(read('a=1,a=2;p=1;q;p=3')).toEqual({ a: '2;q;p=3' });
  });

  it('keeps an earlier value when its duplicate cannot be read', () => {
    expect(read('a=1,a=@')).toEqual({ a: '1' });
  });

  it('takes spaces, tabs, line ends, empty members and a trailing comma', () => {
    expect(read(' a=1 ,\tb=( 2   3;x ) ,, c\r\n,')).toEqual({ a: '1', b: '(2 3;x)', c: '?1' });
  });

  it('undoes escapes, and keeps a backslash before anything else', () => {
    expect(parseDictionary('a="q\\"b\\\\c\\d"').members.get('a')).toEqual({
      value: 'q"b\\c\\d',
      params: [],
    });
  });

  it('takes any character in a string', () => {
    expect(read('a="\u00fc\u4e2d\u0007\t"')).toEqual({ a: '"\u00fc\u4e2d\u0007\t"' });
  });

  it('reads 15 digits and no more', () => {
    expect(read('a=123456789012345,b=1234567890123456,c=0.1234567890123456789')).toEqual({
      a: '123456789012345',
      c: '0.12345678901234568',
    });
  });

  it('has no negative zero', () => {
    for (const text of ['a=-0', 'a=-0.0']) {
      const member = parseDictionary(text).members.get('a');
      expect(member, text).toEqual({ value: 0, params: [] });
    }
  });

  it('drops a value with too many parameters', () => {
    const params = (count: number) =>
      Array.from({ length: count }, (_, index) => `;p${index}`).join('');
    expect(Object.keys(read(`a=1${params(paramsMax)},b=1${params(paramsMax + 1)},c=2`))).toEqual([
      'a',
      'c',
    ]);
  });

  it('reads back every dictionary that it writes', () => {
    fc.assert(
      fc.property(arbitraryDictionary, (dictionary) => {
        const { members, dropped } = parseDictionary(serializeDictionary(dictionary));
        expect(dropped).toEqual([]);
        expect(members).toEqual(dictionary);
      }),
    );
  });

  it('keeps the members around any one that is bad', () => {
    const junk = fc.string({ unit: fc.constantFrom(..."@{}[]\\'<>!%&/()=?;:*+-. aB1") });
    fc.assert(
      fc.property(arbitraryDictionary, junk, (dictionary, text) => {
        const line = serializeDictionary(dictionary);
        const { members } = parseDictionary(`first=1,bad=@${text},${line},last=2`);
        expect(members.get('first')).toEqual({ value: 1, params: [] });
        expect(members.get('last')).toEqual({ value: 2, params: [] });
      }),
    );
  });

  it('never throws, and always comes to an end', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseDictionary(text)));
    const hostile = fc.string({ unit: fc.constantFrom(...'a1=,;()"\\?:* -.') });
    fc.assert(
      fc.property(hostile, (text) => void parseDictionary(text)),
      { numRuns: 2000 },
    );
  });

  it('reads a mebibyte of nothing but openings, quotes or parameters', () => {
    // In quadratic time none of these would end within the runner's limit.
    for (const text of ['(', '"', '\\', 'a="', 'a=("', 'a=1;b', 'a;', 'A,', '@"', ';', 'a=(1 ']) {
      const line = text.repeat((1 << 20) / text.length);
      parseDictionary(line);
      parseDictionary(`a=${line}`);
    }
  });
});

describe('names', () => {
  it('tells keys and tokens from other text', () => {
    expect(['a', '*', 'com.example-x', 'a_1'].every(isKey)).toBe(true);
    expect(['', 'A', '1a', 'a b', '\u00fc'].some(isKey)).toBe(false);
    expect(['a', 'A', '*', 'a:b/c'].every(isToken)).toBe(true);
    expect(['', '1', 'a b', 'a"', '\u00fc'].some(isToken)).toBe(false);
  });
});

describe('serializeMember', () => {
  it('has no exponent', () => {
    expect(serializeMember({ value: 1e-7, params: [] })).toBe('0.000');
  });
});
