/**
 * One request of a player and what becomes of it, as the player sees it and as the edge does.
 *
 * Guarantee: both see the same request: the edge's bytes are the player's, and its times are the player's less the way
 * between them. All of a request is decided when it begins; the player may cut it short.
 */
import type { RequestKind } from '../../../schemas/beat.ts';
import { type Asset, LADDER } from './assets.ts';
import { hitShare, type Route } from './delivery.ts';
import type { NetworkTrace } from './network-trace.ts';
import type { Luck } from './request-luck.ts';
import { HOPS, type Hop, type Trouble } from './troubles.ts';

/** A request that takes longer is given up by the player, ms. */
export const REQUEST_TIMEOUT_MS = 10_000;
const ERROR_BODY_BYTES = 162;
/** What an edge answers now and then without any trouble. */
const ERROR_STATUS = 500;
/** nginx: the client went away before it had an answer. */
const CLIENT_GONE_STATUS = 499;
/** Mathis et al. (1997): a connection carries 1.22 packets of 1,460 bytes a round trip, over the root of the loss. */
const MATHIS_BITS = 1.22 * 1_460 * 8;

/** What is asked for. */
export interface Wanted {
  readonly kind: RequestKind;
  readonly asset: Asset;
  /** File name of the manifest. */
  readonly manifest: string;
  readonly bytes: number;
  /** Place in the ladder; -1 where there is none. */
  readonly rung: number;
  /** Number of the segment; -1 where there is none. */
  readonly segment: number;
  /** What CMCD says with it: buffer in ms, measured rate in kbit/s, needed at once. */
  readonly bufferMs: number;
  readonly measuredKilobits: number;
  readonly urgent: boolean;
}

/** Path of what is asked for, on every CDN. */
export function pathOf({ kind, asset, manifest, rung, segment }: Wanted): string {
  const folder = `/${asset.live ? 'live' : 'vod'}/${asset.id}`;
  if (kind === 'manifest') return `${folder}/${manifest}`;
  if (kind === 'init') return `${folder}/init.mp4`;
  return `${folder}/${LADDER[rung]?.height ?? 0}p/seg-${segment}.m4s`;
}

export interface Exchange {
  readonly wanted: Wanted;
  readonly route: Route;
  /** ms since the simulation's start. */
  readonly startMs: number;
  /** As the player sees it: 0 for no answer. */
  readonly status: number;
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** From the request's start, ms; ttfb is -1 when no byte came. */
  readonly ttfbMs: number;
  readonly ttlbMs: number;
  readonly edge: EdgeSide;
  /** Troubles that it met. */
  readonly troubles: readonly Trouble[];
}

export interface EdgeSide {
  readonly status: number;
  /** False when the client went away. */
  readonly complete: boolean;
  /** Empty when the edge answered by itself. */
  readonly cache: 'HIT' | 'MISS' | '';
  /** From the request's arrival to the first byte of the answer, ms; -1 when none was sent. */
  readonly headerMs: number;
  /** Part of that in which it waited for the origin, ms; -1 when it did not, or still does. */
  readonly originMs: number;
  /** From the request's arrival to the last byte, ms. */
  readonly totalMs: number;
  /** Time that the way takes before the request arrives and after the last byte leaves, ms. */
  readonly connectMs: number;
  readonly rttMs: number;
}

/** What decides how a request goes. */
export interface Line {
  readonly route: Route;
  readonly asset: Asset;
  readonly trace: NetworkTrace;
  readonly luck: Luck;
  /** Time that the access adds to a round trip, ms. */
  readonly accessRttMs: number;
  /** No connection is open yet. */
  readonly fresh: boolean;
  readonly troubles: readonly Trouble[];
}

/** What the way and the servers do to it, before a byte has come. */
interface Answer {
  readonly route: Route;
  readonly startMs: number;
  readonly status: number;
  readonly cache: EdgeSide['cache'];
  readonly serverMs: number;
  readonly originMs: number;
  readonly connectMs: number;
  readonly rttMs: number;
  readonly troubles: readonly Trouble[];
}

