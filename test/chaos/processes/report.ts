/** What a run of kills came to, in words. */
import { median } from './kill-run.ts';
import type { KillsReport } from './kills.ts';

/** Differences that are printed; all are counted. */
const DIFFERENCES_MAX = 40;

export function formatKills(report: KillsReport): string {
  const { kills, requests, differences } = report;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const back = kills.readyMs;
  const lines = [
    `processes: seed ${report.seed}`,
    `  kills ${kills.kills}, of which during start-up ${kills.killsStarting}; SIGTERM ${kills.terminations}; starts ${kills.starts}`,
    `  back to ready: median ${seconds(median(back) ?? 0)}, max ${seconds(Math.max(0, ...back))}`,
    `  records ${report.records}, epochs ${report.epochs}`,
    `  tally: views ${report.talliedViews}, of which beyond the reorder wait ${report.viewsBeyondReorder}; bodies ${requests.bodies}, ` +
      `retried ${requests.retries}, answers lost ${requests.lost}, hung up ${requests.hungUp}, told later ${requests.later}`,
    `  synthetic views ${report.syntheticViews}`,
    `  facts compared ${report.facts}, different ${differences.length}`,
    ...differences.slice(0, DIFFERENCES_MAX).map((difference) => `  DIFFERENT ${difference}`),
  ];
  if (differences.length > 0) lines.push(`  everything is kept in ${report.directory}`);
  return lines.join('\n');
}
