/**
 * What every edge log format shares: the identity of a line, CMCD of a request, a path that may be stored.
 *
 * Guarantees: pure; never throws; time is linear in the line. No query, no user and no signed token of a URL gets past
 * here. CMCD that cannot be read never costs its request.
 */
import createXxhash from 'xxhash-wasm';
import type { Entry } from '../../schemas/beat.ts';
import type { EdgeRequest } from '../../schemas/records.ts';
import {
  type CmcdParsed,
  type CmcdRead,
  cmcdLimits,
  decodeCmcdHeaders,
  parseCmcd,
  parseCmcdJson,
} from './cmcd.ts';
import { keyEntries } from './cmcd-event.ts';
import { decodeCmcdQuery, textOf } from './cmcd-record.ts';
import { cleanUrl, hostOf } from './cmcd-request.ts';
import { cutText } from './native-values.ts';

/** One line of an edge log, read. */
export type EdgeLine =
  | {
      readonly kind: 'request';
      readonly view: string;
      readonly request: EdgeRequest;
      /** The client's, as the line has it. It is looked up and never stored. */
      readonly clientAddress?: string;
    }
  /** A browser's question before a request (CORS): it delivers nothing and is no request of a view. */
  | { readonly kind: 'preflight' }
  /** It tells of no request: the header of a file, or what a CDN sends to try whether it is heard. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'reject'; readonly code: string; readonly message: string };

/** Adds to the count of a code of `NOTES`. */
export type Note = (code: EdgeNote, times?: number) => void;

export type EdgeNote =
  | 'cmcd_doubled'
  | 'cmcd_unreadable'
  | 'cmcd_version_unknown'
  | 'keys_cut'
  | 'string_cut'
  | 'value_dropped';

/** What reading the lines of one body needs. */
export interface EdgeScope {
  /** Characters at which texts are cut. */
  readonly stringLengthMax: number;
  readonly note: Note;
}

/** Reads one line, without its line end. */
export type EdgeLineReader = (line: Buffer, scope: EdgeScope) => EdgeLine;

const { h64Raw } = await createXxhash();

/**
 * Identity of a request: XXH64 (seed 0, big endian) of its line as it came, without its line end. Two requests whose
 * lines are equal byte for byte are one: a log format should name the connection and the request's number on it.
 */
export function identityOf(line: Uint8Array): Buffer {
  const identity = Buffer.allocUnsafeSlow(8);
  identity.writeBigUInt64BE(h64Raw(line));
  return identity;
}

/** A text that may be stored: well-formed, of a bounded length. */
export function cutEdgeText(text: string, { stringLengthMax, note }: EdgeScope): string {
  if (text.length > stringLengthMax) note('string_cut');
  return cutText(text, stringLengthMax);
}

/** Where a log may have CMCD. */
export interface CmcdSources {
  readonly headers?: Parameters<typeof decodeCmcdHeaders>[0];
  readonly query?: string;
  /** A field with all of it, as a structured-field dictionary. */
  readonly text?: string;
  /** Fields for single keys, where the edge has taken it apart; as plain values. */
  readonly keys?: Readonly<Record<string, string | number | boolean>>;
}

export interface EdgeCmcd {
  /** The `sid`, empty when there is none that can be a view. */
  readonly view: string;
  /** Keys sorted by name, values in structured-field notation. */
  readonly cmcd: readonly Entry[];
}

const NO_CMCD: EdgeCmcd = { view: '', cmcd: [] };

/**
 * CMCD of a request. If any CMCD header is there, a query argument is ignored, even if the headers cannot be read or are
 * of a newer version (CTA-5004-B, section 6). What the edge has made of it comes after what it was given. Nothing is
 * merged: two sources may tell of different moments.
 */
