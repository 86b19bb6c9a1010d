/** Disks and data directories that are not as they should be, and the real program on them. */
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../ingest/clients/simulation/random.ts';
import { until } from '../support/running.ts';
import { Children } from './processes/children.ts';
import { type FullDiskReport, fillDisk } from './processes/full-disk.ts';
import { type Program, runProgram } from './processes/program.ts';
import { questionsTo } from './processes/questions.ts';
import { createSite, type Site } from './processes/site.ts';
import { limitFileSize, mountSmallDisk, type SmallDisk } from './processes/small-disk.ts';
import { treeOf } from './processes/tree.ts';

const MINUTES_MS = 60_000;
/** Room for the tables and a few seconds of load. */
const DISK_MIB = 48;
/** Room for a few seconds of load. */
const LOG_MIB = 8;

const smallDisks: readonly (readonly [string, () => Promise<SmallDisk | undefined>])[] = [
  ['for log and store', () => mountSmallDisk(DISK_MIB)],
  ['for the log', () => limitFileSize(LOG_MIB)],
];

describe.each(smallDisks)('a disk that fills up %s', (what, makeDisk) => {
  let disk: SmallDisk | undefined;
  let report: FullDiskReport;

  beforeAll(async () => {
    // Where this process may not mount a file system, the limit on files is tried twice.
    disk = (await makeDisk()) ?? (await limitFileSize(LOG_MIB));
    process.stdout.write(`The disk that fills up ${what}: ${disk.name}\n`);
    report = await fillDisk(5, disk);
  }, 8 * MINUTES_MS);

  afterAll(() => disk?.remove());

  it('makes ingest answer 503 with Retry-After and a stable code', () => {
    expect(report.refusals.length).toBeGreaterThan(0);
    for (const { status, retryAfter, text } of report.refusals) {
      expect(status).toBe(503);
      expect(Number(retryAfter)).toBeGreaterThan(0);
      expect(['log_unavailable', 'overloaded', 'closing']).toContain(JSON.parse(text).code);
    }
  });

  it('does not keep the API from answering', () => {
    expect(new Set(report.answersWhileFull)).toEqual(new Set([200]));
  });

  it('is told of in words that say what to do, and not with every request', () => {
    expect(report.linesWhileFull.some((line) => /disk/.test(line))).toBe(true);
    expect(report.linesWhileFull.length).toBeLessThan(report.refusalsWhileFull / 2);
  });

  it('is never found full by LMDB, whose failed writes damage the memory of the process', () => {
    // LMDB prints each of them by itself; lines of ours are JSON.
    expect(report.linesWhileFull.filter((line) => !line.startsWith('{'))).toEqual([]);
  });

  it('has cost nothing that was accepted, once it has room', () => {
    expect(report.differences).toEqual([]);
    expect(report.ballastViews).toBeGreaterThan(10);
    expect(report.talliedViews).toBeGreaterThan(10);
  });
});

