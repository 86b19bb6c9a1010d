/** A stream, its origin, a Streamgauge and a browser: where plays happen, several at a time. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startTestServer, type TestServer, until } from '../../support/running.ts';
import { readLibraries } from './libraries.ts';
import { type AccessLine, type Origin, startOrigin } from './origin.ts';
import { makeStream, RENDITIONS, type StreamBitrates } from './stream.ts';
import { type Truth, type TruthLine, truthOf } from './truth.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Pictures are decoded in software: more at a time only wait for each other. */
const PLAYS_AT_A_TIME = 4;
/** A play that lasts so much longer than its stream has no end. */
const PLAY_MS_MAX = 90_000;
/** The segment whose answer is held in a stall, of those after the first. */
const HELD_SEGMENT = 4;
/** The rendition that a player is kept to, and the one that its viewer chooses later. */
const KEPT = 1;
const CHOSEN = 2;

export type Player = 'hls.js' | 'dash.js' | 'Shaka' | 'Shaka, minified' | 'Eyevinn SDK';
export type Scenario = 'clean' | 'stall' | 'seekpause';

/** Of a view's detail, what is compared. Times are ms, bitrates bit/s. */
export interface ViewDetail {
  readonly live: boolean;
  readonly outcome: string;
  readonly source: string;
  readonly video_id: string;
  readonly source_type: string;
  readonly browser: string;
  readonly video_startup_time: number | null;
  readonly rebuffer_count: number | null;
  readonly rebuffer_duration: number | null;
  readonly playing_time: number | null;
  readonly watch_time: number | null;
  readonly seek_latency: number | null;
  readonly weighted_average_bitrate: number | null;
  readonly rendition_change_count: number | null;
  readonly report_completeness: number | null;
  readonly edge: { readonly requests: number; readonly bytes: number } | null;
  readonly events: readonly { readonly name: string; readonly lane: string }[];
}

/** A play that is over: what truly happened, what the edge logged, what Streamgauge says. */
export interface Played {
  readonly truth: Truth;
  readonly lines: readonly TruthLine[];
  /** Requests that told the edge which view they are of. */
  readonly access: readonly AccessLine[];
  readonly view: ViewDetail;
  /** Errors that the browser wrote into its console. */
  readonly complaints: readonly string[];
}

