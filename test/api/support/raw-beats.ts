/**
 * Native beats of every kind of view, made up from a seed, and the way they travel: repeated, swapped, some reports lost.
 *
 * Guarantee: the same seed gives the same beats, shifted by `fromMs`; all lie in the two hours after it. What is lost is
 * a report that no state hangs on, and never a view's last.
 */
import { Dice, type RawContext, type RawEvent, Script } from './raw-script.ts';

export interface RawBeat {
  readonly view: string;
  readonly sentAt: number;
  readonly context: RawContext;
  readonly events: readonly RawEvent[];
}

/** All views lie within this time. */
export const SPAN_MS = 7_200_000;

/** What may happen while a view plays. Each ends in playing. */
const happenings: Readonly<Record<string, (script: Script) => unknown>> = {
  status: (script) => script.status(),
  requests: (script) => script.request().wait(1, 3_000).request(),
  rendition: (script) => script.rendition(),
  resized: (script) => script.player(),
  rebuffer: (script) => script.state('rebuffering').wait(5, 7_000).state('playing'),
  rebufferTwice: (script) => {
    script.state('rebuffering').wait(5, 2_000).state('playing').wait(30, 900);
    script.state('rebuffering').wait(5, 900).status().wait(5, 800).state('playing');
  },
  rebufferPaused: (script) => {
    script.state('rebuffering').wait(5, 900).state('paused').wait(50, 4_000);
    script.state('rebuffering').wait(5, 900).state('playing');
  },
  pausedRebuffer: (script) =>
    script.state('paused').wait(50, 9_000).state('rebuffering').wait(5, 900).state('playing'),
  paused: (script) => {
    script.state('paused').wait(50, 20_000).rendition().wait(50, 900).rendition().state('playing');
  },
  pausedLong: (script) => script.state('paused').wait(61_000, 300_000).state('playing'),
  seek: (script) => script.state('seeking').wait(5, 2_000).state('playing'),
  seekWaits: (script) =>
    script.state('seeking').wait(5, 900).state('rebuffering').wait(5, 3_000).state('playing'),
  seekTwice: (script) => {
    script.state('seeking').wait(5, 900).state('rebuffering').wait(5, 400).state('seeking');
    script.wait(5, 900).state('rebuffering').wait(5, 900).state('playing');
  },
  seekPaused: (script) => {
    script.state('paused').wait(50, 900).state('seeking').wait(5, 900).state('paused');
    script.wait(50, 900).state('rebuffering').wait(5, 900).state('playing');
  },
  restart: (script) => script.state('starting').wait(50, 4_000).state('playing'),
  restartPreloads: (script) =>
    script.state('preloading').wait(5, 900).state('starting').wait(5, 900).state('playing'),
  restartWaits: (script) =>
    script.state('starting').wait(5, 900).state('rebuffering').wait(5, 900).state('playing'),
  gap: (script) => script.wait(60_500, 200_000).status(),
  gapRebuffering: (script) => script.state('rebuffering').wait(60_500, 90_000).state('playing'),
  mildError: (script) => script.say('error', { code: 'buffer_stalled', fatal: false }),
  recovered: (script) => {
    script.say('error', { code: 'media_lost', fatal: true }).state('failed').wait(50, 9_000);
    script.state('playing');
  },
  recoveredWaiting: (script) =>
    script.state('failed').wait(50, 900).state('rebuffering').wait(5, 900).state('playing'),
  replayed: (script) =>
    script.state('ended').wait(50, 90_000).state('seeking').wait(5, 900).state('playing'),
  midroll: (script) => script.ad('midroll'),
  moved: (script) => {
    script.context = { ...script.context, cdn: script.dice.pick('fastly', 'akamai', 'cloudfront') };
    script.say('context', { context: { cdn: script.context.cdn ?? '' } });
  },
  mode: (script) => script.say('playback_mode', { mode: script.dice.pick('fullscreen', 'pip') }),
  custom: (script) => script.say('custom', { name: 'chapter', value: '3' }),
};

const fail = (script: Script, business: boolean): unknown =>
  script
    .say('error', { code: business ? 'geo_blocked' : 'decode', fatal: true, business })
    .state('failed');

/** How a view that plays comes to its end. The last are ends by silence. */
const endings: Readonly<Record<string, (script: Script) => unknown>> = {
  ended: (script) => script.state('ended'),
  endedTwice: (script) => script.state('ended').wait(50, 4_000).state('ended'),
  endedPaused: (script) => script.state('ended').state('paused').wait(5, 900).state('ended'),
  endedBeats: (script) => script.state('ended').wait(50, 9_000).status(),
  quit: (script) => script.state('quit'),
  quitSeeking: (script) => script.state('seeking').wait(5, 900).state('quit'),
  quitAwaitingAd: (script) => script.say('ad_request', { kind: 'midroll' }).state('quit'),
  failed: (script) => fail(script, false),
  failedQuit: (script) => {
    fail(script, false);
    script.wait(50, 900).state('quit');
  },
  refused: (script) => fail(script, true),
  unexplained: (script) => script.state('failed'),
  error: (script) => script.say('error', { code: 'network', fatal: true }),
  dropped: (script) => script.status(),
  droppedRebuffering: (script) => script.state('rebuffering').wait(5, 900).request(),
  pausedSilent: (script) => script.state('paused').wait(50, 900).status(),
};

