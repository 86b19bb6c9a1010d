/** Pairs and blames requests of both sides in plain code, by the rules of docs/delivery.md. */
import type { DeliveredRequest } from '../../processors/delivery/request.ts';
import { percentile } from './delivery-recomputed.ts';
import type { Told } from './delivery-rows.ts';

const APART_MS = 30_000;
const ROUNDS = 2;

export interface Judged {
  readonly player: Told;
  readonly edge: Told | undefined;
  readonly affected: boolean;
  readonly blamed: string;
  readonly networkMs: number | undefined;
  readonly edgeMs: number | undefined;
  readonly originMs: number | undefined;
  readonly expectedMs: number;
}

/** The line of each player's request that has one. */
export function pairsOf(told: readonly Told[]): Map<Told, Told> {
  const groups = new Map<string, { players: Told[]; edges: Told[] }>();
  for (const one of told.toSorted((a, b) => a.request.atMs - b.request.atMs)) {
    const { source, urlKey } = one.request;
    if (one.viewId === '' || urlKey === 0) continue;
    const key = `${one.viewId} ${urlKey}`;
    const group = groups.get(key) ?? { players: [], edges: [] };
    (source === 'player' ? group.players : group.edges).push(one);
    groups.set(key, group);
  }
  const pairs = new Map<Told, Told>();
  for (const { players, edges } of groups.values()) {
    if (players.length === edges.length) {
      for (const [index, player] of players.entries()) pairs.set(player, edges[index] as Told);
    } else for (const [player, edge] of nearest(players, edges)) pairs.set(player, edge);
  }
  return pairs;
}

function nearest(players: readonly Told[], edges: readonly Told[]): [Told, Told][] {
  const side = ({ request }: Told): number => (request.source === 'player' ? 0 : 1);
  let open = [...players, ...edges].toSorted(
    (a, b) => a.request.atMs - b.request.atMs || side(a) - side(b),
  );
  const found: [Told, Told][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const gaps = open.map((one, index) => {
      const next = open[index + 1];
      if (next === undefined || side(next) === side(one)) return Number.POSITIVE_INFINITY;
      const apart = next.request.atMs - one.request.atMs;
      return apart <= APART_MS ? apart : Number.POSITIVE_INFINITY;
    });
    const taken = new Set<Told>();
    for (const [index, gap] of gaps.entries()) {
      const [before = Number.POSITIVE_INFINITY, after = Number.POSITIVE_INFINITY] = [
        gaps[index - 1],
        gaps[index + 1],
      ];
      const [one, next] = [open[index], open[index + 1]];
      if (gap === Number.POSITIVE_INFINITY || gap >= before || gap > after) continue;
      if (one === undefined || next === undefined) continue;
      found.push(side(one) === 0 ? [one, next] : [next, one]);
      taken.add(one).add(next);
    }
    open = open.filter((one) => !taken.has(one));
  }
  return found;
}

interface Split {
  readonly player: Told;
  readonly edge: Told | undefined;
  readonly failed: boolean;
  readonly cmsd: boolean;
  readonly served: number | undefined;
  readonly originMs: number | undefined;
  readonly edgeMs: number | undefined;
  readonly networkMs: number | undefined;
  readonly size: number;
}

const known = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0 ? value : undefined;

function splitOf(player: Told, edge: Told | undefined): Split {
  const [p, e] = [player.request, edge?.request];
  const waited = e?.aborted === true ? known(e.totalMs) : undefined;
  const served = known(e?.ttfbMs) ?? waited ?? known(p.hopMs);
  const had = e !== undefined && ['hit', 'stale'].includes(e.cache) ? 0 : undefined;
  const originMs = known(e?.originMs) ?? had ?? known(p.hopOriginMs);
  const behind = Math.max(served ?? -1, originMs ?? -1);
  return {
    player,
    edge,
    failed: p.status === 0 || p.status >= 400 || (e !== undefined && !e.aborted && e.status >= 400),
    cmsd: e === undefined && p.hopMs >= 0,
    served,
    originMs,
    edgeMs: served === undefined ? undefined : Math.max(0, served - (originMs ?? 0)),
    networkMs: p.totalMs >= 0 && behind >= 0 ? Math.max(0, p.totalMs - behind) : undefined,
    size: known(p.bytes) ?? Math.max(0, e?.bytes ?? 0),
  };
}

