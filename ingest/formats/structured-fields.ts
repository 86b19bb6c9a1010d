/**
 * Structured field dictionaries (RFC 8941, section 3.2), read as a collector must read them.
 *
 * Guarantees: never throws; time is linear in the text, whatever it holds; a value that cannot be read is dropped
 * alone and named, and the members around it stay. The libraries at hand refuse a whole dictionary for one bad
 * value, and every byte beyond ASCII in a string; real players send both.
 *
 * More lenient than the RFC: tabs for spaces, empty members and a trailing comma, any character in a string, any
 * number of decimals. As strict: keys, tokens, 15 digits, a space between the items of a list.
 */

export interface SfToken {
  readonly token: string;
}

export interface SfBytes {
  readonly base64: string;
}

export type SfBare = number | string | boolean | SfToken | SfBytes;

export interface SfParam {
  readonly name: string;
  readonly value: SfBare;
}

export interface SfItem {
  readonly value: SfBare;
  readonly params: readonly SfParam[];
}

export interface SfInnerList {
  readonly items: readonly SfItem[];
  readonly params: readonly SfParam[];
}

export type SfMember = SfItem | SfInnerList;

export interface SfDictionary {
  /** Last duplicate wins. */
  readonly members: Map<string, SfMember>;
  /** Keys of what was dropped, once for each time; empty where not even the key could be read. */
  readonly dropped: string[];
}

export const NO_PARAMS: readonly SfParam[] = [];

/** Parameters of one item or list; a value with more is dropped. Keeps the search for duplicates linear. */
export const paramsMax = 16;

/** RFC 8941, section 3.3.1: what every receiver must take, and what a double holds exactly. */
const digitsMax = 15;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUESTION = 0x3f;
const BACKSLASH = 0x5c;

const KEY_START = 1;
const KEY = 2;
const TOKEN_START = 4;
const TOKEN = 8;
const BASE64 = 16;

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const ALPHA = LOWER + LOWER.toUpperCase();
const DIGITS = '0123456789';

/** What each ASCII character may be; everything beyond is nothing. */
const classes = new Uint8Array(128);
function allow(characters: string, flag: number): void {
  for (let index = 0; index < characters.length; index++) {
    const code = characters.charCodeAt(index);
    classes[code] = (classes[code] ?? 0) | flag;
  }
}
allow(`${LOWER}*`, KEY_START);
allow(`${LOWER}${DIGITS}_-.*`, KEY);
allow(`${ALPHA}*`, TOKEN_START);
allow(`${ALPHA}${DIGITS}!#$%&'*+-.^_\`|~:/`, TOKEN);
allow(`${ALPHA}${DIGITS}+/=`, BASE64);

function is(code: number, flag: number): boolean {
  return code >= 0 && code < 128 && ((classes[code] ?? 0) & flag) !== 0;
}

function matches(text: string, startFlag: number, flag: number): boolean {
  if (!is(text.charCodeAt(0), startFlag)) return false;
  for (let index = 1; index < text.length; index++) {
    if (!is(text.charCodeAt(index), flag)) return false;
  }
  return true;
}

/** Whether a text may stand as a key. */
export function isKey(text: string): boolean {
  return matches(text, KEY_START, KEY);
}

/** Whether a text may stand as a token. */
export function isToken(text: string): boolean {
  return matches(text, TOKEN_START, TOKEN);
}

export function isInnerList(member: SfMember): member is SfInnerList {
  return 'items' in member;
}

