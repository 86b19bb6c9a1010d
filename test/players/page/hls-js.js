/** hls.js (global `Hls`), with CMCD version 2 in the query and in event reports. */
import { CMCD_EVENTS, CMCD_INTERVAL_S } from './cmcd.js';

export async function playHls(video, plan, truth) {
  const { contentId, sid, cmcd: url } = plan;
  const target = { url, events: CMCD_EVENTS, interval: CMCD_INTERVAL_S, batchSize: 1 };
  const cmcd = { version: 2, sessionId: sid, contentId, eventTargets: [target] };
  const player = createHls(plan, { cmcd });
  player.attachMedia(video);
  // An element that plays by itself is `starting`; the first report comes with the source.
  truth.mark('begin');
  player.loadSource(plan.hls);
  return controlsOf(player);
}

/** A player that keeps to the rendition of the plan, if it names one. */
export function createHls({ rendition }, config) {
  const player = new Hls(
    rendition === undefined ? config : { ...config, startLevel: rendition.index },
  );
  player.on(Hls.Events.MANIFEST_PARSED, () => {
    if (rendition !== undefined) player.loadLevel = rendition.index;
  });
  return player;
}

/** What its viewer can do beside the element. */
export function controlsOf(player) {
  const choose = ({ index }) => {
    player.nextLevel = index;
  };
  return { choose };
}
