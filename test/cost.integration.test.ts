/**
 * Simulated traffic at known prices, through the whole of it: what the API says of cost equals the invoice made by hand
 * from what the simulator knows, to the micro-unit.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSimulateCommand } from '../ingest/clients/simulate-command.ts';
import type { Truth } from '../ingest/clients/simulation/truth.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 8_000, pausedTimeoutMs: 8_000 };
const EUROPE = ['DE', 'FR', 'GB'];

/** Prices in micro-units of a USD for so many bytes or requests; tiers end at bytes of a month. */
const TIERS = [
  { upTo: 1_000_000_000n, perGigabyte: 85_000n },
  { upTo: 2_000_000_000n, perGigabyte: 60_000n },
  { upTo: undefined, perGigabyte: 40_000n },
];
const BOOK = {
  currency: 'EUR',
  rates: { USD: '0.92' },
  regions: { europe: EUROPE },
  contracts: [
    {
      cdn: 'alder',
      currency: 'USD',
      validFrom: '2020-01-01',
      unit: 'GB',
      tiers: [{ upTo: 1, price: '0.085' }, { upTo: 2, price: '0.060' }, { price: '0.040' }],
      perRequest: { price: '0.0075', per: 10_000 },
      originEgress: { price: '0.02' },
    },
    {
      cdn: 'birch',
      currency: 'EUR',
      validFrom: '2020-01-01',
      region: 'europe',
      unit: 'GB',
      tiers: [{ price: '0.031' }],
    },
    {
      cdn: 'birch',
      currency: 'EUR',
      validFrom: '2020-01-01',
      unit: 'GB',
      tiers: [{ price: '0.047' }],
    },
    {
      cdn: 'cedar',
      currency: 'USD',
      validFrom: '2020-01-01',
      unit: 'GB',
      tiers: [{ price: '0.0123' }],
    },
  ],
};

interface Answer {
  readonly data: { readonly cost: string };
}
interface Rows {
  readonly data: readonly { readonly field: string; readonly cost: string }[];
  readonly total_row_count: number;
}

let directory: string;
let server: TestServer;
let truth: Truth;

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  const pricesFile = join(directory, 'prices.json');
  await writeFile(pricesFile, JSON.stringify(BOOK));
  const dataDir = join(directory, 'data');
  server = await startTestServer({ dataDir, pricesFile, ...SETTINGS });
  const file = join(directory, 'truth.json');
  const code = await runSimulateCommand(
    { url: server.url, viewers: 120, duration: 150, seed: 6, speed: 'max', truth: file },
    { stdout: nowhere(), stderr: nowhere() },
  );
  expect(code).toBe(0);
  truth = JSON.parse(await readFile(file, 'utf8')) as Truth;
  const requests = Object.values(truth.delivered).reduce((sum, { requests: n }) => sum + n, 0);
  await until(
    () =>
      server.store.query<{ rows: number }>(
        "SELECT count() AS rows FROM requests WHERE source = 'edge'",
      ),
    ([row]) => row?.rows === requests,
  );
});

afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Half to even, as bills are rounded here. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const [whole, rest] = [numerator / denominator, 2n * (numerator % denominator)];
  const up = rest > denominator || (rest === denominator && whole % 2n === 1n);
  return up ? whole + 1n : whole;
}

/** Σ lines of the invoice, micro-units of a EUR: by hand, from what the edges delivered. */
function invoice(): bigint {
  const volumes = new Map<string, { bytes: bigint; requests: bigint; origin: bigint }>();
  for (const row of truth.delivered_by_month) {
    const region = row.cdn === 'birch' && EUROPE.includes(row.country) ? ' europe' : '';
    const key = `${row.cdn}${region} ${row.period}`;
    const sum = volumes.get(key) ?? { bytes: 0n, requests: 0n, origin: 0n };
    volumes.set(key, {
      bytes: sum.bytes + BigInt(row.bytes),
      requests: sum.requests + BigInt(row.requests),
      origin: sum.origin + BigInt(row.origin_bytes),
    });
  }
  let micros = 0n;
  for (const [key, { bytes, requests, origin }] of volumes) {
    if (key.startsWith('alder')) {
      let from = 0n;
      for (const { upTo = bytes, perGigabyte } of TIERS) {
        const to = least(upTo, bytes);
        if (to > from) micros += rounded((to - from) * perGigabyte * 92n, 1_000_000_000n * 100n);
        from = upTo;
      }
      micros += rounded(requests * 7_500n * 92n, 10_000n * 100n);
      micros += rounded(origin * 20_000n * 92n, 1_000_000_000n * 100n);
    } else if (key.startsWith('cedar')) {
      micros += rounded(bytes * 12_300n * 92n, 1_000_000_000n * 100n);
    } else {
      micros += rounded(bytes * (key.includes('europe') ? 31_000n : 47_000n), 1_000_000_000n);
    }
  }
  return micros;
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

const microsOf = (text: string): bigint => BigInt(text.replace('.', ''));

/** All of the run, with hours around it. */
function frame(): string {
  const from = Math.floor(truth.start_at / 3_600_000) * 3_600;
  const to = Math.ceil(truth.end_at / 3_600_000) * 3_600 + 3_600;
  return `timeframe[]=${from}&timeframe[]=${to}`;
}

async function sumBy(dimension: string): Promise<bigint> {
  let sum = 0n;
  for (let page = 1, rows = 0; ; page++) {
    const answer = await server.get<Rows>(
      `/data/v1/cost/breakdown?group_by=${dimension}&${frame()}&limit=100&page=${page}`,
    );
    for (const { cost } of answer.data) sum += microsOf(cost);
    rows += answer.data.length;
    if (rows >= answer.total_row_count) return sum;
  }
}

describe('the cost of simulated traffic', () => {
  it('is the invoice made by hand, with tiers, requests, egress and two currencies', async () => {
    expect(Object.keys(truth.delivered).sort()).toEqual(['alder', 'birch', 'cedar']);
    expect(truth.delivered.alder?.bytes).toBeGreaterThan(2_000_000_000);
    const { data } = await server.get<Answer>(`/data/v1/cost/overall?${frame()}`);
    expect(microsOf(data.cost)).toBe(invoice());
  });

  it.each(['cdn', 'country', 'video_title', 'asn', 'view_id', 'browser'])(
    'is the same summed over a breakdown by %s',
    async (dimension) => {
      expect(await sumBy(dimension)).toBe(invoice());
    },
  );

  it('is the same summed over time', async () => {
    const { data } = await server.get<{ data: readonly { cost: string }[] }>(
      `/data/v1/cost/timeseries?group_by=hour&${frame()}`,
    );
    const sum = data.reduce((all, { cost }) => all + microsOf(cost ?? '0.000000'), 0n);
    expect(sum).toBe(invoice());
  });
});
