/**
 * Lines of edge logs as named fields, whatever holds them: a JSON object, or columns.
 *
 * Guarantees: pure; never throws. A field that is absent, empty, `-`, or neither text, number nor boolean says
 * nothing: the empty text. Names that every object has (`constructor`, `__proto__`) are names like any other.
 */
import { isObject, type JsonObject } from './native-values.ts';

/** The text of a field; empty where the line says nothing of it. */
export type FieldReader = (name: string) => string;

/** The object of a line. A look at the ends spares most of the costly exceptions that junk would raise. */
export function objectOf(text: string): JsonObject | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined;
  try {
    const value: unknown = JSON.parse(trimmed);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Fields of an object. */
export function fieldsOf(object: JsonObject): FieldReader {
  return (name) => (Object.hasOwn(object, name) ? said(object[name]) : '');
}

/** The name of a field, and the steps that it is when no field has it: taken apart once, not for each line. */
export interface FieldPath {
  readonly name: string;
  readonly steps: readonly string[];
}

export function fieldPath(name: string): FieldPath {
  return { name, steps: name.split('.') };
}

/** A field of an object; a name with dots that is no field is a path into the objects inside. */
export function deepFieldOf(object: JsonObject, { name, steps }: FieldPath): string {
  if (Object.hasOwn(object, name)) return said(object[name]);
  let value: unknown = object;
  for (const step of steps) {
    if (!isObject(value) || !Object.hasOwn(value, step)) return '';
    value = value[step];
  }
  return said(value);
}

function said(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value !== 'string' || value === '-' ? '' : value;
}

/** Places of columns by name. A name that comes twice is its last column. */
export type ColumnOrder = ReadonlyMap<string, number>;

export function columnOrder(names: readonly string[]): ColumnOrder {
  return new Map(names.map((name, index) => [name, index]));
}

/** Fields of columns. `decode` undoes the escapes of a log that has them. */
export function columnsOf(
  columns: readonly string[],
  order: ColumnOrder,
  decode: (text: string) => string = (text) => text,
): FieldReader {
  return (name) => {
    const text = columns[order.get(name) ?? -1] ?? '-';
    return text === '-' ? '' : decode(text);
  };
}

/** The first of some fields that says something. */
export function firstOf(fields: FieldReader, names: readonly string[]): string {
  for (const name of names) {
    const text = fields(name);
    if (text !== '') return text;
  }
  return '';
}
