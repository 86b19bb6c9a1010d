/** A single view as the reference shows it: dimensions and metrics come from the catalogue. */
import Type, { type TSchema } from 'typebox';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { viewCost } from './cost-schemas.ts';
import { integer, integerOrNull, number, numberOrNull } from './quantities.ts';

const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()]);
const text = (description: string) => Type.String({ description });
const textOrNull = (description: string) => orNull(text(description));

/** What tells views apart at a glance: fields of the list, and of the detail. */
const common = {
  id: text('View id.'),
  live: Type.Boolean({ description: 'It has not closed yet.' }),
  outcome: text('ended, failed, dropped, exited …'),
  view_start: text('ISO 8601.'),
  view_end: textOrNull('ISO 8601; of a live view its newest event.'),
  video_id: text('Empty when unknown.'),
  video_title: text('Empty when unknown.'),
  stream_type: text('`live`, `on-demand`, or empty.'),
  country_code: textOrNull('ISO 3166-1 alpha-2.'),
  viewer_os_family: textOrNull('Operating system.'),
  viewer_application_name: textOrNull('Browser.'),
  viewer_device_category: text('Empty when unknown.'),
  error_type_id: integerOrNull('`id` of /errors.', 'none'),
  player_error_code: textOrNull('Code of the last error that counted.'),
  player_error_message: textOrNull('Always null.'),
  playback_failure: Type.Boolean({ description: 'It failed for a technical reason.' }),
  viewer_experience_score: numberOrNull('Viewer experience score, out of 100.', 'score'),
  watch_time: numberOrNull('Watch time.', 'ms'),
  video_startup_time: numberOrNull('Video startup time.', 'ms'),
  rebuffer_percentage: numberOrNull('Rebuffering percentage.', 'fraction'),
};

export const viewListItem = Type.Object(
  { ...common, total_row_count: integer('Views over all pages.', 'count') },
  { additionalProperties: true },
);

const timelineEvent = Type.Object({
  viewer_time: number("The client's clock.", 'ms since 1970'),
  client_at: text('The same, ISO 8601.'),
  event_time: number("The log's clock.", 'ms since 1970'),
  at: text('The same, ISO 8601.'),
  playback_time: numberOrNull('Playhead.', 'ms'),
  name: text('What happened.'),
  source: text('native, cmcd, epas or edge.'),
  lane: text('main, response or edge.'),
  state: text('State of the view after it; empty before the first.'),
  taken: text('yes, or why its state was not.'),
  seq: integerOrNull('Place in the order of its client.', 'none'),
  details: Type.Record(Type.String(), Type.Unknown(), { description: 'All that it said.' }),
});

const edge = Type.Object(
  {
    requests: integer('Requests of the view.', 'count'),
    bytes: integer('What they were answered with.', 'bytes'),
    errors: integer('Requests that failed.', 'count'),
    average_bitrate: integerOrNull('Of the media asked for, by its length.', 'bit/s'),
    media_time_requested: integer('Length of the media asked for.', 'ms'),
    starvation_count: integer('Requests that say that the buffer ran empty.', 'count'),
    startup_requests: integer('Requests that say that they are urgent.', 'count'),
    average_buffer: integerOrNull('Mean of the buffer that requests name.', 'ms'),
    measured_throughput: integerOrNull('Mean of the throughput that requests name.', 'bit/s'),
  },
  { description: 'What edge logs say of it; null when none names it.' },
);

const ofDimensions = Object.fromEntries(
  dimensions
    .filter(({ name }) => !(name in common) && name !== 'view_has_ad')
    .map(({ name, definition }) => [name, textOrNull(definition)]),
);
const ofMetrics = Object.fromEntries(
  viewMetrics
    .filter(({ id }) => !(id in common))
    .map(({ id, definition, unit }) => [id, numberOrNull(definition, unit)]),
);

export const viewDetail = Type.Object(
  {
    ...ofDimensions,
    ...ofMetrics,
    ...common,
    source: text('What drives its states: native, cmcd, epas, or cmcd1 for edge logs alone.'),
    state: Type.Optional(text('State now, of a live view.')),
    clock_skew: numberOrNull('Shift of the client’s clock.', 'ms'),
    edge: orNull(edge),
    cost: orNull(viewCost),
    events: Type.Array(timelineEvent, { description: 'A page of the timeline, oldest first.' }),
  },
  { additionalProperties: true },
);

/** Which part of the timeline an answer holds. */
export const eventPages = Type.Object({
  page: integer('This page, from 1.', 'none'),
  limit: integer('Events of a page.', 'count'),
  total_row_count: integer('Events over all pages.', 'count'),
  next_page: integerOrNull('Null after the last.', 'none'),
});
