/** The tables that processors write. `annotations` (the api's) comes with its routes. */
import { dimensions } from '../catalogue/dimensions.ts';
import { delivery5s, requests } from './delivery.ts';
import { column, EPOCH_INDEX, epochColumns, DURABLE as settings, type Table } from './table.ts';

const TIME = "DateTime64(3, 'UTC')" as const;

/** What a view came to, in whole numbers. Filled by the fold in this order. */
export const viewFigures = [
  column('startup_ms', 'Int64', 'Startup time: first starting to first playing, pauses left out.'),
  column('playing_ms', 'Int64', 'Time in playing.'),
  column('rebuffer_ms', 'Int64', 'Time in rebuffering, seeking left out.'),
  column('rebuffer_count', 'Int64', 'Rebuffer events.'),
  column('seek_ms', 'Int64', 'Time in seeking, with the rebuffering that follows a seek.'),
  column('seek_done_ms', 'Int64', 'The part of seek_ms that ended in playing.'),
  column('seek_count', 'Int64', 'Seeks that ended in playing.'),
  column('restart_ms', 'Int64', 'Time from a restart to playing.'),
  column('restart_count', 'Int64', 'Restarts: the view began again after it had played.'),
  column('paused_ms', 'Int64', 'Time paused.'),
  column('unknown_ms', 'Int64', 'Time of which nothing is known: the rest of long gaps.'),
  column('bitrate_bit_ms', 'Int64', 'Bitrate times playing time, bit/s × ms.'),
  column('bitrate_known_ms', 'Int64', 'Playing time with known bitrate.'),
  column('rendition_changes', 'Int64', 'Changes of bitrate between successive playing moments.'),
  column('rendition_upshifts', 'Int64', 'Changes upwards.'),
  column('rendition_downshifts', 'Int64', 'Changes downwards.'),
  column('upscale_ppm', 'Nullable(Int64)', 'Mean upscaling over playing time, 10⁻⁶.'),
  column('downscale_ppm', 'Nullable(Int64)', 'Mean downscaling over playing time, 10⁻⁶.'),
  column('max_upscale_ppm', 'Nullable(Int64)', 'Largest upscaling while playing, 10⁻⁶.'),
  column('max_downscale_ppm', 'Nullable(Int64)', 'Largest downscaling while playing, 10⁻⁶.'),
  column('dropped_frames', 'Nullable(Int64)', 'Frames dropped.'),
  column('shown_frames', 'Nullable(Int64)', 'Frames shown.'),
  column('live_latency_ms', 'Nullable(Int64)', 'Live latency, mean over playing time.'),
  column('request_count', 'Int64', 'Requests that the player reported.'),
  column('request_failed_count', 'Int64', 'Those without an answer or with status 400 and above.'),
  column(
    'media_ttfb_sum_ms',
    'Int64',
    'Sum of time to first byte of media requests that succeeded.',
  ),
  column(
    'media_ttfb_count',
    'Int64',
    'Media requests that succeeded with known time to first byte.',
  ),
  column('media_ttfb_max_ms', 'Int64', 'Largest of them.'),
  column(
    'media_bytes',
    'Int64',
    'Bytes of media requests that succeeded, where their time is known.',
  ),
  column('media_time_ms', 'Int64', 'Time from request to last byte of those.'),
  column('page_load_ms', 'Nullable(Int64)', 'Page load, as the SDK reports it.'),
  column('player_startup_ms', 'Nullable(Int64)', 'Player startup, as the SDK reports it.'),
  column('drm_ms', 'Nullable(Int64)', 'Licence time, as the SDK reports it.'),
  column('error_count', 'Int64', 'Errors reported.'),
  column('ad_attempt_count', 'Int64', 'Ads requested.'),
  column('ad_impression_count', 'Int64', 'Ads that began to play.'),
  column('ad_break_count', 'Int64', 'Ad breaks.'),
  column('ad_error_count', 'Int64', 'Ad errors.'),
  column(
    'ad_exit_before_start_count',
    'Int64',
    '1 if the view ended between ad request and ad start.',
  ),
  column('success_milli', 'Nullable(Int64)', 'Playback success score, thousandths.'),
  column('startup_score_milli', 'Nullable(Int64)', 'Startup time score, thousandths.'),
  column('rebuffer_score_milli', 'Nullable(Int64)', 'Rebuffer score, thousandths.'),
  column('quality_score_milli', 'Nullable(Int64)', 'Video quality score, thousandths.'),
  column('experience_score_milli', 'Nullable(Int64)', 'Viewer experience score, thousandths.'),
  column('reports_received', 'Int64', 'Reports taken, duplicates left out.'),
  column(
    'reports_lost',
    'Nullable(Int64)',
    'Reports that never came; null when the source has no numbers.',
  ),
  column('reports_late', 'Int64', 'Reports that came after their place was given up.'),
  column('reports_duplicate', 'Int64', 'Reports that came again.'),
  column('reports_disordered', 'Int64', "Reports whose time precedes their predecessor's."),
  column('reports_shadowed', 'Int64', 'State reports of a source that does not drive the view.'),
  column('clock_skew_ms', 'Int64', "Best estimate of the log's clock minus the client's."),
  column('edge_request_count', 'Int64', 'Requests of the view that edge logs report.'),
  column('edge_bytes', 'Int64', 'Bytes that edges sent for it.'),
  column('edge_error_count', 'Int64', 'Those requests with status 400 and above.'),
  column(
    'edge_bitrate_bit_ms',
    'Int64',
    'CMCD br × d over media requests in edge logs, bit/s × ms.',
  ),
  column('edge_media_ms', 'Int64', 'CMCD d over those: media time requested.'),
  column(
    'edge_starvation_count',
    'Int64',
    'Requests in edge logs with CMCD bs: the buffer had run dry.',
  ),
  column(
    'edge_startup_request_count',
    'Int64',
    'Requests in edge logs with CMCD su: needed to start or to recover.',
  ),
  column('edge_buffer_sum_ms', 'Int64', 'CMCD bl, summed over the requests that say it.'),
  column('edge_buffer_count', 'Int64', 'Requests in edge logs with CMCD bl.'),
  column('edge_throughput_sum_kbps', 'Int64', 'CMCD mtp, summed over the requests that say it.'),
  column('edge_throughput_count', 'Int64', 'Requests in edge logs with CMCD mtp.'),
  column(
    'claimed_startup_ms',
    'Nullable(Int64)',
    'Startup time as the player counts it: CMCD msd.',
  ),
  column(
    'claimed_rebuffer_ms',
    'Nullable(Int64)',
    'Rebuffer time as the player counts it: CMCD bsda, else the sum of bsd.',
  ),
  column(
    'hop_delay_sum_ms',
    'Int64',
    'Delay in the servers on the way, CMSD rd over all hops, summed over the responses that say it.',
  ),
  column('hop_delay_count', 'Int64', 'Responses with CMSD rd.'),
] as const;

