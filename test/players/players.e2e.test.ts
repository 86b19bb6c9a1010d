/**
 * Unmodified releases of real players in a real browser, playing a real stream while a real Streamgauge listens: their
 * views have the figures that the video element knows.
 *
 * Truth and reports are two readings of one play, in one page, by one clock: how long something took is never asked, only
 * whether both say the same.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  edgeEvents,
  type Played,
  type Player,
  type Scenario,
  type Stage,
  startStage,
} from './support/stage.ts';
import { atOf, type TruthLine } from './support/truth.ts';

const PLAYERS = ['hls.js', 'dash.js', 'Shaka', 'Eyevinn SDK'] as const;
const SCENARIOS = ['clean', 'stall', 'seekpause'] as const;
const PLAYS = SCENARIOS.flatMap((scenario) => PLAYERS.map((player) => ({ player, scenario })));

/**
 * How far two readings of one moment may lie apart. A player reads its clock in a listener of the same media event as the
 * recorder, or of one beside it (Shaka and Eyevinn: `canplay` for `playing`), so between them lie a few tasks of a page
 * that decodes video on a busy machine; the forms carry whole ms.
 */
const READ_MS = 100;
/** A duration has two ends. */
const SPAN_MS = 2 * READ_MS;
/** CMCD carries bitrates as whole kbit/s. */
const BITRATE_RATIO = 0.01;
/** Only ends what hangs. */
const ALL_PLAYS_MS = 420_000;

let stage: Stage;
const plays = new Map<string, Promise<Played>>();

const nameOf = (player: Player, scenario: Scenario): string => `${player}, ${scenario}`;

function played(player: Player, scenario: Scenario): Promise<Played> {
  const play = plays.get(nameOf(player, scenario));
  if (play === undefined) throw new Error(`${nameOf(player, scenario)} was not started`);
  return play;
}

beforeAll(async () => {
  stage = await startStage();
  for (const { player, scenario } of [
    ...PLAYS,
    { player: 'Shaka, minified', scenario: 'clean' } as const,
  ]) {
    plays.set(nameOf(player, scenario), stage.play(player, scenario));
  }
  // A play that failed is told by its own tests.
  await Promise.allSettled(plays.values());
}, ALL_PLAYS_MS);

afterAll(() => stage?.close());

function expectNear(value: number | null, truth: number, within: number): void {
  expect(value).not.toBeNull();
  expect(Math.abs((value ?? 0) - truth)).toBeLessThanOrEqual(within);
}

/** What the manifest of a player declares for a rendition, as far as its form carries it, bit/s. */
function declared(player: Player, rendition: number): number {
  const { hls, dash } = stage.bitrates;
  if (player === 'Eyevinn SDK') return hls[rendition] ?? 0;
  const bitrate = (player === 'hls.js' ? hls : dash)[rendition] ?? 0;
  return Math.round(bitrate / 1_000) * 1_000;
}

describe.each(PLAYS)('$player, $scenario', ({ player, scenario }) => {
  const isEyevinn = player === 'Eyevinn SDK';

  it('becomes a view of its own form that ended', async () => {
    const { view, truth, complaints } = await played(player, scenario);
    expect(truth.ended).toBe(true);
    expect(view).toMatchObject({
      live: false,
      outcome: 'ended',
      source: isEyevinn ? 'epas' : 'cmcd',
      video_id: 'test-picture',
      source_type: player === 'hls.js' || isEyevinn ? 'hls' : 'dash',
      browser: 'Chrome',
    });
    expect(complaints).toEqual([]);
  });

  it('starts when the video did', async () => {
    const { view, truth } = await played(player, scenario);
    expectNear(view.video_startup_time, truth.startupMs, SPAN_MS);
    // No player begins before the page asks it to.
    expect(view.video_startup_time).toBeLessThanOrEqual(truth.loadMs + SPAN_MS);
  });

  it('rebuffers as often and as long as the video did, seeks told apart', async () => {
    const { view, truth } = await played(player, scenario);
    if (scenario === 'stall') expect(truth.rebufferCount).toBeGreaterThan(0);
    expect(view.rebuffer_count).toBe(truth.rebufferCount);
    expectNear(
      view.rebuffer_duration,
      truth.rebufferMs,
      SPAN_MS * Math.max(1, truth.rebufferCount),
    );
    if (scenario !== 'seekpause') return;
    expect(truth.seekCount).toBeGreaterThan(0);
    expectNear(view.seek_latency, truth.seekMs / truth.seekCount, SPAN_MS);
  });

  it('plays as long as the video did, pauses left out', async () => {
    const { view, truth } = await played(player, scenario);
    const { startupMs, playedMs, rebufferMs, seekMs } = truth;
    // Inner ends of the spans are moments that both sides share: what one has too much, its neighbour has too little.
    expectNear(view.playing_time, playedMs, 2 * SPAN_MS);
    expectNear(view.watch_time, startupMs + playedMs + rebufferMs + seekMs, 2 * SPAN_MS);
    if (scenario === 'seekpause') expect(truth.pausedMs).toBeGreaterThan(2 * SPAN_MS);
  });

  it('has every report, where they are numbered', async () => {
    const { view } = await played(player, scenario);
    expect(view.report_completeness).toBe(isEyevinn ? null : 1);
  });
});

