/**
 * What a cost is made of: the lines of the bills, each with the part that was asked for.
 *
 * Guarantee: the lines sum to the cost, and are the lines of the invoice where everything was asked for.
 */
import type { Invoice, Pool } from '../../platform/prices/invoice.ts';
import { microsText, shareOut } from '../../platform/prices/money.ts';
import type { CostShare } from '../../platform/prices/share.ts';
import { amounts } from './figures.ts';

const KINDS = ['bytes', 'requests', 'originBytes'] as const;
const NAMES = { bytes: 'bytes', requests: 'requests', originBytes: 'origin_egress' } as const;

/** `pools`: shares of the overall by id of the pool. */
export function linesOf(invoice: Invoice, pools: readonly CostShare[]) {
  const shares = new Map(pools.map((share) => [share.key, share]));
  return invoice.pools.flatMap((pool) => {
    const share = shares.get(pool.id);
    return share === undefined ? [] : KINDS.flatMap((kind) => linesOfKind(pool, share, kind));
  });
}

function linesOfKind(pool: Pool, share: CostShare, kind: (typeof KINDS)[number]) {
  const lines = pool.lines.filter((line) => line.kind === kind);
  if (lines.length === 0 || share.volume[kind] === 0n) return [];
  const quantities = shareOut(
    share.volume[kind],
    lines.map(({ quantity }) => quantity),
  );
  // Where all lines are free there is nothing to share.
  const micros = shareOut(
    share.microsByKind[kind],
    lines.map((line) => line.micros),
  );
  return lines.map(({ cdn, region, month, contract, tier }, index) => ({
    ...{ cdn, region, month, contract, kind: NAMES[kind] },
    tier: tier ?? null,
    quantity: Number(quantities[index] ?? 0n),
    cost: microsText(micros[index] ?? 0n),
  }));
}

/** Usage without a price, and why. */
export function unpricedOf({ unpriced }: Pick<Invoice, 'unpriced'>) {
  return unpriced.map(({ cdn, month, reason, ...volume }) => ({
    ...{ cdn, month, reason },
    ...amounts(volume),
  }));
}