const NUMBERS = 'Array(Int64)' as const;
const NAMES = 'Array(LowCardinality(String))' as const;

/** What a view divides into. Lists of one kind are as long as each other: a place in all of them is one span. */
export const viewSpans = [
  column('rendition_bitrates', NUMBERS, 'Renditions of the view: bitrate, bit/s, 0 unknown.'),
  column('rendition_widths', NUMBERS, 'Their width, pixels, 0 unknown.'),
  column('rendition_heights', NUMBERS, 'Their height, pixels, 0 unknown.'),
  column('rendition_milli_fps', NUMBERS, 'Their frame rate, thousandths a second, 0 unknown.'),
  column('rendition_codecs', NAMES, 'Their codec, empty unknown; (other) is all beyond the limit.'),
  column(
    'rendition_playing_ms',
    NUMBERS,
    'Time in playing with each; the rest of playing_ms was with none that is known.',
  ),
  column('rendition_rebuffer_ms', NUMBERS, 'Time of rebuffer events that began with each.'),
  column('rendition_rebuffer_counts', NUMBERS, 'Rebuffer events that began with each.'),
  column('mode_names', NAMES, 'Playback modes of the view.'),
  column(
    'mode_playing_ms',
    NUMBERS,
    'Time in playing in each; the rest of playing_ms was in none that is known.',
  ),
  column('mode_rebuffer_ms', NUMBERS, 'Time of rebuffer events that began in each.'),
  column('mode_rebuffer_counts', NUMBERS, 'Rebuffer events that began in each.'),
  column('content_from_s', NUMBERS, 'Parts of the content that were played: first second.'),
  column('content_to_s', NUMBERS, 'The second after their last.'),
  column('trouble_kinds', NAMES, 'Troubles that have a place: rebuffer, downswitch, error.'),
  column('trouble_seconds', NUMBERS, 'Second of the content in which they began.'),
  column('trouble_counts', NUMBERS, 'How many of the kind began there.'),
  column('trouble_ms', NUMBERS, 'Time that they took; 0 where they take none.'),
  column('content_end_ms', 'Int64', 'The largest position in the content; 0 without any.'),
  column(
    'content_exit_ms',
    'Nullable(Int64)',
    'Position at which the view ended; null where that is not known.',
  ),
] as const;

