/**
 * What a CMCD response report (`e=rr`) says of its request, as the request part of an event.
 *
 * Guarantees: no query, fragment or user of a URL gets past here, and no time that cannot be one.
 */
import type { RequestPart } from '../../schemas/beat.ts';
import { kindOfUrl, kindsByObjectType } from '../../schemas/request-kinds.ts';
import { type CmcdRecord, numberOf, textOf, tokenOf } from './cmcd-record.ts';

/** Times beyond are no response times: dash.js sends the epoch when a response has no timing. */
export const responseMsMax = 3_600_000;

/** By how much the first byte may seem to come after the last: clocks of players are coarse. */
export const ttfbSlackMs = 1_000;

const statusMax = 999;

/** The request part, and the keys that it carries; the others of the record stay keys. */
export function responseRequest(record: CmcdRecord, taken: Set<string>): Partial<RequestPart> {
  const url = cleanUrl(textOf(record, 'url'));
  const ttlb = responseMs(record, 'ttlb');
  const ttfb = responseMs(record, 'ttfb');
  const ttfbHolds = ttfb >= 0 && (ttlb < 0 || ttfb <= ttlb + ttfbSlackMs);
  const status = statusOf(record);
  const objectType = tokenOf(record, 'ot');
  const urlHost = hostOf(url);
  // `h` is the host that the content comes from; it helps where the URL is relative.
  const host = urlHost === '' ? hostOf(cleanUrl(`//${textOf(record, 'h')}`)) : urlHost;
  const cdn = textOf(record, 'cdn');
  for (const [key, carried] of [
    ['url', true],
    ['h', urlHost === '' && host !== ''],
    ['ttfb', ttfbHolds],
    ['ttlb', ttlb >= 0],
    ['rc', status >= 0],
    ['ot', objectType !== ''],
    ['cdn', true],
  ] as const) {
    if (carried) taken.add(key);
  }
  const kind = kindsByObjectType[objectType] ?? kindOfUrl(url);
  return { kind, status, ttfb: ttfbHolds ? ttfb : -1, ttlb, url, cdn, host };
}

function responseMs(record: CmcdRecord, key: string): number {
  const value = numberOf(record, key);
  return value !== undefined && value >= 0 && value <= responseMsMax ? Math.round(value) : -1;
}

function statusOf(record: CmcdRecord): number {
  const value = numberOf(record, 'rc');
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= statusMax
    ? value
    : -1;
}

/** Where the authority of a URL begins and ends; undefined for a relative one. */
function authority(url: string): readonly [number, number] | undefined {
  const colon = url.indexOf('://');
  const hasScheme = colon > 0 && url.lastIndexOf('/', colon) < 0;
  if (!hasScheme && !url.startsWith('//')) return undefined;
  const start = hasScheme ? colon + 3 : 2;
  const end = url.indexOf('/', start);
  return [start, end < 0 ? url.length : end];
}

/** A URL without query, fragment and user: they hold tokens, and what is stored must not. */
export function cleanUrl(url: string): string {
  const cut = url.search(/[?#]/);
  const path = cut < 0 ? url : url.slice(0, cut);
  const span = authority(path);
  if (span === undefined) return path;
  const at = path.lastIndexOf('@', span[1] - 1);
  return at < span[0] ? path : path.slice(0, span[0]) + path.slice(at + 1);
}

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>]*/gi;

/** A text in which each URL is clean: messages of errors quote what could not be loaded. */
export function withoutQueries(text: string): string {
  return text.includes('://') ? text.replace(URL_IN_TEXT, cleanUrl) : text;
}

/** Host of a clean URL in lower case, without port; empty for a relative one. */
export function hostOf(url: string): string {
  const span = authority(url);
  if (span === undefined) return '';
  const host = url.slice(span[0], span[1]).toLowerCase();
  const port = host.lastIndexOf(':');
  // The colons of an IPv6 address stand before its bracket.
  return port > host.lastIndexOf(']') ? host.slice(0, port) : host;
}
