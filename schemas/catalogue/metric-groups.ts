/** The entries of the catalogue of view metrics, by subject. METRICS of the field: CTA-2066, CTA-5004-B, Mux Data. */
import type { ViewMetric } from './metric.ts';

type Entry = Pick<ViewMetric, 'id' | 'title' | 'definition' | 'value'> & Partial<ViewMetric>;

function metric(defaults: Partial<ViewMetric>, entry: Entry): ViewMetric {
  return {
    unit: 'count',
    good: 'low',
    defaultMeasure: 'median',
    scale: 1,
    bucketedBy: 'end',
    countsOpenViews: false,
    ...defaults,
    ...entry,
    ...onlyOf(entry.value),
  };
}

/** Values that are null but under a condition, by their expression. */
const guarded = new Map<string, { readonly when: string; readonly value: string }>();

function onlyOf(value: string): Pick<ViewMetric, 'only'> {
  const only = guarded.get(value);
  return only === undefined ? {} : { only };
}

function valueIf(when: string, value: string): string {
  const expression = `if(${when}, ${value}, NULL)`;
  guarded.set(expression, { when, value });
  return expression;
}

const STARTED = (value: string): string => valueIf('started', value);
const WITH_STATES = (value: string): string => valueIf("source NOT IN ('', 'cmcd1')", value);

const count = (entry: Entry): ViewMetric =>
  metric({ defaultMeasure: 'count', good: 'none' }, entry);

const duration = (entry: Entry): ViewMetric => metric({ unit: 'ms' }, entry);

/** 1 or 0 of each view that takes part; the ratio is to the number of these views. */
const share = (entry: Entry): ViewMetric =>
  metric(
    {
      unit: 'fraction',
      defaultMeasure: 'ratio',
      ratio: {
        numerator: entry.value,
        denominator: `if((${entry.value}) IS NULL, 0, 1)`,
        factor: 1,
      },
    },
    entry,
  );

const score = (entry: Entry): ViewMetric =>
  metric({ unit: 'score', good: 'high', defaultMeasure: 'avg', scale: 1000 }, entry);

const counts: readonly ViewMetric[] = [
  count({
    id: 'views',
    title: 'Views',
    definition: 'Attempts to watch.',
    value: '1',
    bucketedBy: 'start',
    countsOpenViews: true,
  }),
  count({
    id: 'started_views',
    title: 'Started views',
    definition: 'Views that played.',
    value: STARTED('1'),
    bucketedBy: 'start',
    countsOpenViews: true,
    good: 'high',
  }),
  count({
    id: 'ended_views',
    title: 'Ended views',
    definition: 'Views that have closed.',
    value: '1',
  }),
  count({
    id: 'unique_viewers',
    title: 'Unique viewers',
    definition: 'Distinct viewer ids; views without one take no part.',
    value: "nullIf(viewer_user_id, '')",
    distinct: true,
    bucketedBy: 'start',
    countsOpenViews: true,
    good: 'high',
  }),
];

const startup: readonly ViewMetric[] = [
  duration({
    id: 'video_startup_time',
    title: 'Video startup time',
    definition: 'From the first starting to the first playing; paused time left out.',
    value: STARTED('startup_ms'),
  }),
  duration({
    id: 'player_startup_time',
    title: 'Player startup time',
    definition:
      'From the page asking for a player to the player being ready, as the SDK reports it.',
    value: 'player_startup_ms',
  }),
  duration({
    id: 'page_load_time',
    title: 'Page load time',
    definition: 'From navigation to the page asking for a player, as the SDK reports it.',
    value: 'page_load_ms',
  }),
  duration({
    id: 'aggregate_startup_time',
    title: 'Aggregate startup time',
    definition: 'Page load, player startup and video startup together.',
    value: STARTED('page_load_ms + player_startup_ms + startup_ms'),
  }),
  share({
    id: 'exits_before_video_start',
    title: 'Exits before video start',
    definition: 'Share of views that ended without playing and without a failure.',
    value: WITH_STATES('started = 0 AND failed = 0 AND failed_business = 0'),
  }),
];

