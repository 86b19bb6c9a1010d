/** The file of CDNs and troubles: what it may say, and one line for each mistake. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCdnFile } from '../../../ingest/clients/cdn-file.ts';
import { DEFAULT_CDNS } from '../../../ingest/clients/simulation/cdn-defaults.ts';
import { Delivery } from '../../../ingest/clients/simulation/delivery.ts';
import { potentialOutcomes } from '../../../ingest/clients/simulation/potential-outcomes.ts';

const CDN = {
  id: 'elm',
  price: { name: 'elm-1', perGigabyte: 0.01 },
  pops: [{ name: 'ber-elm', latitude: 52, longitude: 13 }],
  edgeMs: 5,
  origin: { latitude: 52, longitude: 13, thinkMs: 20 },
  cache: { manifest: 1, live: 1, popular: 1, obscure: 0.5 },
  share: { base: 1 },
};

function errorsOf(file: unknown): readonly string[] {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  const result = parseCdnFile(text, DEFAULT_CDNS);
  return result.ok ? [] : result.errors;
}

describe('the file of CDNs', () => {
  it('may say little: the rest is as if there were nothing', () => {
    const result = parseCdnFile(JSON.stringify({ cdns: [CDN] }), DEFAULT_CDNS);
    if (!result.ok) throw new Error(result.errors.join('\n'));
    expect(result.plan.troubles).toBeUndefined();
    expect(result.plan.cdns?.[0]).toMatchObject({
      host: 'elm.cdn.example',
      price: { currency: 'USD', perGigabyte: 0.01, originPerGigabyte: 0, perMillionRequests: 0 },
      lossShare: 0,
      errorShare: 0,
      peerings: {},
      share: { base: 1, countries: {}, networks: {} },
    });
  });

  it('may leave the CDNs as they are, and plant nothing', () => {
    expect(parseCdnFile('{"troubles":[]}', DEFAULT_CDNS)).toEqual({
      ok: true,
      plan: { cdns: undefined, troubles: [] },
    });
  });

  it('is played as the documentation shows it', () => {
    const page = readFileSync('docs/simulate.md', 'utf8');
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const result = parseCdnFile(example, DEFAULT_CDNS);
    if (!result.ok) throw new Error(result.errors.join('\n'));
    expect(result.plan.troubles?.length).toBe(3);
    const cdns = result.plan.cdns ?? DEFAULT_CDNS;
    expect(potentialOutcomes({ seed: 1, viewers: 2, stayMsMax: 5_000, cdns })).toHaveLength(
      2 * cdns.length,
    );
  });

  const wrong: readonly (readonly [what: string, file: unknown, message: RegExp])[] = [
    ['no JSON', '{', /^is not valid JSON/],
    ['no CDN', { cdns: [] }, /^cdns must/],
    ['a misspelt field', { cdns: [{ ...CDN, edgems: 1 }] }, /^cdns\[0\] must.*edgems/],
    ['no edges', { cdns: [{ ...CDN, pops: [] }] }, /^cdns\[0\]\.pops must/],
    [
      'a share above 1',
      { cdns: [{ ...CDN, cache: { ...CDN.cache, live: 2 } }] },
      /^cdns\[0\]\.cache\.live must/,
    ],
    ['a name twice', { cdns: [CDN, { ...CDN, pops: [] }] }, /pops must/],
    ['an id twice', { cdns: [CDN, CDN] }, /^the name elm is there twice/],
    ['nobody to serve', { cdns: [{ ...CDN, share: { base: 0 } }] }, /share\.base/],
  ];
  it.each(wrong)('is refused with %s', (_what, file, message) => {
    expect(errorsOf(file)[0]).toMatch(message);
  });

  const times = { fromSeconds: 1, untilSeconds: 2 };
  const wrongTroubles: readonly (readonly [what: string, trouble: object, message: RegExp])[] = [
    ['an unknown kind', { kind: 'flood' }, /^troubles\[0\]\.kind must be one of/],
    ['no CDN', { kind: 'origin_slow' }, /\(origin_slow\) must have cdn/],
    ['no edge', { kind: 'bad_edge', cdn: 'alder' }, /must have pop/],
    ['no network', { kind: 'bad_network' }, /must have asn/],
    ['a CDN that is not there', { kind: 'slow', cdn: 'oak' }, /names oak, which is no CDN/],
    ['an edge that is not there', { kind: 'bad_edge', pop: 'mars' }, /names mars, which is no pop/],
    ['the wrong effect', { kind: 'bad_edge', pop: 'iad-alder', rttAddedMs: 5 }, /cannot have rtt/],
    ['no length', { kind: 'slow', cdn: 'alder', untilSeconds: 1 }, /must end after it begins/],
  ];
  it.each(wrongTroubles)('is refused with a trouble of %s', (_what, trouble, message) => {
    expect(errorsOf({ troubles: [{ ...times, ...trouble }] })[0]).toMatch(message);
  });

  it('says every mistake at once', () => {
    const troubles = [
      { ...times, kind: 'slow', cdn: 'oak' },
      { ...times, kind: 'bad_edge' },
    ];
    expect(errorsOf({ troubles })).toHaveLength(2);
  });
});

describe('who is given which CDN', () => {
  it('goes by the network, else the country, else the base', () => {
    const [alder, birch] = DEFAULT_CDNS;
    if (birch === undefined) throw new Error('There is no second CDN.');
    const weigh = (networks: Record<string, number>, countries: Record<string, number>) =>
      new Delivery([
        { ...alder, share: { base: 1, networks: {}, countries: {} } },
        { ...birch, share: { base: 0, networks, countries } },
      ]);
    const place = {
      country: { code: 'DE', weight: 1, utcOffsetHours: 1, regions: [REGION], networks: [NETWORK] },
      region: REGION,
      network: NETWORK,
    } as const;
    const shareOf = (delivery: Delivery): number =>
      Array.from({ length: 100 }, (_, at) => delivery.assign(place, at / 100).id).filter(
        (id) => id === 'birch',
      ).length;
    expect(shareOf(weigh({}, {}))).toBe(0);
    expect(shareOf(weigh({}, { DE: 1 }))).toBe(50);
    expect(shareOf(weigh({ '64522': 3 }, { DE: 1 }))).toBe(75);
  });
});

const REGION = { code: 'DE-BE', latitude: 52, longitude: 13, weight: 1 };
const NETWORK = { asn: 64_522, quality: 1, eveningDip: 0, weight: 1 };
