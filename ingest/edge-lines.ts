/**
 * Splits chunks of bytes into lines.
 *
 * Guarantee: never more than one line's limit is held between chunks, and each byte is copied once at most, however
 * the chunks fall. A line beyond the limit is given once, as its first bytes; those after it are whole.
 */

export interface Line {
  /** From 1; blank lines count, so that it is the number that an editor shows. */
  readonly number: number;
  /** Without the line end. Valid until the next chunk is pushed. */
  readonly bytes: Buffer;
  /** The line had more than the limit, and `bytes` are its first. */
  readonly tooLong: boolean;
}

const LF = 0x0a;
const CR = 0x0d;
const BLANK: ReadonlySet<number> = new Set([0x09, 0x0b, 0x0c, CR, 0x20]);
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** A line that just fits may have a mark before it and a CR after it. */
const AROUND_BYTES = BYTE_ORDER_MARK.length + 1;

export class LineSplitter {
  readonly #bytesMax: number;
  /** What is held of a line whose end has not come, and how long that line is so far. */
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #lineBytes = 0;
  #number = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that end in a chunk. Every one must be taken before the next chunk. */
  *push(chunk: Buffer): Generator<Line> {
    let start = 0;
    for (;;) {
      const lineFeed = chunk.indexOf(LF, start);
      if (lineFeed < 0) break;
      const line = this.#endLine(chunk.subarray(start, lineFeed));
      if (line !== undefined) yield line;
      start = lineFeed + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** The last line, when no line end came after it. */
  *end(): Generator<Line> {
    if (this.#lineBytes === 0) return;
    const line = this.#endLine(Buffer.alloc(0));
    if (line !== undefined) yield line;
  }

  /** Keeps a copy: a chunk may be a part of a larger buffer, which would stay with it. */
  #hold(piece: Buffer): void {
    this.#lineBytes += piece.length;
    const kept = piece.subarray(0, this.#bytesMax + AROUND_BYTES - this.#heldBytes);
    if (kept.length === 0) return;
    this.#pieces.push(Buffer.from(kept));
    this.#heldBytes += kept.length;
  }

  /** Ends the line with its last piece; nothing when it is blank. */
  #endLine(last: Buffer): Line | undefined {
    this.#number++;
    const lineBytes = this.#lineBytes + last.length;
    const held = this.#heldBytes > 0 ? Buffer.concat([...this.#pieces, last]) : last;
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#lineBytes = 0;
    if (lineBytes > this.#bytesMax + AROUND_BYTES) return this.#tooLong(held);
    const bytes = this.#trimmed(held);
    if (isBlank(bytes)) return undefined;
    if (bytes.length > this.#bytesMax) return this.#tooLong(held);
    return { number: this.#number, bytes, tooLong: false };
  }

  #tooLong(bytes: Buffer): Line {
    return { number: this.#number, bytes: bytes.subarray(0, this.#bytesMax), tooLong: true };
  }

  #trimmed(bytes: Buffer): Buffer {
    const marked = this.#number === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK);
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    return bytes.subarray(marked ? BYTE_ORDER_MARK.length : 0, end);
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => BLANK.has(byte));
}