const failures: readonly ViewMetric[] = [
  share({
    id: 'video_startup_failure_percentage',
    title: 'Video startup failures',
    definition: 'Share of views that failed before first playing, for a technical reason.',
    value: WITH_STATES('failed = 1 AND started = 0'),
  }),
  share({
    id: 'playback_failure_percentage',
    title: 'Playback failures',
    definition:
      'Share of views that failed at any time, for a technical reason, and did not recover.',
    value: WITH_STATES('failed = 1'),
  }),
  share({
    id: 'video_startup_business_exception_percentage',
    title: 'Video startup business exceptions',
    definition:
      'Share of views that failed before first playing, for a business reason (geo, entitlement).',
    value: WITH_STATES('failed_business = 1 AND started = 0'),
  }),
  share({
    id: 'playback_business_exception_percentage',
    title: 'Playback business exceptions',
    definition: 'Share of views that failed at any time, for a business reason.',
    value: WITH_STATES('failed_business = 1'),
  }),
  share({
    id: 'view_dropped_percentage',
    title: 'Dropped views',
    definition: 'Share of started views that fell silent without an end and without being paused.',
    value: STARTED("outcome = 'dropped'"),
  }),
];

const time: readonly ViewMetric[] = [
  duration({
    id: 'playing_time',
    title: 'Playing time',
    definition: 'Time in which content moved.',
    value: STARTED('playing_ms'),
    defaultMeasure: 'sum',
    good: 'high',
    bucketedBy: 'start',
  }),
  duration({
    id: 'watch_time',
    title: 'Watch time',
    definition: 'Startup, playing, rebuffering and seek time together.',
    value: STARTED('startup_ms + playing_ms + rebuffer_ms + seek_ms'),
    defaultMeasure: 'sum',
    good: 'high',
  }),
];

const rebuffering: readonly ViewMetric[] = [
  metric(
    {},
    {
      id: 'rebuffer_count',
      title: 'Rebuffer count',
      definition: 'Times that playing stopped for want of data, seeks left out.',
      value: STARTED('rebuffer_count'),
    },
  ),
  duration({
    id: 'rebuffer_duration',
    title: 'Rebuffer duration',
    definition: 'Time in rebuffering, seeks left out.',
    value: STARTED('rebuffer_ms'),
  }),
  metric(
    { unit: 'fraction', defaultMeasure: 'ratio', scale: 1_000_000 },
    {
      id: 'rebuffer_percentage',
      title: 'Rebuffer percentage',
      definition: 'Rebuffering time over playing and rebuffering time (CTA-2066).',
      value: STARTED(
        'if(playing_ms + rebuffer_ms > 0, round(rebuffer_ms * 1e6 / (playing_ms + rebuffer_ms)), NULL)',
      ),
      ratio: {
        numerator: STARTED('rebuffer_ms'),
        denominator: STARTED('playing_ms + rebuffer_ms'),
        factor: 1,
      },
    },
  ),
  metric(
    { unit: 'per minute', defaultMeasure: 'ratio', scale: 1_000_000 },
    {
      id: 'rebuffer_frequency',
      title: 'Rebuffer frequency',
      definition: 'Rebuffer events per minute of playing and rebuffering time.',
      value: STARTED(
        'if(playing_ms + rebuffer_ms > 0, round(rebuffer_count * 6e10 / (playing_ms + rebuffer_ms)), NULL)',
      ),
      ratio: {
        numerator: STARTED('rebuffer_count'),
        denominator: STARTED('playing_ms + rebuffer_ms'),
        factor: 60_000,
      },
    },
  ),
  duration({
    id: 'video_restart_time',
    title: 'Video restart time',
    definition: 'Time from a restart (a channel joined again under the same id) to playing.',
    value: STARTED('if(restart_count > 0, restart_ms, NULL)'),
  }),
  metric(
    { defaultMeasure: 'avg' },
    {
      id: 'restart_count',
      title: 'Restarts',
      definition: 'Times that the view began again after it had played.',
      value: STARTED('restart_count'),
    },
  ),
  duration({
    id: 'seek_latency',
    title: 'Seek latency',
    definition: 'Seek time over completed seeks of the view.',
    value: STARTED('if(seek_count > 0, round(seek_done_ms / seek_count), NULL)'),
    defaultMeasure: 'avg',
  }),
];

