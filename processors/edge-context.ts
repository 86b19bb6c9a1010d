/**
 * What an edge request says of its view: network and place of the viewer, the CDN, and of CMCD the content.
 *
 * Guarantee: it only fills in what nobody else says, neither the player nor what ingest found out of it; among requests
 * the one that began last counts, whatever order the lines came in. So a view that only edge logs tell of has dimensions.
 */
import { SOURCE_TYPES, STREAM_TYPES } from '../schemas/cmcd-tokens.ts';
import type { EdgeRequest } from '../schemas/records.ts';
import { type EdgeKeys, textIn } from './edge-figures.ts';
import type { View } from './view.ts';
import { edgeStamp, indexOfDimension } from './view-context.ts';

const SAYS: readonly (readonly [
  name: string,
  read: (edge: EdgeRequest, keys: EdgeKeys) => string,
])[] = [
  ['country', ({ country }) => country],
  ['asn', ({ asn }) => asn],
  ['cdn', ({ cdn }) => cdn],
  ['view_cdn_edge_pop', ({ pop }) => pop],
  ['video_id', (_, keys) => textIn(keys.get('cid'))],
  ['stream_type', (_, keys) => STREAM_TYPES.get(keys.get('st') ?? '') ?? ''],
  ['source_type', (_, keys) => SOURCE_TYPES.get(keys.get('sf') ?? '') ?? ''],
];

const placed = SAYS.map(([name, read]) => ({ index: indexOfDimension(name), read }));

/** Takes what a request says. @param startMs When it began, on the edge's clock, ms. */
export function takeEdgeContext(
  view: View,
  request: EdgeRequest,
  keys: EdgeKeys,
  startMs: number,
): void {
  const stamp = edgeStamp(startMs);
  for (const { index, read } of placed) {
    const value = read(request, keys);
    if (value !== '' && view.context.set(index, value, stamp)) view.tuple = -1;
  }
}
