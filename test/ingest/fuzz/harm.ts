/** What is done to good bytes: bits flipped, slices cut, doubled or moved, words put in that readers fall over. */
import fc from 'fast-check';

/** Bodies grow no further: what is larger is another test's. */
const BYTES_MAX = 200_000;

/** Numbers at the edges of what doubles, longs and clocks hold, and words that are none. */
const NUMBERS: readonly string[] = [
  ...['0', '-1', '-0', '0.5', '1e-400', '1e15', '1e309', '2147483648', '4294967296'],
  ...['8796093022208', '999999999999999', '9007199254740990', '9007199254740991'],
  ...['9007199254740993', '9'.repeat(400), '0x10', 'NaN', 'Infinity', '-Infinity'],
];

/** Words that readers of names, texts and brackets fall over. */
const WORDS: readonly (string | readonly number[])[] = [
  ...['null', 'true', '[]', '{}', '""', '"', "'", '\\', ',', ':', ';', '=', '(', ')', '?0', '?1'],
  ...['"__proto__":{"view":"p"},', '"constructor":1,', '"toString":"x",', '__proto__=1,'],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '\\u0000',
    '%',
    '%ff',
    '%zz',
    '%00',
    '&',
    '#',
    '?',
    '//',
    '@',
  ],
  ...['\n', '\r\n', '\t', ' ', '\ufeff', '\u2028', '\u{1f3ac}', '-', '#Fields: date time', 'CMCD='],
  ...['['.repeat(5_000), '{"a":'.repeat(5_000), '('.repeat(5_000), '"\\"'.repeat(3_000)],
  ...[',"a":1'.repeat(2_000), ',a=1'.repeat(2_000), 'x'.repeat(20_000), '%2525'.repeat(900)],
  // NUL, UTF-8 that is too long, half of it, a surrogate in it, beyond Unicode, another order of bytes.
  ...[[0], [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xf0, 0x9f], [0xed, 0xa0, 0x80]],
  ...[
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xff, 0xfe],
  ],
  // Numbers of Avro: the largest, the most negative, one without end, a count of millions.
  ...[[...Array<number>(9).fill(0xff), 0x7f], Array<number>(12).fill(0xff)],
  ...[
    [0xfe, 0xff, 0xff, 0xff, 0x0f],
    [0x80, 0x80, 0x80, 0x01],
  ],
];

const words = WORDS.map((word) => Buffer.from(word as string));
const anyWord = fc.constantFrom(...words);
const anyNumber = fc.constantFrom(...NUMBERS.map((number) => Buffer.from(number)));

type Harm = (bytes: Buffer) => Buffer;

/** Where, as a part of the whole. */
const anywhere = fc.nat(9_999);
const placeIn = (bytes: Buffer, at: number) => Math.floor((at / 10_000) * bytes.length);

function spanIn(bytes: Buffer, from: number, length: number): [number, number] {
  const start = placeIn(bytes, from);
  return [start, Math.min(bytes.length, start + length)];
}

/** Puts bytes in the place of a span. */
function spliced(bytes: Buffer, [start, end]: [number, number], put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(end)]);
}

const anyLength = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 }));

const TOKEN = /-?\d+(?:\.\d+)?|"[^"\\]*"|[a-z_]+/gi;
const NUMBER = /-?\d+(?:\.\d+)?/g;

const anyHarm: fc.Arbitrary<Harm> = fc.oneof(
  fc.tuple(anywhere, fc.nat(7)).map(
    ([at, bit]): Harm =>
      (bytes) => {
        const changed = Buffer.from(bytes);
        const place = placeIn(bytes, at);
        if (place < changed.length) changed[place] = (changed[place] ?? 0) ^ (1 << bit);
        return changed;
      },
  ),
  anywhere.map(
    (at): Harm =>
      (bytes) =>
        bytes.subarray(0, placeIn(bytes, at)),
  ),
  fc.tuple(anywhere, anyLength).map(
    ([at, length]): Harm =>
      (bytes) =>
        spliced(bytes, spanIn(bytes, at, length), Buffer.alloc(0)),
  ),
  fc.tuple(anywhere, anyLength, anywhere).map(
    ([at, length, to]): Harm =>
      (bytes) => {
        const target = placeIn(bytes, to);
        return spliced(bytes, [target, target], bytes.subarray(...spanIn(bytes, at, length)));
      },
  ),
  fc.tuple(anywhere, anyWord).map(
    ([at, word]): Harm =>
      (bytes) => {
        const place = placeIn(bytes, at);
        return spliced(bytes, [place, place], word);
      },
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(anywhere, anyWord).map(([at, word]) => replaceToken(TOKEN, at, word)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(anywhere, anyNumber).map(([at, word]) => replaceToken(NUMBER, at, word)),
  },
);

/** Puts a word in the place of a number, a text or a name: what stands around it stays well-formed. */
function replaceToken(kind: RegExp, at: number, word: Buffer): Harm {
  return (bytes) => {
    const tokens = [...bytes.toString('latin1').matchAll(kind)];
    const token = tokens[Math.floor((at / 10_000) * tokens.length)];
    if (token === undefined) return bytes;
    return spliced(bytes, [token.index, token.index + token[0].length], word);
  };
}

/** Good bytes, harmed up to four times, or two of them cut into one. */
export function harmed(good: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const once = fc
    .tuple(good, fc.array(anyHarm, { minLength: 1, maxLength: 4 }))
    .map(([bytes, harms]) => harms.reduce((now, harm) => harm(now), bytes));
  const joined = fc
    .tuple(good, good, anywhere, anywhere)
    .map(([left, right, end, start]) =>
      Buffer.concat([left.subarray(0, placeIn(left, end)), right.subarray(placeIn(right, start))]),
    );
  return fc
    .oneof({ weight: 6, arbitrary: once }, joined)
    .map((bytes) => bytes.subarray(0, BYTES_MAX));
}
