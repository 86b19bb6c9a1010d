import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIngestCounters } from '../../../ingest/counters.ts';
import { GeoFileError } from '../../../ingest/enrichment/geo-file.ts';
import { NO_PLACE, openPlaces, type Places } from '../../../ingest/enrichment/places.ts';
import { mmdb } from '../../support/mmdb.ts';
import { until } from '../../support/running.ts';

const CITY = mmdb('Test-City', [
  {
    network: '203.0.113.0/24',
    entry: { country: { iso_code: 'SE' }, subdivisions: [{ iso_code: 'AB' }, { iso_code: 'X' }] },
  },
  { network: '198.51.100.0/25', entry: { registered_country: { iso_code: 'US' } } },
  { network: '192.0.2.0/24', entry: { country: { iso_code: 'nowhere' }, subdivisions: 'none' } },
  { network: '2001:db8::/32', entry: { country: { iso_code: 'NO' } } },
]);
const ASN = mmdb('Test-ASN', [
  { network: '203.0.113.0/25', entry: { autonomous_system_number: 64_500 } },
  { network: '2001:db8::/48', entry: { autonomous_system_number: 4_200_000_000 } },
]);

function withByte(bytes: Buffer, index: number, byte: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[index] = byte;
  return changed;
}

let directory: string;
let cityFile: string;
let asnFile: string;
let places: Places | undefined;
const counters = createIngestCounters();
const lines: string[] = [];
const logger = {
  info: (...line: unknown[]) => void lines.push(`info ${JSON.stringify(line)}`),
  error: (...line: unknown[]) => void lines.push(`error ${JSON.stringify(line)}`),
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'places-'));
  cityFile = join(directory, 'city.mmdb');
  asnFile = join(directory, 'asn.mmdb');
  writeFileSync(cityFile, CITY);
  writeFileSync(asnFile, ASN);
  Object.assign(counters, createIngestCounters());
  lines.length = 0;
});

afterEach(() => {
  places?.close();
  places = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function open(more: object = {}): Promise<Places> {
  const standard = { cityFile, asnFile, logger, counters, watchIntervalMs: 0 };
  places = await openPlaces({ ...standard, ...more });
  return places;
}

describe('places', () => {
  it('tell country, region and network of an address', async () => {
    const found = await open();
    expect(found.find('203.0.113.7')).toEqual({ country: 'SE', region: 'SE-AB', asn: '64500' });
    expect(found.find('::ffff:203.0.113.7')).toEqual(found.find('203.0.113.7'));
    expect(found.find('203.0.113.200')).toEqual({ country: 'SE', region: 'SE-AB', asn: '' });
    expect(found.find('2001:db8:0:1::9')).toEqual({ country: 'NO', region: '', asn: '4200000000' });
    expect(found.find('2001:db8:5::9')).toEqual({ country: 'NO', region: '', asn: '' });
  });

  it('never guess: a country of registration is none, and what is no code is none', async () => {
    const found = await open();
    for (const address of ['198.51.100.1', '192.0.2.1']) {
      expect(found.find(address)).toEqual(NO_PLACE);
    }
    expect(counters).toMatchObject({ placeLookups: 2, placeMisses: 0 });
  });

  it('count addresses that no database has, and texts that are no address', async () => {
    const found = await open();
    for (const address of ['127.0.0.1', '10.0.0.1', '::1']) {
      expect(found.find(address)).toEqual(NO_PLACE);
    }
    expect(found.find('unknown')).toEqual(NO_PLACE);
    expect(counters).toMatchObject({ placeLookups: 3, placeMisses: 3, addressesUnusable: 1 });
  });

  it('need no database', async () => {
    const found = await open({ cityFile: '', asnFile: '' });
    expect(found.find('203.0.113.7')).toEqual(NO_PLACE);
    expect(counters.placeLookups).toBe(0);
  });

  it('do with one database', async () => {
    const found = await open({ asnFile: '' });
    expect(found.find('203.0.113.7')).toEqual({ country: 'SE', region: 'SE-AB', asn: '' });
  });

  it('survive an entry that cannot be read, and count it', async () => {
    const damaged = Buffer.from(CITY);
    // The control byte of the text becomes that of a type that does not exist.
    damaged.set([0x00, 0xf0], CITY.indexOf('US') - 1);
    writeFileSync(cityFile, damaged);
    const found = await open();
    expect(found.find('198.51.100.1')).toEqual(NO_PLACE);
    expect(counters).toMatchObject({ placeFailures: 1, placeLookups: 1 });
    expect(found.find('203.0.113.7').country).toBe('SE');
  });
});

describe('a geo database that is wrong at the start', () => {
  it.each([
    ['missing', undefined, 'cannot be read (ENOENT)'],
    ['empty', Buffer.alloc(0), 'is damaged'],
    ['text', Buffer.from('not a database'), 'is damaged'],
    ['cut at its end', CITY.subarray(0, -40), 'is damaged'],
    ['cut at its beginning', CITY.subarray(40), 'is damaged'],
    ['not one whole', withByte(CITY, CITY.indexOf(Buffer.alloc(16)), 1), 'is damaged'],
    ['of networks', ASN, 'of another kind, Test-ASN'],
  ])('because it is %s says so in one line', async (_, bytes, reason) => {
    if (bytes === undefined) rmSync(cityFile);
    else writeFileSync(cityFile, bytes);
    const error = await open().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GeoFileError);
    const { message } = error as GeoFileError;
    expect(message).toContain(reason);
    expect(message).toContain('STREAMGAUGE_GEO_CITY_FILE');
    expect(message).toContain(cityFile);
    expect(message).not.toContain('\n');
  });

  it('because it has places instead of networks says so', async () => {
    await expect(open({ asnFile: cityFile })).rejects.toThrow('STREAMGAUGE_GEO_ASN_FILE');
  });
});

describe('a geo database that changes', () => {
  it('is taken when it is whole', async () => {
    const found = await open({ watchIntervalMs: 10 });
    const next = mmdb('Test-City', [
      { network: '203.0.113.0/24', entry: { country: { iso_code: 'FI' } } },
    ]);
    writeFileSync(`${cityFile}.new`, next);
    renameSync(`${cityFile}.new`, cityFile);
    await until(
      () => Promise.resolve(found.find('203.0.113.7').country),
      (country) => country === 'FI',
    );
    expect(counters).toMatchObject({ placeReloads: 1, placeReloadFailures: 0 });
    expect(lines).toEqual([expect.stringContaining('geo database taken')]);
  });

  it.each([
    ['damaged', () => writeFileSync(cityFile, CITY.subarray(0, 50))],
    ['away', () => rmSync(cityFile)],
  ])('and is %s is an error in the log, and the old one stays', async (_, spoil) => {
    const found = await open({ watchIntervalMs: 10 });
    spoil();
    await until(
      () => Promise.resolve(counters.placeReloadFailures),
      (failures) => failures > 0,
    );
    expect(found.find('203.0.113.7').country).toBe('SE');
    expect(lines).toEqual([expect.stringMatching(/^error .*STREAMGAUGE_GEO_CITY_FILE/)]);
  });
});
