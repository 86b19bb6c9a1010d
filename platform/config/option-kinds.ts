/**
 * Kinds of option: how a text becomes a checked value.
 *
 * A kind's `parse` returns the value or a phrase that says what is expected; it never throws.
 */
import { isIP } from 'node:net';

/** A phrase that completes "NAME must be …". */
export interface Expected {
  readonly expected: string;
}

/** One configuration option, as declared in the table. */
export interface OptionSpec<Value> {
  /** Environment variable. */
  readonly variable: string;
  /** Command-line flag, kebab-case, without dashes. */
  readonly flag: string;
  readonly description: string;
  /** Unit of the value, for people: `ms`, `bytes`, … */
  readonly unit?: string;
  /** What values are accepted, for people. */
  readonly accepts: string;
  readonly default: Value;
  /** Default when the log is Kafka, where it differs. */
  readonly defaultWithKafka?: Value;
  /** True when the option changes what the fold concludes: announced in the log by a settings record. */
  readonly changesResults?: boolean;
  /** Shows a value without its secrets. */
  readonly mask?: (value: Value) => string;
  readonly parse: (text: string) => Value | Expected;
}

/** What a declaration gives; the kind adds the rest. */
export type Declared<Value> = Pick<
  OptionSpec<Value>,
  'variable' | 'flag' | 'description' | 'default'
> &
  Partial<Pick<OptionSpec<Value>, 'unit' | 'defaultWithKafka' | 'changesResults'>>;

/** Whole number from `min` to `max`. */
export function integer(
  declared: Declared<number> & { readonly min: number; readonly max: number },
): OptionSpec<number> {
  const { min, max, ...spec } = declared;
  const accepts = `${min} to ${max}`;
  return {
    ...spec,
    accepts,
    parse: (text) => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      const unit = spec.unit === undefined ? '' : ` ${spec.unit}`;
      return { expected: `a whole number from ${min} to ${max}${unit}` };
    },
  };
}

/** Text that matches a pattern. An empty default means unset. */
export function text(
  declared: Declared<string> & { readonly accepts: string; readonly pattern: RegExp },
): OptionSpec<string> {
  const { pattern, ...spec } = declared;
  return {
    ...spec,
    parse: (value) => (pattern.test(value) ? value : { expected: spec.accepts }),
  };
}

/** One of a few words. */
export function choice<const Word extends string>(
  declared: Declared<NoInfer<Word>> & { readonly words: readonly Word[] },
): OptionSpec<Word> {
  const { words, ...spec } = declared;
  return {
    ...spec,
    accepts: words.join(', '),
    parse: (value) =>
      words.find((word) => word === value) ?? { expected: `one of ${words.join(', ')}` },
  };
}

/** Comma list of host:port. */
export function addresses(declared: Declared<readonly string[]>): OptionSpec<readonly string[]> {
  const accepts = 'a comma list of host:port';
  return {
    ...declared,
    accepts,
    parse: (value) => {
      const parts = value.split(',').map((part) => part.trim());
      return parts.every(isAddress) ? parts : { expected: accepts };
    },
  };
}

function isAddress(value: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(value);
  const port = Number(match?.[1]);
  return match !== null && port >= 1 && port <= 65_535;
}

/** Comma list of addresses and of networks, such as 10.0.0.0/8. */
export function networks(declared: Declared<readonly string[]>): OptionSpec<readonly string[]> {
  const accepts = 'a comma list of IP addresses and networks such as 10.0.0.0/8';
  return {
    ...declared,
    accepts,
    parse: (value) => {
      const parts = value.split(',').map((part) => part.trim());
      return parts.every(isNetwork) ? parts : { expected: accepts };
    },
  };
}

function isNetwork(value: string): boolean {
  const [address = '', length = '0', ...more] = value.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  const isLength = /^\d{1,3}$/.test(length) && Number(length) <= bits;
  return isIP(address) !== 0 && !address.includes('%') && isLength && more.length === 0;
}

/** Text that is never shown. */
export function secret(declared: Declared<string>): OptionSpec<string> {
  const accepts = 'a text without line ends';
  return {
    ...declared,
    accepts,
    mask: (value) => (value === '' ? '' : '***'),
    parse: (value) => (/^[^\0\r\n]*$/.test(value) ? value : { expected: accepts }),
  };
}

/** http or https URL; a password in it is masked when shown. */
export function url(declared: Declared<string>): OptionSpec<string> {
  const accepts = 'an http:// or https:// URL';
  return {
    ...declared,
    accepts,
    mask: maskUrl,
    parse: (value) =>
      URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
        ? value
        : { expected: accepts },
  };
}

/** Hides the password and the query of a URL: either may be a secret. */
export function maskUrl(value: string): string {
  if (!URL.canParse(value)) return value === '' ? '' : '***';
  const parsed = new URL(value);
  if (parsed.password !== '') parsed.password = '***';
  if (parsed.search !== '') parsed.search = '?***';
  return parsed.href;
}
