import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReplayOptions, type ReplayResult, replay } from '../../../ingest/clients/replay.ts';
import { runReplayCommand } from '../../../ingest/clients/replay-command.ts';

interface Arrival {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (arrival: Arrival, response: ServerResponse, nth: number) => void;

const accept: Answer = (_arrival, response) => response.writeHead(204).end();

let folder: string;
let server: Server;
let url: string;
let arrivals: Arrival[];
let answer: Answer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamgauge-replay-'));
  arrivals = [];
  answer = accept;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const arrival = { path: request.url ?? '', headers: request.headers, body };
      arrivals.push(arrival);
      answer(arrival, response, arrivals.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  url = `http://127.0.0.1:${address.port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

interface PostParts {
  readonly url?: string;
  readonly method?: string;
  readonly body?: string;
  readonly type?: string;
  readonly userAgent?: string;
  readonly status?: number;
}

function post(t: number, parts: PostParts = {}): string {
  const headers = [['Content-Type', parts.type ?? 'application/cmcd']];
  if (parts.userAgent !== undefined) headers.push(['User-Agent', parts.userAgent]);
  return JSON.stringify({
    t,
    method: parts.method ?? 'POST',
    url: parts.url ?? '/cmcd/event',
    headers,
    body: parts.body ?? `e=t,sid="a",ts=${t},v=2\n`,
    status: parts.status ?? 204,
  });
}

function access(seconds: number, method = 'GET'): string {
  const msec = seconds.toFixed(3);
  return JSON.stringify({ msec, request_method: method, request_uri: `/${msec}`, status: 200 });
}

async function record(name: string, files: Record<string, readonly string[]>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  for (const [file, lines] of Object.entries(files)) {
    await writeFile(join(path, file), `${lines.join('\n')}\n`);
  }
  return path;
}

function run(options: Partial<ReplayOptions> = {}): Promise<ReplayResult> {
  return replay({
    paths: [folder],
    url,
    key: 'dev',
    forms: ['cmcd', 'epas', 'edge'],
    ...options,
    limits: { backoffMsMin: 1, backoffMsMax: 4, ...options.limits },
  });
}

const paths = (): string[] => arrivals.map(({ path }) => path);
const bodies = (): string[] => arrivals.map(({ body }) => body);

describe('replay', () => {
  it('sends posts and log lines of a recording in recorded order, each to its route', async () => {
    await record('one', {
      'posts.ndjson': [post(1_000), post(20_000, { url: '/epas', body: '{"event":"init"}' })],
      'access.ndjson': [access(12), access(10)],
    });
    await run();
    expect(paths()).toEqual(['/v1/cmcd', '/v1/edge/nginx', '/v1/epas']);
    expect(arrivals[1]?.body).toBe(`${access(10)}\n${access(12)}\n`);
  });

  it('keeps one request of a recording in flight, and plays several recordings side by side', async () => {
    await record('a', { 'posts.ndjson': [1, 2, 3].map((t) => post(t, { body: `a${t}` })) });
    await record('b', { 'posts.ndjson': [1, 2, 3].map((t) => post(t, { body: `b${t}` })) });
    // The first of each is answered only when the first of the other has come.
    const held: ServerResponse[] = [];
    answer = (arrival, response, nth) => {
      if (!arrival.body.endsWith('1')) return accept(arrival, response, nth);
      held.push(response);
      if (held.length === 2) {
        expect(bodies().sort()).toEqual(['a1', 'b1']);
        for (const waiting of held) waiting.writeHead(204).end();
      }
    };
    await run();
    expect(bodies().filter((body) => body.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(bodies().filter((body) => body.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
  });

  it('sends body, content type and user agent as recorded, with the key', async () => {
    const body = 'cid="ü",e=ps,sid="s",v=2\n\n';
    await record('one', {
      'posts.ndjson': [post(1, { body, type: 'text/cmcd', userAgent: 'UA/1' })],
    });
    await run({ key: 'secret' });
    expect(arrivals[0]?.body).toBe(body);
    expect(arrivals[0]?.headers).toMatchObject({
      'content-type': 'text/cmcd',
      'user-agent': 'UA/1',
      authorization: 'Bearer secret',
    });
  });

  it('gives trimmed posts the user agent of the recording, and none where none is known', async () => {
    const preflight = post(2, { method: 'OPTIONS', userAgent: 'UA/2' });
    await record('one', { 'posts.ndjson': [post(1), preflight, post(3)] });
    await run();
    expect(arrivals.map(({ headers }) => headers['user-agent'])).toEqual(['', 'UA/2']);
  });

  it('leaves out preflights, beacons of other vendors and forms not asked for, and counts them', async () => {
    await record('one', {
      'posts.ndjson': [
        post(1, { method: 'OPTIONS' }),
        post(2, { url: '/' }),
        post(3, { url: '/epas' }),
        post(4),
      ],
      'access.ndjson': [access(1, 'OPTIONS'), access(2)],
    });
    const result = await run({ forms: ['cmcd', 'edge'] });
    expect(paths()).toEqual(['/v1/cmcd', '/v1/edge/nginx']);
    expect(arrivals[1]?.body).toBe(`${access(2)}\n`);
    expect(result.leftOutLines).toBe(4);
    expect(Object.keys(result.forms)).toEqual(['cmcd', 'edge']);
  });

  it('sends posts whose recorded answer was 503 like the others', async () => {
    await record('one', { 'posts.ndjson': [post(1, { status: 503 }), post(2)] });
    expect((await run()).forms.cmcd).toMatchObject({ requests: 2, acceptedRecords: 2 });
  });

  it('cuts log lines into batches of bounded lines and span', async () => {
    const lines = [access(1), access(2), access(3), access(100)];
    await record('one', { 'access.ndjson': lines });
    await run({ limits: { edgeBatchLinesMax: 2 } });
    expect(bodies().map((body) => body.trim().split('\n'))).toEqual([
      lines.slice(0, 2),
      lines.slice(2, 3),
      lines.slice(3),
    ]);
  });

  it('cuts log lines into batches of bounded bytes, and sends a line that is too large alone', async () => {
    const lines = [access(1), access(2), access(3)];
    const lineBytes = (lines[0]?.length ?? 0) + 1;
    await record('one', { 'access.ndjson': lines });
    await run({ limits: { edgeBatchBytesMax: 2 * lineBytes } });
    await run({ limits: { edgeBatchBytesMax: 1 } });
    expect(bodies().map((body) => body.trim().split('\n').length)).toEqual([2, 1, 1, 1, 1]);
  });

  it('counts lines of accepted bodies, or what the answer says was accepted and rejected', async () => {
    await record('one', {
      'posts.ndjson': [
        post(1, { body: 'e=t\ne=ps\n' }),
        post(2, { url: '/epas', type: 'application/json', body: '[{},{},{}]' }),
      ],
      'access.ndjson': [access(1), access(2), access(3)],
    });
    answer = ({ path }, response) => {
      if (path !== '/v1/edge/nginx') return response.writeHead(200).end();
      return response.writeHead(202).end('{"accepted":1,"rejected":[{}],"rejectedTotal":2}');
    };
    const { forms } = await run();
    expect(forms.cmcd).toMatchObject({ acceptedRecords: 2, rejectedRecords: 0 });
    expect(forms.epas).toMatchObject({ acceptedRecords: 3, rejectedRecords: 0 });
    expect(forms.edge).toMatchObject({ requests: 1, acceptedRecords: 1, rejectedRecords: 2 });
  });

  it.each([404, 501])(
    'asks once for a route answered %i and skips its form from then on',
    async (status) => {
      await record('one', {
        'posts.ndjson': [post(3_000)],
        'access.ndjson': [access(1), access(2), access(90)],
      });
      answer = ({ path }, response) => {
        response.writeHead(path === '/v1/cmcd' ? 204 : status).end('{"code":"not_available"}');
      };
      const { forms } = await run({ limits: { edgeBatchLinesMax: 1 } });
      expect(paths()).toEqual(['/v1/edge/nginx', '/v1/cmcd']);
      expect(forms.edge).toMatchObject({ requests: 0, failed: 0, skipped: 3 });
      expect(forms.edge?.answers).toEqual({ [`${status} not_available`]: 1 });
      expect(forms.cmcd).toMatchObject({ acceptedRecords: 1, skipped: 0 });
    },
  );

  it.each([429, 503])(
    'sends again what was answered %i, before anything later of the recording',
    async (status) => {
      await record('one', { 'posts.ndjson': [post(1, { body: 'a' }), post(2, { body: 'b' })] });
      answer = (_arrival, response, nth) => response.writeHead(nth <= 2 ? status : 204).end();
      const { forms } = await run();
      expect(bodies()).toEqual(['a', 'a', 'a', 'b']);
      expect(forms.cmcd).toMatchObject({ requests: 2, acceptedRecords: 2, failed: 0, retries: 2 });
    },
  );

  it('waits no longer than its limit when Retry-After asks for an hour', async () => {
    await record('one', { 'posts.ndjson': [post(1)] });
    answer = (_arrival, response, nth) =>
      response.writeHead(nth === 1 ? 503 : 204, { 'retry-after': '3600' }).end();
    expect((await run({ limits: { retryAfterMsMax: 5 } })).forms.cmcd?.retries).toBe(1);
  });

  it('gives a request up after a bounded number of attempts and counts it as failed', async () => {
    await record('one', { 'posts.ndjson': [post(1, { body: 'e=t\ne=t\n' })] });
    answer = (_arrival, response) => response.writeHead(503).end('{"code":"log_overloaded"}');
    const { forms } = await run({ limits: { attemptsMax: 3 } });
    expect(arrivals).toHaveLength(3);
    expect(forms.cmcd).toMatchObject({ requests: 1, failed: 1, rejectedRecords: 2, retries: 2 });
    expect(forms.cmcd?.answers).toEqual({ '503 log_overloaded': 1 });
  });

  it('sends again what a connection that broke may have lost', async () => {
    await record('one', { 'posts.ndjson': [post(1, { body: 'a' }), post(2, { body: 'b' })] });
    answer = (_arrival, response, nth) => {
      if (nth === 2) response.destroy();
      else response.writeHead(204).end();
    };
    const { forms } = await run();
    expect(bodies()).toEqual(['a', 'b', 'b']);
    expect(forms.cmcd).toMatchObject({ acceptedRecords: 2, failed: 0, retries: 1 });
  });

  it('counts other refusals by status and code, and goes on', async () => {
    await record('one', { 'posts.ndjson': [post(1), post(2), post(3)] });
    answer = (_arrival, response, nth) =>
      nth < 3
        ? response.writeHead(400).end('{"code":"body_malformed"}')
        : accept(_arrival, response, nth);
    const { forms } = await run();
    expect(forms.cmcd).toMatchObject({ requests: 3, failed: 2, acceptedRecords: 1 });
    expect(forms.cmcd?.answers).toEqual({ '400 body_malformed': 2 });
  });

  it('counts broken lines and sends the good ones beside them', async () => {
    await record('one', {
      'posts.ndjson': ['{"t":1,"method":', post(2), '[]', '{"t":"late"}'],
      'access.ndjson': ['GET / 200', access(1), '{"request_uri":"/"}'],
    });
    const result = await run();
    expect(result.brokenLines).toBe(5);
    expect(result.forms.cmcd?.acceptedRecords).toBe(1);
    expect(result.forms.edge?.acceptedRecords).toBe(1);
  });

  it('finds recordings in folders at any depth, and tells the kind of a single file by its lines', async () => {
    await record('deep/er/one', { 'posts.ndjson': [post(1, { body: 'deep' })] });
    const other = await record('other', { 'edge.log': [access(1)] });
    const { recordings } = await run({ paths: [join(folder, 'deep'), join(other, 'edge.log')] });
    expect(recordings).toBe(2);
    expect(paths().sort()).toEqual(['/v1/cmcd', '/v1/edge/nginx']);
  });

  it('sends each request at its recorded moment divided by the speed', async () => {
    await record('one', { 'posts.ndjson': [post(1_000), post(5_000), post(301_000)] });
    let nowMs = 7;
    const sentMs: number[] = [];
    answer = (arrival, response, nth) => {
      sentMs.push(nowMs);
      accept(arrival, response, nth);
    };
    const clock = {
      nowMs: () => nowMs,
      wait: async (ms: number) => {
        nowMs += ms;
      },
    };
    await run({ speed: 2, clock });
    expect(sentMs).toEqual([7, 7 + 2_000, 7 + 150_000]);
  });

  it('stops when its signal is aborted, and says what was done until then', async () => {
    await record('one', { 'posts.ndjson': [post(1), post(2), post(3)] });
    const stop = new AbortController();
    const result = await run({
      signal: stop.signal,
      onProgress: ({ requestsDone }) => requestsDone === 2 && stop.abort(),
    });
    expect(result.stopped).toBe(true);
    expect(result.forms.cmcd?.requests).toBe(2);
  });

  it('tells progress in bytes up to all of them', async () => {
    await record('one', {
      'posts.ndjson': [post(1), post(2, { url: '/' })],
      'access.ndjson': [access(1)],
    });
    const shares: number[] = [];
    await run({ onProgress: ({ bytesDone, bytesTotal }) => shares.push(bytesDone / bytesTotal) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it.each([
    [{ url: 'nowhere' }, 'replay_option_invalid'],
    [{ speed: 0 }, 'replay_option_invalid'],
    [{ key: 'two words' }, 'replay_option_invalid'],
    [{ paths: ['/nowhere/at/all'] }, 'replay_path_missing'],
    [{ limits: { recordingBytesMax: 1 } }, 'replay_recording_too_large'],
  ])('refuses %j with %s', async (options, code) => {
    await record('one', { 'posts.ndjson': [post(1)] });
    await expect(run(options)).rejects.toMatchObject({ code });
    expect(arrivals).toEqual([]);
  });

  it('refuses a folder without recordings', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'replay_nothing_found' });
  });
});

describe('the replay command', () => {
  async function command(options: { url?: string; forms?: string[] } = {}) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const code = await runReplayCommand({ paths: [folder], url, ...options }, { stdout, stderr });
    return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
  }

  it('prints a table of counts and exits 0 when all was taken', async () => {
    await record('one', { 'posts.ndjson': [post(1)], 'access.ndjson': [access(1), access(2)] });
    const { code, stdout, stderr } = await command();
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['form', 'requests', 'accepted', 'rejected', 'failed', 'skipped', 'retries'],
      ['cmcd', '1', '1', '0', '0', '0', '0'],
      ['edge', '1', '2', '0', '0', '0', '0'],
    ]);
  });

  it('draws a bar on a terminal', async () => {
    await record('one', { 'posts.ndjson': [post(1)] });
    const stdout = Object.assign(new PassThrough(), {
      isTTY: true,
      columns: 80,
      cursorTo: () => true,
      clearLine: () => true,
      moveCursor: () => true,
    });
    await runReplayCommand({ paths: [folder], url }, { stdout, stderr: new PassThrough() });
    const shown = String(stdout.read());
    expect(shown).toContain('#####');
    expect(shown).toContain('100 % | 1 requests');
  });

  it('exits 1 and hints at the key when every request is refused', async () => {
    await record('one', { 'posts.ndjson': [post(1)] });
    answer = (_arrival, response) => response.writeHead(401).end('{"code":"key_unknown"}');
    const { code, stderr } = await command();
    expect(code).toBe(1);
    expect(stderr).toContain('401 key_unknown');
    expect(stderr).toContain('--key');
  });

  it('exits 0 when only a form that the server lacks was skipped, and says so', async () => {
    await record('one', { 'posts.ndjson': [post(1)], 'access.ndjson': [access(1)] });
    answer = ({ path }, response) => response.writeHead(path === '/v1/cmcd' ? 204 : 501).end();
    const { code, stderr } = await command();
    expect(code).toBe(0);
    expect(stderr).toContain('1 requests were skipped');
  });

  it('says in one line how to start an ingest when none answers, and exits 1', async () => {
    await record('one', { 'posts.ndjson': [post(1)] });
    const gone = url;
    await new Promise((resolve) => server.close(resolve));
    const { code, stdout, stderr } = await command({ url: gone });
    server.listen(0, '127.0.0.1');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `No ingest answers at ${gone}: start one with "npm start", or give its address with --url.\n`,
    );
  });

  it('exits 2 on a wrong option', async () => {
    const { code, stderr } = await command({ forms: ['mux'] });
    expect(code).toBe(2);
    expect(stderr).toBe('--form mux is unknown: it is one of cmcd, epas, edge.\n');
  });
});
