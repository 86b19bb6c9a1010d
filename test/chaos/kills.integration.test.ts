/** The real program, killed a few times under load: the short form of `npm run test:chaos`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type KillsReport, runKills } from './processes/kills.ts';
import { formatKills } from './processes/report.ts';

const KILLS = 6;
const MINUTE_MS = 60_000;

let report: KillsReport;

beforeAll(async () => {
  report = await runKills({ seed: 29, killsMax: KILLS, forMs: 10 * MINUTE_MS });
}, 10 * MINUTE_MS);

describe('a program that is killed again and again', () => {
  it('was killed as planned, also while it started, and was stopped', () => {
    expect(report.kills.kills).toBe(KILLS);
    expect(report.kills.killsStarting).toBeGreaterThan(0);
    expect(report.kills.terminations).toBeGreaterThan(0);
  });

  it('was under load that was sent again, and answered twice', () => {
    expect(report.talliedViews).toBeGreaterThan(20);
    expect(report.syntheticViews).toBeGreaterThan(5);
    expect(report.requests.retries).toBeGreaterThan(0);
    expect(report.requests.lost + report.requests.hungUp).toBeGreaterThan(0);
  });

  it('has every accepted event in its figures once, and verify finds altered rows and nothing else', () => {
    expect(formatKills(report)).toContain('different 0');
    expect(report.differences).toEqual([]);
    expect(report.facts).toBeGreaterThan(200);
  });
});
