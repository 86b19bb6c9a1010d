/**
 * User-agent client hints: what browsers say of themselves in headers since the text of `User-Agent` is frozen.
 *
 * Guarantee: bounded in length and time, whatever the headers hold. What is not said is undefined or empty.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Longer headers are cut; a list of brands has about 100 characters. */
const HINT_LENGTH_MAX = 512;
const BRANDS_MAX = 8;

export interface Brand {
  readonly brand: string;
  readonly version: string;
}

export interface ClientHints {
  /** From `Sec-CH-UA-Full-Version-List`, else `Sec-CH-UA`, as it came. */
  readonly brands: string;
  /** `?1`, `?0` or empty. */
  readonly mobile: string;
  readonly platform: string;
  readonly platformVersion: string;
  readonly model: string;
}

export const NO_HINTS: ClientHints = {
  brands: '',
  mobile: '',
  platform: '',
  platformVersion: '',
  model: '',
};

export function clientHintsOf(headers: IncomingHttpHeaders): ClientHints {
  const hint = (name: string) => String(headers[name] ?? '').slice(0, HINT_LENGTH_MAX);
  return {
    brands: hint('sec-ch-ua-full-version-list') || hint('sec-ch-ua'),
    mobile: hint('sec-ch-ua-mobile'),
    platform: unquoted(hint('sec-ch-ua-platform')),
    platformVersion: unquoted(hint('sec-ch-ua-platform-version')),
    model: unquoted(hint('sec-ch-ua-model')),
  };
}

/** The brands of a list such as `"Chromium";v="128", "Brave";v="128"`. */
export function brandsOf(list: string): Brand[] {
  const brands: Brand[] = [];
  for (const [, brand = '', version = ''] of list.matchAll(/"([^"]{1,64})"; ?v="([^"]{1,64})"/g)) {
    if (brands.length === BRANDS_MAX) break;
    brands.push({ brand, version });
  }
  return brands;
}

/** A structured-field string without its quotes. No hint that is used here has an escape. */
function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : '';
}