export const views: Table = {
  name: 'views',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    ...dimensions.map(({ name, lowCardinality, title }) =>
      column(name, lowCardinality ? 'LowCardinality(String)' : 'String', title),
    ),
    column('start_day', 'Date', 'Day of the first row; never changes.'),
    column('view_start', TIME, 'First starting, or first event.'),
    column('view_end', TIME, 'End, last failure, or last event.'),
    column('closed', 'UInt8', '1 when the view has ended; figures count these.'),
    column('started', 'UInt8', '1 when the view has played.'),
    column(
      'outcome',
      'LowCardinality(String)',
      'playing, ended, quit, failed, dropped, exit_before_start, stateless.',
    ),
    column('failed', 'UInt8', '1 when it failed for a technical reason.'),
    column('failed_business', 'UInt8', '1 when it failed for a business reason.'),
    column(
      'source',
      'LowCardinality(String)',
      'What drives its states: native, cmcd, epas; cmcd1 when only edge logs tell of it; empty without states.',
    ),
    ...viewFigures,
    ...viewSpans,
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = ReplacingMergeTree(_epoch)',
    'PARTITION BY start_day',
    'ORDER BY (project, view_id)',
    settings,
  ].join('\n'),
};

export const viewEvents: Table = {
  name: 'view_events',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('view_id', 'String', 'The view.'),
    column('start_day', 'Date', 'Day of the first row of the view.'),
    column('at', TIME, "When it happened, on the log's clock."),
    column('client_at', 'Int64', "When it happened, on the client's clock, ms since 1970."),
    column('source', 'LowCardinality(String)', 'native, cmcd, epas, edge.'),
    column('lane', 'LowCardinality(String)', 'main, response, edge.'),
    column('run', 'UInt16', 'Run of sequence numbers that it belongs to.'),
    column('seq', 'Int64', 'Sequence number, -1 without.'),
    column('name', 'LowCardinality(String)', 'Name of the event on the wire.'),
    column('state', 'LowCardinality(String)', 'State of the view after it.'),
    column('taken', 'LowCardinality(String)', 'yes, late, shadowed.'),
    column('startup_ms', 'Int64', 'Startup time of the view up to here.'),
    column('playing_ms', 'Int64', 'Playing time of the view up to here.'),
    column('rebuffer_ms', 'Int64', 'Rebuffering time of the view up to here.'),
    column('rebuffer_count', 'Int64', 'Rebuffer events of the view up to here.'),
    column('seek_ms', 'Int64', 'Seek time of the view up to here.'),
    column('schema_version', 'UInt16', 'Version of the beat schema that `parts` is written in.'),
    column(
      'parts',
      'String',
      'What it said: the Avro array of parts, or the edge request, as it stands in the log.',
    ),
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY start_day',
    'ORDER BY (project, view_id, at, lane, run, seq)',
    settings,
  ].join('\n'),
};

export const rejected: Table = {
  name: 'rejected',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('at', TIME, 'When the log took it.'),
    column('log_offset', 'UInt64', 'Where the record lies in its partition.'),
    column('event', 'Int64', 'Position of the event in its record, -1 for the whole.'),
    column('view_id', 'String', 'View that it names.'),
    column(
      'route',
      'LowCardinality(String)',
      'Way it came in; `fold` when the processor refused it.',
    ),
    column('code', 'LowCardinality(String)', 'Reason, a stable code.'),
    column('message', 'String', 'What is wrong and what to do.'),
    column('bytes', 'String', 'The original bytes.'),
    {
      ...column(
        'rejects',
        'UInt64',
        'Rejects that the row stands for: more than 1 where it sums up many.',
      ),
      default: '1',
    },
    column('events', 'UInt64', 'Events lost with them that ingest had accepted.'),
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY toDate(at)',
    'ORDER BY (project, at)',
    settings,
  ].join('\n'),
};

