/**
 * The file of `simulate --cdns`: CDNs, and troubles that are planted, instead of those that come with a seed.
 *
 * Guarantee: taken whole or not at all; each mistake is one line that says where it is.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type CdnProfile,
  type CdnProfiles,
  NO_PEERING,
  type PopProfile,
} from './simulation/cdn-profile.ts';
import { HARMLESS, TROUBLE_KINDS, type Trouble } from './simulation/troubles.ts';

const Share = Type.Number({ minimum: 0, maximum: 1 });
const Ms = Type.Number({ minimum: 0, maximum: 60_000 });
const Amount = Type.Number({ minimum: 0, maximum: 1e9 });
const Id = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' });
const Degrees = {
  latitude: Type.Number({ minimum: -90, maximum: 90 }),
  longitude: Type.Number({ minimum: -180, maximum: 180 }),
};
const closed = { additionalProperties: false } as const;

const PopEntry = Type.Object(
  { name: Id, ...Degrees, rttMs: Type.Optional(Type.Record(Type.String(), Ms)) },
  closed,
);
const PeeringEntry = Type.Object(
  {
    rttAddedMs: Type.Optional(Type.Number({ minimum: -60_000, maximum: 60_000 })),
    kilobitsMax: Type.Optional(Type.Number({ minimum: 1, maximum: 1e9 })),
    lossShare: Type.Optional(Share),
  },
  closed,
);
const PriceEntry = Type.Object(
  {
    name: Id,
    currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$' })),
    perGigabyte: Amount,
    originPerGigabyte: Type.Optional(Amount),
    perMillionRequests: Type.Optional(Amount),
  },
  closed,
);
const Weights = Type.Optional(Type.Record(Type.String(), Amount));
const CdnEntry = Type.Object(
  {
    id: Id,
    host: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9.-]{1,253}$' })),
    price: PriceEntry,
    pops: Type.Array(PopEntry, { minItems: 1, maxItems: 200 }),
    edgeMs: Ms,
    origin: Type.Object({ ...Degrees, thinkMs: Ms }, closed),
    cache: Type.Object({ manifest: Share, live: Share, popular: Share, obscure: Share }, closed),
    lossShare: Type.Optional(Share),
    errorShare: Type.Optional(Share),
    peerings: Type.Optional(Type.Record(Type.String(), PeeringEntry)),
    share: Type.Object({ base: Amount, countries: Weights, networks: Weights }, closed),
  },
  closed,
);
const TroubleEntry = Type.Object(
  {
    kind: Type.String(),
    cdn: Type.Optional(Type.String()),
    pop: Type.Optional(Type.String()),
    asn: Type.Optional(Type.Integer({ minimum: 1, maximum: 4_294_967_295 })),
    fromSeconds: Type.Number({ minimum: 0 }),
    untilSeconds: Type.Number({ minimum: 0 }),
    addedMs: Type.Optional(Ms),
    errorShare: Type.Optional(Share),
    errorStatus: Type.Optional(Type.Integer({ minimum: 500, maximum: 599 })),
    rateShare: Type.Optional(Type.Number({ minimum: 0.001, maximum: 1 })),
    rttAddedMs: Type.Optional(Ms),
    lossShare: Type.Optional(Share),
    noAnswerShare: Type.Optional(Share),
  },
  closed,
);
const CdnFile = Type.Object(
  {
    cdns: Type.Optional(Type.Array(CdnEntry, { minItems: 1, maxItems: 50 })),
    troubles: Type.Optional(Type.Array(TroubleEntry, { maxItems: 1_000 })),
  },
  closed,
);
const validator = Compile(CdnFile);
type CdnEntry = Static<typeof CdnEntry>;
type TroubleEntry = Static<typeof TroubleEntry>;

/** What stands in the file; absent where it does not say. */
export interface CdnPlan {
  readonly cdns: CdnProfiles | undefined;
  readonly troubles: readonly Trouble[] | undefined;
}

export type CdnFileResult =
  | { readonly ok: true; readonly plan: CdnPlan }
  | { readonly ok: false; readonly errors: readonly string[] };

/** @param known CDNs that troubles may name where the file has none. */
export function parseCdnFile(text: string, known: CdnProfiles): CdnFileResult {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    return { ok: false, errors: [`is not valid JSON: ${(error as Error).message}`] };
  }
  if (!validator.Check(said)) return { ok: false, errors: shapeErrors(said) };
  const cdns = said.cdns?.map(profileOf);
  const troubles = said.troubles?.map(troubleOf);
  const errors = [
    ...twice(cdns ?? []),
    ...(said.troubles ?? []).flatMap((entry, at) => troubleErrors(entry, at, cdns ?? known)),
  ];
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, plan: { cdns: listed(cdns), troubles } };
}

