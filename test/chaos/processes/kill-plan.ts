/**
 * What is done to the program, one thing after the other, drawn from a seed: every start ends in one of these.
 *
 * Guarantee: of every ten deeds in a row each kind is among them, so that a short run has some of each.
 */
import type { Random } from '../../../ingest/clients/simulation/random.ts';

export type Deed =
  /** SIGKILL as soon as the store's folder is there: the tables are being made. */
  | 'kill_migrating'
  /** SIGKILL while it starts, before it listens. */
  | 'kill_starting'
  /** SIGKILL some time after it listens. */
  | 'kill_running'
  /** SIGKILL right after it listens: what clients held back comes in, the epoch in doubt was just settled. */
  | 'kill_ready'
  /** SIGTERM; it must end with exit code 0. */
  | 'terminate'
  /** SIGTERM, then another signal before it is done. */
  | 'interrupt';

/** How many SIGKILLs a deed is. */
export function killsOf(deed: Deed): number {
  return deed.startsWith('kill_') ? 1 : 0;
}

/** One round. A kill while running that is followed by one while starting is two kills in a row. */
const ROUND: readonly (readonly Deed[])[] = [
  ['kill_running'],
  ['kill_running', 'kill_starting'],
  ['terminate'],
  ['kill_ready', 'kill_starting', 'kill_starting'],
  ['interrupt'],
  ['kill_running'],
];

/** Deeds without end. The first is done to an empty folder. */
export function* planDeeds(random: Random): Generator<Deed, never> {
  yield 'kill_migrating';
  yield 'kill_starting';
  for (;;) for (const deeds of shuffled(ROUND, random)) yield* deeds;
}

/** A copy in another order, every order as likely as any other. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  const order: Item[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}
