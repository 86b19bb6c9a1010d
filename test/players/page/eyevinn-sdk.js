/** The Eyevinn SDK (global `EyevinnAnalytics`) beside hls.js, put together as the SDK's readme says; no CMCD. */
import { controlsOf, createHls } from './hls-js.js';

export async function playWithEyevinn(video, plan, truth) {
  const { contentId, sid, hls: contentUrl, epas } = plan;
  const analytics = new EyevinnAnalytics.PlayerAnalyticsConnector(epas);
  await analytics.init({ sessionId: sid });
  truth.mark('begin');
  analytics.load(video);
  analytics.reportMetadata({ live: false, contentId, contentUrl, deviceType: 'web' });
  const player = createHls(plan, {});
  player.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
    const { bitrate, width, height } = player.levels[level];
    truth.mark('bitrate', bitrate);
    analytics.reportBitrateChange({ bitrate: bitrate / 1_000, width, height });
  });
  video.addEventListener('ended', () => {
    analytics.reportStop();
    analytics.destroy();
  });
  player.attachMedia(video);
  player.loadSource(contentUrl);
  return controlsOf(player);
}
