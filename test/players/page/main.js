/** Plays one stream with one player through one scenario: `await play(plan)` gives what the recorder wrote. */
import { playDash } from './dash-js.js';
import { playWithEyevinn } from './eyevinn-sdk.js';
import { playHls } from './hls-js.js';
import { scenarios } from './scenarios.js';
import { playShaka } from './shaka-player.js';
import { recordTruth } from './truth.js';

/** How each is started, and the scripts that it needs. */
const players = {
  'hls.js': { start: playHls, libraries: ['hls.js'] },
  'dash.js': { start: playDash, libraries: ['dash.js'] },
  Shaka: { start: playShaka, libraries: ['shaka.debug.js'] },
  'Shaka, minified': { start: playShaka, libraries: ['shaka.js'] },
  'Eyevinn SDK': { start: playWithEyevinn, libraries: ['hls.js', 'eyevinn.js'] },
};

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    Object.assign(script, { src, onload: resolve, onerror: () => reject(new Error(src)) });
    document.head.append(script);
  });
}

window.play = async (plan) => {
  const { start, libraries } = players[plan.player];
  for (const library of libraries) await loadScript(`/libraries/${library}`);
  const video = document.querySelector('video');
  const truth = recordTruth(video);
  truth.mark('load');
  const controls = start(video, plan, truth);
  await Promise.all([controls, scenarios[plan.scenario](video, plan, truth, controls)]);
  await truth.ended;
  window.isOver = true;
  return truth.lines;
};
