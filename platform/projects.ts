/**
 * Projects (tenants): who may write, who may read, and how viewers are hidden.
 *
 * Guarantee: secrets are kept as hashes, compared in constant time, and never printed. A changed file is taken whole
 * or not at all: a bad one leaves the old projects in force and an error in the operator's log. A bad price book that it
 * names keeps back nothing else: a key that is revoked is revoked, and the old prices stay.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { BaseLogger } from 'pino';
import type { PriceBook } from './prices/price-book.ts';
import { readPriceBook } from './prices/price-book-file.ts';
import type { ReadPrices } from './prices/project-prices.ts';
import type { Project } from './project.ts';
import { type ProjectTable, parseProjects } from './projects-file.ts';
import { hashOf } from './projects-shape.ts';
import { type ReadGrant, SCOPES } from './read-tokens.ts';
import { readTextFile, watchFiles } from './watched-files.ts';
import type { KeyGrant } from './write-keys.ts';

export type { Project } from './project.ts';
export type { ReadGrant, Scope } from './read-tokens.ts';
export type { KeyGrant } from './write-keys.ts';

/** Longer keys, ids and secrets cannot be in the file; they are refused without hashing. */
const CREDENTIAL_LENGTH_MAX = 256;
const WATCH_INTERVAL_MS = 1_000;

/** The project that is there without a file; its keys are public knowledge. */
const BUILT_IN = JSON.stringify({
  projects: [
    {
      id: 'default',
      name: 'Default',
      writeKeys: [{ key: 'dev' }, { key: 'dev-trusted', trustClock: true }],
      readTokens: [{ id: 'dev', secret: 'dev', scopes: Object.keys(SCOPES) }],
      viewerSecret: 'dev',
    },
  ],
});

export interface Projects {
  /** Who a write key belongs to, or why it may not write. */
  findWriteKey(key: string): KeyGrant | 'unknown' | 'expired' | 'revoked';
  /** What a read token may read, or why nothing: `unknown` also when the secret is wrong. */
  findReadToken(id: string, secret: string): ReadGrant | 'unknown' | 'expired' | 'revoked';
  /** Every project, in the order of the file. */
  list(): readonly Project[];
  /** Reads the file again. False, and a line in the log, when it is bad: the old projects stay. */
  reload(): boolean;
  readonly counters: ProjectsCounters;
  /** Stops watching the files. */
  close(): void;
}

export interface ProjectsCounters {
  readonly reloads: number;
  readonly reloadsRefused: number;
  /** Price books of projects that were bad when they were read again. */
  readonly pricesRefused: number;
}

export interface ProjectsDeps {
  /** Path of the projects file; empty for the built-in project. */
  readonly file: string;
  /** Host that the server listens on. */
  readonly host: string;
  readonly logger: Pick<BaseLogger, 'info' | 'error'>;
  /** Wall clock, ms since 1970, for keys that expire. */
  readonly now: () => number;
  /** Look for changes of the file every so many ms; 0 never. */
  readonly watchIntervalMs?: number;
}

/** The projects file, or its absence, does not allow a start. `message` is one line for each mistake. */
export class ProjectsError extends Error {
  readonly code = 'projects_invalid';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProjectsError';
  }
}

/**
 * Opens the projects.
 * @throws ProjectsError when the file is missing or bad, or when there is none and the host is not loopback.
 */
export function openProjects(deps: ProjectsDeps): Projects {
  const { file, host, logger, now } = deps;
  if (file === '' && !isLoopback(host)) {
    throw new ProjectsError(
      `listening on ${host} needs STREAMGAUGE_PROJECTS_FILE: the built-in keys are public and serve only 127.0.0.1, ::1 and localhost`,
    );
  }
  const counters = { reloads: 0, reloadsRefused: 0, pricesRefused: 0 };
  const watched = watchFiles(() => reload());
  const onBad = (path: string, reason: string): void => {
    counters.pricesRefused++;
    logger.error({ code: 'prices_invalid', file: path, reason }, 'price book not taken');
  };
  const readPrices = createPricesReader(file, { note: (path) => watched.note(path), onBad });
  const read = (): ProjectTable => {
    watched.clear();
    if (file !== '') watched.note(file);
    return load(file, readPrices);
  };
  let table = read();
  const reload = (): boolean => {
    try {
      table = read();
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      logger.error({ code: 'projects_invalid', file, reason }, 'projects file not taken');
      counters.reloadsRefused++;
      return false;
    }
    counters.reloads++;
    logger.info({ file, projects: table.projects.length }, 'projects file taken');
    return true;
  };
  if (file !== '') watched.start(deps.watchIntervalMs ?? WATCH_INTERVAL_MS);
  return {
    findWriteKey: (key) => findWriteKey(table, key, now()),
    findReadToken: (id, secret) => findReadToken(table, { id, secret }, now()),
    list: () => table.projects,
    reload,
    counters,
    close: () => watched.close(),
  };
}