/** How a view comes to its end that never played. */
const falseStarts: Readonly<Record<string, (script: Script) => unknown>> = {
  quitAtOnce: (script) => script.wait(5, 700).state('quit'),
  quit: (script) => script.wait(1_100, 9_000).state('quit'),
  quitAwaitingAd: (script) => script.wait(1_100, 2_000).say('ad_request').state('quit'),
  silent: (script) => script.wait(1_100, 9_000).request(),
  pausedSilent: (script) => script.wait(1_100, 9_000).state('paused'),
  failed: (script) => fail(script.wait(5, 9_000), false),
  refused: (script) => fail(script.wait(5, 9_000), true),
  unexplained: (script) => script.wait(5, 9_000).state('failed'),
  error: (script) => script.wait(5, 9_000).say('error', { code: 'manifest_404', fatal: true }),
};

function begin(script: Script): void {
  const { dice } = script;
  const timing = (): number => dice.whole(20, 4_000);
  if (dice.chance(0.3)) script.state('preloading').wait(5, 9_000);
  if (dice.chance(0.6))
    script.say('timing', {
      pageLoad: timing(),
      ...(dice.chance(0.8) ? { playerStartup: timing() } : {}),
      ...(dice.chance(0.3) ? { drm: timing() } : {}),
    });
  script.state('starting');
  if (script.sized && dice.chance(0.9)) script.player();
  if (dice.chance(0.3)) script.ad('preroll');
  for (let count = dice.whole(0, 3); count > 0; count--) script.wait(1, 400).request();
}

function startUp(script: Script): void {
  const { dice } = script;
  if (dice.chance(0.2)) script.state('paused').wait(50, 90_000).state('starting');
  if (dice.chance(0.2)) script.state('rebuffering').wait(5, 900);
  if (dice.chance(0.05)) script.wait(60_500, 90_000);
  if (dice.chance(0.8)) script.rendition();
  script.wait(5, 3_000).state('playing').wait(200, 9_000);
}

const anyOf = (dice: Dice, table: Readonly<Record<string, (script: Script) => unknown>>) =>
  dice.pick(...Object.values(table));

function play(script: Script): void {
  const { dice } = script;
  // One in ten says nothing before it plays.
  if (dice.chance(0.1)) script.state('playing').wait(50, 900);
  else {
    begin(script);
    startUp(script);
  }
  for (let count = dice.whole(0, 18); count > 0; count--) {
    anyOf(dice, happenings)(script);
    script.wait(100, dice.pick(900, 9_000, 40_000));
  }
  const end = dice.chance(0.4) ? endings.ended : anyOf(dice, endings);
  end?.(script);
}

function contextOf(dice: Dice): RawContext {
  const all: Record<string, string | undefined> = {
    viewer_user_id: dice.chance(0.7) ? `viewer-${dice.whole(1, 60)}` : undefined,
    country: dice.pick('DE', 'FR', 'US', "O'Brien\\land", undefined),
    cdn: dice.pick('fastly', 'akamai', undefined),
    player_name: dice.pick('hls.js', 'shaka', undefined),
    operating_system: dice.pick('macOS', 'Windows', 'Android'),
    custom_1: dice.pick('a', 'b', 'c:d', undefined),
    video_id: `video-${dice.whole(1, 9)}`,
  };
  return Object.fromEntries(
    Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

const losable = new Set(['request', 'status', 'custom', 'playback_mode', 'timing']);

/** Beats of one to ten events; the first carries the context, others now and then again. */
function cut(view: string, script: Script, context: RawContext, fromMs: number): RawBeat[] {
  const { dice } = script;
  const share = dice.pick(0, 0, 0.15);
  const placed = script.events.map((event) => ({ ...event, at: event.at + fromMs }));
  const last = placed.length - 1;
  const sent = placed.filter(
    ({ type, seq }) => seq === last || !losable.has(type) || !dice.chance(share),
  );
  const beats: RawBeat[] = [];
  let known = context;
  for (let at = 0; at < sent.length; ) {
    const events = sent.slice(at, at + dice.whole(1, 10));
    const sentAt = (events.at(-1)?.at ?? 0) + dice.whole(0, 90);
    beats.push({ view, sentAt, context: at === 0 || dice.chance(0.2) ? known : {}, events });
    known = Object.assign({}, known, ...events.map(({ context: changed }) => changed));
    at += events.length;
  }
  return beats;
}

/** The beats as they arrive: neighbours swapped, some twice. */
function travel(beats: readonly RawBeat[], dice: Dice): RawBeat[] {
  const arriving = [...beats];
  for (let at = 1; at < arriving.length; at++) {
    if (!dice.chance(0.15)) continue;
    const [beat] = arriving.splice(at, 1);
    if (beat !== undefined) arriving.splice(at - 1, 0, beat);
  }
  return arriving.flatMap((beat) => (dice.chance(0.1) ? [beat, beat] : [beat]));
}

/** Beats of `count` views in the two hours from `fromMs` on, view by view, as they arrive. */
export function generateBeats(count: number, seed: number, fromMs: number): RawBeat[][] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, index) => {
    const context = contextOf(dice);
    const script = new Script(dice, context);
    if (dice.chance(0.8)) play(script);
    else {
      begin(script);
      anyOf(dice, falseStarts)(script);
    }
    const offsetMs = dice.whole(0, SPAN_MS - script.lengthMs);
    return travel(cut(`view-${index}`, script, context, fromMs + offsetMs), dice);
  });
}
