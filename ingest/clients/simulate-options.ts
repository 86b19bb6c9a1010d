/**
 * The options of `simulate`: what a user may write, checked, with their defaults; and where the simulated clock begins.
 *
 * Speed: at 1 the simulated clock is the wall clock. At any other speed viewers' clocks run so many times faster than
 * the server's, so the simulated clock begins in the past, such that it ends about now. A server that corrects clocks
 * would pull such views apart (a clock that runs more than ten minutes ahead is set anew), so the default key is then
 * one whose clock is trusted.
 */
import { readFileSync } from 'node:fs';
import { type CdnPlan, parseCdnFile } from './cdn-file.ts';
import { DEFAULT_CDNS } from './simulation/cdn-defaults.ts';
import type { EdgeHandover } from './simulation/edge-log.ts';
import type { Storm } from './simulation/simulation.ts';

export type SimulateErrorCode =
  | 'simulate_option_invalid'
  | 'simulate_unreachable'
  | 'simulate_key_refused'
  | 'simulate_truth_unwritable';

/** A simulation that cannot begin or go on; the message says what to do. */
export class SimulateError extends Error {
  readonly code: SimulateErrorCode;
  constructor(code: SimulateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SimulateError';
    this.code = code;
  }
}

/** As a user writes them: texts of the command line, or numbers. */
export interface SimulateArgs {
  /** Base address of the ingest. */
  readonly url?: string | undefined;
  /** Write key. */
  readonly key?: string | undefined;
  /** Viewers at the same time. */
  readonly viewers?: string | number | undefined;
  /** Simulated seconds; absent: until stopped. */
  readonly duration?: string | number | undefined;
  readonly seed?: string | number | undefined;
  /** Times faster than real time; `max` or 0: as fast as it goes. */
  readonly speed?: string | number | undefined;
  /** `N/SECONDS`: so many more live viewers, all within so many seconds. */
  readonly storm?: string | undefined;
  /** File for what is true, JSON. */
  readonly truth?: string | undefined;
  /** File of CDNs and troubles, JSON. */
  readonly cdns?: string | undefined;
  /** Lines of edges are late by up to so many simulated seconds. */
  readonly edgeDelay?: string | number | undefined;
  /** Share of the lines that are sent twice. */
  readonly edgeDuplicates?: string | number | undefined;
  /** Lines of a batch come in any order. */
  readonly edgeShuffle?: boolean | undefined;
}

export const simulateDefaults = {
  url: 'http://127.0.0.1:8080',
  key: 'dev',
  /** Key where simulated and real time run apart. */
  trustedKey: 'dev-trusted',
  viewers: 100,
  seed: 1,
} as const;

export const simulateBounds = {
  viewersMax: 1_000_000,
  /** Longer, and the beginning would lie before what the log keeps, s. */
  durationSecondsMax: 30 * 86_400,
  seedMax: 0xffff_ffff,
  /** Later, and the fold has let the view go, s. */
  edgeDelaySecondsMax: 86_400,
} as const;

export interface SimulatePlan extends CdnPlan {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
  readonly viewers: number;
  /** Infinite until stopped. */
  readonly durationMs: number;
  readonly seed: number;
  /** Infinite for as fast as it goes. */
  readonly speed: number;
  readonly storm: Storm | undefined;
  readonly truthFile: string | undefined;
  readonly edges: EdgeHandover;
}

