/**
 * What a CMCD record says of things that the player or the servers counted by themselves, as derived values beside its
 * keys: `start_delay_ms` (msd), `starved_ms` (bsd), `starved_total_ms` (bsda), `hop_delays_ms` (CMSD-Dynamic, rd).
 *
 * Guarantees: never throws; a value of more than a month is none. CMSD is CTA-5006: a list of one item for each server
 * that the response passed, the one next to the origin first.
 */
import { type Part, part } from '../../schemas/beat.ts';
import { type CmcdRecord, itemsOf, numberOf, textOf } from './cmcd-record.ts';
import { isInnerList, parseDictionary, type SfItem, type SfMember } from './structured-fields.ts';

const CLAIM_MS_MAX = 2_592_000_000;
/** Servers of one response that are told apart. */
const HOPS_MAX = 16;
const CMSD_CHARS_MAX = 8_192;

/** The derived values of a record, none for most. */
export function claimParts(record: CmcdRecord): Part[] {
  const parts: Part[] = [];
  const add = (name: string, value: string) => {
    if (value !== '') parts.push(part.custom({ name, value }));
  };
  add('start_delay_ms', msText(numberOf(record, 'msd') ?? -1));
  add('starved_ms', msText(starvedMs(itemsOf(record, 'bsd'))));
  add('starved_total_ms', msText(starvedMs(itemsOf(record, 'bsda'))));
  add('hop_delays_ms', hopDelays(textOf(record, 'cmsdd')));
  return parts;
}

/** CMSD as text, from the Base64 that a record carries; empty when it is none. */
export function cmsdText(base64: string): string {
  if (base64.length > CMSD_CHARS_MAX || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) return '';
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return /^[\x20-\x7e]+$/.test(text) ? text : '';
}

function msText(value: number): string {
  return value >= 0 && value <= CLAIM_MS_MAX ? String(Math.round(value)) : '';
}

/**
 * Durations of several stalls add up within one type of object. Audio and video that wait for the same network do so at
 * the same time, so of types the longest counts. -1 for none.
 */
function starvedMs(items: readonly SfItem[]): number {
  const byType = new Map<string, number>();
  for (const { value, params } of items) {
    if (typeof value !== 'number' || value < 0) continue;
    const type = params.map(({ name }) => name).join(' ');
    byType.set(type, (byType.get(type) ?? 0) + value);
  }
  return Math.max(-1, ...byType.values());
}

/** `name=ms` of each server that says its delay. */
function hopDelays(base64: string): string {
  const hops: string[] = [];
  for (const item of listItems(cmsdText(base64))) {
    const delay = item.params.find(({ name }) => name === 'rd')?.value;
    const ms = typeof delay === 'number' ? msText(delay) : '';
    if (ms !== '' && hops.length < HOPS_MAX) hops.push(`${nameOf(item)}=${ms}`);
  }
  return hops.join(' ');
}

function nameOf({ value }: SfItem): string {
  const name = typeof value === 'object' && 'token' in value ? value.token : String(value);
  return name.replace(/[\s=]/g, '-').slice(0, 64);
}

/** Items of a structured-field list, read as the members of a dictionary, which separates them alike. */
function listItems(text: string): SfItem[] {
  if (text === '') return [];
  const items: SfItem[] = [];
  for (const piece of splitItems(text)) {
    const member: SfMember | undefined = parseDictionary(`i=${piece}`).members.get('i');
    if (member !== undefined && !isInnerList(member)) items.push(member);
  }
  return items;
}

/** At the commas that are not in a text; one of the servers may leave out the name, and only send parameters. */
function splitItems(text: string): string[] {
  return piecesOf(text).map((piece) => {
    const item = piece.trim();
    return /^["A-Za-z*]/.test(item) && !/^[a-z*][a-z0-9_.*-]*=/.test(item) ? item : `"";${item}`;
  });
}

/** Looks at each character once, whatever quotes are never closed. Empty pieces are none. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (at >= text.length || (character === ',' && !isQuoted)) {
      if (at > start) pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return pieces;
}
