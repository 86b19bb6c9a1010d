/**
 * One database of places or networks (MaxMind's file format, `.mmdb`), read, checked, and read again when it changes.
 *
 * Guarantee: a file is taken whole or not at all. At the start a bad one is a `GeoFileError` of one line; later it is an
 * error in the operator's log, and what was read before stays in force.
 */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Reader, type Response } from 'maxmind';
import type { BaseLogger } from 'pino';

/** Major version of the format that the reader knows. */
const FORMAT_VERSION = 2;
/** Zeros between the tree and the data. */
const SEPARATOR_BYTES = 16;
/** Addresses whose entries are read to see that the data are whole; any will do. */
const PROBES = ['1.1.1.1', '8.8.8.8', '93.184.216.34', '203.0.113.1', '2001:db8::1', '2a00::1'];
const WATCH_INTERVAL_MS = 2_000;

/** A database cannot be used. `message` is one line. */
export class GeoFileError extends Error {
  readonly code = 'geo_file_invalid';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GeoFileError';
  }
}

export interface GeoFileDeps {
  /** How the operator names the file: its variable. */
  readonly variable: string;
  readonly path: string;
  /** What the database's own type must not be, such as a table of networks where places are wanted. */
  readonly notOfType: RegExp;
  readonly logger: Pick<BaseLogger, 'info' | 'error'>;
  /** Told after each later reading whether the file was taken. */
  readonly onReload: (taken: boolean) => void;
  /** Look for changes every so many ms; 0 never. */
  readonly watchIntervalMs?: number;
}

export interface GeoFile {
  /** The entry of an address; undefined when there is none. Throws when the entry cannot be read. */
  find(address: string): unknown;
  /** Reads the file again, whether it changed or not. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Opens a database.
 * @throws GeoFileError when the file is missing or damaged, or is a database of something else.
 */
export async function openGeoFile(deps: GeoFileDeps): Promise<GeoFile> {
  const { path, logger, onReload, watchIntervalMs = WATCH_INTERVAL_MS } = deps;
  // Stamped before it is read: a change between the two is seen as one at the next look.
  let stamp = stampOf(path);
  let reader = await load(deps);
  const reload = async (): Promise<void> => {
    stamp = stampOf(path);
    try {
      reader = await load(deps);
    } catch (error) {
      if (!(error instanceof GeoFileError)) throw error;
      logger.error({ code: error.code, reason: error.message }, 'geo database not taken');
      onReload(false);
      return;
    }
    const { databaseType, buildEpoch } = reader.metadata;
    logger.info({ file: path, databaseType, buildEpoch }, 'geo database taken');
    onReload(true);
  };
  const look = (): void => {
    if (stampOf(path) !== stamp) void reload();
  };
  const watcher = watchIntervalMs > 0 ? setInterval(look, watchIntervalMs).unref() : undefined;
  return {
    find: (address) => find(reader, address),
    reload,
    close: () => clearInterval(watcher),
  };
}

function find(reader: Reader<Response>, address: string): unknown {
  // A database of IPv4 alone has no place for longer addresses, and the reader would look up their first bits.
  if (reader.metadata.ipVersion === 4 && address.includes(':')) return undefined;
  return reader.get(address) ?? undefined;
}

/** What changes when the file does. */
function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : [stat.mtimeNs, stat.size, stat.ino].join();
}

async function load({ path, variable, notOfType }: GeoFileDeps): Promise<Reader<Response>> {
  const bytes = await bytesOf(path, variable);
  const damaged = (cause?: unknown) =>
    new GeoFileError(`${variable}: ${path} is no database in MaxMind's format, or is damaged`, {
      cause,
    });
  let reader: Reader<Response>;
  try {
    reader = new Reader(bytes);
    if (!isWhole(reader, bytes)) throw damaged();
    for (const address of PROBES) find(reader, address);
  } catch (cause) {
    throw cause instanceof GeoFileError ? cause : damaged(cause);
  }
  const { databaseType } = reader.metadata;
  if (notOfType.test(databaseType)) {
    throw new GeoFileError(`${variable}: ${path} is a database of another kind, ${databaseType}`);
  }
  return reader;
}

async function bytesOf(path: string, variable: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new GeoFileError(`${variable}: ${path} cannot be read (${reason})`, { cause });
  }
}

/** What the metadata say of the tree agrees with the bytes that are there. */
function isWhole({ metadata }: Reader<Response>, bytes: Buffer): boolean {
  const { binaryFormatMajorVersion, nodeCount, searchTreeSize, ipVersion, databaseType } = metadata;
  if (binaryFormatMajorVersion !== FORMAT_VERSION || !(nodeCount > 0)) return false;
  if (![4, 6].includes(ipVersion) || typeof databaseType !== 'string') return false;
  const separator = bytes.subarray(searchTreeSize, searchTreeSize + SEPARATOR_BYTES);
  return separator.length === SEPARATOR_BYTES && separator.every((byte) => byte === 0);
}
