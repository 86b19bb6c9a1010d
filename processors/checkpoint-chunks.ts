/**
 * Chunks of a saved state as bytes: gathers items of one list until a chunk is full, and takes chunks apart again.
 *
 * An item is an Avro block of its own, so that it is encoded once, straight into the chunk, and decoded without the
 * others. What does not decode is an error with a stable code, whatever its bytes are; whoever keeps chunks beside a hash
 * checks that first.
 */
import avro from 'avsc';
import {
  CHUNK_HEADER_BYTES,
  type ChunkKind,
  type ChunkVersion,
  chunkVersionOf,
  currentChunk,
} from '../schemas/checkpoints.ts';

export type CheckpointErrorCode = 'checkpoint_unknown' | 'checkpoint_malformed';

/** A saved state cannot be read. */
export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;

  constructor(code: CheckpointErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CheckpointError';
    this.code = code;
  }
}

const LONG = avro.Type.forSchema('long');
/** Count of a block of one item, and of the block that ends an array, as Avro writes them. */
const ONE_ITEM = 2;
const NO_ITEMS = 0;
const BYTES_INITIAL = 64 * 1024;

export class ChunkWriter {
  readonly #bytesMax: number;
  #bytes = Buffer.allocUnsafe(BYTES_INITIAL);
  #length = 0;
  #version: ChunkVersion | undefined;
  /** Place of the next chunk among all. */
  #next = 0;

  /** @param bytesMax A chunk is full when its body has so many bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** True when a chunk is under way. */
  get open(): boolean {
    return this.#version !== undefined;
  }

  get full(): boolean {
    return this.#length - CHUNK_HEADER_BYTES >= this.#bytesMax;
  }

  begin(kind: ChunkKind): void {
    const version = currentChunk(kind);
    this.#version = version;
    version.header.copy(this.#bytes);
    this.#length = LONG.encode(this.#next++, this.#bytes, CHUNK_HEADER_BYTES);
  }

  add(item: object): void {
    const type = this.#version?.itemType;
    if (type === undefined) throw new Error('no chunk is under way');
    for (;;) {
      this.#bytes[this.#length] = ONE_ITEM;
      const end = type.encode(item, this.#bytes, this.#length + 1);
      // Room for the byte that ends the chunk, or begins the next item, is always kept.
      if (end >= 0 && end < this.#bytes.length) {
        this.#length = end;
        return;
      }
      this.#grow(end < 0 ? -end : 1);
    }
  }

  /** Ends the chunk and gives its bytes. */
  take(): Buffer {
    this.#bytes[this.#length] = NO_ITEMS;
    this.#version = undefined;
    return Buffer.from(this.#bytes.subarray(0, this.#length + 1));
  }

  #grow(missing: number): void {
    const { length } = this.#bytes;
    const grown = Buffer.allocUnsafe(Math.max(length + missing + 1, 2 * length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** What a chunk holds. Items are decoded one by one as they are asked for. */
export interface ChunkContent {
  readonly kind: ChunkKind;
  /** Its place among all. */
  readonly chunk: number;
  readonly items: Iterable<unknown>;
}

export function readChunk(bytes: Buffer): ChunkContent {
  const version = chunkVersionOf(bytes);
  if (version === undefined) {
    throw new CheckpointError(
      'checkpoint_unknown',
      'No kept schema has the fingerprint of this part of a checkpoint: upgrade the program.',
    );
  }
  const place = decode(LONG, bytes, CHUNK_HEADER_BYTES);
  return {
    kind: version.kind,
    chunk: place.value as number,
    items: readItems(version, bytes, place.offset),
  };
}

function* readItems(version: ChunkVersion, bytes: Buffer, start: number): Generator<unknown> {
  let at = start;
  for (;;) {
    const block = decode(LONG, bytes, at);
    at = block.offset;
    let left = block.value as number;
    if (left === 0) break;
    if (left < 0) {
      // A negative count is followed by the block's size, which is not needed.
      at = decode(LONG, bytes, at).offset;
      left = -left;
    }
    for (; left > 0; left--) {
      const item = decode(version.itemType, bytes, at);
      at = item.offset;
      yield item.value;
    }
  }
  if (at !== bytes.length) throw malformed('has bytes after its end');
}

function decode(type: avro.Type, bytes: Buffer, at: number): { value: unknown; offset: number } {
  let decoded: { value: unknown; offset: number };
  try {
    decoded = type.decode(bytes, at);
  } catch (cause) {
    throw malformed('does not match its schema', cause);
  }
  if (decoded.offset < 0) throw malformed('ends within an item');
  return decoded;
}

/** The error of a part that cannot be read; `how` says what is wrong with it. */
export function malformed(how: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'checkpoint_malformed',
    `A part of the checkpoint ${how}: use an older checkpoint.`,
    { cause },
  );
}
