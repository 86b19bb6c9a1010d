/**
 * One CMCD record, whatever carried it: a line of an event body, a JSON object, a query argument, request headers.
 *
 * Guarantees: never throws. A value of the wrong type is dropped alone and named (CTA-5004-B, section 6); a record
 * of a version beyond 2 is refused whole, because its keys may mean something else. List keys hold lists, single
 * keys hold items, whichever the player sent. Unknown and custom keys are kept as they came.
 */
import { isUtf8 } from 'node:buffer';
import { type CmcdKey, cmcdKeys } from './cmcd-keys.ts';
import {
  isInnerList,
  isKey,
  isToken,
  NO_PARAMS,
  parseDictionary,
  type SfBare,
  type SfInnerList,
  type SfItem,
  type SfMember,
  type SfParam,
} from './structured-fields.ts';

export type CmcdValue = SfMember;
export type CmcdRecord = ReadonlyMap<string, CmcdValue>;

export interface CmcdRead {
  readonly record: Map<string, CmcdValue>;
  /** Keys of the values that were dropped, once for each; empty where not even the key could be read. */
  readonly dropped: string[];
}

export interface CmcdRefused {
  readonly code: 'cmcd_malformed' | 'cmcd_version_unknown';
  readonly message: string;
  /** The `sid` that it names, if any. */
  readonly view: string;
}

export type CmcdParsed = CmcdRead | CmcdRefused;

/** The newest version of which the keys are known here. */
export const cmcdVersionMax = 2;

/** Numbers of structured fields end here (15 digits); JSON numbers do not. */
const magnitudeMax = 1e15;

/** Names of the headers that carry CMCD, in lower case. Which key stands in which does not matter. */
const HEADERS = ['cmcd-object', 'cmcd-request', 'cmcd-session', 'cmcd-status'] as const;

/** Text of a string value; empty when absent or of another type. */
export function textOf(record: CmcdRecord, key: string): string {
  const member = record.get(key);
  if (member === undefined || isInnerList(member)) return '';
  return typeof member.value === 'string' ? member.value : '';
}

/** Token of a value; empty when absent or of another type. */
export function tokenOf(record: CmcdRecord, key: string): string {
  const member = record.get(key);
  if (member === undefined || isInnerList(member)) return '';
  return typeof member.value === 'object' && 'token' in member.value ? member.value.token : '';
}

/** Number of a value, as sent; undefined when absent or of another type. */
export function numberOf(record: CmcdRecord, key: string): number | undefined {
  const member = record.get(key);
  if (member === undefined || isInnerList(member)) return undefined;
  return typeof member.value === 'number' ? member.value : undefined;
}

/** Items of a list; none when absent. */
export function itemsOf(record: CmcdRecord, key: string): readonly SfItem[] {
  const member = record.get(key);
  if (member === undefined) return [];
  return isInnerList(member) ? member.items : [member];
}

/** Reads one record from its line. */
export function parseCmcd(text: string): CmcdParsed {
  const { members, dropped } = parseDictionary(text);
  return checked(members, dropped);
}

/** Reads one record from a JSON object, as older players send: tokens are strings there, lists arrays. */
export function parseCmcdJson(text: string): CmcdParsed {
  const value = jsonObject(text);
  if (value === undefined) {
    return malformed('The record is not a JSON object: send one object for each record.');
  }
  const members = new Map<string, SfMember>();
  const dropped: string[] = [];
  for (const [key, entry] of Object.entries(value)) {
    const member = isKey(key) ? jsonMember(entry, cmcdKeys.get(key)?.type === 'token') : undefined;
    if (member === undefined) dropped.push(key);
    else members.set(key, member);
  }
  return checked(members, dropped);
}

/** Reads the `CMCD` argument of a URL's query; undefined when there is none, or an empty one. */
export function decodeCmcdQuery(query: string): CmcdParsed | undefined {
  const start = query.startsWith('?') ? 1 : 0;
  for (let from = start; from <= query.length; ) {
    const ampersand = query.indexOf('&', from);
    const to = ampersand < 0 ? query.length : ampersand;
    if (query.startsWith('CMCD=', from) && to > from + 5) {
      return parseCmcd(percentDecode(query.slice(from + 5, to)));
    }
    from = to + 1;
  }
  return undefined;
}

