/** Bytes that fill the tiers of contracts: those of a contract's own region, or all of its CDN while it holds. */
import type { Contract, PriceBook } from './contract.ts';
import type { Usage } from './usage.ts';

export class TierBytes {
  /** Contracts that the whole CDN fills, priced or not. */
  readonly #wide: readonly Contract[];
  readonly #bytes = new Map<Contract, bigint>();

  constructor({ contracts }: PriceBook) {
    this.#wide = contracts.filter(({ tierScope }) => tierScope === 'cdn');
  }

  /** Adds usage, with the contract that prices it. */
  add({ cdn, atMs, bytes }: Usage, own: Contract | undefined): void {
    const amount = BigInt(bytes);
    if (own?.tierScope === 'region') this.#fill(own, amount);
    for (const contract of this.#wide) {
      const holds = contract.fromMs <= atMs && atMs < contract.toMs;
      if (contract.cdn === cdn && holds) this.#fill(contract, amount);
    }
  }

  of(contract: Contract): bigint {
    return this.#bytes.get(contract) ?? 0n;
  }

  /** Every contract that was filled. */
  contracts(): Iterable<Contract> {
    return this.#bytes.keys();
  }

  #fill(contract: Contract, bytes: bigint): void {
    this.#bytes.set(contract, this.of(contract) + bytes);
  }
}
