/**
 * Configuration, read and checked once.
 *
 * Guarantee: `loadOptions` returns either every option with a valid value, or one line for each mistake. It reads only
 * its arguments. A flag wins over its variable; an empty variable is unset.
 */
import { nearestHint } from '../nearest.ts';
import { kafkaConflicts } from './kafka-options.ts';
import type { Expected, OptionSpec } from './option-kinds.ts';
import { INGEST_LIMITS, OPTIONS } from './options.ts';

type ValueOf<Spec> = Spec extends OptionSpec<infer Value> ? Value : never;

export type OptionName = keyof typeof OPTIONS;

/** Every option, parsed. Units are in the names or in the table. */
export type Options = { readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> };

/** Limits of what a request may bring, by name. */
export type IngestLimits = Pick<Options, keyof typeof INGEST_LIMITS>;

/** Flags by option name or by flag name: `{ dataDir: 'x' }` and `{ 'data-dir': 'x' }` are the same. */
export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export type LoadResult =
  | { readonly ok: true; readonly options: Options }
  | { readonly ok: false; readonly errors: readonly string[] };

const NAMES = Object.keys(OPTIONS) as OptionName[];

/** The table without its value types, to walk over it. */
const SPECS = OPTIONS as unknown as Readonly<Record<OptionName, OptionSpec<unknown>>>;

/** Parses and checks flags and environment. */
export function loadOptions(flags: Flags, env: Environment): LoadResult {
  const errors = unknownFlags(flags);
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of NAMES) {
    const given = givenText(name, flags, env);
    if (given === undefined) continue;
    const value = SPECS[name].parse(given.text);
    if (isExpected(value)) errors.push(wrongValue(name, given, value));
    else values[name] = value;
  }
  const brokers = values.kafkaBrokers as readonly string[] | undefined;
  const options = withDefaults(values, brokers !== undefined && brokers.length > 0);
  errors.push(...conflicts(options));
  return errors.length > 0 ? { ok: false, errors } : { ok: true, options };
}

/** The settings that change what the fold concludes, as the log's settings record carries them. */
export function resultSettings(options: Options): Readonly<Record<string, number>> {
  const names = NAMES.filter((name) => SPECS[name].changesResults === true);
  return Object.fromEntries(names.map((name) => [name, Number(options[name])]));
}

/** The limits of ingest, from the options or as they are by default. */
export function ingestLimits(options: Options = withDefaults({}, false)): IngestLimits {
  const names = Object.keys(INGEST_LIMITS) as (keyof IngestLimits)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as unknown as IngestLimits;
}

/** One row of `--help`. */
export interface OptionHelp {
  readonly name: OptionName;
  readonly flag: string;
  readonly variable: string;
  readonly description: string;
  readonly accepts: string;
  readonly unit: string;
  /** Default as text, empty when unset. */
  readonly default: string;
}

/** Every option with variable, flag, unit and default, in the order of the table. */
export function describeOptions(): readonly OptionHelp[] {
  return NAMES.map((name) => {
    const spec = SPECS[name];
    const kafka = spec.defaultWithKafka;
    const shown = showValue(spec, spec.default);
    return {
      name,
      flag: `--${spec.flag}`,
      variable: spec.variable,
      description: spec.description,
      accepts: spec.accepts,
      unit: spec.unit ?? '',
      default: kafka === undefined ? shown : `${shown} (${showValue(spec, kafka)} with Kafka)`,
    };
  });
}

/** Every option as text that may be printed: secrets are masked. */
export function printableOptions(options: Options): Readonly<Record<OptionName, string>> {
  const entries = NAMES.map((name) => [name, showValue(SPECS[name], options[name])]);
  return Object.fromEntries(entries) as Record<OptionName, string>;
}

interface Given {
  readonly text: string;
  /** How the user named it: the flag or the variable. */
  readonly by: string;
}

function givenText(name: OptionName, flags: Flags, env: Environment): Given | undefined {
  const { flag, variable } = SPECS[name];
  const fromFlag = flags[name] ?? flags[flag];
  if (fromFlag !== undefined) return { text: String(fromFlag), by: `--${flag}` };
  const fromEnv = env[variable];
  return fromEnv === undefined || fromEnv === '' ? undefined : { text: fromEnv, by: variable };
}

function unknownFlags(flags: Flags): string[] {
  const known = new Set<string>(NAMES.flatMap((name) => [name, SPECS[name].flag]));
  const flagNames = NAMES.map((name) => SPECS[name].flag);
  return Object.keys(flags)
    .filter((name) => !known.has(name))
    .map((name) => `unknown option --${name}${nearestHint(name, flagNames)}`);
}

function isExpected(value: unknown): value is Expected {
  return typeof value === 'object' && value !== null && 'expected' in value;
}

/** A value that may hold a secret is not repeated: the line may end in a log. */
function wrongValue(name: OptionName, given: Given, wrong: Expected): string {
  const secret = SPECS[name].mask !== undefined;
  const got = secret ? '' : `, not ${JSON.stringify(given.text.slice(0, 80))}`;
  return `${given.by} must be ${wrong.expected}${got}`;
}

function withDefaults(values: Partial<Record<OptionName, unknown>>, kafka: boolean): Options {
  const entries = NAMES.map((name) => {
    const spec = SPECS[name];
    const fallback = kafka ? (spec.defaultWithKafka ?? spec.default) : spec.default;
    return [name, name in values ? values[name] : fallback];
  });
  return Object.fromEntries(entries) as Options;
}

/** What each option allows alone, but not together. */
function conflicts(options: Options): string[] {
  const lines: string[] = [];
  if (options.pausedTimeoutMs < options.viewTimeoutMs) {
    lines.push('--paused-timeout-ms must not be below --view-timeout-ms');
  }
  if (options.clickhouseCluster !== '' && options.clickhouseUrl === '') {
    lines.push('CLICKHOUSE_CLUSTER needs CLICKHOUSE_URL: the embedded engine has no cluster');
  }
  lines.push(...kafkaConflicts(options));
  if (options.clickhouseCaFile !== '' && !/^https:/i.test(options.clickhouseUrl)) {
    lines.push('CLICKHOUSE_CA_FILE needs a CLICKHOUSE_URL that begins with https://');
  }
  if (options.decompressedBytesMax < options.bodyBytesMax) {
    lines.push('--decompressed-bytes-max must not be below --body-bytes-max');
  }
  if (options.bytesInFlightMax < options.bodyBytesMax + options.decompressedBytesMax) {
    lines.push('--bytes-in-flight-max must have room for one body, compressed and not');
  }
  if (options.rejectBytesMax + 8_192 > options.recordBytesMax) {
    lines.push('--record-bytes-max must be at least 8192 bytes above --reject-bytes-max');
  }
  return lines;
}

function showValue(spec: OptionSpec<unknown>, value: unknown): string {
  if (spec.mask !== undefined) return spec.mask(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}
