/**
 * One line of an edge's log, as JSON in the words of `/v1/edge/ndjson`.
 *
 * Guarantee: it agrees with what the player reports: the same bytes, the same moments less the way between them. It says
 * the wait for the origin only where the edge asked it, and no cache word where the edge answered by itself. A request
 * that the player gave up is there too: 499, or 200 with a short body, and `aborted`.
 */
import { LADDER } from './assets.ts';
import { OBJECT_TYPES } from './cmcd-reports.ts';
import { type Exchange, endOf, pathOf } from './exchange.ts';
import type { Viewer } from './reports.ts';

/** When the edge was done with a request, ms since the simulation's start. */
export function edgeEndMs(exchange: Exchange): number {
  const { complete, rttMs } = exchange.edge;
  // The last byte leaves half a round trip before it comes; a client that goes away is noticed as much later.
  return endOf(exchange) + (complete ? -1 : 1) * (rttMs >> 1);
}

/** @param number Counts the viewer's requests from 0. */
export function edgeLine(
  exchange: Exchange,
  viewer: Viewer,
  number: number,
  startAtMs: number,
): string {
  const { wanted, route, edge, bytes } = exchange;
  const { origin } = viewer;
  return (
    `{"time":${startAtMs + edgeEndMs(exchange)},"duration":${edge.totalMs}` +
    `${edge.headerMs < 0 ? '' : `,"ttfb":${edge.headerMs}`}` +
    `${edge.originMs < 0 ? '' : `,"origin":${edge.originMs}`}` +
    `,"status":${edge.status},"bytes":${bytes},"aborted":"${edge.complete ? 0 : 1}",` +
    `"cache":"${edge.cache}","cdn":"${route.cdn.id}","pop":"${route.pop.name}",` +
    `"country":"${route.country}","asn":"${route.asn}",` +
    // 198.18.0.0/15 is set aside for tests like this (RFC 2544).
    `"client":"198.${18 + ((origin >> 16) & 1)}.${(origin >> 8) & 255}.${origin & 255}",` +
    `"method":"GET","protocol":"HTTP/2.0","host":"${route.cdn.host}",` +
    `"url":"${pathOf(wanted)}?CMCD=${query(exchange, viewer, number)}"}\n`
  );
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