export interface Stage {
  readonly server: TestServer;
  readonly bitrates: StreamBitrates;
  play(player: Player, scenario: Scenario): Promise<Played>;
  close(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium.`);
  const stream = await mkdtemp(join(tmpdir(), 'streamgauge-stream-'));
  const bitrates = await makeStream(stream);
  const origin = await startOrigin({ stream, libraries: await readLibraries() });
  const server = await startTestServer();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  const turn = pLimit(PLAYS_AT_A_TIME);
  const parts: Parts = { browser, origin, server, turn, openViews: shared(() => list(server)) };
  return {
    server,
    bitrates,
    play: (player, scenario) => playOne(parts, { player, scenario, sid: randomUUID() }),
    close: async () => {
      await browser.close();
      await origin.close();
      await server.close();
      await rm(stream, { recursive: true, force: true });
    },
  };
}

interface Parts {
  readonly browser: Browser;
  readonly origin: Origin;
  readonly server: TestServer;
  /** Lets only so many play at once; waiting for Streamgauge is not playing. */
  readonly turn: LimitFunction;
  /** Of each view whether it is live. */
  openViews(): Promise<Readonly<Record<string, boolean>>>;
}

interface Play {
  readonly player: Player;
  readonly scenario: Scenario;
  readonly sid: string;
}

async function playOne(parts: Parts, play: Play): Promise<Played> {
  const { browser, origin, server, turn } = parts;
  const { sid } = play;
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    const lines = await turn(() => watch(page, parts, play));
    const logged = [...origin.accessLines(sid)];
    await sendEdge(server, logged);
    const access = logged.filter(isOfView);
    // The page stays open until its view is closed: closing it would drop what is still on its way.
    const view = await viewOf(parts, play, access.length);
    return { truth: truthOf(lines), lines, access, view, complaints };
  } finally {
    await context.close();
  }
}

function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (said) => {
    if (said.type() === 'error') complaints.push(said.text());
  });
  return complaints;
}

/** Plays to the end. */
async function watch(page: Page, { origin, server }: Parts, play: Play): Promise<TruthLine[]> {
  const { player, scenario, sid } = play;
  await page.goto(origin.pageUrl);
  await page.waitForFunction('window.play !== undefined');
  if (scenario === 'stall') origin.hold(sid, HELD_SEGMENT);
  const stream = origin.streamUrl(sid);
  const plan = {
    ...{ player, scenario, sid, contentId: 'test-picture', release: origin.releaseUrl(sid) },
    ...{ hls: `${stream}/master.m3u8`, dash: `${stream}/manifest.mpd` },
    cmcd: `${server.url}/v1/cmcd?key=dev`,
    epas: `${server.url}/v1/epas?key=dev`,
    // In a stall players choose by themselves, and step down.
    ...(scenario === 'stall' ? {} : { rendition: RENDITIONS[KEPT] }),
    next: RENDITIONS[CHOSEN],
  };
  const [lines] = await Promise.all([
    page.evaluate<TruthLine[]>(`play(${JSON.stringify(plan)})`),
    // Only ends what hangs.
    page.waitForFunction('window.isOver', undefined, { timeout: PLAY_MS_MAX, polling: 250 }),
  ]);
  return lines;
}

async function list(server: TestServer): Promise<Readonly<Record<string, boolean>>> {
  const path = '/data/v1/video-views?timeframe[]=1:hours&limit=100';
  const { data } = await server.get<{ data: { id: string; live: boolean }[] }>(path);
  return Object.fromEntries(data.map(({ id, live }) => [id, live]));
}

/** Who asks while another's question is under way has its answer: those who wait do not slow down those who play. */
function shared<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

const detailOf = async (server: TestServer, sid: string): Promise<ViewDetail> =>
  (await server.get<{ data: ViewDetail }>(`/data/v1/video-views/${sid}`)).data;

/**
 * Whether a request tells the edge which view it is of: CMCD stands in the query, encoded, or in headers, and the SDK of
 * EPAS adds nothing. Preflights of the browser are in the log, and no requests of a view.
 */
function isOfView(line: AccessLine): boolean {
  const { request_method: method, request_uri: uri = '', http_cmcd_session: session } = line;
  return method !== 'OPTIONS' && (/sid%3D/i.test(uri) || session !== '');
}

/** Gives the edge's log of a play to Streamgauge. */
async function sendEdge(server: TestServer, lines: readonly AccessLine[]): Promise<void> {
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const answer = await server.post('/v1/edge/nginx?cdn=test-edge', body);
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** The view, once it is closed and has the requests of its edge. */
async function viewOf(
  { server, openViews }: Parts,
  { player, sid }: Play,
  requests: number,
): Promise<ViewDetail> {
  // Without states nothing tells that it ended: it is looked at while it is live.
  const mayBeLive = player === 'Shaka, minified';
  if (!mayBeLive) await until(openViews, (open) => open[sid] === false);
  await until(
    () => detailOf(server, sid).then(edgeCounts, () => NOTHING_YET),
    ({ counted, listed }) => listed === requests && (mayBeLive || counted === requests),
  );
  return detailOf(server, sid);
}

/** Of a view that is not there yet. */
const NOTHING_YET = { counted: 0, listed: 0 };

function edgeCounts({ edge, events }: ViewDetail): { counted: number; listed: number } {
  return { counted: edge?.requests ?? 0, listed: edgeEvents(events).length };
}

/** Of a timeline what came from the edge. */
export function edgeEvents(events: ViewDetail['events']): ViewDetail['events'] {
  return events.filter(({ lane }) => lane === 'edge');
}
