/**
 * Amounts of money as text. They come as decimals in text, such as `812.402113`, and stay exact.
 *
 * Guarantee: sums are of whole millionths; no amount goes through a floating-point number on its way to a text. What is
 * small is never rounded to 0.
 */

const LOCALE = 'en-GB';
const DECIMALS_MAX = 6;
const NBSP = '\u00a0';

/** Millionths. Undefined when the text is no amount. */
export function microsOf(amount: string): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(amount);
  if (match === null) return undefined;
  const [, sign = '', whole = '', part = ''] = match;
  const micros = BigInt(whole + part.padEnd(DECIMALS_MAX, '0'));
  return sign === '' ? micros : -micros;
}

export function amountText(micros: bigint): string {
  const size = String(micros < 0n ? -micros : micros).padStart(DECIMALS_MAX + 1, '0');
  const sign = micros < 0n ? '-' : '';
  return `${sign}${size.slice(0, -DECIMALS_MAX)}.${size.slice(-DECIMALS_MAX)}`;
}

export const sumOf = (amounts: readonly string[]): string =>
  amountText(amounts.reduce((sum, amount) => sum + (microsOf(amount) ?? 0n), 0n));

/** What part of an amount another is; null of nothing. To a millionth. */
export function partOf(part: string, whole: string): number | null {
  const [top, bottom] = [microsOf(part), microsOf(whole)];
  if (top === undefined || bottom === undefined || bottom === 0n) return null;
  return Number((top * 1_000_000n) / bottom) / 1_000_000;
}

/** Decimals with which the largest of amounts shows what matters: figures of one column have the same. */
export function decimalsFor(amounts: readonly (string | null)[]): number {
  let largest = 0n;
  for (const amount of amounts) {
    const size = sizeOf(microsOf(amount ?? '') ?? 0n);
    if (size > largest) largest = size;
  }
  if (largest >= 1_000_000_000n) return 0;
  if (largest >= 1_000_000n || largest === 0n) return 2;
  // Three digits from the first that is not 0.
  const leading = DECIMALS_MAX - String(largest).length;
  return Math.min(DECIMALS_MAX, leading + 3);
}

interface MoneyLook {
  readonly currency: string;
  /** Default: those that the amount itself needs. */
  readonly decimals?: number;
  /** True: what is above 0 has a plus. */
  readonly signed?: boolean;
}

export function moneyText(amount: string | null | undefined, look: MoneyLook): string {
  const micros = microsOf(amount ?? '');
  if (micros === undefined) return '–';
  const decimals = look.decimals ?? decimalsFor([amountText(micros)]);
  const least = 10n ** BigInt(DECIMALS_MAX - decimals);
  const small = micros !== 0n && sizeOf(micros) * 2n < least;
  if (!small) return format(micros, decimals, look);
  if (micros < 0n) return `>${format(-least, decimals, look)}`;
  return `<${format(least, decimals, look)}`;
}

const sizeOf = (micros: bigint): bigint => (micros < 0n ? -micros : micros);

function format(micros: bigint, decimals: number, { currency, signed = false }: MoneyLook): string {
  const formatter = formatterOf(currency, decimals, signed);
  // A decimal in text is formatted as it is.
  const text = formatter.format(amountText(micros) as `${number}`);
  return text.replace('-', '−').replaceAll(' ', NBSP);
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatterOf(currency: string, decimals: number, signed: boolean): Intl.NumberFormat {
  const key = `${currency} ${decimals} ${signed}`;
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: signed ? 'exceptZero' : 'auto',
  });
  formatters.set(key, made);
  return made;
}
