/**
 * Cursor over the bytes of a beat (Avro, `schemas/avro/beat.v1.ts`). Numbers are read where they lie, strings are
 * offset and length; nothing is decoded into objects.
 *
 * Guarantee: on any bytes at all it ends, never reads outside the record, and says whether what it read was whole.
 */

import { urlKeyAt } from './delivery/url-key.ts';

/** Index of a part's type in the schema's union. */
export const PART = {
  state: 0,
  rendition: 1,
  playbackMode: 2,
  status: 3,
  request: 4,
  error: 5,
  timing: 6,
  context: 7,
  ad: 8,
  custom: 9,
  keys: 10,
} as const;

/** Ten bytes can say more than a number holds exactly: it counts as the nearest that one does. */
const LONG_MAX = Number.MAX_SAFE_INTEGER;
/** Lengths are bounded so that a hostile count cannot make a loop long. */
const PARTS_MAX = 64;
const EMPTY = Buffer.alloc(0);

export class BeatCursor {
  bytes: Buffer = EMPTY;
  #pos = 0;
  #end = 0;
  #left = 0;
  /** Where the next event begins; reading parts moves the reader. */
  #resume = 0;

  projectStart = 0;
  projectEnd = 0;
  viewStart = 0;
  viewEnd = 0;
  source = 0;
  trustedClock = false;
  sentAt = 0;
  contextStart = 0;
  contextEnd = 0;

  /** The event under the cursor; number -1 in the main lane while a beat has given none. */
  seq = -1;
  at = 0;
  lane = 0;
  nameStart = 0;
  nameEnd = 0;
  eventStart = 0;
  partsStart = 0;
  eventEnd = 0;
  partCount = 0;
  readonly partTypes = new Uint8Array(PARTS_MAX);
  readonly partStarts = new Uint32Array(PARTS_MAX);
  readonly partEnds = new Uint32Array(PARTS_MAX);

