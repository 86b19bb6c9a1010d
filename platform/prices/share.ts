/**
 * Who caused which part of an invoice: the cost of a slice of the traffic, by any key, and by keys within keys.
 *
 * Everybody in a pool (a contract and a month) pays the pool's average price of that month: bytes of all tiers are shared
 * by bytes, requests by requests, bytes from origin by those. A slice of three days pays its part of the month's bill.
 *
 * Guarantee: the keys of a slice sum to its overall, and the keys within a key to that key, to the micro-unit, whatever
 * the keys are: the overall of a slice follows from its volumes alone. The slice that is everything costs the invoice.
 * Two slices asked apart are each rounded, once a pool and kind: their sum may differ from the slice that is both by
 * less than a micro-unit of each pool and kind.
 */
import { createCells } from './cells.ts';
import type { PriceBook } from './contract.ts';
import { type Invoice, invoice, type LineKind, type Pool } from './invoice.ts';
import { type Micros, rounded, shareOut } from './money.ts';
import { order, type Unpriced } from './pools.ts';
import { addTo, createPlacing, noVolume, type Usage, type Volume } from './usage.ts';

/** Usage of a key: one name for each depth of the answer, such as `[cdn]` or `[cdn, hour]`, or none. */
export interface KeyedUsage extends Usage {
  readonly key: readonly string[];
}

export interface CostQuestion {
  /** Everything the project delivered in every month that the slice touches: see `wholeMonths`. */
  readonly totals: Iterable<Usage>;
  /** What is asked for. All keys have the same depth. */
  readonly slice: Iterable<KeyedUsage>;
}

export interface CostShare {
  /** The last name of its key; empty for the overall. */
  readonly key: string;
  readonly micros: Micros;
  /** What `micros` is the sum of. */
  readonly microsByKind: Readonly<Record<LineKind, Micros>>;
  /** All of its usage, also what has no price. */
  readonly volume: Readonly<Volume>;
  /** The part of it that no contract prices, and that `micros` knows nothing of. */
  readonly unpriced: Readonly<Volume>;
  /** By key. */
  readonly children: readonly CostShare[];
}

export interface SharedCost {
  readonly currency: string;
  readonly overall: CostShare;
  /** The bill of the whole months. */
  readonly invoice: Invoice;
  /** Usage of the slice that no contract prices. */
  readonly unpriced: readonly Unpriced[];
}

const KINDS = ['bytes', 'requests', 'originBytes'] as const;

/**
 * Shares the bill of whole months with a slice of their usage.
 * Where the slice has more than the totals say, because more came in between two questions, the slice is believed.
 * @throws RangeError when keys are not of the same depth, or an amount is negative or has a fraction.
 */
export function shareCost(book: PriceBook, { totals, slice }: CostQuestion): SharedCost {
  const cells = createCells(book);
  const rows = [...slice];
  const sliced = cells.sumsOf(rows);
  const bill = invoice(book, cells.largest(cells.sumsOf(totals), sliced).values());
  const tree = treeOf(book, rows);
  for (const pool of bill.pools) for (const kind of KINDS) shareKind(tree, pool, kind);
  return {
    currency: book.currency,
    overall: shareOf(tree),
    invoice: bill,
    unpriced: invoice(book, sliced.values()).unpriced,
  };
}

/** A key on the way to its share. */
interface Node {
  readonly key: string;
  /** By name, sorted. */
  children: ReadonlyMap<string, Node>;
  readonly volume: Volume;
  readonly unpriced: Volume;
  readonly byPool: Map<string, Volume>;
  readonly micros: Record<LineKind, Micros>;
}

function emptyNode(key: string): Node {
  const micros = { bytes: 0n, requests: 0n, originBytes: 0n };
  const volumes = { volume: noVolume(), unpriced: noVolume(), byPool: new Map() };
  return { key, children: new Map(), ...volumes, micros };
}

function treeOf(book: PriceBook, rows: readonly KeyedUsage[]): Node {
  const place = createPlacing(book);
  const root = emptyNode('');
  const depth = rows[0]?.key.length ?? 0;
  for (const row of rows) {
    if (row.key.length !== depth) throw new RangeError('keys of a slice must have the same depth');
    const placed = place(row);
    const pool = placed.contract === undefined ? undefined : placed.id;
    let node = root;
    addToNode(node, row, pool);
    for (const name of row.key) {
      node = childOf(node, name);
      addToNode(node, row, pool);
    }
  }
  sortChildren(root);
  return root;
}

function childOf({ children }: Node, name: string): Node {
  const child = children.get(name) ?? emptyNode(name);
  (children as Map<string, Node>).set(name, child);
  return child;
}

function addToNode(node: Node, row: KeyedUsage, pool: string | undefined): void {
  addTo(node.volume, row);
  if (pool === undefined) {
    addTo(node.unpriced, row);
    return;
  }
  const volume = node.byPool.get(pool) ?? noVolume();
  addTo(volume, row);
  node.byPool.set(pool, volume);
}

/** Equal losses are settled by this order, so it must not be that of the rows. */
function sortChildren(node: Node): void {
  node.children = new Map([...node.children].sort(([left], [right]) => order(left, right)));
  for (const child of node.children.values()) sortChildren(child);
}

/** Shares what a pool bills for one kind, from the overall down. */
function shareKind(root: Node, { id, volume, micros }: Pool, kind: LineKind): void {
  const own = root.byPool.get(id)?.[kind] ?? 0n;
  if (own === 0n || micros[kind] === 0n) return;
  handDown(root, { id, kind, amount: rounded(micros[kind] * own, volume[kind]) });
}

interface Handed {
  readonly id: string;
  readonly kind: LineKind;
  readonly amount: Micros;
}

function handDown(node: Node, { id, kind, amount }: Handed): void {
  node.micros[kind] += amount;
  const children = [...node.children.values()].filter((child) => child.byPool.has(id));
  if (children.length === 0) return;
  const shares = shareOut(
    amount,
    children.map((child) => child.byPool.get(id)?.[kind] ?? 0n),
  );
  children.forEach((child, index) => {
    handDown(child, { id, kind, amount: shares[index] ?? 0n });
  });
}

function shareOf({ key, micros, volume, unpriced, children }: Node): CostShare {
  return {
    key,
    micros: KINDS.reduce((sum, kind) => sum + micros[kind], 0n),
    ...{ microsByKind: micros, volume, unpriced },
    children: [...children.values()].map(shareOf),
  };
}