export const epochs: Table = {
  name: 'epochs',
  columns: [
    column('topic', 'LowCardinality(String)', 'Topic, with its generation.'),
    column('_partition', 'UInt16', 'Partition.'),
    column('_epoch', 'UInt64', 'Epoch, counted from 1.'),
    column('next_offset', 'UInt64', 'First offset that belongs to a later epoch.'),
    column('records', 'UInt64', 'Records folded.'),
    column('log_time', TIME, 'Log time at the end of the epoch.'),
    column(
      'open_since',
      TIME,
      'Last event of the open view that was silent longest; log time without one.',
    ),
    column('views_rows', 'UInt64', 'Rows written to views.'),
    column('view_events_rows', 'UInt64', 'Rows written to view_events.'),
    column('rejected_rows', 'UInt64', 'Rows written to rejected.'),
    column('playback_5s_rows', 'UInt64', 'Rows written to playback_5s.'),
    column('viewers_now_rows', 'UInt64', 'Rows written to viewers_now.'),
    column('forgotten_rows', 'UInt64', 'Rows written to forgotten.'),
    column('delivery_5s_rows', 'UInt64', 'Rows written to delivery_5s.'),
    column('requests_rows', 'UInt64', 'Rows written to requests.'),
    column('records_rejected', 'UInt64', 'Records of which nothing could be folded.'),
    column('events', 'UInt64', 'Events in its beats.'),
    column('events_duplicate', 'UInt64', 'Events that had come before.'),
    column('events_rejected', 'UInt64', 'Events that were refused: rows of rejected say why.'),
    column('attempt', 'UInt16', 'Attempt at the commit that stands, from 0.'),
    column('fold_version', 'UInt32', 'Version of the fold that concluded it.'),
  ],
  engine: ['ENGINE = MergeTree', 'ORDER BY (topic, _partition, _epoch)', settings].join('\n'),
};

const intervalDimensions = dimensions.filter(({ interval }) => interval);

/** What `viewers_now` leaves out of the interval dimensions, to stay small. */
export const NOW_LEAVES_OUT: ReadonlySet<string> = new Set(['video_id', 'asn']);

/** Sums of one window and one tuple of dimensions, in the order of the columns. Signed: corrections are negative. */
export const playbackSums = [
  column(
    'viewers',
    'Int64',
    'Views that were starting, playing, rebuffering or seeking at any time in it.',
  ),
  column('starting_viewers', 'Int64', 'Views that were starting at any time in it.'),
  column('viewing_ms', 'Int64', 'Time in starting, playing, rebuffering and seeking.'),
  column('playing_ms', 'Int64', 'Time in playing.'),
  column('rebuffer_ms', 'Int64', 'Time in rebuffering, seeks left out.'),
  column('rebuffer_starts', 'Int64', 'Rebuffer events that began.'),
  column('bitrate_bit_ms', 'Int64', 'Bitrate shown times playing time, bit/s × ms.'),
  column('bitrate_known_ms', 'Int64', 'Playing time with known bitrate.'),
  column('latency_ms_ms', 'Int64', 'Live latency times playing time, ms × ms.'),
  column('latency_known_ms', 'Int64', 'Playing time with known live latency.'),
  column('views_started', 'Int64', 'Views that began to play.'),
  column('views_ended', 'Int64', 'Views that ended.'),
  column('views_decided', 'Int64', 'Views that began to play or ended, each once a window.'),
  column('exits_before_start', 'Int64', 'Views that ended without playing and without a failure.'),
  column('startup_failures', 'Int64', 'Views that failed before playing, for a technical reason.'),
  column('failures', 'Int64', 'Views that failed, for a technical reason.'),
] as const;

/** Log-bucket sketches of a window: bucket to weight. */
export const playbackSketches = [
  column('startup_sketch', 'Map(UInt16, Int64)', 'Startup times, ms, of views that began to play.'),
  column(
    'latency_sketch',
    'Map(UInt16, Int64)',
    'Live latency, ms, weighed by playing time in ms.',
  ),
  column('bitrate_sketch', 'Map(UInt16, Int64)', 'Bitrate, kbit/s, weighed by playing time in ms.'),
  column(
    'ttfb_sketch',
    'Map(UInt16, Int64)',
    'Time to first byte, ms, of media requests that succeeded.',
  ),
] as const;

const WINDOW = "DateTime('UTC')" as const;

