/**
 * The dimensions: what a view or a request can be grouped and filtered by.
 *
 * Declared once; table columns, validation, query routes and documentation come from here. Names as in Mux Data
 * where it has one. Unknown is the empty string, never a guess.
 */

export interface Dimension {
  readonly name: string;
  readonly title: string;
  readonly definition: string;
  /** True: few distinct values; stored dictionary-coded. */
  readonly lowCardinality: boolean;
  /** True: the interval tables carry it. */
  readonly interval: boolean;
  /** True: a client may say it in a context; false: the pipeline sets it. */
  readonly fromClient: boolean;
  /** True: ingest alone says it, in the context of a beat. */
  readonly fromIngest: boolean;
}

type Flags = Partial<Pick<Dimension, 'lowCardinality' | 'interval' | 'fromClient' | 'fromIngest'>>;

function dimension(name: string, title: string, definition: string, flags: Flags = {}): Dimension {
  return {
    name,
    title,
    definition,
    lowCardinality: true,
    interval: false,
    fromClient: true,
    fromIngest: false,
    ...flags,
  };
}

/** Whose the id of a view is. */
export const VIEW_ID_ORIGIN = 'view_id_origin';
/** Value of `view_id_origin`: the client named no view. */
export const GUESSED = 'guessed';

const CUSTOM_COUNT = 10;

const customDimensions = Array.from({ length: CUSTOM_COUNT }, (_, index) =>
  dimension(`custom_${index + 1}`, `Custom ${index + 1}`, 'Free for the project to use.', {
    lowCardinality: false,
  }),
);

export const dimensions: readonly Dimension[] = [
  dimension(
    'view_id',
    'View id',
    'The id of the view: CMCD `sid`, or the `view` of a native beat.',
    {
      lowCardinality: false,
      fromClient: false,
    },
  ),
  dimension(
    'viewer_user_id',
    'Viewer',
    "The viewer's id, stored as a keyed hash unless the project asks for it raw.",
    { lowCardinality: false },
  ),
  dimension('video_id', 'Video id', 'The id of the asset: CMCD `cid`.', {
    lowCardinality: false,
    interval: true,
  }),
  dimension('video_title', 'Video title', 'Title of the asset.', { lowCardinality: false }),
  dimension('video_series', 'Video series', 'Series that the asset belongs to.', {
    lowCardinality: false,
  }),
  dimension('stream_type', 'Stream type', '`live` or `on-demand`: CMCD `st`.', { interval: true }),
  dimension('source_type', 'Source type', 'Streaming format, such as `hls` or `dash`: CMCD `sf`.'),
  dimension('player_name', 'Player name', 'Name that the page gives its player.', {
    interval: true,
  }),
  dimension('player_version', 'Player version', 'Version that the page gives its player.'),
  dimension('player_software', 'Player software', 'Player library.'),
  dimension('player_software_version', 'Player software version', 'Version of the player library.'),
  dimension('client_application_name', 'Application name', 'Application that holds the player.'),
  dimension('client_application_version', 'Application version', 'Version of the application.'),
  dimension('operating_system', 'Operating system', "Family of the device's system.", {
    interval: true,
  }),
  dimension(
    'operating_system_version',
    'Operating system version',
    "Version of the device's system.",
  ),
  dimension('browser', 'Browser', 'Family of the browser.'),
  dimension('browser_version', 'Browser version', 'Version of the browser.'),
  dimension('viewer_device_category', 'Device category', 'desktop, phone, tablet, tv, console …', {
    interval: true,
  }),
  dimension('viewer_device_name', 'Device name', 'Make and model of the device.'),
  dimension('viewer_connection_type', 'Connection type', 'wired, wifi, cellular …'),
  dimension('country', 'Country', 'ISO 3166-1 alpha-2 code.', { interval: true }),
  dimension('region', 'Region', 'Subdivision of the country.'),
  dimension('asn', 'Autonomous system', "Number of the viewer's network.", { interval: true }),
  dimension('cdn', 'CDN', 'Content delivery network that served the view.', { interval: true }),
  dimension('view_cdn_edge_pop', 'CDN edge', 'Point of presence that served the view.'),
  dimension('experiment_name', 'Experiment', 'Experiment, and arm, that the view takes part in.'),
  dimension('sub_property_id', 'Sub-property', 'Part of the project that the view belongs to.', {
    interval: true,
  }),
  dimension('view_has_ad', 'Has ads', '`true` when an ad was requested or shown.', {
    fromClient: false,
  }),
  dimension('player_error_code', 'Error code', 'Code of the last error that counted.', {
    fromClient: false,
  }),
  ...customDimensions,
  dimension(
    VIEW_ID_ORIGIN,
    'View id origin',
    '`guessed` where the client named no view, and its key, address, user agent and pauses stand for one; else empty.',
    { fromClient: false, fromIngest: true },
  ),
];

/** Other names by which clients know a dimension. */
export const dimensionAliases: Readonly<Record<string, string>> = { viewer_id: 'viewer_user_id' };

/** Dimensions that a client may say. */
export const clientDimensions: ReadonlySet<string> = new Set(
  dimensions.filter((entry) => entry.fromClient).map((entry) => entry.name),
);

const byName = new Map(dimensions.map((entry) => [entry.name, entry]));

/** The dimension of a name or alias; undefined when there is none. */
export function findDimension(name: string): Dimension | undefined {
  return byName.get(dimensionAliases[name] ?? name);
}
