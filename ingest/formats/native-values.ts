/**
 * Values of native JSON: what is taken, what is dropped, what is cut.
 *
 * Guarantee: every text that leaves here is well-formed Unicode of a bounded length, every number a whole one in its
 * range. A value that cannot be taken is dropped and noted; it never costs its event. `null` counts as not said.
 */
import type { Entry } from '../../schemas/beat.ts';

/** How often something was left out, by code of `NOTES`. */
export type NoteCounts = Record<'context_unknown' | 'value_dropped' | 'string_cut', number>;

/** What a decoder of one body shares. */
export interface NativeScope {
  readonly stringLengthMax: number;
  /** Names a context may use. */
  readonly dimensions: ReadonlySet<string>;
  readonly notes: NoteCounts;
}

/** The largest count that a record takes: the log's numbers are doubles, and Avro doubles them once more. */
export const COUNT_MAX = Number.MAX_SAFE_INTEGER - 1;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_LENGTH_MAX = 40;

/** A value as a message may quote it: short, on one line, and never walked into. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const cut = cutText(value, SHOWN_LENGTH_MAX);
  return JSON.stringify(cut.length < value.length ? `${cut}…` : cut);
}

/** At most `lengthMax` UTF-16 units, never half a code point; lone surrogates become U+FFFD. */
export function cutText(value: string, lengthMax: number): string {
  const last = value.charCodeAt(lengthMax - 1);
  const splits = value.length > lengthMax && last >= 0xd800 && last <= 0xdbff;
  const cut = value.length > lengthMax ? value.slice(0, splits ? lengthMax - 1 : lengthMax) : value;
  return cut.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Reads the fields of one event. */
export class Fields {
  readonly object: JsonObject;
  /** Fields that were said and could be taken. */
  takenCount = 0;
  /** The first field that was said and could not be taken, with what it was; empty when there is none. */
  firstDropped = '';
  readonly #scope: NativeScope;

  constructor(object: JsonObject, scope: NativeScope) {
    this.object = object;
    this.#scope = scope;
  }

  /** A number from 0 to `max`, rounded; `unknown` when not said or not usable. */
  whole(name: string, max: number, unknown = -1): number {
    return this.scaled(name, max, 1, unknown);
  }

  /** A number from 0 to `max`, times `factor`, rounded. */
  scaled(name: string, max: number, factor: number, unknown: number): number {
    const value = this.object[name];
    const usable = typeof value === 'number' && value >= 0 && value <= max;
    if (!this.#taken(name, usable)) return unknown;
    // Adding zero turns -0 into 0.
    return Math.round(Number(value) * factor) + 0;
  }

  /** A text, or a number or boolean as text; empty when not said or not usable. */
  text(name: string): string {
    const text = scalarText(this.object[name]);
    if (!this.#taken(name, text !== undefined)) return '';
    return takeText(text ?? '', this.#scope);
  }

  /** One of some words; undefined when not said or another. */
  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const found = words.find((word) => word === this.object[name]);
    return this.#taken(name, found !== undefined) ? found : undefined;
  }

  /** undefined when not said; 'unusable' when said as something else. */
  flag(name: string): boolean | 'unusable' | undefined {
    const value = this.object[name];
    if (value === undefined || value === null) return undefined;
    return this.#taken(name, typeof value === 'boolean') ? value === true : 'unusable';
  }

  /** Counts a field. False: not said, or not usable. */
  #taken(name: string, usable: boolean): boolean {
    const value = this.object[name];
    if (value === undefined || value === null) return false;
    if (usable) {
      this.takenCount++;
      return true;
    }
    this.#scope.notes.value_dropped++;
    if (this.firstDropped === '') this.firstDropped = `${name} was ${shown(value)}`;
    return false;
  }
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const plain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
  return plain ? String(value) : undefined;
}

function takeText(value: string, scope: NativeScope): string {
  if (value.length > scope.stringLengthMax) scope.notes.string_cut++;
  return cutText(value, scope.stringLengthMax);
}

/** `viewer_id` is the other name of `viewer_user_id`, which wins where both are said. */
const ALIAS = 'viewer_id';
const ALIAS_OF = 'viewer_user_id';

/**
 * A context as entries sorted by name. Unknown names are noted and dropped, and so is `view_id`: the beat's `view` says it.
 * A context that is no object is dropped whole.
 */
export function contextEntries(value: unknown, scope: NativeScope): readonly Entry[] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) {
    scope.notes.value_dropped++;
    return [];
  }
  const taken = new Map<string, string>();
  for (const [said, inner] of Object.entries(value)) {
    const name = said === ALIAS ? ALIAS_OF : said;
    if (inner === null || (said === ALIAS && value[ALIAS_OF] != null)) continue;
    const text = scalarText(inner);
    if (!scope.dimensions.has(name) || name === 'view_id') scope.notes.context_unknown++;
    else if (text === undefined) scope.notes.value_dropped++;
    else taken.set(name, takeText(text, scope));
  }
  return [...taken]
    .map(([name, text]) => ({ name, value: text }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}