export const playback5s: Table = {
  name: 'playback_5s',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('window', WINDOW, 'Start of the 5 s of event time.'),
    ...intervalDimensions.map(({ name, title, lowCardinality }) =>
      column(name, lowCardinality ? 'LowCardinality(String)' : 'String', title),
    ),
    ...playbackSums,
    ...playbackSketches,
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY toDate(window)',
    'ORDER BY (project, window)',
    settings,
  ].join('\n'),
};

/** Views in each state at an epoch's end. */
export const viewersNowCounts = [
  column('starting', 'Int64', 'Views starting.'),
  column('playing', 'Int64', 'Views playing.'),
  column('rebuffering', 'Int64', 'Views rebuffering.'),
  column('seeking', 'Int64', 'Views seeking.'),
  column('paused', 'Int64', 'Views paused.'),
] as const;

export const viewersNow: Table = {
  name: 'viewers_now',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('at', TIME, 'Log time at the end of the epoch.'),
    ...intervalDimensions
      .filter(({ name }) => !NOW_LEAVES_OUT.has(name))
      .map(({ name, title }) => column(name, 'LowCardinality(String)', title)),
    ...viewersNowCounts,
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY toStartOfHour(at)',
    'ORDER BY (project, at)',
    "TTL toDateTime(at, 'UTC') + INTERVAL 1 HOUR",
    settings,
  ].join('\n'),
};

export const forgotten: Table = {
  name: 'forgotten',
  columns: [
    column('project', 'LowCardinality(String)', 'Tenant.'),
    column('viewer', 'String', 'The viewer, as ingest stores it.'),
    column('at', TIME, 'When the log took the request.'),
    column('log_offset', 'UInt64', 'Where the request lies in its partition.'),
    ...epochColumns,
  ],
  indexes: [EPOCH_INDEX],
  engine: ['ENGINE = MergeTree', 'ORDER BY (_partition, _epoch)', settings].join('\n'),
};

/** State of a partition at the end of an epoch, in chunks. Whole when all its chunks are there. */
export const checkpoints: Table = {
  name: 'checkpoints',
  columns: [
    column('topic', 'LowCardinality(String)', 'Topic, with its generation.'),
    column('_partition', 'UInt16', 'Partition.'),
    column('_epoch', 'UInt64', 'Last epoch that the state has seen.'),
    column('next_offset', 'UInt64', 'First offset that it has not seen.'),
    column('log_time', TIME, 'Log time at the end of the epoch.'),
    column('fold_version', 'UInt32', 'Version of the fold that concluded it.'),
    column('chunk', 'UInt32', 'Position of the chunk, from 0.'),
    column('chunks', 'UInt32', 'Number of chunks in the last one, 0 in those before it.'),
    column('hash', 'String', 'SHA-256 of the chunk and of the hash of the one before it.'),
    { ...column('state', 'String', 'The chunk, Avro.'), codec: 'ZSTD(1)' },
  ],
  // A checkpoint is a partition of its own, so that it goes at once and whole.
  engine: [
    'ENGINE = MergeTree',
    'PARTITION BY (topic, _partition, _epoch)',
    'ORDER BY chunk',
    settings,
  ].join('\n'),
};

/** What went from a table because it had more than its budget. Written before it goes. */
export const evictions: Table = {
  name: 'evictions',
  columns: [
    column('table_name', 'LowCardinality(String)', 'Table that had more than its budget.'),
    column('evicted_before', TIME, 'Rows from before this moment may be gone.'),
    column('rows', 'UInt64', 'Rows that were to go.'),
    column('bytes', 'UInt64', 'Their bytes, before compression.'),
    column('at', TIME, 'Log time up to which every partition was committed then.'),
  ],
  engine: ['ENGINE = MergeTree', 'ORDER BY (table_name, evicted_before)', settings].join('\n'),
};

/** Tables that an epoch writes, in the order of its inserts; `epochs` commits after them. */
export const epochTables = [
  views,
  viewEvents,
  rejected,
  playback5s,
  viewersNow,
  forgotten,
  delivery5s,
  requests,
] as const;
export const tables: readonly Table[] = [...epochTables, epochs, checkpoints, evictions];

/** Day that a row belongs to, by table: what it is partitioned by and what it goes by. `viewers_now` lives an hour. */
export const tableDays = {
  views: 'start_day',
  view_events: 'start_day',
  playback_5s: 'toDate(window)',
  delivery_5s: 'toDate(window)',
  requests: 'toDate(at)',
  rejected: 'toDate(at)',
} as const;
