/** What tokens of CMCD (CTA-5004) are as values of our dimensions: `st` of `stream_type`, `sf` of `source_type`. */

/** Low latency is live: the dimension says less than the token. */
export const STREAM_TYPES: ReadonlyMap<string, string> = new Map([
  ['v', 'on-demand'],
  ['l', 'live'],
  ['ll', 'live'],
]);

export const SOURCE_TYPES: ReadonlyMap<string, string> = new Map([
  ['d', 'dash'],
  ['h', 'hls'],
  ['s', 'smooth'],
  ['e', 'other'],
  ['o', 'other'],
]);
