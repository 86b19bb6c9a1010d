/** The sender and the command of `simulate`, against a server of this process. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulate } from '../../../../ingest/clients/simulate.ts';
import { runSimulateCommand } from '../../../../ingest/clients/simulate-command.ts';
import {
  readSimulateArgs,
  type SimulateArgs,
  SimulateError,
  startAtMs,
} from '../../../../ingest/clients/simulate-options.ts';
import {
  createSimulateSender,
  type SimulateSenderLimits,
  simulateSenderLimits,
} from '../../../../ingest/clients/simulate-sender.ts';
import type { SimulationItem } from '../../../../ingest/clients/simulation/reports.ts';
import type { Truth } from '../../../../ingest/clients/simulation/truth.ts';

interface Arrival {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (arrival: Arrival, response: ServerResponse, nth: number) => void;

/** As ingest answers: what it took, where it says so. */
const accept: Answer = ({ path, body }, response) => {
  if (path !== '/v1/beats') {
    response.writeHead(path === '/v1/cmcd' ? 204 : 202).end();
    return;
  }
  const beats = JSON.parse(body) as { events: unknown[] }[];
  const accepted = beats.reduce((sum, { events }) => sum + events.length, 0);
  response.writeHead(202).end(JSON.stringify({ accepted, rejected: [], rejectedTotal: 0 }));
};

let server: Server;
let url: string;
let arrivals: Arrival[];
let answer: Answer;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamgauge-simulate-'));
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

function sender(limits: Partial<SimulateSenderLimits> = {}) {
  const quick = { backoffMsMin: 1, backoffMsMax: 4, retryAfterMsMax: 5 };
  return createSimulateSender({
    url,
    key: 'secret',
    limits: { ...simulateSenderLimits, ...quick, ...limits },
  });
}

function item(origin: number, number: number, kind: SimulationItem['kind'] = 'native') {
  const payload =
    kind === 'native' ? `{"view":"v${origin}","events":[${number}]}` : `${origin} ${number}\n`;
  return { atMs: number, kind, origin, payload, reports: 1 };
}

const bodies = (): string[] => arrivals.map(({ body }) => body);