const low = (values: readonly (number | undefined)[], level = 0.25): number =>
  percentile(
    values.filter((value) => value !== undefined),
    level,
  ) ?? 0;

/** Requests that can be judged, of those that players began in the time. */
export function judge(told: readonly Told[], fromMs: number, toMs: number): Judged[] {
  const near = told.filter(
    ({ request: { atMs } }) => atMs >= fromMs - APART_MS && atMs < toMs + APART_MS,
  );
  const pairs = pairsOf(near);
  const splits = near
    .filter(({ viewId, request: { source, atMs } }) => {
      return source === 'player' && viewId !== '' && atMs >= fromMs && atMs < toMs;
    })
    .map((player) => splitOf(player, pairs.get(player)));
  const lines = splits.some(({ edge }) => edge !== undefined);
  const fine = splits.filter(({ failed }) => !failed);
  const normal = {
    edge: (kind: string) => low(ofKind(fine, kind).map(({ edgeMs }) => edgeMs)),
    origin: (kind: string) =>
      low(
        ofKind(fine, kind).map(({ originMs }) => (originMs === 0 ? undefined : originMs)),
        0.1,
      ),
    trip: low(fine.map(tripOf)),
    byte: low(fine.map(byteOf)),
  };
  return splits
    .filter(({ edge, cmsd, failed }) => edge !== undefined || cmsd || (failed && lines))
    .map((split) => {
      const kind = split.player.request.objectType;
      const expected = {
        origin: (split.originMs ?? 0) > 0 ? normal.origin(kind) : 0,
        edge: normal.edge(kind),
        network: normal.trip + split.size * normal.byte,
      };
      return judgedOf(split, expected);
    });
}

const ofKind = (splits: readonly Split[], kind: string): Split[] =>
  splits.filter(({ player }) => player.request.objectType === kind);

function tripOf({ player, served }: Split): number | undefined {
  const { ttfbMs } = player.request;
  return ttfbMs >= 0 && served !== undefined ? Math.max(0, ttfbMs - served) : undefined;
}

function byteOf({ player, networkMs, size }: Split): number | undefined {
  const { ttfbMs, totalMs } = player.request;
  if (networkMs === undefined || size < 16_384) return undefined;
  return (ttfbMs >= 0 ? totalMs - ttfbMs : networkMs) / size;
}

interface Expected {
  readonly origin: number;
  readonly edge: number;
  readonly network: number;
}

function judgedOf(split: Split, expected: Expected): Judged {
  const { player, edge, failed, originMs, edgeMs, networkMs } = split;
  const expectedMs = expected.edge + expected.origin + expected.network;
  const { totalMs } = player.request;
  const slow = totalMs > 2 * expectedMs && totalMs - expectedMs >= 200;
  const affected = failed || slow;
  const excess = (
    [
      ['origin', originMs, expected.origin],
      ['edge', edgeMs, expected.edge],
      ['network', networkMs, expected.network],
    ] as const
  ).flatMap(([hop, ms, usual]) =>
    ms === undefined
      ? []
      : [{ hop: hop as string, ms: ms - usual, times: ms / Math.max(usual, 10) }],
  );
  const all = excess.reduce((sum, { ms }) => sum + Math.max(0, ms), 0);
  const worst = excess
    .filter(({ ms }) => ms > 0 && ms >= 0.25 * all)
    .toSorted((a, b) => b.times - a.times)[0];
  const blamed = affected ? hopOf(failed, edge?.request, worst) : '';
  return { player, edge, affected, blamed, networkMs, edgeMs, originMs, expectedMs };
}

function hopOf(
  failed: boolean,
  edge: DeliveredRequest | undefined,
  worst: { readonly hop: string; readonly ms: number } | undefined,
): string {
  if (!failed) return worst?.hop ?? '';
  if (edge === undefined) return 'network';
  if (edge.aborted) return worst !== undefined && worst.ms >= 200 ? worst.hop : 'network';
  const had = ['hit', 'stale', 'revalidated'].includes(edge.cache);
  const asked = [502, 504].includes(edge.status) || edge.originMs >= 0;
  if (edge.status >= 500 && !had && asked) return 'origin';
  return edge.status >= 400 ? 'edge' : 'network';
}
