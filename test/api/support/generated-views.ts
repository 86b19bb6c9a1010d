/** Views of every kind, made up from a seed. */
import { dayOf, type RowObject, seeded } from '../../support/rows.ts';

const HOUR_MS = 3_600_000;

/** 2026-03-10T12:00:00Z: when the tests ask. */
export const NOW_MS = Date.UTC(2026, 2, 10, 12);

export type View = RowObject & {
  readonly view_id: string;
  readonly view_start: number;
  readonly view_end: number;
};

/** About a third begins or ends outside of the last 24 hours. */
export function generateViews(count: number, seed: number, project: string): View[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, index) => generateView(index, project, random));
}

function generateView(index: number, project: string, random: () => number): View {
  const whole = (max: number): number => Math.floor(random() * max);
  const pick = <Item>(...items: Item[]): Item => items[whole(items.length)] as Item;
  const maybe = <Item>(item: Item): Item | null => (random() < 0.25 ? null : item);
  const start = NOW_MS - whole(32 * HOUR_MS);
  const started = random() < 0.8 ? 1 : 0;
  const playing = started * whole(pick(1, 60_000, 5_000_000));
  const failed = random() < 0.15 ? 1 : 0;
  const measured = started * whole(3);
  return {
    project,
    view_id: `view-${index}`,
    viewer_user_id: pick('', 'ann', 'bob', `viewer-${whole(80)}`),
    video_id: `video-${whole(20)}`,
    country: pick('', 'DE', 'FR', 'US', "O'Brien\\land"),
    cdn: pick('fastly', 'akamai', ''),
    operating_system: pick('macOS', 'Windows'),
    custom_1: `value-${whole(200)}`,
    start_day: dayOf(start),
    view_start: start,
    view_end: start + playing + whole(HOUR_MS),
    closed: random() < 0.9 ? 1 : 0,
    started,
    outcome: pick('ended', 'quit', 'failed', 'dropped', 'dropped'),
    failed,
    failed_business: failed === 0 && random() < 0.1 ? 1 : 0,
    source: pick('native', 'cmcd', 'epas', ''),
    startup_ms: whole(9_000),
    playing_ms: playing,
    rebuffer_ms: started * pick(0, whole(30_000)),
    rebuffer_count: started * whole(6),
    seek_ms: started * whole(8_000),
    seek_done_ms: measured * whole(2_000),
    seek_count: measured,
    restart_ms: whole(4_000),
    restart_count: pick(0, 0, 1, 2),
    bitrate_bit_ms: playing * whole(8_000_000),
    bitrate_known_ms: pick(0, playing),
    rendition_changes: whole(9),
    rendition_upshifts: whole(5),
    rendition_downshifts: whole(5),
    upscale_ppm: maybe(whole(900_000)),
    downscale_ppm: maybe(whole(900_000)),
    max_upscale_ppm: maybe(whole(2_000_000)),
    max_downscale_ppm: maybe(whole(2_000_000)),
    dropped_frames: maybe(pick(0, whole(500))),
    shown_frames: maybe(pick(0, whole(90_000))),
    live_latency_ms: maybe(whole(30_000)),
    media_ttfb_sum_ms: whole(20_000),
    media_ttfb_count: pick(0, 1 + whole(40)),
    media_ttfb_max_ms: whole(2_000),
    media_bytes: whole(90_000_000),
    media_time_ms: pick(0, 1 + whole(60_000)),
    page_load_ms: maybe(whole(5_000)),
    ad_attempt_count: whole(3),
    ad_impression_count: whole(2),
    ad_break_count: whole(2),
    ad_error_count: whole(2),
    ad_exit_before_start_count: whole(2),
    player_startup_ms: maybe(whole(900)),
    success_milli: maybe(pick(0, 50_000, 100_000)),
    startup_score_milli: maybe(whole(100_001)),
    rebuffer_score_milli: maybe(whole(100_001)),
    quality_score_milli: maybe(whole(100_001)),
    experience_score_milli: maybe(whole(100_001)),
    reports_received: whole(300),
    reports_lost: maybe(whole(9)),
    _partition: whole(4),
    _epoch: 10 + whole(90),
  };
}
