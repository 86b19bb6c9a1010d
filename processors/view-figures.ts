/** What a view came to, as the columns of `views`. A value that the view does not have is null. */
import { SOURCES } from '../schemas/beat.ts';
import type { viewFigures } from '../schemas/tables/tables.ts';
import type { EdgeFigures } from './edge-figures.ts';
import { countLost } from './lane.ts';
import { claimedRebufferMs } from './player-claims.ts';
import {
  experienceScoreMilli,
  qualityScoreMilli,
  rebufferScoreMilli,
  startupScoreMilli,
} from './scores.ts';
import { STATE } from './states.ts';
import type { Track, TrackSums } from './track.ts';
import type { View } from './view.ts';

export type FigureName = (typeof viewFigures)[number]['name'];
export type Figures = Readonly<Record<FigureName, number | null>>;

export type Outcome =
  | 'playing'
  | 'ended'
  | 'quit'
  | 'failed'
  | 'dropped'
  | 'paused'
  | 'exit_before_start'
  | 'stateless';

/** A view that leaves within this is no verdict on playback, ms. */
const EXIT_IGNORED_MS = 1_000;

/** True when the view has failed and not played since, for whatever reason. */
export function hasFailed(view: View): boolean {
  return view.machine.failed || (view.closed && view.errorPending);
}

/** How the view came out, or `playing` while it is open. */
export function outcomeOf(view: View): Outcome {
  if (!view.driverHasStates) return 'stateless';
  if (hasFailed(view)) return 'failed';
  if (!view.closed) return 'playing';
  const { machine } = view;
  if (!machine.started) return 'exit_before_start';
  if (machine.state === STATE.ended) return 'ended';
  if (machine.state === STATE.quit) return 'quit';
  return machine.state === STATE.paused ? 'paused' : 'dropped';
}

function successMilli(view: View): number | null {
  if (!view.driverHasStates) return null;
  if (hasFailed(view)) return view.errorBusiness ? null : 0;
  if (view.machine.started) return 100_000;
  return view.endMs - view.startMs < EXIT_IGNORED_MS ? null : 50_000;
}

function sumsOf(track: Track | undefined, view: View): TrackSums | undefined {
  const sums = track?.sums(view.machine.playing);
  return sums === undefined || sums.knownMs === 0 ? undefined : sums;
}

function orNull(value: number): number | null {
  return value < 0 ? null : value;
}

function lostReports(view: View): number | null {
  let lost: number | null = null;
  for (let source = 0; source < SOURCES.length; source++) {
    const main = view.existingLane(source, 0);
    const response = view.existingLane(source, 1);
    if (main !== undefined || response !== undefined)
      lost = (lost ?? 0) + countLost(main, response);
  }
  return lost;
}

function pictureFigures(view: View) {
  const bitrate = sumsOf(view.shown, view) ?? sumsOf(view.selected, view);
  const scale = sumsOf(view.scale, view);
  const latency = sumsOf(view.latency, view);
  return {
    bitrate_bit_ms: bitrate?.sumPositive ?? 0,
    bitrate_known_ms: bitrate?.knownMs ?? 0,
    rendition_changes: bitrate?.changes ?? 0,
    rendition_upshifts: bitrate?.rises ?? 0,
    rendition_downshifts: bitrate?.falls ?? 0,
    upscale_ppm: scale === undefined ? null : Math.round(scale.sumPositive / scale.knownMs),
    downscale_ppm: scale === undefined ? null : Math.round(-scale.sumNegative / scale.knownMs),
    max_upscale_ppm: scale === undefined ? null : Math.max(0, scale.max),
    max_downscale_ppm: scale === undefined ? null : Math.max(0, -scale.min),
    live_latency_ms:
      latency === undefined ? null : Math.round(latency.sumPositive / latency.knownMs),
  };
}

function scoreFigures(view: View, upscalePpm: number | null, maxUpscalePpm: number | null) {
  const { machine } = view;
  const success = successMilli(view);
  const startup = machine.started ? startupScoreMilli(machine.startupMs) : null;
  const smooth = machine.started
    ? rebufferScoreMilli(machine.rebufferCount, machine.rebufferMs, machine.playing.totalMs)
    : null;
  const quality =
    machine.started && upscalePpm !== null && maxUpscalePpm !== null
      ? qualityScoreMilli(upscalePpm, maxUpscalePpm)
      : null;
  const complete = success !== null && startup !== null && smooth !== null && quality !== null;
  return {
    success_milli: success,
    startup_score_milli: startup,
    rebuffer_score_milli: smooth,
    quality_score_milli: quality,
    experience_score_milli: complete
      ? experienceScoreMilli(success, smooth, quality, startup)
      : null,
  };
}

function edgeFigures(edge: EdgeFigures) {
  return {
    edge_request_count: edge.requestCount,
    edge_bytes: edge.bytes,
    edge_error_count: edge.errorCount,
    edge_bitrate_bit_ms: edge.bitrateBitMs,
    edge_media_ms: edge.mediaMs,
    edge_starvation_count: edge.starvationCount,
    edge_startup_request_count: edge.startupRequestCount,
    edge_buffer_sum_ms: edge.bufferSumMs,
    edge_buffer_count: edge.bufferCount,
    edge_throughput_sum_kbps: edge.throughputSumKbps,
    edge_throughput_count: edge.throughputCount,
  };
}

export function figuresOf(view: View): Figures {
  const { machine } = view;
  const picture = pictureFigures(view);
  return {
    startup_ms: machine.startupMs,
    playing_ms: machine.playing.totalMs,
    rebuffer_ms: machine.rebufferMs,
    rebuffer_count: machine.rebufferCount,
    seek_ms: machine.seekMs,
    seek_done_ms: machine.seekDoneMs,
    seek_count: machine.seekCount,
    restart_ms: machine.restartMs,
    restart_count: machine.restartCount,
    paused_ms: machine.pausedMs,
    unknown_ms: machine.unknownMs,
    ...picture,
    dropped_frames: orNull(view.droppedFrames),
    shown_frames: orNull(view.shownFrames),
    request_count: view.requestCount,
    request_failed_count: view.requestFailedCount,
    media_ttfb_sum_ms: view.mediaTtfbSumMs,
    media_ttfb_count: view.mediaTtfbCount,
    media_ttfb_max_ms: view.mediaTtfbMaxMs,
    media_bytes: view.mediaBytes,
    media_time_ms: view.mediaTimeMs,
    page_load_ms: orNull(view.pageLoadMs),
    player_startup_ms: orNull(view.playerStartupMs),
    drm_ms: orNull(view.drmMs),
    error_count: view.errorCount,
    ad_attempt_count: view.adAttempts,
    ad_impression_count: view.adImpressions,
    ad_break_count: view.adBreaks,
    ad_error_count: view.adErrors,
    ad_exit_before_start_count: view.closed && view.adWaiting ? 1 : 0,
    ...scoreFigures(view, picture.upscale_ppm, picture.max_upscale_ppm),
    reports_received: view.reportsReceived,
    reports_lost: lostReports(view),
    reports_late: view.reportsLate,
    reports_duplicate: view.reportsDuplicate,
    reports_disordered: view.clock.disordered,
    reports_shadowed: view.reportsShadowed,
    clock_skew_ms: view.clock.measured ? view.clock.skewMs : 0,
    ...edgeFigures(view.edge),
    claimed_startup_ms: orNull(view.startDelayMs),
    claimed_rebuffer_ms: orNull(claimedRebufferMs(view)),
    hop_delay_sum_ms: view.hopDelaySumMs,
    hop_delay_count: view.hopDelayCount,
  };
}