interface PricesReaderDeps {
  /** Told of each file before it is read. */
  readonly note: (path: string) => void;
  /** Told of each that is bad, and of which an older version stays in force. */
  readonly onBad: (path: string, reason: string) => void;
}

/** Reads price books, named from the projects file's folder; of one that has gone bad it gives the last good one. */
function createPricesReader(file: string, { note, onBad }: PricesReaderDeps): ReadPrices {
  const lastGood = new Map<string, PriceBook>();
  return (name) => {
    const path = resolve(dirname(file), name);
    note(path);
    const parsed = readPriceBook(path);
    if (parsed.ok) lastGood.set(path, parsed.book);
    const book = lastGood.get(path);
    if (parsed.ok || book === undefined) return parsed;
    onBad(path, parsed.errors.join('\n'));
    return { ok: true, book };
  };
}

/**
 * The projects that a file has now; without a file none.
 * @throws ProjectsError when the file is missing or bad.
 */
export function projectsIn(file: string): readonly Project[] {
  if (file === '') return [];
  const quiet = { note: () => undefined, onBad: () => undefined };
  return load(file, createPricesReader(file, quiet)).projects;
}

/** 127.0.0.0/8, ::1 (also mapped) and localhost: only this machine can connect. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  const match = /^(?:::ffff:)?127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(bare);
  return match?.slice(1).every((part) => Number(part) <= 255) ?? false;
}

/**
 * A viewer id as it is stored: the first 16 bytes of HMAC-SHA-256 under the project's secret, in hex, or the id itself
 * where the project asks for that. Forgetting a viewer names them the same way.
 */
export function storedViewerId(project: Project, viewerId: string): string {
  if (project.rawViewerIds || viewerId === '') return viewerId;
  const mac = createHmac('sha256', project.viewerSecret).update(viewerId).digest();
  return mac.toString('hex', 0, 16);
}

function load(file: string, readPrices: ReadPrices): ProjectTable {
  const name = file === '' ? 'the built-in projects' : file;
  const result = parseProjects(file === '' ? BUILT_IN : readText(file), readPrices);
  if (result.ok) return result.table;
  throw new ProjectsError(result.errors.map((line) => `${name}: ${line}`).join('\n'));
}

function readText(file: string): string {
  const read = readTextFile(file);
  if (read.ok) return read.text;
  throw new ProjectsError(`${file}: ${read.reason}`, { cause: read.cause });
}

function findWriteKey(
  table: ProjectTable,
  key: string,
  nowMs: number,
): KeyGrant | 'unknown' | 'expired' | 'revoked' {
  if (key.length === 0 || key.length > CREDENTIAL_LENGTH_MAX) return 'unknown';
  const hash = hashOf(key);
  const found = table.writeKeys.get(hash.toString('hex'));
  if (found === undefined || !timingSafeEqual(found.hash, hash)) return 'unknown';
  return grantNow(found, nowMs);
}

/** What a key or a token that is right gives now. */
function grantNow<Grant>(
  found: { readonly grant: Grant; readonly revoked: boolean; readonly expiresAtMs: number },
  nowMs: number,
): Grant | 'expired' | 'revoked' {
  if (found.revoked) return 'revoked';
  return nowMs >= found.expiresAtMs ? 'expired' : found.grant;
}

const NO_SECRET = Buffer.alloc(32);

/** An unknown id takes the same path as a wrong secret, so that neither can be told by the time it takes. */
function findReadToken(
  table: ProjectTable,
  { id, secret }: { id: string; secret: string },
  nowMs: number,
): ReadGrant | 'unknown' | 'expired' | 'revoked' {
  if (secret.length > CREDENTIAL_LENGTH_MAX) return 'unknown';
  const found = table.readTokens.get(id);
  const right = timingSafeEqual(hashOf(secret), found?.secretHash ?? NO_SECRET);
  if (!right || found === undefined) return 'unknown';
  return grantNow(found, nowMs);
}
