/** The benchmarks run, whole, and say what they promise to say. No figure is looked at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAGE_NAMES } from '../../bench/options.ts';
import type { BenchResult } from '../../bench/result.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: directory },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

describe('a quick run', () => {
  it('does every stage, prints a table, writes its JSON and leaves nothing behind', async () => {
    const file = join(directory, 'result.json');
    const { code, stdout, stderr } = await bench('--quick', '--json', file);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = JSON.parse(await readFile(file, 'utf8')) as BenchResult;
    expect(result).toMatchObject({ version: 1, quick: true, seed: 1 });
    expect(result.stages.map(({ stage }) => stage)).toEqual(STAGE_NAMES);
    for (const { title, baseline, variants, facts } of result.stages) {
      expect(stdout).toContain(title);
      // A stage that compares nothing says what it measured as facts.
      expect(variants.length + Object.keys(facts).length).toBeGreaterThan(0);
      for (const { count, perCpuSecond, ratio } of variants) {
        expect(count).toBeGreaterThan(0);
        expect(perCpuSecond.median).toBeGreaterThan(0);
        expect(ratio === null).toBe(baseline === null);
      }
      if (baseline !== null) expect(variants.map(({ name }) => name)).toContain(baseline);
    }
    const facts = Object.assign({}, ...result.stages.map((stage) => stage.facts));
    expect(facts).toMatchObject({
      playback_5s_rows_per_event: expect.any(Number),
      event_to_visible_p50_s: expect.any(Number),
      event_to_visible_p95_s: expect.any(Number),
      caughtUpSeconds: expect.any(Number),
    });
    const left = await readdir(directory);
    expect(left.filter((name) => name.startsWith('streamgauge-bench-'))).toEqual([]);
  }, 300_000);

  it('refuses a wrong option with one line and exit 2', async () => {
    const { code, stderr } = await bench('--only', 'nothing');
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
