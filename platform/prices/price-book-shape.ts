/** The shape of a price book, as people write it. What a shape cannot say is in `price-book.ts`. */
import Type, { type Static } from 'typebox';
import { ClosedObject } from '../projects-shape.ts';

const CONTRACTS_MAX = 1_000;
const TIERS_MAX = 100;
const COUNTRIES_MAX = 300;
/** Units a month: a thousand exabytes in gigabytes. */
const UNITS_MAX = 1_000_000_000_000;

/** Checked by hand, for a message that says what is wanted. */
const Word = Type.String({ maxLength: 64 });

export const TierEntry = ClosedObject({
  upTo: Type.Optional(Type.Integer({ minimum: 1, maximum: UNITS_MAX })),
  price: Word,
});

export const PerRequestEntry = ClosedObject({
  price: Word,
  per: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
});

export const OriginEgressEntry = ClosedObject({ price: Word });

export const ContractEntry = ClosedObject({
  cdn: Type.String({ minLength: 1, maxLength: 64 }),
  currency: Type.Optional(Word),
  validFrom: Word,
  validTo: Type.Optional(Word),
  region: Type.Optional(Word),
  unit: Type.Optional(Word),
  tiers: Type.Array(TierEntry, { minItems: 1, maxItems: TIERS_MAX }),
  tierScope: Type.Optional(Word),
  perRequest: Type.Optional(PerRequestEntry),
  originEgress: Type.Optional(OriginEgressEntry),
});

export const PriceBookEntry = ClosedObject({
  currency: Word,
  rates: Type.Optional(Type.Record(Type.String(), Word)),
  regions: Type.Optional(
    Type.Record(Type.String(), Type.Array(Word, { minItems: 1, maxItems: COUNTRIES_MAX })),
  ),
  contracts: Type.Array(ContractEntry, { maxItems: CONTRACTS_MAX }),
});

export type ContractEntry = Static<typeof ContractEntry>;
export type PriceBookEntry = Static<typeof PriceBookEntry>;

/** Names that are valid at a place of a price book. */
export function priceFieldsAt(pointer: string): readonly string[] {
  if (pointer.includes('/tiers/')) return Object.keys(TierEntry.properties);
  if (pointer.endsWith('/perRequest')) return Object.keys(PerRequestEntry.properties);
  if (pointer.endsWith('/originEgress')) return Object.keys(OriginEgressEntry.properties);
  if (pointer.startsWith('/contracts/')) return Object.keys(ContractEntry.properties);
  return Object.keys(PriceBookEntry.properties);
}
