/**
 * Where an address is, by the operator's databases: country, subdivision, network.
 *
 * Guarantee: unknown is the empty string. The country is where the address is used, never where it is registered. An
 * entry that cannot be read is counted, and costs nothing else.
 */
import type { BaseLogger } from 'pino';
import { usableAddress } from './addresses.ts';
import { type GeoFile, openGeoFile } from './geo-file.ts';

/** What an address tells, by dimension. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** ISO 3166-2, the country's code included: `US-CA`. */
  readonly region: string;
  /** Number of the autonomous system, in digits. */
  readonly asn: string;
}

export const NO_PLACE: Place = { country: '', region: '', asn: '' };

export interface PlaceCounters {
  /** Addresses that were looked up. */
  placeLookups: number;
  /** Of those, the ones that are in no database. */
  placeMisses: number;
  /** Entries that could not be read. */
  placeFailures: number;
  /** Texts that should have been an address, and were none. */
  addressesUnusable: number;
  /** Databases that were read again, and that were not taken. */
  placeReloads: number;
  placeReloadFailures: number;
}

export interface Places {
  /** Where an address is. */
  find(address: string): Place;
  /** Reads the databases again. */
  reload(): Promise<void>;
  close(): void;
}

export interface PlacesDeps {
  /** Paths; empty for none. */
  readonly cityFile: string;
  readonly asnFile: string;
  readonly logger: Pick<BaseLogger, 'info' | 'error'>;
  readonly counters: PlaceCounters;
  readonly watchIntervalMs?: number;
}

/** Opens the databases that there are. Throws a `GeoFileError` when one is missing or damaged. */
export async function openPlaces(deps: PlacesDeps): Promise<Places> {
  const { counters } = deps;
  const city = await openOne(deps, deps.cityFile, {
    variable: 'STREAMGAUGE_GEO_CITY_FILE',
    notOfType: /asn|isp/i,
  });
  const asn = await openOne(deps, deps.asnFile, {
    variable: 'STREAMGAUGE_GEO_ASN_FILE',
    notOfType: /city|country/i,
  }).catch((error: unknown) => {
    city?.close();
    throw error;
  });
  const files = [city, asn].filter((file) => file !== undefined);
  return {
    find: (text) => {
      if (files.length === 0) return NO_PLACE;
      const address = usableAddress(text);
      if (address === '') {
        counters.addressesUnusable++;
        return NO_PLACE;
      }
      return findPlace(address, { city, asn }, counters);
    },
    reload: async () => {
      for (const file of files) await file.reload();
    },
    close: () => {
      for (const file of files) file.close();
    },
  };
}

async function openOne(
  { logger, counters, watchIntervalMs }: PlacesDeps,
  path: string,
  kind: { readonly variable: string; readonly notOfType: RegExp },
): Promise<GeoFile | undefined> {
  if (path === '') return undefined;
  const onReload = (taken: boolean): void => {
    counters.placeReloads++;
    if (!taken) counters.placeReloadFailures++;
  };
  const watch = watchIntervalMs === undefined ? {} : { watchIntervalMs };
  return await openGeoFile({ path, logger, onReload, ...kind, ...watch });
}

interface Files {
  readonly city: GeoFile | undefined;
  readonly asn: GeoFile | undefined;
}

function findPlace(address: string, { city, asn }: Files, counters: PlaceCounters): Place {
  counters.placeLookups++;
  const where = entryOf(city, address, counters);
  const network = entryOf(asn, address, counters);
  if (where === undefined && network === undefined) {
    counters.placeMisses++;
    return NO_PLACE;
  }
  const country = countryOf(where);
  return { country, region: regionOf(where, country), asn: asnOf(network) };
}

type Entry = Readonly<Record<string, unknown>>;

function entryOf(file: GeoFile | undefined, address: string, counters: PlaceCounters) {
  try {
    return objectOf(file?.find(address));
  } catch {
    counters.placeFailures++;
    return undefined;
  }
}

function objectOf(value: unknown): Entry | undefined {
  return typeof value === 'object' && value !== null ? (value as Entry) : undefined;
}

function countryOf(entry: Entry | undefined): string {
  const code = objectOf(entry?.country)?.iso_code;
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : '';
}

/** The first subdivision is the largest. */
function regionOf(entry: Entry | undefined, country: string): string {
  const [largest] = Array.isArray(entry?.subdivisions) ? (entry.subdivisions as unknown[]) : [];
  const code = objectOf(largest)?.iso_code;
  const isCode = typeof code === 'string' && /^[A-Z0-9]{1,3}$/.test(code);
  return isCode && country !== '' ? `${country}-${code}` : '';
}

function asnOf(entry: Entry | undefined): string {
  const number = entry?.autonomous_system_number;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0
    ? String(number)
    : '';
}