describe('a data directory that cannot be used', () => {
  let children: Children;
  let directory: string;
  let data: string;

  beforeEach(async () => {
    children = new Children();
    directory = await mkdtemp(join(tmpdir(), 'streamgauge-unusable-'));
    data = join(directory, 'data');
  });

  afterEach(async () => {
    await children.end();
    await rm(directory, { recursive: true });
  });

  /** Writes noise, always the same. */
  async function writeNoise(path: string, bytes: number): Promise<void> {
    const random = new Random(1, bytes);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, Buffer.from(Array.from({ length: bytes }, () => random.below(256))));
  }

  /** A directory that a program has used and left. */
  async function useData(): Promise<void> {
    const site = await createSite({ seed: 7, dataDirectory: data });
    const program = site.start();
    await program.ready;
    await program.end('SIGTERM');
    await site.clear();
  }

  const start = () => runProgram(children, ['--port', '0', '--data-dir', data]);

  const unusable: readonly (readonly [string, () => Promise<void>])[] = [
    ['a file in its place', () => writeNoise(data, 10)],
    ['a file in the place of the log', () => writeNoise(join(data, 'log'), 10)],
    ['a file in the place of the store', () => writeNoise(join(data, 'store'), 10)],
    ['a log of noise', () => writeNoise(join(data, 'log/data.mdb'), 100_000)],
    ['a log of a few bytes', () => writeNoise(join(data, 'log/data.mdb'), 100)],
    [
      'a log of zeros',
      async () => {
        await writeNoise(join(data, 'log/data.mdb'), 0);
        await truncate(join(data, 'log/data.mdb'), 100_000);
      },
    ],
    [
      'a log of which only the first page is left',
      async () => {
        await useData();
        await truncate(join(data, 'log/data.mdb'), 4_096);
      },
    ],
  ];

  it.each(unusable)('by %s is refused in one line, and left as it is', async (_, spoil) => {
    await spoil();
    const before = await treeOf(directory);
    const { code, signal, stdout, stderr } = await start();
    expect({ code, signal, stdout }).toEqual({ code: 1, signal: null, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(data)]);
    expect(await treeOf(directory)).toEqual(before);
  });

  it('by a store whose files are empty is refused, and nothing of the store is touched', async () => {
    await useData();
    const files = await readdir(join(data, 'store'), { recursive: true, withFileTypes: true });
    for (const file of files)
      if (file.isFile()) await truncate(join(file.parentPath, file.name), 0);
    const before = await treeOf(join(data, 'store'));
    const { code, stdout, stderr } = await start();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const lines = stderr.trim().split('\n');
    expect(lines.at(-1)).toContain(join(data, 'store'));
    // The engine has a word of its own to say before ours.
    expect(lines.length).toBeLessThanOrEqual(2);
    expect(await treeOf(join(data, 'store'))).toEqual(before);
  });
});

describe('a data directory', () => {
  /** Views are placed and ended soon. */
  const quick = { flags: ['--reorder-ms', '500'] };
  let site: Site;

  beforeEach(async () => {
    site = await createSite({ seed: 8 });
  });

  afterEach(() => site.clear());

  async function send(view: string): Promise<void> {
    const states = ['starting', 'playing', 'ended'];
    const events = states.map((state, seq) => ({
      seq,
      at: 1_767_225_600_000 + 1_000 * seq,
      type: 'state',
      state,
    }));
    const answer = await fetch(`${site.url}/v1/beats`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${site.tallied.key}` },
      body: JSON.stringify({ view, events }),
    });
    expect(answer.status).toBe(202);
  }

  /** Starts another on the same directory, on a port of its own. */
  function startSecond(): Promise<{ code: number | null; stderr: string }> {
    const where = ['--port', '0', '--data-dir', site.dataDirectory];
    return runProgram(site.children, [...where, '--log-level', 'warn']);
  }

  async function untilEnded(views: number): Promise<number> {
    const { overall } = questionsTo(site.url, site.tallied);
    await until(
      () => overall('ended_views'),
      (value) => value >= views,
    );
    return overall('playing_time');
  }

  it('that a program has open is refused to a second one in one line, and the first goes on', async () => {
    const first = site.start(quick);
    await first.ready;
    await send('before');
    const second = await startSecond();
    expect(second.code).toBe(1);
    expect(second.stderr.trim().split('\n')).toEqual([
      expect.stringContaining(`${site.dataDirectory}/log belongs to process`),
    ]);
    await send('after');
    expect(await untilEnded(2)).toBe(2_000);
    const verify = await site.run('verify');
    expect(verify.stdout).toContain('no differences');
    expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('is given to one of two programs that start together', async () => {
    const [one, other] = [
      site.start({ flags: ['--port', '0'] }),
      site.start({ flags: ['--port', '0'] }),
    ];
    const outcomes = await Promise.allSettled([one.ready, other.ready]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const loser: Program = outcomes[0]?.status === 'rejected' ? one : other;
    expect(await loser.ended).toEqual({ code: 1, signal: null });
  });

  it('whose store was taken away is concluded again from its log', async () => {
    const first = site.start(quick);
    await first.ready;
    await send('once');
    await send('twice');
    expect(await untilEnded(2)).toBe(2_000);
    await first.end('SIGTERM');
    await rm(join(site.dataDirectory, 'store'), { recursive: true });
    const second = site.start(quick);
    await second.ready;
    expect(await untilEnded(2)).toBe(2_000);
    const verify = await site.run('verify');
    expect(verify.stdout).toContain('no differences');
    await second.end('SIGTERM');
  });
});
