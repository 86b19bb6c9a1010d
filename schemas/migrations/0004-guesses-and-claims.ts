/** Views of clients that name none are marked; what players count by themselves is kept beside what is concluded. */
import type { Migration } from './migration.ts';

export const guessesAndClaims: Migration = {
  number: 4,
  name: 'guesses_and_claims',
  statements: [
    `ALTER TABLE views
  ADD COLUMN IF NOT EXISTS view_id_origin LowCardinality(String) COMMENT 'View id origin' AFTER custom_10,
  ADD COLUMN IF NOT EXISTS claimed_startup_ms Nullable(Int64) COMMENT 'Startup time as the player counts it: CMCD msd.' AFTER edge_throughput_count,
  ADD COLUMN IF NOT EXISTS claimed_rebuffer_ms Nullable(Int64) COMMENT 'Rebuffer time as the player counts it: CMCD bsda, else the sum of bsd.' AFTER claimed_startup_ms,
  ADD COLUMN IF NOT EXISTS hop_delay_sum_ms Int64 COMMENT 'Delay in the servers on the way, CMSD rd over all hops, summed over the responses that say it.' AFTER claimed_rebuffer_ms,
  ADD COLUMN IF NOT EXISTS hop_delay_count Int64 COMMENT 'Responses with CMSD rd.' AFTER hop_delay_sum_ms`,
  ],
};
