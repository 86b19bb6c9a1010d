/** What a CMCD player counts by itself stands beside what the fold concludes, and changes none of it. */
import { describe, expect, it } from 'vitest';
import { decodeCmcdBody } from '../../ingest/formats/cmcd.ts';
import { beat, T0 } from '../support/beats.ts';
import { type Delivery, foldDeliveries } from '../support/fold.ts';

/** Lines of CMCD event mode as deliveries, one each; `sn` counts by mode. */
function deliveries(...lines: readonly string[]): Delivery[] {
  const numbers = { main: 0, response: 0 };
  return lines.flatMap((line, index) => {
    const sn = numbers[line.includes('e=rr') ? 'response' : 'main']++;
    const at = /ts=/.test(line) ? '' : `,ts=${T0 + index * 1_000}`;
    const { beats, rejects } = decodeCmcdBody(Buffer.from(`${line},sid="v",sn=${sn},v=2${at}`), '');
    expect(rejects).toEqual([]);
    return beats.map(({ events }) => ({
      atMs: T0 + index * 1_000,
      beat: beat(events, { source: 'cmcd' }),
    }));
  });
}

function rowOf(...lines: readonly string[]) {
  return foldDeliveries(deliveries(...lines)).view('v');
}

const cmsd = (text: string) => `cmsdd="${Buffer.from(text).toString('base64')}"`;

describe('what a player counts by itself', () => {
  it('is absent when it says nothing', () => {
    expect(rowOf('e=ps,sta=s', 'e=ps,sta=p')).toMatchObject({
      claimed_startup_ms: null,
      claimed_rebuffer_ms: null,
      hop_delay_sum_ms: 0,
      hop_delay_count: 0,
    });
  });

  it('is its startup, of which the first counts', () => {
    const row = rowOf('e=ps,sta=s', 'e=ps,msd=940,sta=p', 'e=ps,sta=s', 'e=ps,msd=80,sta=p');
    expect(row).toMatchObject({ claimed_startup_ms: 940, startup_ms: 1_000 });
  });

  it('is its stalls: of both modes the larger sum, of types the longest', () => {
    const stalls = ['e=ps,sta=p', 'e=t,bsd=(700;v 40;a)', 'e=t,bsd=(300 200)', 'e=rr,bsd=(900;v)'];
    expect(rowOf(...stalls)).toMatchObject({ claimed_rebuffer_ms: 1_200, rebuffer_ms: 0 });
    const total = rowOf(...stalls, 'e=t,bsda=(1500;v)', 'e=t,bsda=(1400;v)');
    expect(total).toMatchObject({ claimed_rebuffer_ms: 1_500 });
  });

  it('is the delay of servers on the way of its responses', () => {
    const row = rowOf(
      'e=ps,sta=p',
      `e=rr,${cmsd('"origin";rd=12;etp=96,"edge, a";rd=3')}`,
      `e=rr,${cmsd('etp=1;rd=200')}`,
      `e=rr,${cmsd('"edge";etp=5')}`,
      'e=rr,cmsdd="%%%"',
    );
    expect(row).toMatchObject({ hop_delay_sum_ms: 215, hop_delay_count: 2 });
  });

  it('is the same in whatever order it comes', () => {
    const lines = ['e=ps,sta=s', 'e=ps,msd=9,sta=p,bsd=(5)', 'e=t,msd=8,bsda=(4)', 'e=t,bsd=(6)'];
    const given = deliveries(...lines).map(({ beat: one }) => ({
      atMs: T0 + 4_000,
      beat: one ?? beat([]),
    }));
    const figures = [given, [...given].reverse()].map((order) => {
      const row = foldDeliveries(order).view('v');
      return [row.claimed_startup_ms, row.claimed_rebuffer_ms];
    });
    expect(figures).toEqual([
      [9, 4],
      [9, 4],
    ]);
  });

  it('is nothing that a value beyond a month, or a custom event of another source, could say', () => {
    const row = rowOf('e=ps,sta=p', 'e=t,msd=99999999999,bsd=(-4)');
    expect(row).toMatchObject({ claimed_startup_ms: null, claimed_rebuffer_ms: null });
  });
});
