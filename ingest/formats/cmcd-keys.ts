/**
 * The keys of CMCD: CTA-5004 (version 1) and CTA-5004-B (version 2), table 1.
 *
 * A key that is not here is unknown or custom: it is kept as it came, and no metric reads it.
 * Version 1 sends single items where version 2 has lists, and players mix them, so a list key takes both.
 */

/** code: a string by the standard; dash.js sends integers, so tokens and numbers are taken too. */
export type CmcdKeyType = 'integer' | 'decimal' | 'boolean' | 'string' | 'token' | 'code';

export interface CmcdKey {
  readonly type: CmcdKeyType;
  /** True: version 2 sends an inner list. */
  readonly list: boolean;
  /** Unit of a number; empty for none. */
  readonly unit: '' | 'ms' | 'kbit/s' | 'count';
  /** Tokens that have a meaning; others are dropped. Absent: any token is kept. */
  readonly tokens?: ReadonlySet<string>;
}

const integer = (unit: CmcdKey['unit'] = ''): CmcdKey => ({ type: 'integer', list: false, unit });
const integers = (unit: CmcdKey['unit']): CmcdKey => ({ type: 'integer', list: true, unit });
const boolean: CmcdKey = { type: 'boolean', list: false, unit: '' };
const string: CmcdKey = { type: 'string', list: false, unit: '' };
const token = (tokens: string): CmcdKey => ({
  type: 'token',
  list: false,
  unit: '',
  tokens: new Set(tokens.split(' ')),
});

export const cmcdKeys: ReadonlyMap<string, CmcdKey> = new Map([
  // Bitrates: aggregate, encoded, lowest, top, top playable, at the playhead.
  ['ab', integers('kbit/s')],
  ['br', integers('kbit/s')],
  ['lab', integers('kbit/s')],
  ['lb', integers('kbit/s')],
  ['pb', integers('kbit/s')],
  ['tab', integers('kbit/s')],
  ['tb', integers('kbit/s')],
  ['tpb', integers('kbit/s')],
  ['mtp', integers('kbit/s')],
  ['rtp', integer('kbit/s')],
  // Buffers: length, target, starvation since the last report, starvation in all.
  ['bl', integers('ms')],
  ['tbl', integers('ms')],
  ['bs', boolean],
  ['bsd', integers('ms')],
  ['bsa', integers('count')],
  ['bsda', integers('ms')],
  // The view.
  ['sid', string],
  ['cid', string],
  ['cs', string],
  // Not in the final text of version 2, yet Shaka Player and the reference library have it.
  ['cdn', string],
  ['sf', token('d h e s o')],
  ['st', token('v l ll')],
  // `w` has no meaning in the standard; dash.js sends it for waiting.
  ['sta', token('s p k r a w e f q d')],
  ['bg', boolean],
  ['dfa', integer('count')],
  ['ltc', integer('ms')],
  ['msd', integer('ms')],
  ['pr', { type: 'decimal', list: false, unit: '' }],
  ['pt', integer('ms')],
  ['ec', { type: 'code', list: true, unit: '' }],
  // The request.
  ['d', integer('ms')],
  ['dl', integer('ms')],
  ['nor', { type: 'string', list: true, unit: '' }],
  ['nr', boolean],
  ['nrr', string],
  ['ot', token('m a v av i c tt k o')],
  ['su', boolean],
  // The report. `e` takes any token: a state or a time beside an unknown event is still true.
  ['e', { type: 'token', list: false, unit: '' }],
  ['cen', string],
  ['h', string],
  ['sn', integer()],
  ['ts', integer('ms')],
  ['v', integer()],
  // The response.
  ['rc', integer()],
  ['ttfb', integer('ms')],
  ['ttfbb', integer('ms')],
  ['ttlb', integer('ms')],
  ['url', string],
  ['cmsdd', string],
  ['cmsds', string],
  ['smrt', string],
] as const);