/** Plans a request that begins now. */
export function planExchange(wanted: Wanted, line: Line, startMs: number): Exchange {
  const { luck, troubles } = line;
  const answer = answerOf(wanted, line, startMs);
  const { rttMs, connectMs, serverMs } = answer;
  const firstMs = connectMs + rttMs + serverMs;
  if (firstMs >= REQUEST_TIMEOUT_MS) return unanswered(wanted, answer);
  if (luck.silence < most(troubles, 'noAnswerShare')) return lost(wanted, answer);
  if (answer.status !== 200) {
    const body = { bytes: ERROR_BODY_BYTES, endMs: startMs + firstMs, whole: true };
    return answered(wanted, answer, body);
  }
  const untilMs = startMs + REQUEST_TIMEOUT_MS;
  const limit = limitOf(line, rttMs);
  const sent = line.trace.transfer(startMs + firstMs, wanted.bytes, untilMs, limit);
  return answered(wanted, answer, { ...sent, whole: sent.bytes >= wanted.bytes });
}

function answerOf({ kind }: Wanted, line: Line, startMs: number): Answer {
  const { route, asset, luck, fresh } = line;
  const hit = luck.cache < hitShare(route.cdn, kind, asset);
  const rtt = route.rttMs + line.accessRttMs + sum(line.troubles, 'rttAddedMs');
  const rttMs = Math.ceil(rtt * luck.wayFactor);
  const way = { route, startMs, rttMs, connectMs: fresh ? 2 * rttMs : 0 };
  const atEdge = troublesAt(line.troubles, 'edge');
  const edgeMs = route.cdn.edgeMs * luck.serverFactor + addedBy(atEdge, luck);
  const troubles = line.troubles.filter((trouble) => isMet(trouble, luck, hit));
  const refusal = refusalOf(atEdge, luck) ?? (luck.error < route.cdn.errorShare ? ERROR_STATUS : 0);
  if (refusal > 0 || hit) {
    const cache = refusal > 0 ? '' : 'HIT';
    const met = refusal > 0 ? troubles.filter(({ kind: of }) => HOPS[of] !== 'origin') : troubles;
    const serverMs = Math.max(1, Math.round(edgeMs));
    return { ...way, status: refusal || 200, cache, serverMs, originMs: -1, troubles: met };
  }
  const atOrigin = troublesAt(line.troubles, 'origin');
  const waitMs = route.originMs * luck.originFactor + addedBy(atOrigin, luck);
  const originMs = Math.max(1, Math.round(waitMs));
  const serverMs = Math.max(1, Math.round(edgeMs)) + originMs;
  const status = refusalOf(atOrigin, luck) ?? 200;
  return { ...way, status, cache: 'MISS', serverMs, originMs, troubles };
}

/** A trouble that only fails some requests is met by those that fail; one of the origin by those that ask it. */
function isMet(trouble: Trouble, { trouble: drawn }: Luck, hit: boolean): boolean {
  if (HOPS[trouble.kind] === 'network') return true;
  if (HOPS[trouble.kind] === 'origin' && hit) return false;
  return trouble.addedMs > 0 || trouble.rateShare < 1 || drawn < trouble.errorShare;
}

function troublesAt(troubles: readonly Trouble[], hop: Hop): readonly Trouble[] {
  return troubles.length === 0 ? troubles : troubles.filter(({ kind }) => HOPS[kind] === hop);
}

function addedBy(troubles: readonly Trouble[], { addedFactor }: Luck): number {
  return troubles.length === 0 ? 0 : sum(troubles, 'addedMs') * addedFactor;
}

function refusalOf(troubles: readonly Trouble[], luck: Luck): number | undefined {
  return troubles.find(({ errorShare }) => luck.trouble < errorShare)?.errorStatus;
}

function sum(troubles: readonly Trouble[], name: 'addedMs' | 'rttAddedMs' | 'lossShare'): number {
  return troubles.reduce((total, trouble) => total + trouble[name], 0);
}

function most(troubles: readonly Trouble[], name: 'noAnswerShare'): number {
  return troubles.reduce((largest, trouble) => Math.max(largest, trouble[name]), 0);
}

