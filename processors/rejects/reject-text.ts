/**
 * Rejects in words. What was refused was written by anybody, so nothing of it reaches a terminal as it is: whatever could
 * move the cursor, change colours, hide or turn text around is shown by its number.
 */
import { isUtf8 } from 'node:buffer';

/** Controls, formats (direction, zero width), halves of characters, and separators of lines. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const ASCII_CONTROL_MAX = 0xff;
const HEX_BYTES_PER_LINE = 16;
const INDENT = '  ';

/** One line of text that a terminal shows and does nothing else with. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code <= ASCII_CONTROL_MAX) return `\\x${code.toString(16).padStart(2, '0')}`;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A value as one line of JSON that a terminal can show too; it says the same. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

/** Text cut to a number of characters. */
export function shortText(text: string, charactersMax: number): string {
  const characters = [...safeText(text)];
  if (characters.length <= charactersMax) return characters.join('');
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

/**
 * Bytes as lines, each indented so that none can pass for a line of ours: text where they are UTF-8, which may be cut in
 * the middle of its last character, else a dump in hex.
 */
export function bytesLines(bytes: Buffer): readonly string[] {
  const text = textOf(bytes);
  if (text === undefined) return hexLines(bytes).map((line) => INDENT + line);
  return text.split('\n').map((line) => INDENT + safeText(line));
}

/** What the bytes are shown as. */
export function bytesKind(bytes: Buffer): 'text' | 'hex' {
  return textOf(bytes) === undefined ? 'hex' : 'text';
}

/** A NUL is in no text that a client sends; binary forms have some. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  for (let cut = 0; cut < 4 && cut <= bytes.length; cut++) {
    const whole = bytes.subarray(0, bytes.length - cut);
    if (!isUtf8(whole)) continue;
    const rest = bytes.subarray(whole.length);
    // What is left over must be the beginning of a character.
    if (cut > 0 && (rest[0] ?? 0) < 0xc2) return undefined;
    const left = Array.from(rest, (byte) => `\\x${byte.toString(16)}`).join('');
    return whole.toString('utf8') + left;
  }
  return undefined;
}

function hexLines(bytes: Buffer): readonly string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += HEX_BYTES_PER_LINE) {
    const line = bytes.subarray(start, start + HEX_BYTES_PER_LINE);
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const shown = line.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    const at = start.toString(16).padStart(8, '0');
    lines.push(`${at}  ${hex.padEnd(HEX_BYTES_PER_LINE * 3 - 1)}  ${shown}`);
  }
  return lines;
}

/** Rows of cells in columns as wide as their widest; the last one is as long as it likes. */
export function columnLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  '),
  );
}
