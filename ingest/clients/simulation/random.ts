/**
 * Random numbers of a simulation: sfc32 (Chris Doty-Humphrey, public domain), and the distributions drawn from it.
 *
 * Guarantee: the same seed and stream give the same numbers, whatever the clock and whoever else draws. Each viewer and
 * each network has a stream of its own, so that one more draw in one place moves nothing elsewhere.
 */

/** Numbers drawn and thrown away at first, until the seed has reached every bit of the state. */
const WARM_UP = 12;

const UINT32 = 4_294_967_296;

/** One well-mixed 32-bit number of two (the finalizer of MurmurHash3). */
export function mix(left: number, right: number): number {
  let hash = Math.imul(left | 0, 0x9e3779b1) ^ (right | 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The same as a fraction from 0 to below 1. */
export function mixFraction(left: number, right: number): number {
  return mix(left, right) / UINT32;
}

/** Something that is drawn more often the larger its weight. */
export interface Weighted {
  readonly weight: number;
}

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed,stream Whole numbers; each pair is a sequence of its own. */
  constructor(seed: number, stream: number) {
    this.#a = mix(seed, 0x5eed);
    this.#b = mix(seed, stream);
    this.#c = mix(stream, 0xca11);
    for (let drawn = 0; drawn < WARM_UP; drawn++) this.uint32();
  }

  uint32(): number {
    const drawn = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.uint32() / UINT32;
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.fraction());
  }

  /** @param sigma Standard deviation of the logarithm. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()));
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.fraction()));
  }

  /** One of a list that is not empty, by weight. */
  weighted<Item extends Weighted>(items: readonly [Item, ...Item[]]): Item {
    const total = items.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.fraction() * total;
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
    return items[0];
  }

  /** 32 hexadecimal digits in the shape of a UUID. */
  uuid(): string {
    const hex = (): string => this.uint32().toString(16).padStart(8, '0');
    const digits = hex() + hex() + hex() + hex();
    const groups = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`];
    return [...groups, `a${digits.slice(17, 20)}`, digits.slice(20)].join('-');
  }
}
