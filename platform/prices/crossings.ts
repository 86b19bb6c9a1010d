/** On which day of a month the traffic of a contract reaches each of its tiers. */
import type { Contract, PriceBook } from './contract.ts';
import { dayOf, dayStart } from './months.ts';
import { gather } from './pools.ts';
import { TierBytes } from './tier-bytes.ts';
import { createPlacing, type Usage } from './usage.ts';

export interface TierCrossing {
  readonly cdn: string;
  readonly region: string;
  /** Place of the contract in the book, from 0. */
  readonly contract: number;
  /** Place of the tier that is reached, from 1: in the first one is from the start. */
  readonly tier: number;
  /** Bytes at which it begins. */
  readonly fromBytes: bigint;
  /** Day of UTC. */
  readonly day: string;
  /** Whether it was reached, or is expected to be. */
  readonly state: 'reached' | 'expected';
}

/** Usage of one month: what was, and what is expected after it. */
export interface Cumulated {
  readonly past: readonly Usage[];
  readonly coming: readonly Usage[];
}

type State = TierCrossing['state'];

/** By CDN, region, begin of the contract, and tier; of contracts that price some of the usage. */
export function crossingsOf(book: PriceBook, { past, coming }: Cumulated): TierCrossing[] {
  const place = createPlacing(book);
  const filled = new TierBytes(book);
  const crossings: TierCrossing[] = [];
  const steps = [...byDay(past, 'reached'), ...byDay(coming, 'expected')];
  for (const { day, state, rows } of steps) {
    const before = new Map(book.contracts.map((contract) => [contract, filled.of(contract)]));
    for (const row of rows) filled.add(row, place(row).contract);
    for (const contract of filled.contracts()) {
      const bytes = { before: before.get(contract) ?? 0n, after: filled.of(contract) };
      crossings.push(...reached(contract, bytes, { day: dayOf(day), state }));
    }
  }
  const priced = gather(book, [...past, ...coming]).pools;
  return priced.flatMap(({ contract }) =>
    crossings.filter((crossing) => crossing.contract === contract.index),
  );
}

function reached(
  { index, cdn, region, tiers }: Contract,
  { before, after }: { readonly before: bigint; readonly after: bigint },
  when: Pick<TierCrossing, 'day' | 'state'>,
): TierCrossing[] {
  return tiers.flatMap(({ fromBytes }, tier) =>
    fromBytes > before && fromBytes <= after
      ? [{ cdn, region, contract: index, tier, fromBytes, ...when }]
      : [],
  );
}

function byDay(rows: readonly Usage[], state: State) {
  const days = new Map<number, Usage[]>();
  for (const row of rows) {
    const day = dayStart(row.atMs);
    const ofDay = days.get(day) ?? [];
    ofDay.push(row);
    days.set(day, ofDay);
  }
  return [...days]
    .sort(([left], [right]) => left - right)
    .map(([day, ofDay]) => ({ day, state, rows: ofDay }));
}
