/**
 * What the video element itself says of a play, written down beside the player and without its help.
 *
 * Guarantee: each line is read with the same clock as the reports of the players (`Date.now()`), in the dispatch of the
 * media event itself. Nothing is interpreted here: `support/truth.ts` does that.
 */
const TYPES = ['play', 'playing', 'waiting', 'seeking', 'seeked', 'pause', 'ended', 'resize'];

export function recordTruth(video) {
  const lines = [];
  let end;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const mark = (type, bitrate = 0) => {
    const { seeking, ended: atEnd, videoWidth: width, videoHeight: height } = video;
    lines.push({ atMs: Date.now(), type, seeking, atEnd, width, height, bitrate });
    if (type === 'ended') end();
  };
  for (const type of TYPES) video.addEventListener(type, () => mark(type));
  return { lines, mark, ended };
}
