/** Event reports that every player is asked for: all that there are but those of requests, which the edge tells. */
export const CMCD_EVENTS = [
  'ps',
  'e',
  't',
  'bc',
  'pr',
  'c',
  'b',
  'm',
  'um',
  'pe',
  'pc',
  'ce',
  'sk',
];

/** Time between two reports of an unchanged state, s. */
export const CMCD_INTERVAL_S = 2;

/** Keys of event reports for players that send none unless asked. */
export const CMCD_EVENT_KEYS = [
  'sid',
  'cid',
  'e',
  'ts',
  'sn',
  'sta',
  'v',
  'sf',
  'st',
  'br',
  'ab',
  'pb',
  'bl',
  'mtp',
  'pr',
  'msd',
  'bsd',
  'bg',
  'ec',
  'pt',
  'dfa',
  'ltc',
];
