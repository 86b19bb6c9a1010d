/**
 * What chance has in store for one request: named by the viewer and the object alone, so that the same request of the
 * same viewer meets the same luck on every CDN. Each number is made when it is asked for, and is the same every time.
 */
import { mix, mixFraction } from './random.ts';

const SPREAD = { server: 0.5, origin: 0.35, way: 0.1 } as const;
const NUMBER = {
  cache: 1,
  error: 2,
  trouble: 3,
  silence: 4,
  server: 5,
  origin: 7,
  way: 9,
  added: 11,
} as const;

export class Luck {
  readonly #key: number;

  /** @param viewKey,objectKey Whole numbers that name the viewer's stream and the request in it. */
  constructor(viewKey: number, objectKey: number) {
    this.#key = mix(viewKey, objectKey);
  }

  /** From 0 to below 1, compared with the share of a cache, of errors, of answers that never come. */
  get cache(): number {
    return mixFraction(this.#key, NUMBER.cache);
  }

  get error(): number {
    return mixFraction(this.#key, NUMBER.error);
  }

  get trouble(): number {
    return mixFraction(this.#key, NUMBER.trouble);
  }

  get silence(): number {
    return mixFraction(this.#key, NUMBER.silence);
  }

  /** Factors of a median. */
  get serverFactor(): number {
    return this.#factor(NUMBER.server, SPREAD.server);
  }

  get originFactor(): number {
    return this.#factor(NUMBER.origin, SPREAD.origin);
  }

  get wayFactor(): number {
    return this.#factor(NUMBER.way, SPREAD.way);
  }

  get addedFactor(): number {
    return this.#factor(NUMBER.added, SPREAD.server);
  }

  /** Log-normal with median 1, of this number and the next. */
  #factor(number: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - mixFraction(this.#key, number)));
    const angle = 2 * Math.PI * mixFraction(this.#key, number + 1);
    return Math.exp(sigma * radius * Math.cos(angle));
  }
}
