/** What was refused, as a terminal may be given it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesKind,
  bytesLines,
  columnLines,
  safeJson,
  safeText,
  shortText,
} from '../../processors/rejects/reject-text.ts';

/** What a terminal may act on, or what turns text around. */
const ACTS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

describe('text that anybody wrote', () => {
  it('moves no cursor, colours nothing, and hides nothing', () => {
    expect(safeText('a\x1b[31mred\x07\r\n\x9b2J')).toBe('a\\x1b[31mred\\x07\\x0d\\x0a\\x9b2J');
    expect(safeText('abc\u202etxt\u2066\u200b\u2028')).toBe(
      'abc\\u{202e}txt\\u{2066}\\u{200b}\\u{2028}',
    );
    expect(safeText('tag \u{e0041}, half \ud800')).toBe('tag \\u{e0041}, half \\u{d800}');
  });

  it('stays as it is where it is only text', () => {
    expect(safeText('{"view":"ä \\" 漢字 😀"}')).toBe('{"view":"ä \\" 漢字 😀"}');
  });

  it('never acts, as a line or as JSON, and the JSON says the same', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, (value) => {
        expect(safeText(value)).not.toMatch(ACTS);
        const json = safeJson({ value });
        expect(json).not.toMatch(ACTS);
        expect(JSON.parse(json)).toEqual({ value });
      }),
    );
  });

  it('is cut between characters, after it was made safe', () => {
    expect(shortText('abc', 3)).toBe('abc');
    expect(shortText('😀😀😀😀', 3)).toBe('😀😀…');
    expect(shortText('\x1b\x1b', 5)).toBe('\\x1b…');
  });
});

describe('kept bytes', () => {
  it('are text where they are UTF-8, each line indented', () => {
    const bytes = Buffer.from('{\n"a": "é\x1b[2J"}');
    expect(bytesKind(bytes)).toBe('text');
    expect(bytesLines(bytes)).toEqual(['  {', '  "a": "é\\x1b[2J"}']);
  });

  it('may be cut in the middle of a character', () => {
    const bytes = Buffer.from('view-😀').subarray(0, -1);
    expect(bytesLines(bytes)).toEqual(['  view-\\xf0\\x9f\\x98']);
  });

  it.each([
    ['Avro', Buffer.from([0xc3, 0x01, 0x00, 0x41])],
    ['gzip', Buffer.from([0x1f, 0x8b, 0x08, 0x41])],
    ['a text with a NUL', Buffer.from('a\0b')],
  ])('are a dump in hex where they are %s', (_name, bytes) => {
    expect(bytesKind(bytes)).toBe('hex');
    const [line = ''] = bytesLines(bytes);
    expect(line).toMatch(/^ {2}00000000 {2}([0-9a-f]{2} )+ +[\x20-\x7e]+$/);
    expect(line).toContain(bytes.toString('hex').match(/../g)?.join(' '));
  });

  it('never act, whatever they are, and none is left out of a dump', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        const bytes = Buffer.from(array);
        const lines = bytesLines(bytes);
        for (const line of lines) expect(line).not.toMatch(ACTS);
        if (bytesKind(bytes) === 'text') return;
        const hex = lines.map((line) => line.slice(12, 59).replaceAll(' ', '')).join('');
        expect(hex).toBe(bytes.toString('hex'));
      }),
    );
  });
});

it('columns are as wide as their widest cell', () => {
  const rows = [
    ['a', 'bbb', 'c'],
    ['aaa', 'b', 'a longer one'],
  ];
  expect(columnLines(rows)).toEqual(['a    bbb  c', 'aaa  b    a longer one']);
});