export function edgeCmcd(sources: CmcdSources, { note }: EdgeScope): EdgeCmcd {
  const { headers = {}, query = '', text = '', keys = {} } = sources;
  const fromHeaders = decodeCmcdHeaders(headers);
  const hasQuery = query.includes('CMCD=');
  if (fromHeaders !== undefined && hasQuery) note('cmcd_doubled');
  const parsed = fromHeaders ?? firstOf(hasQuery ? decodeCmcdQuery(query) : undefined, text, keys);
  if (parsed === undefined) return NO_CMCD;
  if ('record' in parsed) return placed(parsed, note);
  note(parsed.code === 'cmcd_version_unknown' ? 'cmcd_version_unknown' : 'cmcd_unreadable');
  return NO_CMCD;
}

/** Of what no header rules out, the first that can be read; else the first that is there. */
function firstOf(
  fromQuery: CmcdParsed | undefined,
  text: string,
  keys: Readonly<Record<string, unknown>>,
): CmcdParsed | undefined {
  const fromText = text === '' ? undefined : parseCmcd(text);
  const fromKeys = Object.keys(keys).length === 0 ? undefined : parseCmcdJson(JSON.stringify(keys));
  const there = [fromQuery, fromText, fromKeys].filter((parsed) => parsed !== undefined);
  return there.find((parsed) => 'record' in parsed) ?? there[0];
}

const NOTHING_TAKEN: ReadonlySet<string> = new Set();

function placed({ record, dropped }: CmcdRead, note: Note): EdgeCmcd {
  if (dropped.length > 0) note('value_dropped', dropped.length);
  const cut = { keysCut: 0 };
  const cmcd = keyEntries(record, NOTHING_TAKEN, cmcdLimits, cut);
  if (cut.keysCut > 0) note('keys_cut', cut.keysCut);
  const sid = textOf(record, 'sid').trim();
  if (sid.length <= cmcdLimits.viewCharsMax) return { view: cutText(sid, sid.length), cmcd };
  // No view could have this id. The request was delivered all the same.
  note('value_dropped');
  return { view: '', cmcd };
}

/** Host and path of a request's target; the path without query, user and tokens. */
export function edgeTarget(target: string): { readonly host: string; readonly path: string } {
  const url = cleanUrl(target);
  // An absolute target, as proxies are asked: the path begins after the authority.
  const isAbsolute = /^[a-z][a-z0-9+.-]{0,30}:\/\//i.test(url);
  if (!isAbsolute) return { host: '', path: withoutTokens(url) };
  const slash = url.indexOf('/', url.indexOf('://') + 3);
  return { host: hostOf(url), path: withoutTokens(slash < 0 ? '/' : url.slice(slash)) };
}

/** A host in lower case, without user and port. */
export function edgeHost(host: string): string {
  return host === '' ? '' : hostOf(cleanUrl(`//${host}`));
}

/** Only the end of a name tells: so many of its characters are looked at. */
const NAME_LENGTH_MAX = 64;
const TOKEN_NAME =
  /(?:(?:token|hmac|jwt|signature|jsessionid)|(?:^|[^a-z0-9])(?:hdn[a-z]{1,2}|sig|auth|policy|key-pair-id))$/;
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** CDNs sign paths as well as queries: a segment, or a parameter of one, that is a token becomes `-`. */
function withoutTokens(path: string): string {
  if (!/=|%(?:25)?3d|eyJ/i.test(path)) return path;
  return path
    .split('/')
    .map((segment) => segment.split(';').map(withoutToken).join(';'))
    .join('/');
}

function withoutToken(text: string): string {
  const isToken = JWT.test(text) || text.split(/[&~?]|%(?:25)?(?:26|7e|3f)/i).some(namesToken);
  return isToken ? '-' : text;
}

function namesToken(assignment: string): boolean {
  const end = assignment.search(/=|%(?:25)?3d/i);
  return end > 0 && isTokenName(assignment.slice(0, end));
}

/** Whether a parameter whose name is the end of a text, encoded or not, is a signed token, or a part of one. */
export function isTokenName(text: string): boolean {
  const name = text
    .slice(-NAME_LENGTH_MAX)
    // JSON and percent-encoding hide what a name begins after: `\u0026sig`, `%26sig`, `%2526sig`.
    .replace(/(?:\\u00|%(?:25)*)([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return TOKEN_NAME.test(name.toLowerCase());
}
