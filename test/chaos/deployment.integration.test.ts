/**
 * Three brokers, a ClickHouse server, and ingest, processors and api as processes, of which one after the other is
 * killed, stopped or frozen under load: the short form of `npm run test:chaos -- --deployment`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/running.ts';
import {
  type DeploymentReport,
  formatDeployment,
  runDeployment,
} from './deployment/deployment-run.ts';
import type { Deed } from './deployment/disturbances.ts';

const MINUTE_MS = 60_000;
/** Between two deeds everything goes on for a moment. */
const CALM_MS = 1_000;

const DEEDS: readonly Deed[] = [
  'kill_processor',
  'freeze_processor',
  'add_processor',
  'foreign_records',
  'restart_broker',
  'stop_processor',
  'kill_clickhouse',
  'freeze_broker',
  'add_processor',
  'kill_ingest',
];

let report: DeploymentReport;

beforeAll(async () => {
  report = await runDeployment({
    seed: 17,
    partitions: 12,
    brokers: 3,
    disturb: async (disturbances, _, later) => {
      for (const deed of DEEDS) {
        await disturbances.do(deed);
        await sleep(CALM_MS);
      }
      // For as long as it takes until ingest has given up waiting for it: a second on one machine, ten on another.
      const told = () => Promise.resolve(later.length);
      const before = later.length;
      await disturbances.kafkaAway(() => until(told, (count) => count > before));
      await sleep(CALM_MS);
    },
  });
  process.stdout.write(`${formatDeployment(report)}\n`);
}, 15 * MINUTE_MS);

describe('processes that share Kafka and ClickHouse, each of them ended or frozen in turn', () => {
  it('were under load meanwhile', () => {
    expect(report.talliedViews).toBeGreaterThan(20);
    expect(report.syntheticViews).toBeGreaterThan(5);
  });

  it('ask clients to come again while Kafka is away, with a code and a time', () => {
    expect(report.later.length).toBeGreaterThan(0);
    for (const { status, retryAfter, text } of report.later) {
      expect(status).toBe(503);
      expect(Number(retryAfter)).toBeGreaterThan(0);
      expect(['log_unavailable', 'overloaded', 'closing']).toContain(JSON.parse(text).code);
    }
  });

  it('have every accepted event in their figures once, and verify finds nothing', () => {
    expect(formatDeployment(report)).toContain('different 0');
    expect(report.differences).toEqual([]);
    expect(report.facts).toBeGreaterThan(200);
  });
});
