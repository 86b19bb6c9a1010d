/**
 * One request of a player and what becomes of it, as the player sees it and as the edge does.
 *
 * Guarantee: both see the same request: the edge's bytes are the player's, and its times are the player's less the way
 * between them. All of a request is decided when it begins; the player may cut it short.
 */
import type { RequestKind } from '../../../schemas/beat.ts';
import type { Asset } from './assets.ts';
import { hitShare, type Route } from './delivery.ts';
import type { NetworkTrace } from './network-trace.ts';
import type { Random } from './random.ts';
import type { Trouble } from './troubles.ts';

/** A request that takes longer is given up by the player, ms. */
export const REQUEST_TIMEOUT_MS = 10_000;
const ERROR_BODY_BYTES = 162;
const ERROR_STATUS = 503;
/** nginx: the client went away before it had an answer. */
const CLIENT_GONE_STATUS = 499;
const SPREAD = { server: 0.5, origin: 0.35, way: 0.1 } as const;

/** What is asked for. */
export interface Wanted {
  readonly kind: RequestKind;
  readonly path: string;
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
}

export interface EdgeSide {
  readonly status: number;
  /** False when the client went away. */
  readonly complete: boolean;
  readonly hit: boolean;
  /** From the request's arrival to the first byte of the answer, ms; -1 when none was sent. */
  readonly headerMs: number;
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
  readonly random: Random;
  /** Time that the access adds to a round trip, ms. */
  readonly accessRttMs: number;
  /** No connection is open yet. */
  readonly fresh: boolean;
  readonly trouble: Trouble | undefined;
}

/** Plans a request that begins now. */
export function planExchange(wanted: Wanted, line: Line, startMs: number): Exchange {
  const { route, random, trouble } = line;
  const hit = random.chance(hitShare(route.cdn, line.asset));
  const serverMs = drawServerMs(line, hit);
  const rttMs = Math.ceil(random.logNormal(route.rttMs + line.accessRttMs, SPREAD.way));
  const connectMs = line.fresh ? 2 * rttMs : 0;
  const firstMs = connectMs + rttMs + serverMs;
  const edge = { hit, connectMs, rttMs };
  const refused = trouble !== undefined && random.chance(trouble.errorShare);
  if (firstMs >= REQUEST_TIMEOUT_MS) return unanswered(wanted, route, startMs, edge);
  if (refused) {
    const body = { status: ERROR_STATUS, bytes: ERROR_BODY_BYTES, endMs: startMs + firstMs };
    return answered(wanted, route, startMs, { ...edge, ...body, firstMs, serverMs });
  }
  const untilMs = startMs + REQUEST_TIMEOUT_MS;
  const weight = 1 / (trouble?.rateShare ?? 1);
  const sent = line.trace.transfer(startMs + firstMs, wanted.bytes * weight, untilMs);
  const whole = sent.bytes >= wanted.bytes * weight;
  const bytes = whole ? wanted.bytes : Math.floor(sent.bytes / weight);
  const body = { status: whole ? 200 : 0, bytes, endMs: sent.endMs };
  return answered(wanted, route, startMs, { ...edge, ...body, firstMs, serverMs });
}

function drawServerMs({ route, random, trouble }: Line, hit: boolean): number {
  let ms = random.logNormal(route.cdn.serverMs, SPREAD.server);
  if (!hit) ms += random.logNormal(route.cdn.originMs, SPREAD.origin);
  const struck = trouble?.kind === 'slow' || (trouble?.kind === 'origin_slow' && !hit);
  if (struck) ms += random.logNormal(trouble.addedMs, SPREAD.server);
  return Math.max(1, Math.round(ms));
}

interface Known {
  readonly hit: boolean;
  readonly connectMs: number;
  readonly rttMs: number;
}

function unanswered(wanted: Wanted, route: Route, startMs: number, known: Known): Exchange {
  const edge = goneBefore(known, REQUEST_TIMEOUT_MS);
  const ttlbMs = REQUEST_TIMEOUT_MS;
  return { wanted, route, startMs, status: 0, bytes: 0, ttfbMs: -1, ttlbMs, edge };
}

interface Body extends Known {
  readonly status: number;
  readonly bytes: number;
  readonly endMs: number;
  readonly firstMs: number;
  readonly serverMs: number;
}

function answered(wanted: Wanted, route: Route, startMs: number, body: Body): Exchange {
  const { hit, connectMs, rttMs, status, bytes, firstMs, serverMs } = body;
  const ttlbMs = body.endMs - startMs;
  const complete = status !== 0;
  const edgeStatus = complete ? status : 200;
  const totalMs = Math.max(serverMs, ttlbMs - connectMs - (complete ? rttMs : 0));
  const edge = { status: edgeStatus, complete, hit, headerMs: serverMs, totalMs, connectMs, rttMs };
  return { wanted, route, startMs, status, bytes, ttfbMs: firstMs, ttlbMs, edge };
}

function goneBefore({ hit, connectMs, rttMs }: Known, afterMs: number): EdgeSide {
  const totalMs = Math.max(0, afterMs - connectMs);
  const status = CLIENT_GONE_STATUS;
  return { status, complete: false, hit, headerMs: -1, totalMs, connectMs, rttMs };
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
