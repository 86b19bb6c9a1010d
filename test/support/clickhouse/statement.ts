/** What the front needs to know of a statement's text. */

/** A statement, and the rows that an INSERT brings in a format of its own. */
export interface Statement {
  readonly text: string;
  readonly rows?: Buffer;
}

const READS =
  /^(?:\s|\(|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN)\b/i;
const INSERT = /^\s*INSERT\s/i;
const ENDS_IN_FORMAT = /\s+FORMAT\s+(\w+)\s*;?\s*$/i;
const INSERT_WITH_ROWS =
  /^(\s*INSERT\s+INTO\s[^']*?\sFORMAT\s+(?!VALUES\b)\w+)(?:[ \t]*\r?\n|[ \t]+|$)/i;

export function isRead(text: string): boolean {
  return READS.test(text);
}

/** Query and body as the interface takes them: the body goes on where the query ends. */
export function statementOf(query: string, body: Buffer): Statement {
  if (query === '') return withRowsInside(body);
  if (body.length === 0) return { text: query };
  if (INSERT.test(query) && ENDS_IN_FORMAT.test(query)) {
    return { text: query.replace(ENDS_IN_FORMAT, ' FORMAT $1'), rows: body };
  }
  return { text: `${query}\n${body.toString()}` };
}

/** One text that may hold an INSERT and, after its FORMAT, the rows. */
function withRowsInside(body: Buffer): Statement {
  // Bytes are one character each, so that rows that are no text stay what they are.
  const found = INSERT_WITH_ROWS.exec(body.toString('latin1'));
  if (found === null || found[0].length === body.length) return { text: body.toString() };
  const [whole, statement = ''] = found;
  const text = Buffer.from(statement, 'latin1').toString();
  return { text: text.replace(ENDS_IN_FORMAT, ' FORMAT $1'), rows: body.subarray(whole.length) };
}

/** The interface answers in tab-separated text where the embedded engine has another default. */
export function withFormat(text: string, format: string): string {
  if (!isRead(text) || /\bFORMAT\s+\w+\s*(?:SETTINGS\b[\s\S]*|;\s*)?$/i.test(text)) return text;
  return `${text.replace(/[\s;]+$/, '')}\nFORMAT ${format}`;
}

/** Names of the `{name:Type}` placeholders. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\s*(\w+)\s*:/g)].map(([, name]) => name ?? '');
}
