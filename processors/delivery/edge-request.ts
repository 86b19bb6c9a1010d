/** An edge's log line as what is summed: its own columns, and what CMCD in it says of the object. */
import type { EdgeRequest } from '../../schemas/records.ts';
import { kindOfUrl, kindsByObjectType } from '../../schemas/request-kinds.ts';
import { bitrateIn, type EdgeKeys, isTrue, mediaMsIn, textIn } from '../edge-figures.ts';
import { BYTES_MAX, DeliveredRequest, DURATION_MS_MAX, within } from './request.ts';
import { urlKeyOf } from './url-key.ts';

/** No object holds more media, and no picture has more bits: values beyond count as not said. */
const MEDIA_MS_MAX = 400_000;
const BITRATE_MAX = 1e10;

/** @param startMs When it began, on the edge's clock, ms. */
export function requestOfEdge(
  request: EdgeRequest,
  keys: EdgeKeys,
  startMs: number,
): DeliveredRequest {
  const { path, cdn, pop, country, asn, protocol, cache, status, aborted } = request;
  const mediaMs = within(mediaMsIn(keys), MEDIA_MS_MAX);
  const bitrate = within(bitrateIn(keys), BITRATE_MAX);
  return DeliveredRequest.from({
    source: 'edge',
    atMs: startMs,
    urlKey: urlKeyOf(path),
    cdn,
    pop,
    country,
    asn,
    videoId: textIn(keys.get('cid')),
    objectType: kindsByObjectType[keys.get('ot') ?? ''] ?? kindOfUrl(path),
    protocol,
    cache,
    status,
    bytes: within(request.bytes, BYTES_MAX),
    ttfbMs: within(request.ttfbMs, DURATION_MS_MAX),
    totalMs: within(request.durationMs, DURATION_MS_MAX),
    originMs: within(request.originMs, DURATION_MS_MAX),
    mediaMs: Math.max(0, mediaMs),
    bitrate: mediaMs > 0 ? Math.max(0, bitrate) : 0,
    aborted,
    starved: isTrue(keys.get('bs')),
    startup: isTrue(keys.get('su')),
  });
}
