/** What a viewer and a network do to a play, from before the player starts until the end. */

/** How long the viewer stays paused, and how long a stall is held after the picture froze, ms. */
const PAUSE_MS = 1_500;
const STALL_MS = 1_500;

const once = (target, type) =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function playhead(video, seconds) {
  while (video.currentTime < seconds) await once(video, 'timeupdate');
}

/** To the end, untouched. */
async function clean() {}

/** The origin holds a segment until the picture has been frozen for a while. */
async function stall(video, { release }) {
  await once(video, 'playing');
  await once(video, 'waiting');
  await later(STALL_MS);
  await fetch(release, { method: 'POST' });
}

/** A pause, in which the viewer chooses another rendition where that can be chosen, and later a jump. */
async function seekpause(video, { next }, truth, controls) {
  await playhead(video, 3);
  video.pause();
  const { choose } = await controls;
  if (choose !== undefined) {
    truth.mark('choose');
    choose(next);
  }
  await later(PAUSE_MS);
  await video.play();
  await playhead(video, 6);
  video.currentTime = 10;
}

export const scenarios = { clean, stall, seekpause };
