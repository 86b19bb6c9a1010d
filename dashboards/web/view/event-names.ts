/** Names of events on the wire as people read them: CMCD v2 (CTA-5004-B) sends tokens. */
import { words } from '../figures/format.ts';

const CMCD: Readonly<Record<string, string>> = {
  abe: 'ad break end',
  abs: 'ad break start',
  ae: 'ad end',
  as: 'ad start',
  b: 'background',
  bc: 'bitrate change',
  c: 'content change',
  ce: 'custom',
  e: 'error',
  h: 'host change',
  m: 'mute',
  pc: 'player collapse',
  pe: 'player expand',
  pr: 'playback rate',
  ps: 'play state',
  rr: 'response',
  sk: 'ad skip',
  t: 'interval',
  um: 'unmute',
};

export function eventName(name: string, source: string): string {
  if (name === 'edge') return 'edge request';
  return (source === 'cmcd' ? CMCD[name] : undefined) ?? words(name);
}
