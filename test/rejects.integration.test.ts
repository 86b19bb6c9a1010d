/** Rejects as an operator meets them: listed, shown and taken once more, beside a running server and without one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askControl } from '../platform/control/client.ts';
import { Children } from './chaos/processes/children.ts';
import { type CommandResult, runProgram } from './chaos/processes/program.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const children = new Children();
let dataDir: string;
let server: TestServer;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  // One beat of a body is taken: the others are rejects that nothing is wrong with.
  server = await startTestServer({ dataDir, beatsPerBodyMax: 1 });
  const taken = await server.post(
    '/v1/beats',
    `[${beat('first')}, ${beat('second')}, ${beat('third')}]`,
  );
  expect(taken.status).toBe(202);
  const hostile = await server.post('/v1/beats', '{"view": "\x1b[2Jgone\n\x9b31m');
  expect(hostile.status).toBe(400);
  await until(rejectedRows, (rows) => rows === 2);
});

afterAll(async () => {
  await children.end();
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

function beat(view: string): string {
  const at = Date.now();
  return JSON.stringify({
    view,
    context: { viewer_user_id: 'alice' },
    events: ['starting', 'playing', 'ended'].map((state, seq) => ({
      ...{ seq, at: at - 3_000 + seq * 1_000 },
      ...{ type: 'state', state },
    })),
  });
}

async function rejectedRows(): Promise<number> {
  const [row] = await server.store.query<{ rows: number }>('SELECT count() AS rows FROM rejected');
  return row?.rows ?? 0;
}

function rejects(...args: string[]): Promise<CommandResult> {
  return runProgram(children, ['rejects', ...args, '--data-dir', dataDir]);
}

async function idOf(code: string): Promise<string> {
  const { stdout } = await rejects('list', '--each', '--code', code, '--json');
  return (JSON.parse(stdout) as { id: string }).id;
}

/** Views, each with who watched. */
async function viewers(): Promise<Record<string, string>> {
  const rows = await server.store.query<{ id: string; viewer: string }>(
    'SELECT view_id AS id, viewer_user_id AS viewer FROM views FINAL',
  );
  return Object.fromEntries(rows.map(({ id, viewer }) => [id, viewer]));
}

describe('rejects list', () => {
  it('counts by reason, and says when and why', async () => {
    const { code, stdout } = await rejects('list');
    expect(code).toBe(0);
    const [head, ...lines] = stdout.trim().split('\n');
    expect(head).toMatch(/^project +route +code +rejects +first +last +message$/);
    expect(lines).toHaveLength(2);
    expect(stdout).toMatch(
      /default +\/v1\/beats +too_many_beats +1 +\d{4}-.+Z +\d{4}-.+Z +the body/,
    );
  });

  it('takes what is asked for only', async () => {
    const nowMs = Date.now();
    for (const filter of [
      { project: 'other' },
      { route: '/v1/cmcd' },
      { code: "' OR 1=1 --" },
      { fromMs: nowMs + 60_000 },
      { toMs: nowMs - 86_400_000 },
    ]) {
      const lines: string[] = [];
      const args = { filter, each: false, limit: 9, json: false };
      await askControl(dataDir, 'rejects-list', args, (line) => lines.push(line));
      expect(lines).toEqual(['no rejects']);
    }
    const later = new Date(nowMs + 60_000).toISOString();
    const where = ['--project', 'default', '--route', '/v1/beats', '--from', '2020-01-01'];
    const all = await rejects('list', ...where, '--to', later, '--json');
    expect(all.stdout.trim().split('\n')).toHaveLength(2);
    const one = await rejects('list', '--each', '--limit', '1', '--json');
    expect(JSON.parse(one.stdout)).toMatchObject({ code: 'body_malformed', project: 'default' });
  });
});

describe('rejects show', () => {
  it('has everything of one, and nothing in it reaches the terminal as it is', async () => {
    const { code, stdout } = await rejects('show', await idOf('body_malformed'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^code +body_malformed$/m);
    expect(stdout).toMatch(/^bytes +\d+, shown as text$/m);
    // The body is written as UTF-8.
    expect(stdout).toContain('  {"view": "\\x1b[2Jgone\n  \\x9b31m\n');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('has the bytes as they are kept, as base64', async () => {
    const { stdout } = await rejects('show', await idOf('too_many_beats'), '--json');
    const { bytes } = JSON.parse(stdout) as { bytes: string };
    const text = Buffer.from(bytes, 'base64').toString();
    expect(text).toContain('"view":"third"');
    expect(text).not.toContain('alice');
  });

  it('says when there is none, or that an id is none', async () => {
    expect(await rejects('show', '0-999999')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('there is no reject 0-999999'),
    });
    expect(await rejects('show', 'x')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('rejects replay', () => {
  it('must be told which', async () => {
    const { code, stderr } = await rejects('replay');
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('--code')]);
  });

  it('takes what can be taken now, with the viewer as stored, once', async () => {
    const before = await until(viewers, (seen) => seen.first !== undefined);
    const id = await idOf('too_many_beats');
    const tried = await rejects('replay', id, '--dry-run');
    expect(tried).toMatchObject({ code: 0 });
    expect(tried.stdout).toContain('1 of 1 rejects would be replayed: 6 events');

    const done = await rejects('replay', id);
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain('1 of 1 rejects replayed: 6 events');
    // The fold knows each report again.
    expect(await rejects('replay', '--code', 'too_many_beats')).toMatchObject({ code: 0 });
    const after = await until(viewers, (seen) => seen.third !== undefined);
    expect(after).toEqual({ first: before.first, second: before.first, third: before.first });
    expect(before.first).toMatch(/^[0-9a-f]{32}$/);

    const duplicates = () =>
      server.store.query<{ events: number; twice: number }>(
        'SELECT sum(events) AS events, sum(events_duplicate) AS twice FROM epochs',
      );
    const [told] = await until(duplicates, ([row]) => row?.events === 15);
    expect(told).toEqual({ events: 15, twice: 6 });
  });

  it('of what is wrong still says so, exits with 1, and makes no row more', async () => {
    const { code, stdout } = await rejects('replay', '--code', 'body_malformed');
    expect(code).toBe(1);
    expect(stdout).toContain('0 of 1 rejects replayed');
    expect(stdout).toContain('rejected again: 1 body_malformed');
    expect(await rejectedRows()).toBe(2);
  });

  it('leaves nothing for verify to find', async () => {
    const { code, stdout } = await runProgram(children, ['verify', '--data-dir', dataDir]);
    expect(stdout).toContain('no differences');
    expect(code).toBe(0);
  });
});

it('a server tells how many went for their budget', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  for (const what of ['rows', 'bytes']) {
    expect(text).toMatch(new RegExp(`^streamgauge_rejected_evicted_${what}_total 0$`, 'm'));
  }
});

describe('without a server', () => {
  it('the engines are opened, and what is replayed waits in the log', async () => {
    await server.stop();
    expect((await rejects('list')).stdout).toContain('too_many_beats');
    const { code, stdout } = await rejects('replay', '--route', '/v1/beats');
    expect(code).toBe(0);
    expect(stdout).toContain('1 of 2 rejects replayed: 6 events');
  });
});