  /** Opens a beat's body. False when the bytes are not a beat. */
  open(bytes: Buffer, start: number): boolean {
    this.bytes = bytes;
    this.#pos = start;
    this.#end = bytes.length;
    this.#left = 0;
    // A beat without events must not be taken for one of the events read before it.
    this.seq = -1;
    this.lane = 0;
    this.projectEnd = this.#skipString();
    this.projectStart = this.#stringStart;
    this.viewEnd = this.#skipString();
    this.viewStart = this.#stringStart;
    this.source = this.#long();
    this.trustedClock = bytes[this.#pos++] === 1;
    this.sentAt = this.#long();
    this.contextStart = this.#pos;
    this.#skipEntries();
    this.contextEnd = this.#pos;
    this.#left = this.#blockCount();
    this.#resume = this.#pos;
    return this.#pos <= this.#end && this.source >= 0 && this.source <= 2;
  }

  /** Opens the bytes of one event, as `eventStart` to `eventEnd` gave them. */
  openEvent(bytes: Buffer): boolean {
    this.bytes = bytes;
    this.#pos = 0;
    this.#end = bytes.length;
    return this.#readEvent();
  }

  /** Moves to the next event. Returns 1, 0 at the end, -1 when the rest is not whole. */
  next(): 1 | 0 | -1 {
    if (this.#left === 0) return 0;
    this.#pos = this.#resume;
    if (!this.#readEvent()) {
      this.#left = 0;
      return -1;
    }
    if (--this.#left === 0) this.#left = this.#blockCount();
    this.#resume = this.#pos;
    return 1;
  }

  /** A string field of the record. */
  text(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }

  /** Places the reader at a part, to read its fields in the schema's order. */
  seekPart(index: number): void {
    this.#pos = this.partStarts[index] ?? this.#end;
  }

  /** Places the reader at any position that the cursor gave, such as `contextStart`. */
  seekTo(position: number): void {
    this.#pos = position;
  }

  readLong(): number {
    return this.#long();
  }

  readBoolean(): boolean {
    return this.bytes[this.#pos++] === 1;
  }

  readText(): string {
    const end = this.#skipString();
    return this.bytes.toString('utf8', this.#stringStart, end);
  }

  /** The key of the URL that the reader stands at; 0 without a path. */
  readUrlKey(): number {
    const end = this.#skipString();
    return end <= this.#end ? urlKeyAt(this.bytes, this.#stringStart, end) : 0;
  }

  /** True when the text that the reader stands at is this one. */
  readsText(text: Buffer): boolean {
    const end = this.#skipString();
    const start = this.#stringStart;
    if (end - start !== text.length || end > this.#end) return false;
    return this.bytes.compare(text, 0, text.length, start, end) === 0;
  }

  skipText(): void {
    this.#skipString();
  }

  /** Count of the array that the reader stands at; 0 also ends it. */
  readCount(): number {
    return this.#blockCount();
  }

  #stringStart = 0;

  #readEvent(): boolean {
    this.eventStart = this.#pos;
    this.seq = this.#long();
    this.at = this.#long();
    this.lane = this.#long();
    this.nameEnd = this.#skipString();
    this.nameStart = this.#stringStart;
    this.partsStart = this.#pos;
    this.partCount = 0;
    for (let left = this.#blockCount(); left > 0; left = this.#blockCount()) {
      for (; left > 0; left--) if (!this.#skipPart()) return false;
    }
    this.eventEnd = this.#pos;
    return this.#pos <= this.#end && (this.lane === 0 || this.lane === 1);
  }

  #skipPart(): boolean {
    const type = this.#long();
    const start = this.#pos;
    if (!this.#skipFields(type) || this.#pos > this.#end) return false;
    if (this.partCount < PARTS_MAX) {
      this.partTypes[this.partCount] = type;
      this.partStarts[this.partCount] = start;
      this.partEnds[this.partCount++] = this.#pos;
    }
    return true;
  }

  #skipFields(type: number): boolean {
    switch (type) {
      case PART.state:
      case PART.playbackMode:
        this.#long();
        break;
      case PART.rendition:
        this.#skipLongs(5);
        this.#skipString();
        break;
      case PART.status:
        this.#skipLongs(7);
        break;
      case PART.request:
        this.#skipLongs(5);
        this.#skipStrings(3);
        break;
      case PART.error:
        this.#skipStrings(2);
        this.#long();
        this.#pos++;
        break;
      case PART.timing:
        this.#skipLongs(3);
        break;
      case PART.context:
      case PART.keys:
        this.#skipEntries();
        break;
      case PART.ad:
        this.#long();
        this.#skipStrings(2);
        break;
      case PART.custom:
        this.#skipStrings(2);
        break;
      default:
        return false;
    }
    return true;
  }

  #skipEntries(): void {
    for (let left = this.#blockCount(); left > 0; left = this.#blockCount()) {
      for (; left > 0 && this.#pos <= this.#end; left--) this.#skipStrings(2);
    }
  }

  #skipLongs(count: number): void {
    for (let index = 0; index < count; index++) this.#long();
  }

  #skipStrings(count: number): void {
    for (let index = 0; index < count; index++) this.#skipString();
  }

  /** Skips a string and returns its end; its start is in `#stringStart`. */
  #skipString(): number {
    const length = this.#long();
    this.#stringStart = this.#pos;
    // A negative or too long length sends the reader past the end, where every check fails.
    this.#pos = length < 0 || length > this.#end - this.#pos ? this.#end + 1 : this.#pos + length;
    return this.#pos;
  }

  /** Items of the array's next block. A negative count is followed by the block's size, which is not needed. */
  #blockCount(): number {
    if (this.#pos >= this.#end) {
      this.#pos = this.#end + 1;
      return 0;
    }
    const count = this.#long();
    if (count >= 0) return count;
    this.#long();
    return -count;
  }

  /** A zigzag varint. Bytes past the end read as zero, which ends it. Exact below 2^53, and never beyond it. */
  #long(): number {
    const bytes = this.bytes;
    let byte = bytes[this.#pos++] ?? 0;
    let low = byte & 0x7f;
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    for (let shift = 7; shift < 28; shift += 7) {
      byte = bytes[this.#pos++] ?? 0;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    let value = low;
    let factor = 0x10000000;
    for (let count = 0; count < 6; count++) {
      byte = bytes[this.#pos++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
    }
    return value % 2 === 0 ? Math.min(value / 2, LONG_MAX) : Math.max(-(value + 1) / 2, -LONG_MAX);
  }
}
