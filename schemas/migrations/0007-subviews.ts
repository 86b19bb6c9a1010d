/** What a view divides into: renditions, playback modes, parts of its content, and where it met trouble. */
import type { Migration } from './migration.ts';

export const subviews: Migration = {
  number: 7,
  name: 'subviews',
  statements: [
    `ALTER TABLE views
  ADD COLUMN IF NOT EXISTS rendition_bitrates Array(Int64) COMMENT 'Renditions of the view: bitrate, bit/s, 0 unknown.' AFTER hop_delay_count,
  ADD COLUMN IF NOT EXISTS rendition_widths Array(Int64) COMMENT 'Their width, pixels, 0 unknown.' AFTER rendition_bitrates,
  ADD COLUMN IF NOT EXISTS rendition_heights Array(Int64) COMMENT 'Their height, pixels, 0 unknown.' AFTER rendition_widths,
  ADD COLUMN IF NOT EXISTS rendition_milli_fps Array(Int64) COMMENT 'Their frame rate, thousandths a second, 0 unknown.' AFTER rendition_heights,
  ADD COLUMN IF NOT EXISTS rendition_codecs Array(LowCardinality(String)) COMMENT 'Their codec, empty unknown; (other) is all beyond the limit.' AFTER rendition_milli_fps,
  ADD COLUMN IF NOT EXISTS rendition_playing_ms Array(Int64) COMMENT 'Time in playing with each; the rest of playing_ms was with none that is known.' AFTER rendition_codecs,
  ADD COLUMN IF NOT EXISTS rendition_rebuffer_ms Array(Int64) COMMENT 'Time of rebuffer events that began with each.' AFTER rendition_playing_ms,
  ADD COLUMN IF NOT EXISTS rendition_rebuffer_counts Array(Int64) COMMENT 'Rebuffer events that began with each.' AFTER rendition_rebuffer_ms,
  ADD COLUMN IF NOT EXISTS mode_names Array(LowCardinality(String)) COMMENT 'Playback modes of the view.' AFTER rendition_rebuffer_counts,
  ADD COLUMN IF NOT EXISTS mode_playing_ms Array(Int64) COMMENT 'Time in playing in each; the rest of playing_ms was in none that is known.' AFTER mode_names,
  ADD COLUMN IF NOT EXISTS mode_rebuffer_ms Array(Int64) COMMENT 'Time of rebuffer events that began in each.' AFTER mode_playing_ms,
  ADD COLUMN IF NOT EXISTS mode_rebuffer_counts Array(Int64) COMMENT 'Rebuffer events that began in each.' AFTER mode_rebuffer_ms,
  ADD COLUMN IF NOT EXISTS content_from_s Array(Int64) COMMENT 'Parts of the content that were played: first second.' AFTER mode_rebuffer_counts,
  ADD COLUMN IF NOT EXISTS content_to_s Array(Int64) COMMENT 'The second after their last.' AFTER content_from_s,
  ADD COLUMN IF NOT EXISTS trouble_kinds Array(LowCardinality(String)) COMMENT 'Troubles that have a place: rebuffer, downswitch, error.' AFTER content_to_s,
  ADD COLUMN IF NOT EXISTS trouble_seconds Array(Int64) COMMENT 'Second of the content in which they began.' AFTER trouble_kinds,
  ADD COLUMN IF NOT EXISTS trouble_counts Array(Int64) COMMENT 'How many of the kind began there.' AFTER trouble_seconds,
  ADD COLUMN IF NOT EXISTS trouble_ms Array(Int64) COMMENT 'Time that they took; 0 where they take none.' AFTER trouble_counts,
  ADD COLUMN IF NOT EXISTS content_end_ms Int64 COMMENT 'The largest position in the content; 0 without any.' AFTER trouble_ms,
  ADD COLUMN IF NOT EXISTS content_exit_ms Nullable(Int64) COMMENT 'Position at which the view ended; null where that is not known.' AFTER content_end_ms`,
  ],
};
