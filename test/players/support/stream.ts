/** A short test picture with a tone, as HLS and DASH over the same files, made by ffmpeg. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const FFMPEG = process.env.FFMPEG_PATH ?? 'ffmpeg';

const STREAM_SECONDS = 14;
const SEGMENT_SECONDS = 2;
const FRAMES_A_SECOND = 25;
/** Small pictures: several are decoded at once, in software, on few cores. */
export const RENDITIONS = [
  { index: 0, width: 256, height: 144, kbps: 150 },
  { index: 1, width: 384, height: 216, kbps: 300 },
  { index: 2, width: 512, height: 288, kbps: 600 },
] as const;

/** Picture and tone together of each rendition, as the manifests declare it, bit/s. */
export interface StreamBitrates {
  readonly hls: readonly number[];
  readonly dash: readonly number[];
}

/** Writes `master.m3u8`, `manifest.mpd` and their segments, `seg-RENDITION-NUMBER.m4s` from 1, into a folder. */
export async function makeStream(directory: string): Promise<StreamBitrates> {
  const args = ['-loglevel', 'error', ...inputs(), ...renditions(), ...packaging(), 'manifest.mpd'];
  try {
    await run(FFMPEG, args, { cwd: directory });
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: string; stderr?: string };
    const missing = `${FFMPEG} is missing: apt-get install ffmpeg.`;
    throw new Error(code === 'ENOENT' ? missing : `ffmpeg failed: ${stderr}`, { cause });
  }
  return bitratesOf(directory);
}

async function bitratesOf(directory: string): Promise<StreamBitrates> {
  const read = async (name: string, pattern: RegExp): Promise<number[]> =>
    [...(await readFile(join(directory, name), 'utf8')).matchAll(pattern)].map(([, rate]) =>
      Number(rate),
    );
  const hls = await read('master.m3u8', /BANDWIDTH=(\d+)/g);
  // The tone stands last.
  const dash = await read('manifest.mpd', /bandwidth="(\d+)"/g);
  const tone = dash.pop() ?? 0;
  return { hls, dash: dash.map((picture) => picture + tone) };
}

function inputs(): string[] {
  const picture = `testsrc2=size=512x288:rate=${FRAMES_A_SECOND}:duration=${STREAM_SECONDS}`;
  const tone = `sine=frequency=440:sample_rate=48000:duration=${STREAM_SECONDS}`;
  return ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', tone];
}

/** Each rendition of the picture, and the tone; every segment of the picture begins with a key frame. */
function renditions(): string[] {
  const scaled = RENDITIONS.map(
    ({ index, width, height }) => `[s${index}]scale=${width}:${height}[v${index}]`,
  );
  const splits = RENDITIONS.map(({ index }) => `[s${index}]`).join('');
  const filter = [`[0:v]split=${RENDITIONS.length}${splits}`, ...scaled].join(';');
  const frames = String(SEGMENT_SECONDS * FRAMES_A_SECOND);
  return [
    ...['-filter_complex', filter, '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-profile:v', 'baseline', '-pix_fmt', 'yuv420p'],
    ...['-g', frames, '-keyint_min', frames, '-sc_threshold', '0'],
    ...RENDITIONS.flatMap(({ index, kbps }) => [
      ...['-map', `[v${index}]`, `-b:v:${index}`, `${kbps}k`],
    ]),
    ...['-map', '1:a', '-c:a', 'aac', '-b:a', '64k', '-ac', '2'],
  ];
}

function packaging(): string[] {
  return [
    ...['-f', 'dash', '-seg_duration', String(SEGMENT_SECONDS), '-hls_playlist', '1'],
    ...['-use_template', '1', '-use_timeline', '1'],
    ...['-adaptation_sets', 'id=0,streams=v id=1,streams=a'],
    ...['-init_seg_name', 'init-$RepresentationID$.mp4'],
    ...['-media_seg_name', 'seg-$RepresentationID$-$Number$.m4s'],
  ];
}
