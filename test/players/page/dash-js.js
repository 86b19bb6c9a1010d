/** dash.js (global `dashjs`), with CMCD version 2 in the query and in event reports. */
import { CMCD_EVENT_KEYS, CMCD_EVENTS, CMCD_INTERVAL_S } from './cmcd.js';

export async function playDash(video, plan, truth) {
  const { MediaPlayer } = dashjs;
  const player = MediaPlayer().create();
  player.updateSettings({ streaming: { cmcd: cmcdOf(plan), abr: abrOf(plan) } });
  // It says `starting` when it has the manifest and begins to load what it names.
  player.on(MediaPlayer.events.PLAYBACK_INITIALIZED, () => truth.mark('begin'));
  // At the end it may pause the element a moment before the element sees the end by itself.
  player.on(MediaPlayer.events.PLAYBACK_ENDED, () => truth.mark('ended'));
  player.initialize(video, plan.dash, true);
  const choose = ({ index }) => player.setRepresentationForTypeByIndex('video', index, true);
  return { choose };
}

function cmcdOf({ contentId, sid, cmcd: url }) {
  const target = {
    enabled: true,
    url,
    events: CMCD_EVENTS,
    interval: CMCD_INTERVAL_S,
    batchSize: 1,
  };
  const eventTargets = [{ ...target, enabledKeys: CMCD_EVENT_KEYS }];
  return { enabled: true, version: 2, sid, cid: contentId, eventTargets };
}

/** Keeps to the rendition of the plan, if it names one. */
function abrOf({ rendition }) {
  if (rendition === undefined) return {};
  return { initialBitrate: { video: rendition.kbps }, autoSwitchBitrate: { video: false } };
}
