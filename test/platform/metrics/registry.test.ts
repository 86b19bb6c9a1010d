/** What a process tells Prometheus is what its parts have counted, under names that say what they are. */
import { expect, it } from 'vitest';
import { exportCodes, exportNumbers, Registry } from '../../../platform/metrics/registry.ts';

/** Samples of a scrape, without what explains them. */
async function scrape(registry: Registry): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

it('names counters and gauges after the numbers, and reads them when asked', async () => {
  const registry = new Registry();
  const counters = { bodyBytes: 1, requestsInFlight: 2 };
  const read = () => [{ values: counters }];
  const about = 'A part';
  const prefix = 'streamgauge_part';
  exportNumbers(registry, { prefix, about, kind: 'counter', names: ['bodyBytes'], read });
  exportNumbers(registry, { prefix, about, kind: 'gauge', names: ['requestsInFlight'], read });
  counters.bodyBytes = 30;
  expect(await scrape(registry)).toEqual([
    'streamgauge_part_body_bytes_total 30',
    'streamgauge_part_requests_in_flight 2',
  ]);
  counters.requestsInFlight = 0;
  expect(await scrape(registry)).toContain('streamgauge_part_requests_in_flight 0');
});

it('forgets the labels of what is gone', async () => {
  const registry = new Registry();
  let partitions = ['0', '7'];
  exportNumbers(registry, {
    prefix: 'streamgauge_partition',
    about: 'A partition',
    kind: 'gauge',
    names: ['lagSeconds'],
    labelNames: ['partition'],
    read: () =>
      partitions.map((partition) => ({ labels: { partition }, values: { lagSeconds: 3 } })),
  });
  expect(await scrape(registry)).toEqual([
    'streamgauge_partition_lag_seconds{partition="0"} 3',
    'streamgauge_partition_lag_seconds{partition="7"} 3',
  ]);
  partitions = ['7'];
  expect(await scrape(registry)).toEqual(['streamgauge_partition_lag_seconds{partition="7"} 3']);
});

it('reads a part once for all of its numbers', async () => {
  const registry = new Registry();
  let reads = 0;
  exportNumbers(registry, {
    prefix: 'streamgauge_part',
    about: 'A part',
    kind: 'gauge',
    names: ['one', 'two', 'three'],
    read: () => {
      reads++;
      return [{ values: { one: 1, two: 2, three: 3 } }];
    },
  });
  await registry.metrics();
  expect(reads).toBe(1);
});

it('counts by code, codes that never came too', async () => {
  const registry = new Registry();
  const options = { name: 'streamgauge_refusals_total', help: 'Refusals.', label: 'code' };
  exportCodes(registry, options, () => ({ key_unknown: 4, body_empty: 0 }));
  expect(await scrape(registry)).toEqual([
    'streamgauge_refusals_total{code="key_unknown"} 4',
    'streamgauge_refusals_total{code="body_empty"} 0',
  ]);
});