const picture: readonly ViewMetric[] = [
  metric(
    { unit: 'bit/s', good: 'high' },
    {
      id: 'weighted_average_bitrate',
      title: 'Weighted average bitrate',
      definition: 'Bitrate shown, weighted by playing time with known bitrate.',
      value: STARTED('if(bitrate_known_ms > 0, round(bitrate_bit_ms / bitrate_known_ms), NULL)'),
    },
  ),
  ...(
    [
      ['rendition_change_count', 'Rendition changes', 'Changes of bitrate', 'rendition_changes'],
      ['rendition_upshift_count', 'Upshifts', 'Changes of bitrate upwards', 'rendition_upshifts'],
      [
        'rendition_downshift_count',
        'Downshifts',
        'Changes of bitrate downwards',
        'rendition_downshifts',
      ],
    ] as const
  ).map(([id, title, definition, value]) =>
    metric(
      { defaultMeasure: 'avg', good: id === 'rendition_upshift_count' ? 'none' : 'low' },
      {
        id,
        title,
        definition: `${definition} between successive playing moments.`,
        value: STARTED(`if(bitrate_known_ms > 0, ${value}, NULL)`),
      },
    ),
  ),
  ...(
    [
      [
        'upscale_percentage',
        'Upscaling',
        'Mean enlargement over playing time',
        'upscale_ppm',
        'avg',
      ],
      [
        'downscale_percentage',
        'Downscaling',
        'Mean reduction over playing time',
        'downscale_ppm',
        'avg',
      ],
      [
        'max_upscale_percentage',
        'Peak upscaling',
        'Largest enlargement while playing',
        'max_upscale_ppm',
        'median',
      ],
      [
        'max_downscale_percentage',
        'Peak downscaling',
        'Largest reduction while playing',
        'max_downscale_ppm',
        'median',
      ],
    ] as const
  ).map(([id, title, definition, value, defaultMeasure]) =>
    metric(
      { unit: 'fraction', defaultMeasure, scale: 1_000_000 },
      {
        id,
        title,
        definition: `${definition}: player against source size, in the dimension that fits first.`,
        value: STARTED(value),
      },
    ),
  ),
  metric(
    { unit: 'fraction', defaultMeasure: 'ratio', scale: 1_000_000 },
    {
      id: 'dropped_frame_percentage',
      title: 'Dropped frames',
      definition: 'Frames dropped over frames dropped and shown.',
      value: STARTED(
        'if(dropped_frames + shown_frames > 0, round(dropped_frames * 1e6 / (dropped_frames + shown_frames)), NULL)',
      ),
      ratio: {
        numerator: STARTED('if(dropped_frames + shown_frames > 0, dropped_frames, NULL)'),
        denominator: STARTED('dropped_frames + shown_frames'),
        factor: 1,
      },
    },
  ),
  duration({
    id: 'live_stream_latency',
    title: 'Live stream latency',
    definition: 'Distance to the live edge, weighted by playing time; over 5 minutes stays out.',
    value: STARTED('live_latency_ms'),
  }),
];

const requests: readonly ViewMetric[] = [
  duration({
    id: 'request_latency',
    title: 'Request latency',
    definition: 'Mean time to first byte of media requests (segment, init) that succeeded.',
    value: 'if(media_ttfb_count > 0, round(media_ttfb_sum_ms / media_ttfb_count), NULL)',
  }),
  duration({
    id: 'max_request_latency',
    title: 'Longest request latency',
    definition: 'Largest time to first byte of media requests that succeeded.',
    value: 'if(media_ttfb_count > 0, media_ttfb_max_ms, NULL)',
  }),
  metric(
    { unit: 'bit/s', good: 'high' },
    {
      id: 'request_throughput',
      title: 'Request throughput',
      definition: 'Bits of media requests over their time from request to last byte.',
      value: 'if(media_time_ms > 0, round(media_bytes * 8000 / media_time_ms), NULL)',
    },
  ),
];

