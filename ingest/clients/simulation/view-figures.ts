/**
 * What a view truly came to, under the names of the columns of `views`, so that a truth file and a table compare by
 * name. Whole numbers; ms, bit/s × ms, bytes. `null`: the viewer's way of reporting has no words for it.
 */

/** As the player knows them. */
export interface KnownFigures {
  startup_ms: number;
  playing_ms: number;
  rebuffer_ms: number;
  rebuffer_count: number;
  seek_ms: number;
  seek_done_ms: number;
  seek_count: number;
  paused_ms: number;
  bitrate_bit_ms: number;
  bitrate_known_ms: number;
  rendition_changes: number;
  rendition_upshifts: number;
  rendition_downshifts: number;
  upscale_ppm: number | null;
  downscale_ppm: number | null;
  max_upscale_ppm: number | null;
  max_downscale_ppm: number | null;
  live_latency_ms: number | null;
  dropped_frames: number | null;
  shown_frames: number | null;
  request_count: number;
  request_failed_count: number;
  media_ttfb_sum_ms: number;
  media_ttfb_count: number;
  media_ttfb_max_ms: number;
  media_bytes: number;
  media_time_ms: number;
  page_load_ms: number | null;
  player_startup_ms: number | null;
  error_count: number;
  ad_attempt_count: number;
  ad_impression_count: number;
  ad_break_count: number;
  ad_error_count: number;
}

/** As they are reported. */
export type ViewFigures = { readonly [Name in keyof KnownFigures]: KnownFigures[Name] | null };

export function noFigures(): KnownFigures {
  return {
    startup_ms: 0,
    playing_ms: 0,
    rebuffer_ms: 0,
    rebuffer_count: 0,
    seek_ms: 0,
    seek_done_ms: 0,
    seek_count: 0,
    paused_ms: 0,
    bitrate_bit_ms: 0,
    bitrate_known_ms: 0,
    rendition_changes: 0,
    rendition_upshifts: 0,
    rendition_downshifts: 0,
    upscale_ppm: null,
    downscale_ppm: null,
    max_upscale_ppm: null,
    max_downscale_ppm: null,
    live_latency_ms: null,
    dropped_frames: null,
    shown_frames: null,
    request_count: 0,
    request_failed_count: 0,
    media_ttfb_sum_ms: 0,
    media_ttfb_count: 0,
    media_ttfb_max_ms: 0,
    media_bytes: 0,
    media_time_ms: 0,
    page_load_ms: null,
    player_startup_ms: null,
    error_count: 0,
    ad_attempt_count: 0,
    ad_impression_count: 0,
    ad_break_count: 0,
    ad_error_count: 0,
  };
}

export type ViewOutcome = 'ended' | 'quit' | 'failed' | 'dropped' | 'exit_before_start';

/** One view of the truth. Dimensions are what the server can know of it: of a CMCD viewer, its edges say the country. */
export interface ViewTruth {
  readonly view_id: string;
  readonly source: 'native' | 'cmcd';
  readonly outcome: ViewOutcome;
  readonly started: boolean;
  readonly failed: boolean;
  readonly failed_business: boolean;
  /** The client's clock, ms since 1970: first `starting`, and end or last report. */
  readonly view_start: number;
  readonly view_end: number;
  /** Time that a dropped viewer went on after its last report, which nobody can know, ms. */
  readonly unreported_ms: number;
  readonly video_id: string;
  readonly stream_type: string;
  readonly country: string;
  readonly cdn: string;
  readonly viewer_user_id: string;
  /** Events that were reported: those of the player and those about requests. */
  readonly reports: number;
  readonly figures: ViewFigures;
}