describe('the sender', () => {
  it('puts what many viewers have queued into one body, each kind to its route, with the key', async () => {
    const to = sender({ lanes: { native: 1, cmcd: 1, edge: 1 } });
    for (const kind of ['native', 'cmcd', 'edge'] as const)
      for (const origin of [1, 2]) to.offer(item(origin, 0, kind));
    await to.drained();
    const seen = arrivals.map(({ path, body, headers }) => [path, headers['content-type'], body]);
    expect(seen.sort()).toEqual([
      ['/v1/beats', 'application/json', '[{"view":"v1","events":[0]},{"view":"v2","events":[0]}]'],
      ['/v1/cmcd', 'application/cmcd', '1 0\n2 0\n'],
      ['/v1/edge/ndjson?time_unit=ms', 'application/x-ndjson', '1 0\n2 0\n'],
    ]);
    expect(arrivals[0]?.headers.authorization).toBe('Bearer secret');
    expect(to.counts.native).toMatchObject({ bodies: 1, reports: 2, accepted: 2, rejected: 0 });
  });

  it('cuts bodies at their limits', async () => {
    const to = sender({ lanes: { native: 1, cmcd: 1, edge: 1 }, bodyItemsMax: 2 });
    for (let number = 0; number < 5; number++) to.offer(item(0, number, 'cmcd'));
    await to.drained();
    expect(bodies()).toEqual(['0 0\n0 1\n', '0 2\n0 3\n', '0 4\n']);
  });

  it('sends the same bytes again after 503 and 429, and lets nothing of the viewer pass', async () => {
    const to = sender({ bodyItemsMax: 1 });
    answer = (arrival, response, nth) => {
      if (nth > 2) return accept(arrival, response, nth);
      response.writeHead(nth === 1 ? 503 : 429, { 'retry-after': '0' }).end();
    };
    to.offer(item(1, 1));
    to.offer(item(1, 2));
    await to.drained();
    const first = `[${item(1, 1).payload}]`;
    expect(bodies()).toEqual([first, first, first, `[${item(1, 2).payload}]`]);
    expect(to.counts.native).toMatchObject({ bodies: 2, accepted: 2, retries: 2, failedBodies: 0 });
  });

  it('gives a body up after a bounded number of attempts, and counts what was in it', async () => {
    const to = sender({ attemptsMax: 3 });
    answer = (_arrival, response) => response.writeHead(503).end('{"code":"log_unavailable"}');
    to.offer(item(1, 1));
    await to.drained();
    expect(arrivals).toHaveLength(3);
    expect(to.counts.native).toMatchObject({
      failedBodies: 1,
      failedReports: 1,
      accepted: 0,
      retries: 2,
      answers: { '503 log_unavailable': 1 },
    });
  });

  it('skips a kind whose route the server lacks from then on, and counts it', async () => {
    const to = sender();
    answer = (arrival, response, nth) => {
      if (!arrival.path.startsWith('/v1/edge')) return accept(arrival, response, nth);
      response.writeHead(501).end();
    };
    to.offer(item(1, 1, 'edge'));
    await to.drained();
    to.offer(item(1, 2, 'edge'));
    to.offer(item(1, 3));
    await to.drained();
    expect(arrivals.map(({ path }) => path)).toEqual(['/v1/edge/ndjson?time_unit=ms', '/v1/beats']);
    expect(to.counts.edge).toMatchObject({ skipped: 2, failedBodies: 0, accepted: 0 });
  });

  it('takes the server at its word for what was rejected', async () => {
    const to = sender();
    answer = (_arrival, response) =>
      response.writeHead(202).end('{"accepted":3,"rejected":[{"beat":0}],"rejectedTotal":4}');
    to.offer({ ...item(1, 1), reports: 7 });
    await to.drained();
    expect(to.counts.native).toMatchObject({ accepted: 3, rejected: 4 });
  });

  it('stops when the key is refused', async () => {
    const to = sender();
    answer = (_arrival, response) => response.writeHead(401).end();
    to.offer(item(1, 1));
    await expect(to.drained()).rejects.toMatchObject({ code: 'simulate_key_refused' });
  });

  it('says so when nobody listens', async () => {
    const nowhere = createSimulateSender({
      url: 'http://127.0.0.1:9',
      key: 'dev',
      limits: simulateSenderLimits,
    });
    nowhere.offer(item(1, 1));
    await expect(nowhere.drained()).rejects.toMatchObject({ code: 'simulate_unreachable' });
  });

  it('makes the simulation wait while the queue is full', async () => {
    const to = sender({ queuedCharsMax: 10, lanes: { native: 1, cmcd: 1, edge: 1 } });
    let release = (): void => undefined;
    answer = (arrival, response, nth) => {
      release = () => accept(arrival, response, nth);
    };
    to.offer(item(1, 1));
    let hasRoom = false;
    const room = to.room().then(() => {
      hasRoom = true;
    });
    while (arrivals.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    release();
    await room;
    expect(hasRoom).toBe(true);
  });
});

describe('the options', () => {
  const wrong: readonly (readonly [SimulateArgs, RegExp])[] = [
    [{ url: 'localhost' }, /--url/],
    [{ key: 'a b' }, /--key/],
    [{ viewers: '0' }, /--viewers/],
    [{ viewers: '1.5' }, /--viewers/],
    [{ duration: '-1' }, /--duration/],
    [{ duration: '99999999' }, /--duration/],
    [{ seed: 'x' }, /--seed/],
    [{ speed: '-2', duration: 1 }, /--speed/],
    [{ speed: 'fast', duration: 1 }, /--speed/],
    [{ speed: 2 }, /needs --duration/],
    [{ storm: '5' }, /--storm/],
    [{ edgeDelay: '-1' }, /--edge-delay/],
    [{ edgeDelay: 90_000 }, /--edge-delay/],
    [{ edgeDuplicates: '1.5' }, /--edge-duplicates/],
    [{ cdns: '/nowhere/cdns.json' }, /--cdns .*cannot be read/],
  ];
  it.each(wrong)('refuse %j with a sentence', (args, sentence) => {
    expect(() => readSimulateArgs(args)).toThrow(SimulateError);
    expect(() => readSimulateArgs(args)).toThrow(sentence);
  });

  it('have defaults, and a trusted key where clocks run apart', () => {
    expect(readSimulateArgs({})).toMatchObject({ key: 'dev', viewers: 100, speed: 1, seed: 1 });
    const fast = readSimulateArgs({ speed: 'max', duration: '60' });
    expect(fast).toMatchObject({ key: 'dev-trusted', speed: Number.POSITIVE_INFINITY });
    expect(fast.edges).toEqual({ delayMs: 0, duplicateShare: 0, shuffles: false });
    expect(
      readSimulateArgs({ edgeDelay: '1.5', edgeDuplicates: '0.2', edgeShuffle: true }),
    ).toMatchObject({ edges: { delayMs: 1_500, duplicateShare: 0.2, shuffles: true } });
    expect(readSimulateArgs({ speed: 0, duration: 60 }).speed).toBe(Number.POSITIVE_INFINITY);
    expect(readSimulateArgs({ storm: '100000/10' }).storm).toEqual({
      viewers: 100_000,
      withinMs: 10_000,
    });
  });

  it('begin the simulated clock so that it ends about now', () => {
    const at = (args: SimulateArgs): number => startAtMs(readSimulateArgs(args), 1_000_000);
    expect(at({ duration: 60 })).toBe(1_000_000);
    expect(at({ duration: 60, speed: 10 })).toBe(1_000_000 + 6_000 - 60_000);
    expect(at({ duration: 60, speed: 'max' })).toBe(1_000_000 - 60_000);
  });
});

describe('simulate', () => {
  /** A clock on which waiting takes no time, and time passes only by waiting. */
  function handClock() {
    let nowMs = 0;
    const wait = async (ms: number): Promise<void> => {
      nowMs += ms;
    };
    return { nowMs: () => nowMs, wallMs: () => 1_767_225_600_000 + nowMs, wait };
  }

  it('sends nothing before its moment, and ends every view', async () => {
    const clock = handClock();
    const sentAt: number[] = [];
    answer = (arrival, response, nth) => {
      for (const [, at] of arrival.body.matchAll(/"sentAt":(\d+)/g))
        sentAt.push(Number(at) - clock.wallMs());
      accept(arrival, response, nth);
    };
    const plan = readSimulateArgs({ url, viewers: 10, duration: 20 });
    const { truth, counts, stopped } = await simulate({ plan, clock });
    expect(Math.max(...sentAt)).toBeLessThanOrEqual(0);
    expect(stopped).toBe(false);
    expect(counts.native.accepted + counts.cmcd.accepted).toBe(truth.reports);
    const edgeRequests = Object.values(truth.delivered).reduce(
      (sum, { requests }) => sum + requests,
      0,
    );
    expect(counts.edge.accepted).toBe(edgeRequests);
  });

  it('ends gracefully when it is stopped', async () => {
    const clock = handClock();
    const controller = new AbortController();
    const plan = readSimulateArgs({ url, viewers: 10 });
    const { truth, stopped } = await simulate({
      plan,
      clock,
      signal: controller.signal,
      onProgress: ({ simulatedMs }) => {
        if (simulatedMs >= 15_000) controller.abort();
      },
    });
    expect(stopped).toBe(true);
    expect(truth.outcomes.quit).toBeGreaterThan(0);
    const quits =
      bodies()
        .join('')
        .match(/"state":"quit"|sta=q/g) ?? [];
    expect(quits.length).toBeGreaterThanOrEqual(truth.outcomes.quit ?? 0);
  });

  it('steps in pieces that are sent before the next, when it has fallen behind', async () => {
    let nowMs = 0;
    const wait = async (ms: number): Promise<void> => {
      nowMs += ms < 200 ? 8_000 : ms;
    };
    const clock = { nowMs: () => nowMs, wallMs: () => 1_767_225_600_000, wait };
    const plan = readSimulateArgs({ url, viewers: 5, duration: 30 });
    const { behindMsMax } = await simulate({ plan, clock });
    expect(behindMsMax).toBeGreaterThan(0);
  });
});

describe('the simulate command', () => {
  function io() {
    const stdout = new PassThrough().setEncoding('utf8');
    const stderr = new PassThrough().setEncoding('utf8');
    const signal = new AbortController().signal;
    return { stdout, stderr, signal, said: () => [stdout.read() ?? '', stderr.read() ?? ''] };
  }

  it('writes the truth and what became of the messages, and exits 0', async () => {
    const truth = join(folder, 'truth.json');
    const streams = io();
    const args = { url, viewers: '15', duration: '30', speed: 'max', seed: '3', truth };
    expect(await runSimulateCommand(args, streams)).toBe(0);
    const [out] = streams.said();
    expect(out).toMatch(/^kind +bodies +reports +accepted/m);
    expect(out).toMatch(/^truth: \d+ views/m);
    const written = JSON.parse(await readFile(truth, 'utf8')) as Truth & {
      transport: { native: { accepted: number }; cmcd: { accepted: number } };
    };
    expect(written.view_list).toHaveLength(written.views);
    const { native, cmcd } = written.transport;
    expect(native.accepted + cmcd.accepted).toBe(written.reports);
  });

  it('exits 1 when something was refused, and says what', async () => {
    answer = (arrival, response, nth) => {
      if (arrival.path !== '/v1/cmcd') return accept(arrival, response, nth);
      response.writeHead(400).end('{"code":"malformed"}');
    };
    const streams = io();
    const args = { url, viewers: 15, duration: 20, speed: 'max' };
    expect(await runSimulateCommand(args, streams)).toBe(1);
    expect(streams.said()[1]).toMatch(/cmcd: answered 400 malformed/);
  });

  it('exits 2 for a wrong option or a file that cannot be written, before anything is sent', async () => {
    const streams = io();
    expect(await runSimulateCommand({ url, viewers: 'many' }, streams)).toBe(2);
    const truth = join(folder, 'missing', 'truth.json');
    expect(await runSimulateCommand({ url, duration: 1, truth }, streams)).toBe(2);
    const cdns = join(folder, 'cdns.json');
    await writeFile(cdns, '{"cdns":[],"trouble":[]}');
    expect(await runSimulateCommand({ url, duration: 1, cdns }, streams)).toBe(2);
    expect(streams.said()[1]).toMatch(/--viewers[^\n]*\n--truth[^\n]*\n(--cdns[^\n]*\n){2}$/);
    expect(arrivals).toEqual([]);
  });

  it('exits 1 when nobody listens', async () => {
    const streams = io();
    const args = { url: 'http://127.0.0.1:9', duration: 5, speed: 'max' };
    expect(await runSimulateCommand(args, streams)).toBe(1);
    expect(streams.said()[1]).toMatch(/No ingest answers/);
  });
});
