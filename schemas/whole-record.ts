/**
 * Whether bytes are one whole record of a schema, told without making anything of them.
 *
 * Guarantee: takes no longer than the bytes are long, whatever they are. The decoder trusts the counts of arrays and
 * maps and checks the end last: five bytes of a damaged record would have it build items until the memory is used up.
 */
import type { Type, types } from 'avsc';

/** Moves past one value; returns where it ends, beyond `end` when it is not whole. */
type Skip = (bytes: Buffer, at: number, end: number) => number;

const skips = new WeakMap<Type, Skip>();

/** True when the bytes from `start` to their end are one value of the type. */
export function isWhole(type: Type, bytes: Buffer, start: number): boolean {
  let skip = skips.get(type);
  if (skip === undefined) {
    skip = skipOf(type);
    skips.set(type, skip);
  }
  return skip(bytes, start, bytes.length) === bytes.length;
}

function skipOf(type: Type): Skip {
  switch (type.typeName) {
    case 'record':
      return skipRecord((type as types.RecordType).fields.map((field) => skipOf(field.type)));
    case 'array':
      return skipBlocks(skipOf((type as types.ArrayType).itemsType));
    case 'map': {
      const value = skipOf((type as types.MapType).valuesType);
      return skipBlocks((bytes, at, end) => value(bytes, skipText(bytes, at, end), end));
    }
    case 'string':
    case 'bytes':
      return skipText;
    case 'fixed': {
      const { size } = type as types.FixedType;
      return (_, at) => at + size;
    }
    case 'boolean':
      return (_, at) => at + 1;
    case 'double':
      return (_, at) => at + 8;
    case 'null':
      return (_, at) => at;
    case 'union:wrapped':
    case 'union:unwrapped':
      return skipUnion((type as types.UnwrappedUnionType).types.map(skipOf));
    case 'int':
    case 'long':
    case 'enum':
      return skipLong;
    default:
      throw new Error(`no record of the log has a ${type.typeName}`);
  }
}

function skipRecord(fields: readonly Skip[]): Skip {
  return (bytes, start, end) => {
    let at = start;
    for (const field of fields) at = field(bytes, at, end);
    return at;
  };
}

function skipUnion(branches: readonly Skip[]): Skip {
  return (bytes, start, end) => {
    const { value, end: at } = readLong(bytes, start);
    const branch = branches[value];
    return branch === undefined || at > end ? end + 1 : branch(bytes, at, end);
  };
}

/** Every item has at least a byte, so that no count makes the loop longer than the bytes. */
function skipBlocks(item: Skip): Skip {
  return (bytes, start, end) => {
    let at = start;
    while (at < end) {
      const block = readLong(bytes, at);
      at = block.end;
      if (block.value === 0) return at;
      if (block.value < 0) at = skipLong(bytes, at);
      for (let left = Math.abs(block.value); left > 0; left--) {
        if (at >= end) return end + 1;
        at = item(bytes, at, end);
      }
    }
    return end + 1;
  };
}

function skipText(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return end + 1;
  const length = readLong(bytes, at);
  return length.value < 0 || length.value > end ? end + 1 : length.end + length.value;
}

function skipLong(bytes: Buffer, at: number): number {
  return readLong(bytes, at).end;
}

/** A zigzag varint of at most ten bytes. Past the bytes it is zero, and its end lies beyond them. */
function readLong(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let factor = 1;
  let at = start;
  for (let count = 0; count < 10; count++) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) break;
  }
  return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end: at };
}
