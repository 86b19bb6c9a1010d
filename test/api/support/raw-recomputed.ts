/**
 * The values of a view computed from its native beats in plain code, from the definitions alone.
 *
 * Nothing here is read from the fold or from the catalogue's SQL. A value is a sum over the view's time or its events, in
 * units of answers, rounded as all that is summed: times to the millisecond, fractions to a millionth, scores to a
 * thousandth.
 */
import type { RawBeat } from './raw-beats.ts';
import type { RawContext, RawEvent } from './raw-script.ts';
import {
  active,
  eventsOf,
  isFailure,
  type Kind,
  layOut,
  lengthMs,
  MILLION,
  partOf,
  type RawSpan,
  rounded,
  stateIs,
  type Walk,
} from './raw-timeline.ts';

export type RawValue = number | string | null;

export interface RawView extends Walk {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly dimensions: RawContext;
  /** Value of the view by metric, in units of answers; null, or none, where it takes no part. */
  readonly values: Values;
  /** Both sums of the metrics that are ratios of sums. */
  readonly sides: Sides;
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
/** In parts of a unit, one unless told more. */
const quotient = (top: number, bottom: number, parts = 1): number | null =>
  bottom > 0 ? rounded((top * parts) / bottom) / parts : null;

const timeOf = (spans: readonly RawSpan[], kind: Kind): number =>
  total(spans.filter((span) => span.kind === kind).map(lengthMs));

type OfSpan = (span: RawSpan) => number | undefined;

/** Mean over playing time of what was known then; null when nothing was. */
function meanOf(playing: readonly RawSpan[], value: OfSpan): number | null {
  const known = playing.filter((span) => value(span) !== undefined);
  const weighed = total(known.map((span) => (value(span) ?? 0) * lengthMs(span)));
  return quotient(weighed, total(known.map(lengthMs)));
}

function largestOf(playing: readonly RawSpan[], value: OfSpan): number | null {
  const known = playing.map(value).filter((each) => each !== undefined);
  return known.length > 0 ? Math.max(...known) : null;
}

const upscale: OfSpan = ({ scale }) =>
  scale === undefined ? undefined : Math.max(0, scale - MILLION);
const downscale: OfSpan = ({ scale }) =>
  scale === undefined ? undefined : Math.max(0, MILLION - scale);
const fraction = (millionths: number | null): number | null =>
  millionths === null ? null : millionths / MILLION;

function renditionValues(playing: readonly RawSpan[]): Record<string, RawValue> {
  const shown = playing.map(({ bitrate }) => bitrate).filter((bitrate) => bitrate !== undefined);
  const steps = shown.slice(1).map((bitrate, index) => bitrate - (shown[index] ?? 0));
  const count = (met: (step: number) => boolean): number | null =>
    shown.length > 0 ? steps.filter(met).length : null;
  return {
    weighted_average_bitrate: meanOf(playing, ({ bitrate }) => bitrate),
    rendition_change_count: count((step) => step !== 0),
    rendition_upshift_count: count((step) => step > 0),
    rendition_downshift_count: count((step) => step < 0),
    upscale_percentage: fraction(meanOf(playing, upscale)),
    downscale_percentage: fraction(meanOf(playing, downscale)),
    max_upscale_percentage: fraction(largestOf(playing, upscale)),
    max_downscale_percentage: fraction(largestOf(playing, downscale)),
    live_stream_latency: meanOf(playing, ({ latencyMs }) => latencyMs),
  };
}

function requestValues(events: readonly RawEvent[]): Record<string, RawValue> {
  const media = events.filter(
    ({ type, kind = '', status = 0 }) =>
      type === 'request' && ['segment', 'init'].includes(kind) && status >= 200 && status < 400,
  );
  const ttfb = media.map((request) => request.ttfb).filter((ms) => ms !== undefined);
  const timed = media.filter(({ bytes, ttlb }) => bytes !== undefined && ttlb !== undefined);
  const bits = total(timed.map(({ bytes = 0 }) => bytes * 8));
  return {
    request_latency: quotient(total(ttfb), ttfb.length),
    max_request_latency: ttfb.length > 0 ? Math.max(...ttfb) : null,
    request_throughput: quotient(bits * 1_000, total(timed.map(({ ttlb = 0 }) => ttlb))),
  };
}

/** Ads that were requested and neither began nor failed. */
function adsAwaited(events: readonly RawEvent[]): number {
  let awaited = 0;
  for (const { type } of events) {
    if (type === 'ad_request') awaited++;
    if (type === 'ad_start' || type === 'ad_error') awaited = Math.max(0, awaited - 1);
  }
  return awaited;
}

function adValues(events: readonly RawEvent[]): Record<string, number> {
  const count = (wanted: string): number => events.filter(({ type }) => type === wanted).length;
  return {
    ad_attempt_count: count('ad_request'),
    ad_impression_count: count('ad_start'),
    ad_break_count: count('ad_break_start'),
    ad_error_count: count('ad_error'),
    ad_exit_before_start_count: adsAwaited(events),
  };
}

const lastOf = (events: readonly RawEvent[], field: keyof RawEvent): number | null => {
  const said = events.findLast((event) => event[field] !== undefined)?.[field];
  return typeof said === 'number' ? said : null;
};

/** Context of a beat lies before its events; a change lies where its event is. A request's cdn is for want of another. */
function dimensionsOf(beats: readonly RawBeat[], events: readonly RawEvent[]): RawContext {
  const cdn = events.findLast(({ type, cdn: one }) => type === 'request' && one !== undefined)?.cdn;
  const said = beats.map(({ context }) => context);
  const changes = events.map(({ context }) => context ?? {});
  return Object.assign({}, cdn === undefined ? {} : { cdn }, ...said, ...changes) as RawContext;
}

interface Outcome {
  readonly started: boolean;
  readonly failed: boolean;
  readonly business: boolean;
  readonly dropped: boolean;
  /** Ended without playing and without failure. */
  readonly exit: boolean;
}

function outcomeOf(part: readonly RawEvent[], started: boolean): Outcome {
  const last = part.findLastIndex(stateIs(...active));
  const after = part.slice(last + 1);
  const failure = after.some(isFailure);
  const business = failure && after.some((event) => event.business === true);
  const ended = after.some(stateIs('ended', 'quit'));
  const paused = after.some(stateIs('paused'));
  return {
    started,
    failed: failure && !business,
    business,
    dropped: started && !failure && !ended && !paused,
    exit: !started && !failure,
  };
}

type Values = Readonly<Record<string, RawValue>>;

const score = (value: number): number => rounded(value * 1_000) / 1_000;

function successOf({ business, failed, exit }: Outcome, livedMs: number): number | null {
  if (business || (exit && livedMs <= 1_000)) return null;
  if (failed) return 0;
  return exit ? 50 : 100;
}

function qualityOf({ upscale_percentage: mean, max_upscale_percentage: peak }: Values) {
  if (mean == null || peak == null) return null;
  return score(100 * Math.exp(-0.33 * (0.15 * Number(peak) + 0.85 * Number(mean))));
}

/** Scores of a view that played, from its other values. */
function scoreValues(values: Values, success: number | null): Record<string, RawValue> {
  const [rebuffers, rebufferMs, playingMs] = [
    Number(values.rebuffer_count),
    Number(values.rebuffer_duration),
    Number(values.playing_time),
  ];
  const ratio = rebufferMs === 0 ? 0 : rebufferMs / (rebufferMs + playingMs);
  const startup = score((100 * 8) / (8 + Number(values.video_startup_time) / 1_000));
  const smooth = score(
    (100 / Math.sqrt(1 + (rebuffers / 2) ** 2) + 100 * Math.exp(-10 * ratio)) / 2,
  );
  const quality = qualityOf(values);
  const both = (one: number, other: number): number => Math.sqrt(one * other);
  const pairs = (third: number): number =>
    (both(smooth, third) + both(smooth, startup) + both(startup, third)) / 3;
  return {
    startup_time_score: startup,
    rebuffer_score: smooth,
    video_quality_score: quality,
    viewer_experience_score:
      success === null || quality === null ? null : score((success / 100) * pairs(quality)),
  };
}

const share = (met: boolean): number => (met ? 1 : 0);

function outcomeValues({ started, failed, business, exit }: Outcome): Record<string, RawValue> {
  return {
    exits_before_video_start: share(exit),
    video_startup_failure_percentage: share(failed && !started),
    playback_failure_percentage: share(failed),
    video_startup_business_exception_percentage: share(business && !started),
    playback_business_exception_percentage: share(business),
  };
}

function timeValues({ spans, ...walk }: Walk): Record<string, RawValue> {
  const [startupMs, playingMs, rebufferMs, seekMs, restartMs] = (
    ['startup', 'playing', 'rebuffering', 'seeking', 'restart'] as const
  ).map((kind) => timeOf(spans, kind)) as [number, number, number, number, number];
  return {
    video_startup_time: startupMs,
    playing_time: playingMs,
    watch_time: startupMs + playingMs + rebufferMs + seekMs,
    rebuffer_count: walk.rebufferStartsMs.length,
    rebuffer_duration: rebufferMs,
    video_restart_time: walk.restarts > 0 ? restartMs : null,
    restart_count: walk.restarts,
    seek_latency: quotient(walk.seekDoneMs, walk.seeks),
  };
}

type Sides = Readonly<Record<string, readonly [top: number, bottom: number]>>;

/** Both sums of the metrics that are sum over sum, of a view that played. */
function playedSides(times: Values, events: readonly RawEvent[]): Sides {
  const activeMs = Number(times.playing_time) + Number(times.rebuffer_duration);
  const dropped = lastOf(events, 'droppedFrames') ?? 0;
  return {
    rebuffer_percentage: [Number(times.rebuffer_duration), activeMs],
    rebuffer_frequency: [Number(times.rebuffer_count) * 60_000, activeMs],
    dropped_frame_percentage: [dropped, dropped + (lastOf(events, 'shownFrames') ?? 0)],
  };
}

function timingValues(events: readonly RawEvent[]): Record<string, RawValue> {
  return {
    page_load_time: lastOf(events, 'pageLoad'),
    player_startup_time: lastOf(events, 'playerStartup'),
  };
}

const plus = (...values: readonly RawValue[]): RawValue =>
  values.includes(null) ? null : total(values.map(Number));

/** What a view has a value of only once it played. */
function playedValues(walk: Walk, outcome: Outcome, events: readonly RawEvent[]) {
  const playing = walk.spans.filter((span) => span.kind === 'playing' && lengthMs(span) > 0);
  const times = timeValues(walk);
  const { page_load_time: page = null, player_startup_time: player = null } = timingValues(events);
  return {
    ...times,
    ...renditionValues(playing),
    started_views: 1,
    aggregate_startup_time: plus(page, player, times.video_startup_time ?? null),
    view_dropped_percentage: share(outcome.dropped),
  };
}

/** A view of the beats that carry its id. */
export function recomputeView(beats: readonly RawBeat[]): RawView {
  const events = eventsOf(beats);
  const part = partOf(events);
  const walk = layOut(part);
  const started = walk.firstPlayingMs !== undefined;
  const outcome = outcomeOf(part, started);
  const [startMs, endMs] = [part[0]?.at ?? 0, part.at(-1)?.at ?? 0];
  const success = successOf(outcome, endMs - startMs);
  const played: Values = started ? playedValues(walk, outcome, events) : {};
  const ads = adValues(events);
  const sides: Sides = {
    report_completeness: [events.length, (events.at(-1)?.seq ?? -1) + 1],
    ad_error_percentage: [ads.ad_error_count ?? 0, ads.ad_attempt_count ?? 0],
    ...(started ? playedSides(played, events) : {}),
  };
  const ratios = Object.entries(sides).map(
    ([id, both]) => [id, quotient(...both, MILLION)] as const,
  );
  const dimensions = dimensionsOf(beats, events);
  const values: Values = {
    views: 1,
    ended_views: 1,
    unique_viewers: dimensions.viewer_user_id ?? null,
    playback_success_score: success,
    ...timingValues(events),
    ...outcomeValues(outcome),
    ...ads,
    ...requestValues(events),
    ...Object.fromEntries(ratios),
    ...played,
    ...(started ? scoreValues(played, success) : {}),
  };
  return { ...walk, id: beats[0]?.view ?? '', startMs, endMs, dimensions, values, sides };
}