/** Reads the four CMCD headers of a request as Node gives them; undefined when there is none. */
export function decodeCmcdHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): CmcdParsed | undefined {
  const byName = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const members = new Map<string, SfMember>();
  const dropped: string[] = [];
  let found = false;
  for (const name of HEADERS) {
    const value = byName.get(name);
    if (value === undefined || value.length === 0) continue;
    found = true;
    // Each header by itself: one that cannot be read costs the others nothing.
    const part = parseDictionary(headerText(typeof value === 'string' ? value : value.join(',')));
    for (const [key, member] of part.members) members.set(key, member);
    for (const key of part.dropped) dropped.push(key);
  }
  return found ? checked(members, dropped) : undefined;
}

/** Bytes as text: UTF-8 where they are, else Latin-1, which some players put into strings. */
export function textOfBytes(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/** Node reads headers as Latin-1; UTF-8 in them is put together again. */
function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return bytes.toString('latin1') === value ? textOfBytes(bytes) : value;
}

function percentDecode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not UTF-8, or a lone percent sign.
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

function malformed(message: string): CmcdRefused {
  return { code: 'cmcd_malformed', message, view: '' };
}

/** Settles types in place: the map becomes the record. */
function checked(members: Map<string, SfMember>, dropped: string[]): CmcdParsed {
  for (const [key, member] of members) {
    const spec = cmcdKeys.get(key);
    if (spec === undefined) continue;
    const value = typed(member, spec);
    if (value === member) continue;
    if (value !== undefined) {
      members.set(key, value);
    } else {
      members.delete(key);
      dropped.push(key);
    }
  }
  if (members.size === 0) {
    return malformed(
      'No key could be read: send a structured-field dictionary (RFC 8941) of CMCD.',
    );
  }
  const version = numberOf(members, 'v') ?? 1;
  if (version > cmcdVersionMax) {
    return {
      code: 'cmcd_version_unknown',
      message: `CMCD version ${version} is not known: send version 1 or ${cmcdVersionMax}.`,
      view: textOf(members, 'sid'),
    };
  }
  return { record: members, dropped };
}

/** The value in the shape of its key; undefined when its type is another, in any item. */
function typed(member: SfMember, spec: CmcdKey): SfMember | undefined {
  if (spec.list) {
    const list = isInnerList(member) ? member : { items: [member], params: NO_PARAMS };
    return list.items.every((item) => fits(item.value, spec)) ? list : undefined;
  }
  const item = isInnerList(member) ? onlyItem(member) : member;
  return item !== undefined && fits(item.value, spec) ? item : undefined;
}

function onlyItem(list: SfInnerList): SfItem | undefined {
  return list.items.length === 1 ? list.items[0] : undefined;
}

function fits(value: SfBare, spec: CmcdKey): boolean {
  switch (spec.type) {
    case 'integer':
    case 'decimal':
      // Players send decimals for integers (`8092.0`); the reader rounds.
      return typeof value === 'number';
    case 'code':
      return typeof value !== 'boolean';
    case 'token':
      if (typeof value !== 'object' || !('token' in value)) return false;
      return spec.tokens === undefined || spec.tokens.has(value.token);
    default:
      return typeof value === spec.type;
  }
}

/** An object's text as such. A look at its ends spares most of the costly exceptions that junk would raise. */
function jsonObject(text: string): object | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function jsonMember(value: unknown, asToken: boolean): SfMember | undefined {
  if (!Array.isArray(value)) return jsonItem(value, asToken);
  const items: SfItem[] = [];
  for (const entry of value) {
    const item = jsonItem(entry, asToken);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { items, params: NO_PARAMS };
}

/** A plain value, or the reference library's `{ value, params }`. */
function jsonItem(value: unknown, asToken: boolean): SfItem | undefined {
  if (typeof value !== 'object' || value === null || !('value' in value)) {
    const bare = jsonBare(value, asToken);
    return bare === undefined ? undefined : { value: bare, params: NO_PARAMS };
  }
  const bare = jsonBare(value.value, asToken);
  const params = 'params' in value ? jsonParams(value.params) : NO_PARAMS;
  return bare === undefined || params === undefined ? undefined : { value: bare, params };
}

function jsonParams(value: unknown): readonly SfParam[] | undefined {
  if (typeof value !== 'object' || value === null) return NO_PARAMS;
  const params: SfParam[] = [];
  for (const [name, entry] of Object.entries(value)) {
    const bare = isKey(name) ? jsonBare(entry, false) : undefined;
    if (bare === undefined) return undefined;
    params.push({ name, value: bare });
  }
  return params;
}

function jsonBare(value: unknown, asToken: boolean): SfBare | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Math.abs(value) < magnitudeMax ? value + 0 : undefined;
  if (typeof value !== 'string') return undefined;
  return asToken && isToken(value) ? { token: value } : value;
}
