/** Names and literals in SQL that this folder composes itself. Values of callers are bound, never written into SQL. */
import type { QueryValue } from './store.ts';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name as it stands, when it needs no quoting to be safe; anything else is a bug of the caller. */
export function identifier(name: string): string {
  if (!IDENTIFIER.test(name)) {
    throw new TypeError(`${JSON.stringify(name)} is not a name: letters, digits and _ only`);
  }
  return name;
}

/** A string literal. */
export function literal(text: string): string {
  return `'${escaped(text)}'`;
}

/** A setting's value as SQL. */
export function settingLiteral(value: string | number | boolean): string {
  if (typeof value === 'string') return literal(value);
  return String(Number(value));
}

/**
 * The text of a query parameter, as ClickHouse's HTTP interface takes it in `param_<name>`: escaped as in TabSeparated
 * outside, as SQL literals inside an array. The same bytes that `@clickhouse/client` sends for the same value.
 */
export function parameterText(value: QueryValue): string {
  if (value === null) return '\\N';
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return numberText(value);
  return `[${value.map((item) => (typeof item === 'string' ? literal(item) : numberText(item))).join(',')}]`;
}

// NUL is among them because it would end the engine's view of a statement.
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escaped(text: string): string {
  return text.replace(/[\\'\0\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? '+inf' : '-inf';
  return String(value);
}