function listed(cdns: readonly CdnProfile[] | undefined): CdnProfiles | undefined {
  const [first, ...others] = cdns ?? [];
  return first === undefined ? undefined : [first, ...others];
}

interface ShapeError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function shapeErrors(value: unknown): string[] {
  return (validator.Errors(value) as readonly ShapeError[])
    .filter(({ keyword }) => keyword !== 'boolean')
    .map(({ instancePath, message, keyword, params }) => {
      const where = instancePath
        .slice(1)
        .replaceAll(/\/(\d+)/g, '[$1]')
        .replaceAll('/', '.');
      const unknown = keyword === 'additionalProperties' ? `: ${Object.values(params)}` : '';
      return `${where === '' ? 'the file' : where} ${message}${unknown}`;
    });
}

function profileOf(entry: CdnEntry): CdnProfile {
  const { id, price, share } = entry;
  const pop = (said: CdnEntry['pops'][number]): PopProfile => ({
    ...said,
    rttMs: said.rttMs ?? {},
  });
  const [first, ...others] = entry.pops.map(pop);
  if (first === undefined) throw new RangeError(`${id} has no pops`);
  const peerings = Object.entries(entry.peerings ?? {});
  return {
    ...entry,
    host: entry.host ?? `${id.toLowerCase()}.cdn.example`,
    price: { currency: 'USD', originPerGigabyte: 0, perMillionRequests: 0, ...price },
    pops: [first, ...others],
    lossShare: entry.lossShare ?? 0,
    errorShare: entry.errorShare ?? 0,
    peerings: Object.fromEntries(peerings.map(([to, said]) => [to, { ...NO_PEERING, ...said }])),
    share: { base: share.base, countries: share.countries ?? {}, networks: share.networks ?? {} },
  };
}

function troubleOf({ fromSeconds, untilSeconds, kind, ...said }: TroubleEntry): Trouble {
  const errorStatus = kind === 'origin_slow' ? 504 : HARMLESS.errorStatus;
  return {
    ...HARMLESS,
    errorStatus,
    ...said,
    kind: TROUBLE_KINDS.find((known) => known === kind) ?? 'slow',
    fromMs: Math.round(fromSeconds * 1_000),
    untilMs: Math.round(untilSeconds * 1_000),
  };
}

function twice(cdns: readonly CdnProfile[]): string[] {
  const names = [
    ...cdns.map(({ id }) => id),
    ...cdns.flatMap(({ pops }) => pops.map((p) => p.name)),
  ];
  const repeated = names.filter((name, at) => names.indexOf(name) !== at);
  const weightless = cdns.length > 0 && cdns.every(({ share }) => share.base === 0);
  const errors = repeated.map((name) => `the name ${name} is there twice`);
  return weightless ? [...errors, 'cdns need a share.base above 0 in one of them'] : errors;
}

/** What a kind must say besides when. */
const NEEDS: Readonly<Record<Trouble['kind'], readonly (keyof TroubleEntry)[]>> = {
  slow: ['cdn'],
  errors: ['cdn', 'errorShare'],
  origin_slow: ['cdn'],
  bad_edge: ['pop'],
  bad_network: ['asn'],
};
/** And what it cannot do. */
const NETWORK_ONLY = ['rttAddedMs', 'lossShare', 'noAnswerShare'] as const;
const SERVER_ONLY = ['addedMs', 'errorShare', 'errorStatus'] as const;

function troubleErrors(entry: TroubleEntry, at: number, cdns: readonly CdnProfile[]): string[] {
  const kind = TROUBLE_KINDS.find((known) => known === entry.kind);
  const where = `troubles[${at}]`;
  if (kind === undefined) return [`${where}.kind must be one of ${TROUBLE_KINDS.join(', ')}`];
  const cannot = kind === 'bad_network' ? SERVER_ONLY : NETWORK_ONLY;
  const pops = cdns.flatMap((cdn) => cdn.pops);
  const errors = [
    ...NEEDS[kind].filter((name) => entry[name] === undefined).map((name) => `must have ${name}`),
    ...cannot.filter((name) => entry[name] !== undefined).map((name) => `cannot have ${name}`),
  ];
  if (entry.untilSeconds <= entry.fromSeconds) errors.push('must end after it begins');
  if (entry.cdn !== undefined && !cdns.some(({ id }) => id === entry.cdn))
    errors.push(`names ${entry.cdn}, which is no CDN`);
  if (entry.pop !== undefined && !pops.some(({ name }) => name === entry.pop))
    errors.push(`names ${entry.pop}, which is no pop`);
  return errors.map((error) => `${where} (${kind}) ${error}`);
}