/** A cursor over the text. A method that cannot read gives undefined and leaves the cursor where it stopped. */
class Reader {
  readonly text: string;
  pos = 0;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    return this.pos >= this.text.length;
  }

  /** Code of the character under the cursor; -1 at the end, because NaN would make every compare a slow one. */
  peek(): number {
    return this.pos < this.text.length ? this.text.charCodeAt(this.pos) : -1;
  }

  skipSpace(): void {
    for (;;) {
      const code = this.peek();
      if (code !== SPACE && code !== TAB && code !== CR && code !== LF) return;
      this.pos++;
    }
  }

  /** To the comma that ends a member that could not be read. A quoted text is stepped over, a lone quote is not. */
  skipToComma(): void {
    for (; this.pos < this.text.length; this.pos++) {
      const code = this.peek();
      if (code === COMMA) return;
      if (code !== QUOTE) continue;
      const close = this.text.indexOf('"', this.pos + 1);
      if (close >= 0) this.pos = close;
    }
  }

  private while(flag: number): void {
    while (is(this.peek(), flag)) this.pos++;
  }

  /** Empty where there is no key. */
  key(): string {
    if (!is(this.peek(), KEY_START)) return '';
    const start = this.pos++;
    this.while(KEY);
    return this.text.slice(start, this.pos);
  }

  /** What follows a key: `=` and an item or a list, or nothing, which means true. */
  member(): SfMember | undefined {
    if (this.peek() !== EQUALS) return this.withParams(true);
    this.pos++;
    return this.peek() === OPEN ? this.innerList() : this.item();
  }

  private innerList(): SfInnerList | undefined {
    const items: SfItem[] = [];
    this.pos++;
    for (;;) {
      this.skipSpace();
      if (this.peek() === CLOSE) break;
      const item = this.item();
      if (item === undefined) return undefined;
      items.push(item);
      const code = this.peek();
      if (code !== CLOSE && code !== SPACE && code !== TAB) return undefined;
    }
    this.pos++;
    const params = this.params();
    return params === undefined ? undefined : { items, params };
  }

  private item(): SfItem | undefined {
    const value = this.bare();
    return value === undefined ? undefined : this.withParams(value);
  }

  private withParams(value: SfBare): SfItem | undefined {
    const params = this.params();
    return params === undefined ? undefined : { value, params };
  }

  private params(): readonly SfParam[] | undefined {
    if (this.peek() !== SEMICOLON) return NO_PARAMS;
    const params: SfParam[] = [];
    while (this.peek() === SEMICOLON) {
      this.pos++;
      this.skipSpace();
      const param = this.param();
      if (param === undefined || params.length === paramsMax) return undefined;
      const earlier = params.findIndex((other) => other.name === param.name);
      if (earlier >= 0) params.splice(earlier, 1);
      params.push(param);
    }
    return params;
  }

  private param(): SfParam | undefined {
    const name = this.key();
    if (name === '') return undefined;
    if (this.peek() !== EQUALS) return { name, value: true };
    this.pos++;
    const value = this.bare();
    return value === undefined ? undefined : { name, value };
  }

  private bare(): SfBare | undefined {
    const code = this.peek();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number();
    if (code === QUOTE) return this.string();
    if (is(code, TOKEN_START)) return this.token();
    if (code === QUESTION) return this.boolean();
    return code === COLON ? this.bytes() : undefined;
  }

  /** Digits read as a number; undefined for none, or more than a double holds exactly. */
  private digits(): number | undefined {
    const start = this.pos;
    let value = 0;
    for (;;) {
      const digit = this.peek() - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.pos++;
    }
    const count = this.pos - start;
    return count === 0 || count > digitsMax ? undefined : value;
  }

  private number(): number | undefined {
    const start = this.pos;
    const negative = this.peek() === MINUS;
    if (negative) this.pos++;
    const whole = this.digits();
    if (whole === undefined) return undefined;
    if (this.peek() !== DOT) return negative && whole !== 0 ? -whole : whole;
    const dot = this.pos++;
    while (this.peek() >= ZERO && this.peek() <= NINE) this.pos++;
    if (this.pos === dot + 1) return undefined;
    // A sum with zero turns -0 into 0, so that equal values are equal bytes.
    return Number(this.text.slice(start, this.pos)) + 0;
  }

  /** Without its closing quote a string has no end: the rest of the text is its content, and dropped with it. */
  private string(): string | undefined {
    let read = '';
    let start = ++this.pos;
    for (; this.pos < this.text.length; this.pos++) {
      const code = this.peek();
      if (code === QUOTE) return read + this.text.slice(start, this.pos++);
      if (code !== BACKSLASH) continue;
      const escaped = this.text.charCodeAt(this.pos + 1);
      if (escaped !== QUOTE && escaped !== BACKSLASH) continue;
      read += this.text.slice(start, this.pos);
      start = ++this.pos;
    }
    return undefined;
  }

  private token(): SfToken {
    const start = this.pos++;
    this.while(TOKEN);
    return { token: this.text.slice(start, this.pos) };
  }

  private boolean(): boolean | undefined {
    this.pos++;
    const code = this.peek();
    if (code !== ZERO && code !== ONE) return undefined;
    this.pos++;
    return code === ONE;
  }

  private bytes(): SfBytes | undefined {
    const start = ++this.pos;
    this.while(BASE64);
    if (this.peek() !== COLON) return undefined;
    return { base64: this.text.slice(start, this.pos++) };
  }
}

/** Reads a dictionary: what can be read is there, what cannot is named. */
export function parseDictionary(text: string): SfDictionary {
  const members = new Map<string, SfMember>();
  const dropped: string[] = [];
  const reader = new Reader(text);
  for (reader.skipSpace(); !reader.atEnd(); reader.skipSpace()) {
    if (reader.peek() === COMMA) {
      reader.pos++;
      continue;
    }
    const key = reader.key();
    const member = key === '' ? undefined : reader.member();
    if (member !== undefined) reader.skipSpace();
    if (member !== undefined && (reader.atEnd() || reader.peek() === COMMA)) {
      members.set(key, member);
    } else {
      dropped.push(key);
      reader.skipToComma();
    }
  }
  return { members, dropped };
}

function serializeBare(value: SfBare): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  if (typeof value !== 'number') return 'token' in value ? value.token : `:${value.base64}:`;
  const text = String(value);
  return text.includes('e') ? value.toFixed(3) : text;
}

function serializeParams(params: readonly SfParam[]): string {
  let text = '';
  for (const { name, value } of params) {
    text += value === true ? `;${name}` : `;${name}=${serializeBare(value)}`;
  }
  return text;
}

function serializeItem(item: SfItem): string {
  return serializeBare(item.value) + serializeParams(item.params);
}

/** A member's value in the notation of the RFC; characters beyond ASCII stand as they are. */
export function serializeMember(member: SfMember): string {
  if (!isInnerList(member)) return serializeItem(member);
  return `(${member.items.map(serializeItem).join(' ')})${serializeParams(member.params)}`;
}

/** A dictionary as text, members in the order of the map. */
export function serializeDictionary(members: ReadonlyMap<string, SfMember>): string {
  const texts: string[] = [];
  for (const [key, member] of members) {
    const bare = !isInnerList(member) && member.value === true;
    texts.push(bare ? key + serializeParams(member.params) : `${key}=${serializeMember(member)}`);
  }
  return texts.join(',');
}
