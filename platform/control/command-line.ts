/** What commands of the command line have in common: the options of the configuration, and mistakes in one line. */
import { type Command, Option } from 'commander';
import { describeOptions, type Environment, loadOptions, type Options } from '../config/config.ts';

/** A mistake of the user: one line, exit 2. */
export class UsageError extends Error {}

/** Adds the options of the configuration to a command. */
export function withOptions(command: Command): Command {
  for (const option of describeOptions()) {
    const help = `${option.description} [${option.variable}]`;
    const standard = option.default === '' ? 'unset' : `${option.default} ${option.unit}`.trim();
    command.addOption(new Option(`${option.flag} <value>`, `${help} (default: ${standard})`));
  }
  return command;
}

/** @throws UsageError with a line for each mistake. */
export function optionsOf(flags: object, env: Environment): Options {
  const loaded = loadOptions(flags as Record<string, unknown>, env);
  if (!loaded.ok) throw new UsageError(loaded.errors.join('\n'));
  return loaded.options;
}

/** A moment, ms since 1970. @throws UsageError */
export function timeOf(flag: string, text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(String(text));
  if (Number.isNaN(ms)) throw new UsageError(`${flag} must be a time like 2026-01-31T12:00:00Z`);
  return ms;
}

/** @throws UsageError */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${text} is not a number above 0`);
  return value;
}
