/** A table of views, made inside the engine: what a month of a middling service leaves behind. */
import type { Store } from '../../platform/store/store.ts';

export const DAYS = 30;
/** 2026-01-01. */
export const FIRST_DAY_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;

/** One of some values, told by a part of the row's hash. */
const oneOf = (values: readonly string[], divisor: number): string =>
  `arrayElement(['${values.join("', '")}'], 1 + intDiv(h, ${divisor}) % ${values.length})`;

const COLUMNS: readonly (readonly [name: string, expression: string])[] = [
  ['project', "'default'"],
  ['view_id', 'toString(generateUUIDv4(number))'],
  ['closed', '1'],
  ['started', 'h % 50 != 0'],
  ['outcome', "'ended'"],
  ['source', "'native'"],
  ['country', oneOf(['US', 'DE', 'FR', 'GB', 'SE', 'BR', 'IN', 'JP', 'MX', 'IT'], 3)],
  ['cdn', oneOf(['akamai', 'fastly', 'cloudfront'], 7)],
  ['player_name', oneOf(['hls.js', 'shaka', 'avplayer', 'exo'], 11)],
  ['operating_system', oneOf(['iOS', 'Android', 'Windows', 'tvOS'], 13)],
  ['asn', 'toString(1000 + intDiv(h, 17) % 3000)'],
  ['video_id', "concat('video-', toString(intDiv(h, 19) % 5000))"],
  ['viewer_user_id', 'toString(intDiv(h, 23) % 2000000)'],
  ['startup_ms', '200 + intDiv(h, 29) % 6000'],
  ['playing_ms', '1000 + intDiv(h, 31) % 3600000'],
  ['rebuffer_ms', 'if(intDiv(h, 37) % 5 = 0, intDiv(h, 41) % 60000, 0)'],
  ['rebuffer_count', 'if(intDiv(h, 37) % 5 = 0, 1 + intDiv(h, 43) % 5, 0)'],
  ['bitrate_bit_ms', '(1000000 + intDiv(h, 47) % 8000000) * (1000 + intDiv(h, 31) % 3600000)'],
  ['bitrate_known_ms', '1000 + intDiv(h, 31) % 3600000'],
  ['reports_received', '50 + h % 500'],
  ['reports_lost', 'if(h % 100 = 0, h % 7, 0)'],
  ['experience_score_milli', '50000 + h % 50000'],
  ['success_milli', '100000'],
  ['_partition', 'h % 4'],
  ['_epoch', '1 + intDiv(number, 1000)'],
];

/** Fills `views`, a day an insert: one part a day, as merges leave it in the end. */
export async function fillViews(store: Store, views: number): Promise<void> {
  const names = COLUMNS.map(([name]) => name).join(', ');
  const values = COLUMNS.map(([name, expression]) => `${expression} AS c_${name}`).join(', ');
  for (let day = 0; day < DAYS; day++) {
    const dayMs = FIRST_DAY_MS + day * DAY_MS;
    const rows = Math.ceil(views / DAYS);
    await store.command(`INSERT INTO views (${names}, start_day, view_start, view_end)
SELECT ${values}, toDate(fromUnixTimestamp64Milli(toInt64(${dayMs}), 'UTC')) AS c_day,
  fromUnixTimestamp64Milli(toInt64(${dayMs} + h % 80000000), 'UTC') AS c_start,
  c_start + toIntervalMillisecond(c_startup_ms + c_playing_ms + c_rebuffer_ms) AS c_end
FROM (SELECT number, cityHash64(number, ${day}) AS h FROM numbers(${rows}))`);
  }
}