describe('the bitrate', () => {
  it.each(PLAYERS)('of %s is that of the rendition it is kept to', async (player) => {
    const { view, truth } = await played(player, 'clean');
    expect(truth.heights).toEqual([216]);
    expect(view.weighted_average_bitrate).toBe(declared(player, 1));
    expect(view.rendition_change_count).toBe(0);
  });

  // Shaka reports no rendition that a viewer chose.
  it.each(['hls.js', 'dash.js', 'Eyevinn SDK'] as const)(
    'of %s changes between when another rendition is chosen and when it is shown',
    async (player) => {
      const { view, truth, lines } = await played(player, 'seekpause');
      expect(truth.heights).toEqual([216, 288]);
      expect(view.rendition_change_count).toBe(1);
      // hls.js tells the glue of the SDK a moment after the first new frame.
      const isShown = ({ height, bitrate }: TruthLine): boolean =>
        player === 'Eyevinn SDK' ? bitrate === declared(player, 2) : height === 288;
      const shownMs = lines.find(isShown)?.atMs ?? 0;
      const mean = (atMs: number): number =>
        truth.meanOver([
          { atMs: 0, value: declared(player, 1) },
          { atMs, value: declared(player, 2) },
        ]);
      const bitrate = view.weighted_average_bitrate;
      expect(bitrate).toBeGreaterThanOrEqual(mean(shownMs + SPAN_MS) * (1 - BITRATE_RATIO));
      expect(bitrate).toBeLessThanOrEqual(mean(atOf(lines, 'choose')) * (1 + BITRATE_RATIO));
    },
  );

  it('of the Eyevinn SDK is that which it was told, down in a stall and up again', async () => {
    const { view, truth, lines } = await played('Eyevinn SDK', 'stall');
    const told = lines.filter(({ type }) => type === 'bitrate');
    const mean = truth.meanOver(told.map(({ atMs, bitrate }) => ({ atMs, value: bitrate })));
    expect(told.length).toBeGreaterThan(1);
    expectNear(view.weighted_average_bitrate, mean, BITRATE_RATIO * mean);
    const changes = told.filter(({ bitrate }, index) => bitrate !== told[index - 1]?.bitrate);
    expect(view.rendition_change_count).toBe(changes.length - 1);
  });
});

describe('the log of the edge', () => {
  it.each(PLAYS.filter(({ player }) => player !== 'Eyevinn SDK'))(
    'of $player, $scenario, is beside what the player reports, request by request',
    async ({ player, scenario }) => {
      const { view, access } = await played(player, scenario);
      const bytes = access.reduce((sum, line) => sum + Number(line.body_bytes_sent), 0);
      // Two manifests at least, two init segments, and seven segments of picture and of tone.
      expect(access.length).toBeGreaterThan(14);
      expect(view.edge).toMatchObject({ requests: access.length, bytes });
      expect(edgeEvents(view.events)).toHaveLength(access.length);
    },
  );
});

describe('the SDK of EPAS', () => {
  it('adds nothing to the requests of its player: the log of its edge is of no view', async () => {
    const { view, access } = await played('Eyevinn SDK', 'clean');
    expect(access).toEqual([]);
    expect(view.edge).toBeNull();
  });
});

describe('the minified release of Shaka', () => {
  it('sends no state: its view says what is known, and nothing that is not', async () => {
    const { view, access } = await played('Shaka, minified', 'clean');
    expect(view).toMatchObject({
      outcome: 'stateless',
      video_id: 'test-picture',
      source_type: 'dash',
      video_startup_time: null,
      rebuffer_count: null,
      playing_time: null,
    });
    expect(access.length).toBeGreaterThan(14);
    expect(edgeEvents(view.events)).toHaveLength(access.length);
    expect(view.events.some(({ name }) => name === 'bc')).toBe(true);
  });
});

describe('the figures of all views together', () => {
  const overall = async (metric: string, measurement: string): Promise<number> => {
    const path = `/data/v1/metrics/${metric}/overall?timeframe[]=1:hours&measurement=${measurement}`;
    return (await stage.server.get<{ data: { value: number } }>(path)).data.value;
  };

  it('are the sums of the views, to the millisecond', async () => {
    const all = await Promise.all(PLAYS.map(({ player, scenario }) => played(player, scenario)));
    const sum = (value: (view: Played['view']) => number | null): number =>
      all.reduce((total, { view }) => total + (value(view) ?? 0), 0);
    expect(await overall('started_views', 'count')).toBe(all.length);
    expect(await overall('playing_time', 'sum')).toBe(sum((view) => view.playing_time));
    expect(await overall('rebuffer_duration', 'sum')).toBe(sum((view) => view.rebuffer_duration));
    expect(await overall('rebuffer_count', 'sum')).toBe(sum((view) => view.rebuffer_count));
  });
});
