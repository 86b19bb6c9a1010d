/**
 * What the edges log: one line for each media request, in nginx's words, handed over every few seconds by each edge.
 *
 * Guarantee: lines agree with what the players report: as many requests, the same bytes, the same moments less the way
 * between edge and player. A request that the player gave up is there too, as nginx has it: 499, or 200 with a short
 * body and no `request_completion`.
 */
import { LADDER } from './assets.ts';
import { OBJECT_TYPES } from './cmcd-reports.ts';
import { type Exchange, endOf, pathOf } from './exchange.ts';
import type { Emit, Viewer } from './reports.ts';

/** Every edge hands over its lines so often, ms. */
export const EDGE_BATCH_MS = 5_000;
/** A batch that has grown to so many lines goes at once. */
const EDGE_BATCH_LINES_MAX = 500;

const CONTENT_TYPES = {
  h: { manifest: 'application/vnd.apple.mpegurl', media: 'video/mp4' },
  d: { manifest: 'application/dash+xml', media: 'video/mp4' },
} as const;

/** What the edges delivered, by CDN. */
export interface Delivered {
  requests: number;
  bytes: number;
  /** Answered with a status of 400 and above by the edge itself. */
  errors: number;
  /** The client went away before the end. */
  aborted: number;
}

interface Batch {
  lines: string;
  count: number;
}

export class EdgeLog {
  readonly delivered = new Map<string, Delivered>();
  readonly #startAtMs: number;
  readonly #emit: Emit;
  /** By name of the edge; the order of first use is the edge's origin. */
  readonly #batches = new Map<string, Batch>();
  #nextMs = EDGE_BATCH_MS;

  constructor(startAtMs: number, emit: Emit) {
    this.#startAtMs = startAtMs;
    this.#emit = emit;
  }

  /** When the lines are next handed over, ms since the simulation's start. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Logs a request of a viewer. `number` counts the viewer's requests from 0. */
  add(exchange: Exchange, viewer: Viewer, number: number, nowMs: number): void {
    this.#count(exchange);
    const { name } = exchange.route.pop;
    const batch = this.#batches.get(name) ?? { lines: '', count: 0 };
    this.#batches.set(name, batch);
    batch.lines += `${accessLine(exchange, viewer, number, this.#startAtMs)}\n`;
    batch.count++;
    if (batch.count >= EDGE_BATCH_LINES_MAX) this.flush(nowMs);
  }

  /** Hands over what is due at a moment. */
  flushDue(nowMs: number): void {
    this.flush(nowMs);
    this.#nextMs = nowMs + EDGE_BATCH_MS;
  }

  flush(nowMs: number): void {
    let origin = 0;
    for (const batch of this.#batches.values()) {
      if (batch.count > 0) {
        const item = { atMs: nowMs, kind: 'edge', origin } as const;
        this.#emit({ ...item, payload: batch.lines, reports: batch.count });
      }
      batch.lines = '';
      batch.count = 0;
      origin++;
    }
  }

  #count({ route, bytes, edge }: Exchange): void {
    const counts = this.delivered.get(route.cdn.id) ?? zero();
    this.delivered.set(route.cdn.id, counts);
    counts.requests++;
    counts.bytes += bytes;
    if (!edge.complete) counts.aborted++;
    else if (edge.status >= 400) counts.errors++;
  }
}

function zero(): Delivered {
  return { requests: 0, bytes: 0, errors: 0, aborted: 0 };
}

function accessLine(exchange: Exchange, viewer: Viewer, number: number, startAtMs: number): string {
  const { wanted, route, edge, bytes } = exchange;
  // The last byte leaves half a round trip before it comes; a client that goes away is noticed as much later.
  const wayMs = (edge.complete ? -1 : 1) * (edge.rttMs >> 1);
  const endAtMs = startAtMs + endOf(exchange) + wayMs;
  const type = CONTENT_TYPES[viewer.device.format];
  const { origin } = viewer;
  return (
    `{"time_iso8601":"${new Date(endAtMs).toISOString()}","msec":"${seconds(endAtMs)}",` +
    // 198.18.0.0/15 is set aside for tests like this (RFC 2544).
    `"remote_addr":"198.${18 + ((origin >> 16) & 1)}.${(origin >> 8) & 255}.${origin & 255}",` +
    `"request_method":"GET","scheme":"https","host":"${route.cdn.host}",` +
    `"request_uri":"${pathOf(wanted)}?CMCD=${query(exchange, viewer, number)}",` +
    `"server_protocol":"HTTP/2.0","status":${edge.status},"body_bytes_sent":${bytes},` +
    `"request_time":"${seconds(edge.totalMs)}",` +
    `"upstream_header_time":"${edge.headerMs < 0 ? '' : seconds(edge.headerMs)}",` +
    `"upstream_cache_status":"${edge.cache}","hostname":"${route.pop.name}",` +
    `"request_completion":"${edge.complete ? 'OK' : ''}",` +
    `"sent_http_content_type":"${wanted.kind === 'manifest' ? type.manifest : type.media}",` +
    `"http_user_agent":"${viewer.device.userAgent}","http_cmcd_request":"","http_cmcd_object":"",` +
    `"http_cmcd_session":"","http_cmcd_status":""}`
  );
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

/** CMCD version 2 in request mode, percent-encoded as in a URL's query. */
function query({ wanted }: Exchange, viewer: Viewer, number: number): string {
  const { asset, device, id } = viewer;
  const media = wanted.kind === 'segment';
  const rung = LADDER[wanted.rung];
  const keys = [
    media ? `bl%3D%28${wanted.bufferMs}%29%2C` : '',
    rung === undefined ? '' : `br%3D%28${rung.bitrate / 1_000}%29%2C`,
    `cid%3D%22${asset.id}%22%2C`,
    media ? `d%3D${asset.segmentMs}%2C` : '',
    wanted.measuredKilobits > 0 ? `mtp%3D%28${wanted.measuredKilobits}%29%2C` : '',
    `ot%3D${OBJECT_TYPES[wanted.kind]}%2Csf%3D${device.format}%2Csid%3D%22${id}%22%2C`,
    `sn%3D${number}%2Cst%3D${asset.live ? 'l' : 'v'}%2C`,
    wanted.urgent ? 'su%2C' : '',
    'v%3D2',
  ];
  return keys.join('');
}
