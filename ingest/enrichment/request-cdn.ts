/**
 * The CDN of each request that a beat tells of, where the client does not say it and the host does.
 *
 * It goes to the request and not to the view's context: a view may be served by several CDNs, one after the other, and the
 * fold holds the view to be where its last request went.
 */
import type { Project } from '../../platform/projects.ts';
import type { BeatEvent, Part, RequestPart } from '../../schemas/beat.ts';
import { cdnOfHost } from './cdn.ts';

const REQUEST = 'streamgauge.v1.Request';

/** The events with the CDNs of their requests; the same event where there is nothing to add. */
export function withCdns(
  events: readonly BeatEvent[],
  { cdnHosts }: Project,
  counters: { cdnsByHost: number },
): readonly BeatEvent[] {
  // Requests of one beat mostly went to one host.
  let last = { host: '', cdn: '' };
  const cdnOf = ({ kind, cdn, host }: RequestPart): string => {
    // Keys come from license servers, which may be anywhere: they do not tell who delivers the video.
    if (cdn !== '' || kind === 'key') return '';
    if (host !== last.host) last = { host, cdn: cdnOfHost(host, cdnHosts) };
    if (last.cdn !== '') counters.cdnsByHost++;
    return last.cdn;
  };
  return events.map((event) =>
    event.parts.some((inner) => REQUEST in inner)
      ? { ...event, parts: event.parts.map((inner) => withCdn(inner, cdnOf)) }
      : event,
  );
}

function withCdn(part: Part, cdnOf: (request: RequestPart) => string): Part {
  if (!(REQUEST in part)) return part;
  const cdn = cdnOf(part[REQUEST]);
  return cdn === '' ? part : { [REQUEST]: { ...part[REQUEST], cdn } };
}
