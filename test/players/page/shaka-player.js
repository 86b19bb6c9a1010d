/** Shaka (global `shaka`), with CMCD version 2 in headers and in event reports. */
import { CMCD_EVENTS, CMCD_INTERVAL_S } from './cmcd.js';

export async function playShaka(video, plan, truth) {
  const player = new shaka.Player();
  player.configure({ cmcd: cmcdOf(plan) });
  if (plan.rendition !== undefined) {
    const { height } = plan.rendition;
    player.configure({ restrictions: { minHeight: height, maxHeight: height } });
  }
  // It never says `starting`: its view begins with the first report, which it sends when it gets the element.
  truth.mark('begin');
  await player.attach(video);
  await player.load(plan.dash);
  // It reports the bitrates that it chose itself, never one that a viewer chose.
  return {};
}

function cmcdOf({ contentId, sid, cmcd: url }) {
  const target = {
    enabled: true,
    url,
    events: CMCD_EVENTS,
    interval: CMCD_INTERVAL_S,
    batchSize: 1,
  };
  // Of keys an empty list means all.
  const eventTargets = [{ ...target, mode: 'event', useHeaders: false, includeKeys: [] }];
  return { enabled: true, version: 2, useHeaders: true, sessionId: sid, contentId, eventTargets };
}