/** Reads the options. @throws SimulateError `simulate_option_invalid`. */
export function readSimulateArgs(args: SimulateArgs): SimulatePlan {
  const speed = readSpeed(args.speed);
  const durationMs = readDurationMs(args.duration, speed);
  const storm = readStorm(args.storm);
  const viewersMin = storm === undefined ? 1 : 0;
  const { viewersMax, seedMax, edgeDelaySecondsMax } = simulateBounds;
  const { trustedKey } = simulateDefaults;
  return {
    url: readUrl(args.url ?? simulateDefaults.url),
    key: readKey(args.key ?? (speed === 1 ? simulateDefaults.key : trustedKey)),
    viewers: readWhole(
      '--viewers',
      args.viewers ?? simulateDefaults.viewers,
      viewersMin,
      viewersMax,
    ),
    durationMs,
    seed: readWhole('--seed', args.seed ?? simulateDefaults.seed, 0, seedMax),
    speed,
    storm,
    truthFile: args.truth,
    edges: {
      delayMs: 1_000 * readNumber('--edge-delay', args.edgeDelay ?? 0, edgeDelaySecondsMax),
      duplicateShare: readNumber('--edge-duplicates', args.edgeDuplicates ?? 0, 1),
      shuffles: args.edgeShuffle ?? false,
    },
    ...readCdns(args.cdns),
  };
}

/** Where the simulated clock begins, ms since 1970. */
export function startAtMs({ speed, durationMs }: SimulatePlan, nowMs: number): number {
  if (speed <= 1 || !Number.isFinite(durationMs)) return nowMs;
  const lastsMs = speed === Number.POSITIVE_INFINITY ? 0 : durationMs / speed;
  return Math.round(nowMs + lastsMs - durationMs);
}

function readUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw invalid(`--url ${url} is no address: write it like ${simulateDefaults.url}.`);
  return url.replace(/\/+$/, '');
}

function readKey(key: string): string {
  if (!/^[\x21-\x7e]+$/.test(key))
    throw invalid('--key is a write key: letters, digits and signs without spaces.');
  return key;
}

function readWhole(name: string, said: string | number, min: number, max: number): number {
  const value = Number(said);
  if (said === '' || !Number.isInteger(value) || value < min || value > max)
    throw invalid(`${name} is a whole number from ${min} to ${max}, not ${said}.`);
  return value;
}

function readNumber(name: string, said: string | number, max: number): number {
  const value = Number(said);
  if (said === '' || !(value >= 0 && value <= max))
    throw invalid(`${name} is a number from 0 to ${max}, not ${said}.`);
  return value;
}

function readCdns(file: string | undefined): CdnPlan {
  if (file === undefined) return { cdns: undefined, troubles: undefined };
  const result = parseCdnFile(readText(file), DEFAULT_CDNS);
  if (result.ok) return result.plan;
  throw invalid(result.errors.map((error) => `--cdns ${file}: ${error}`).join('\n'));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`--cdns ${file} cannot be read: ${(error as Error).message}.`);
  }
}

function readSpeed(said: string | number | undefined): number {
  if (said === undefined) return 1;
  const value = said === 'max' || Number(said) === 0 ? Number.POSITIVE_INFINITY : Number(said);
  if (said === '' || !(value > 0))
    throw invalid(`--speed is a number above 0, or max for as fast as it goes, not ${said}.`);
  return value;
}

function readDurationMs(said: string | number | undefined, speed: number): number {
  if (said === undefined) {
    if (speed > 1) throw invalid('--speed above 1 needs --duration, so that it ends about now.');
    return Number.POSITIVE_INFINITY;
  }
  const seconds = Number(said);
  const { durationSecondsMax } = simulateBounds;
  if (said === '' || !(seconds > 0 && seconds <= durationSecondsMax))
    throw invalid(`--duration is a number of seconds, at most ${durationSecondsMax}, not ${said}.`);
  return Math.round(seconds * 1_000);
}

function readStorm(said: string | undefined): Storm | undefined {
  if (said === undefined) return undefined;
  const [, viewers, seconds] = /^(\d{1,7})\/(\d{1,6}(?:\.\d+)?)$/.exec(said) ?? [];
  if (viewers === undefined || Number(viewers) > simulateBounds.viewersMax)
    throw invalid(
      `--storm is viewers/seconds, like 100000/10, at most ${simulateBounds.viewersMax} viewers, not ${said}.`,
    );
  return { viewers: Number(viewers), withinMs: Math.round(Number(seconds) * 1_000) };
}

function invalid(message: string): SimulateError {
  return new SimulateError('simulate_option_invalid', message);
}
