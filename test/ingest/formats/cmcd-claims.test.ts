import { describe, expect, it } from 'vitest';
import { claimParts } from '../../../ingest/formats/cmcd-claims.ts';
import { parseCmcd } from '../../../ingest/formats/cmcd-record.ts';
import { part } from '../../../schemas/beat.ts';

function claimsOf(cmsd: string) {
  const read = parseCmcd(`cmsdd="${Buffer.from(cmsd).toString('base64')}"`);
  if (!('record' in read)) throw new Error(read.message);
  return claimParts(read.record);
}

describe('delays of servers in a copy of CMSD', () => {
  it('stand apart at commas that are in no text', () => {
    expect(claimsOf('"a,\\"b";rd=5, c;rd=7,,rd=9')).toEqual([
      part.custom({ name: 'hop_delays_ms', value: 'a,"b=5 c=7 =9' }),
    ]);
  });

  it('that come before a text without end are taken', () => {
    expect(claimsOf('c;rd=7,"never closed;rd=8')).toEqual([
      part.custom({ name: 'hop_delays_ms', value: 'c=7' }),
    ]);
  });

  it('cost no more than twice as much in a text of twice the quotes', () => {
    const cpuUsOf = (quotes: number): number => {
      const cmsd = `"${'\\"'.repeat(quotes)}`;
      const before = process.cpuUsage();
      for (let times = 0; times < 200; times++) claimsOf(cmsd);
      return process.cpuUsage(before).user;
    };
    cpuUsOf(3_000);
    // Were it the square, the ratio would be 16; the rest is room for a machine that is busy.
    expect(cpuUsOf(3_000) / Math.max(cpuUsOf(750), 1)).toBeLessThan(10);
  });
});
