/** Choices from one seed: the same seed makes the same choices in the same order, on every machine. */
import { seeded } from '../../support/rows.ts';

export class Random {
  readonly #seed: number;
  readonly #next: () => number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = seeded(seed);
  }

  /** A stream of its own, so that choices of one part do not move those of another. */
  fork(name: string): Random {
    let mixed = Math.imul(this.#seed ^ 0x9e3779b9, 0x85ebca6b);
    for (let index = 0; index < name.length; index++) {
      mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193);
      mixed ^= mixed >>> 15;
    }
    return new Random(mixed >>> 0);
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.#next();
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1));
  }

  /** A whole number of any size: from 1 to 2 as often as from 64 to 128. */
  size(min: number, max: number): number {
    return Math.floor(min * (max / min) ** this.#next());
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[];
    let left = this.#next() * names.reduce((sum, name) => sum + weights[name], 0);
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return this.pick(names);
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.int(0, 255)));
  }
}
