/**
 * Answers of another implementation: what it decodes, what it encodes, what it finds valid.
 *
 * - decode, real: its reading against ours.
 * - encode: its text read by us, whole, and written again byte for byte.
 * - validate: where it says what it read, that; else valid for it must be read whole by us, and the reverse.
 */
import { parseDictionary, serializeDictionary } from '../../../ingest/formats/structured-fields.ts';
import { clauseOf } from './clauses.ts';
import { type Carrier, type Reading, readObject, readVector } from './reading.ts';
import { type Difference, differences, type Expected } from './values.ts';
import type { Verdict } from './verdict.ts';

interface Issue {
  readonly key?: string;
  readonly message: string;
  readonly severity: string;
}

export interface LibraryVector {
  readonly fn?: string;
  readonly carrier?: Carrier;
  readonly recording?: string;
  readonly input: unknown;
  readonly output: unknown;
}

export interface LibraryFile {
  readonly decode: readonly LibraryVector[];
  readonly encode: readonly LibraryVector[];
  readonly validate: readonly LibraryVector[];
  readonly real: readonly LibraryVector[];
}

export function checkLibrary({ decode, encode, validate, real }: LibraryFile): Verdict[] {
  const named = (group: string, vectors: readonly LibraryVector[], check: Check) =>
    vectors.map((vector, index) => ({
      id: `${group}[${index}] ${vector.fn ?? vector.carrier} ${vector.recording ?? ''}`.trim(),
      ...check(vector),
    }));
  return [
    ...named('decode', decode, checkDecode),
    ...named('encode', encode, checkEncode),
    ...named('validate', validate, checkValidate),
    ...named('real', real, checkDecode),
  ];
}

type Outcome = Omit<Verdict, 'id'>;
type Check = (vector: LibraryVector) => Outcome;

const AGREES: Outcome = { found: [], decidedBy: '' };

const NOTHING: Reading = { records: [], rejected: 0, dropped: [] };

/** The part of the input that carries CMCD, by the function that reads it. */
function readingOf({ fn = '', carrier, input }: LibraryVector): Reading {
  if (carrier !== undefined) return readVector(carrier, input);
  if (isNothing(input)) return NOTHING;
  if (/Headers$/.test(fn)) return readVector('headers', input);
  if (/Query$|Url$/.test(fn)) {
    const text = String(input);
    return readVector('query', text.startsWith('CMCD=') ? text : `CMCD=${text}`);
  }
  if (/Request$/.test(fn)) return readRequest(input);
  if (/EventReport$/.test(fn)) return readReport(input);
  if (typeof input === 'object' && input !== null) return readObject(input);
  return readVector(/Event/.test(fn) ? 'event' : 'raw', input ?? '');
}

function readRequest(input: unknown): Reading {
  const { url = '', headers = {} } = input as { url?: string; headers?: Record<string, string> };
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  return readVector('headers+query', { headers, query });
}

function readReport(input: unknown): Reading {
  const { body = '' } = input as { body?: string };
  return readVector('event', body);
}

function checkDecode(vector: LibraryVector): Outcome {
  return compare(readingOf(vector), recordsIn(vector.output));
}

function recordsIn(output: unknown): readonly Expected[] {
  const list = Array.isArray(output) ? output : [output];
  return (list as Expected[]).filter((record) => Object.keys(record).length > 0);
}

function compare({ records, dropped }: Reading, expected: readonly Expected[]): Outcome {
  if (records.length !== expected.length) {
    const found = [`${records.length} records read, ${expected.length} expected`];
    return { found, decidedBy: '' };
  }
  const list = records.flatMap((record, index) => differences(record, expected[index] ?? {}));
  const clauses = list.map((difference) =>
    clauseOf({ kind: 'value', ...reasonOf(difference, dropped) }),
  );
  return outcome(
    list.map(({ text }) => text),
    clauses,
  );
}

function reasonOf({ key }: Difference, dropped: readonly string[]) {
  return { key, dropped: dropped.includes(key) };
}

/** Decided only if each difference is. */
function outcome(found: readonly string[], clauses: readonly string[]): Outcome {
  const decidedBy = clauses.includes('') ? '' : [...new Set(clauses)].join(' / ');
  return { found, decidedBy };
}

function checkEncode(vector: LibraryVector): Outcome {
  const found = textsIn(vector).flatMap((text) => {
    const { members, dropped } = parseDictionary(text);
    const again = serializeDictionary(members);
    const lost = dropped.map((key) => `${key}: cannot be read`);
    return again === text ? lost : [...lost, `written again as ${again}, expected ${text}`];
  });
  return { found, decidedBy: '' };
}

/** Dictionaries in what it wrote. */
function textsIn({ fn = '', output }: LibraryVector): string[] {
  if (typeof output === 'object' && output !== null) {
    const headers = Object.entries(output as Record<string, string>);
    return headers.flatMap(([name, text]) => (/^cmcd-/i.test(name) ? [text] : []));
  }
  const text = String(output);
  if (!/Query$/.test(fn)) return text === '' ? [] : [text];
  const argument = /(?:^|[?&])CMCD=([^&#]*)/.exec(text)?.[1];
  return argument === undefined ? [] : [decodeURIComponent(argument)];
}

function checkValidate(vector: LibraryVector): Outcome {
  const { valid, issues, data } = vector.output as {
    valid: boolean;
    issues: readonly Issue[];
    data?: unknown;
  };
  const reading = readingOf(vector);
  // What the input was is not in the file: nothing can be read from it.
  if (isLost(vector)) return AGREES;
  const read = data === undefined ? AGREES : compare(reading, recordsIn(data));
  const isEmpty = reading.records.length === 0 && reading.rejected === 0;
  const whole = isEmpty || (reading.rejected === 0 && reading.dropped.length === 0);
  const expectedWhole = valid || isNothing(vector.input);
  if (whole === expectedWhole) return read;
  const said = whole ? 'read whole' : `left out ${reading.dropped.join(', ') || 'the record'}`;
  const errors = issues.filter(({ severity }) => severity === 'error');
  const clauses = valid
    ? ['']
    : errors.map(({ message }) => clauseOf({ kind: 'invalid', message }));
  const judged = outcome(
    [`${said}, and it says ${valid ? 'valid' : errors.map(({ message }) => message).join(' ')}`],
    clauses,
  );
  return outcome(
    [...read.found, ...judged.found],
    [...(read.found.length > 0 ? [read.decidedBy] : []), judged.decidedBy],
  );
}

function isNothing(input: unknown): boolean {
  return typeof input === 'object' && input !== null && Object.keys(input).length === 0;
}

/** Requests and numbers that JSON cannot hold. */
function isLost({ fn = '', input, output }: LibraryVector): boolean {
  const hasNoNumber = JSON.stringify(input)?.includes('$number') ?? false;
  const { data } = output as { data?: object };
  return hasNoNumber || (/Request$|Report$/.test(fn) && isNothing(input) && data !== undefined);
}