const scores: readonly ViewMetric[] = [
  score({
    id: 'playback_success_score',
    title: 'Playback success score',
    definition: '100; 50 for an exit before start; 0 for a failure; none for an exit within 1 s.',
    value: 'success_milli',
  }),
  score({
    id: 'startup_time_score',
    title: 'Startup time score',
    definition: '100 × 8/(8 + t), t the video startup time in seconds.',
    value: 'startup_score_milli',
  }),
  score({
    id: 'rebuffer_score',
    title: 'Rebuffer score',
    definition: 'Mean of 100/√(1 + (n/2)²), n rebuffer events, and 100·e^(−10·rebuffer ratio).',
    value: 'rebuffer_score_milli',
  }),
  score({
    id: 'video_quality_score',
    title: 'Video quality score',
    definition: '100·e^(−0.33·(0.15·peak upscaling + 0.85·mean upscaling)).',
    value: 'quality_score_milli',
  }),
  score({
    id: 'viewer_experience_score',
    title: 'Viewer experience score',
    definition:
      'Success/100 × the mean of √(smooth·quality), √(smooth·startup) and √(startup·quality). Version 1.',
    value: 'experience_score_milli',
  }),
];

const completeness: readonly ViewMetric[] = [
  metric(
    { unit: 'fraction', good: 'high', defaultMeasure: 'ratio', scale: 1_000_000 },
    {
      id: 'report_completeness',
      title: 'Report completeness',
      definition: 'Reports received over reports received and lost.',
      value:
        'if(reports_received + reports_lost > 0, round(reports_received * 1e6 / (reports_received + reports_lost)), NULL)',
      ratio: {
        numerator: 'if(reports_lost IS NULL, NULL, reports_received)',
        denominator: 'reports_received + reports_lost',
        factor: 1,
      },
    },
  ),
];

/**
 * Ads count for every view whose player tells its states, also for those that never began: they come before the content.
 */
const adCount = (entry: Entry): ViewMetric =>
  metric({ defaultMeasure: 'sum', good: 'none' }, entry);

const ads: readonly ViewMetric[] = [
  adCount({
    id: 'ad_attempt_count',
    title: 'Ad attempts',
    definition: 'Ads requested.',
    value: WITH_STATES('ad_attempt_count'),
  }),
  adCount({
    id: 'ad_impression_count',
    title: 'Ad impressions',
    definition: 'Ads that began to play.',
    value: WITH_STATES('ad_impression_count'),
  }),
  adCount({
    id: 'ad_break_count',
    title: 'Ad breaks',
    definition: 'Breaks for ads that began.',
    value: WITH_STATES('ad_break_count'),
  }),
  adCount({
    id: 'ad_error_count',
    title: 'Ad errors',
    definition: 'Ads that failed.',
    value: WITH_STATES('ad_error_count'),
    good: 'low',
  }),
  metric(
    { unit: 'fraction', defaultMeasure: 'ratio', scale: 1_000_000 },
    {
      id: 'ad_error_percentage',
      title: 'Ad error percentage',
      definition: 'Ads that failed over ads requested.',
      value: WITH_STATES(
        'if(ad_attempt_count > 0, round(ad_error_count * 1e6 / ad_attempt_count), NULL)',
      ),
      ratio: { numerator: 'ad_error_count', denominator: 'ad_attempt_count', factor: 1 },
    },
  ),
  adCount({
    id: 'ad_exit_before_start_count',
    title: 'Ad exits before start',
    definition: 'Views that ended after an ad was requested and before it began or failed.',
    value: WITH_STATES('ad_exit_before_start_count'),
    good: 'low',
  }),
];

export const metricGroups: readonly ViewMetric[] = [
  ...counts,
  ...startup,
  ...failures,
  ...time,
  ...rebuffering,
  ...picture,
  ...requests,
  ...scores,
  ...completeness,
  ...ads,
];
