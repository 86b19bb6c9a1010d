/**
 * Lines of edge logs that are kept although they could not be read: without what must not be stored.
 *
 * Guarantees: pure; time is linear in the line; bytes that are none of these stay as they came. Addresses of clients are
 * truncated (/24, /48), values of parameters that are signed tokens, and JWTs, become `-`. What a line is wrong with can
 * still be seen, and its CMCD stays, so that it can be sent again.
 */
import { withCoarseAddresses } from '../enrichment/addresses.ts';
import { isTokenName } from './edge.ts';

const ASSIGNS = /=|%(?:25)*3d|\\u003d/gi;
/** To the next parameter, or the end of the text that holds the URL. JSON may escape slashes, which end nothing. */
const VALUE = /(?:[^\s"'&,;~|\\]|\\(?!["\\]|u00(?:20|22|26|27|2c|3b|7c|7e)))+/iy;
/** Whole runs, so that no character is looked at twice. */
const DOTTED = /[\w.-]+/g;

/** Characters before a sign among which the name is. */
const LOOK_BACK = 64;

/** The line as it may be stored. */
export function redactedLine(line: Buffer): Buffer {
  return withoutTokens(withCoarseAddresses(line));
}

/** Bytes without signed tokens. */
export function withoutTokens(bytes: Buffer): Buffer {
  // Each byte is a character, whatever its encoding.
  const text = withoutValues(bytes.toString('latin1'));
  return Buffer.from(text.replace(DOTTED, withoutJwts), 'latin1');
}

/** Only values of tokens are stepped over: those of other parameters may hold parameters of their own. */
function withoutValues(text: string): string {
  let kept = '';
  let from = 0;
  for (const { 0: sign, index } of text.matchAll(ASSIGNS)) {
    if (index < from || !isTokenName(text.slice(Math.max(from, index - LOOK_BACK), index)))
      continue;
    const start = index + sign.length;
    VALUE.lastIndex = start;
    if (!VALUE.test(text)) continue;
    kept += `${text.slice(from, start)}-`;
    from = VALUE.lastIndex;
  }
  return kept + text.slice(from);
}

/** A JWT is three texts in Base64url, the first of which begins an object. */
function withoutJwts(run: string): string {
  if (!run.includes('eyJ')) return run;
  const parts = run.split('.');
  const first = parts.findIndex((part) => part.includes('eyJ'));
  if (first < 0 || first + 2 >= parts.length || parts[first + 1] === '') return run;
  const [before = ''] = (parts[first] ?? '').split('eyJ', 1);
  return [...parts.slice(0, first), `${before}-`, ...parts.slice(first + 3)].join('.');
}