/** What one connection carries over this way: less the longer it is and the more it loses. */
function limitOf({ route, troubles }: Line, rttMs: number) {
  const lossShare = route.lossShare + sum(troubles, 'lossShare');
  const carried = lossShare > 0 ? MATHIS_BITS / (rttMs * Math.sqrt(lossShare)) : Number.MAX_VALUE;
  const share = troubles.reduce((left, { rateShare }) => left * rateShare, 1);
  return { share, kilobitsMax: share * Math.min(route.kilobitsMax, carried) };
}

/** No byte of the answer was sent in time. */
function unanswered(wanted: Wanted, answer: Answer): Exchange {
  const { route, startMs, troubles } = answer;
  const edge = goneBefore(answer, REQUEST_TIMEOUT_MS);
  const ttlbMs = REQUEST_TIMEOUT_MS;
  return { wanted, route, startMs, status: 0, bytes: 0, ttfbMs: -1, ttlbMs, edge, troubles };
}

/** The answer left the edge and never came: the edge ends it when the player goes away. */
function lost(wanted: Wanted, answer: Answer): Exchange {
  const { status, serverMs, originMs, cache, connectMs } = answer;
  const totalMs = Math.max(serverMs, REQUEST_TIMEOUT_MS - connectMs);
  const edge = { ...goneBefore(answer, REQUEST_TIMEOUT_MS), status, cache, originMs, totalMs };
  return { ...unanswered(wanted, answer), edge: { ...edge, headerMs: serverMs } };
}

interface Body {
  readonly bytes: number;
  readonly endMs: number;
  readonly whole: boolean;
}

function answered(wanted: Wanted, answer: Answer, { bytes, endMs, whole }: Body): Exchange {
  const { route, startMs, cache, serverMs, originMs, connectMs, rttMs, troubles } = answer;
  const ttlbMs = endMs - startMs;
  const ttfbMs = connectMs + rttMs + serverMs;
  const totalMs = Math.max(serverMs, ttlbMs - connectMs - (whole ? rttMs : 0));
  const times = { headerMs: serverMs, originMs, totalMs, connectMs, rttMs };
  const edge = { status: answer.status, complete: whole, cache, ...times };
  const status = whole ? answer.status : 0;
  return { wanted, route, startMs, status, bytes, ttfbMs, ttlbMs, edge, troubles };
}

type Way = Pick<EdgeSide, 'cache' | 'connectMs' | 'rttMs'>;

function goneBefore({ cache, connectMs, rttMs }: Way, afterMs: number): EdgeSide {
  const totalMs = Math.max(0, afterMs - connectMs);
  const gone = { status: CLIENT_GONE_STATUS, complete: false, headerMs: -1, originMs: -1 };
  return { ...gone, cache, totalMs, connectMs, rttMs };
}

/** The request as it is when the player gives it up at a moment before its end. */
export function cutShort(exchange: Exchange, nowMs: number): Exchange {
  const { startMs, ttfbMs, ttlbMs, edge } = exchange;
  const passedMs = nowMs - startMs;
  if (ttfbMs < 0 || passedMs < ttfbMs) {
    const gone = goneBefore(edge, passedMs);
    return { ...exchange, status: 0, bytes: 0, ttfbMs: -1, ttlbMs: passedMs, edge: gone };
  }
  const share = ttlbMs > ttfbMs ? (passedMs - ttfbMs) / (ttlbMs - ttfbMs) : 1;
  const totalMs = Math.max(edge.headerMs, passedMs - edge.connectMs);
  return {
    ...exchange,
    // The player had its headers: it reports 200 with the bytes that came.
    status: exchange.status === 0 ? 200 : exchange.status,
    bytes: Math.floor(exchange.bytes * share),
    ttlbMs: passedMs,
    edge: { ...edge, complete: false, totalMs },
  };
}

/** End of a request, ms since the simulation's start. */
export function endOf({ startMs, ttlbMs }: Exchange): number {
  return startMs + ttlbMs;
}

/** True when a response came whole. */
export function succeeded({ status }: Exchange): boolean {
  return status >= 200 && status < 300;
}
