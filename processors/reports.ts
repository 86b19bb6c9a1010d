/**
 * Applies one report to its view: moves the clock, credits time, takes each part.
 *
 * A report of the driving source in order is taken whole. What comes too late gives its requests, errors and context;
 * what comes from another source gives its values.
 */
import { PLAYBACK_MODES } from '../schemas/beat.ts';
import { type BeatCursor, PART } from './cursor.ts';
import type { Delivery } from './delivery/delivery.ts';
import { requestOfPlayer } from './delivery/player-request.ts';
import { impliedState, isIdleState } from './epas-states.ts';
import type { Intervals } from './intervals.ts';
import { isTimestamp } from './log-time.ts';
import { takeClaim } from './player-claims.ts';
import type { FoldSettings } from './settings.ts';
import { isEnd, STATE } from './states.ts';
import { creditSubviews, followReport, type Rendition } from './subviews.ts';
import type { Taken } from './timeline-event.ts';
import { UNKNOWN } from './track.ts';
import type { TrackName, View } from './view.ts';
import { contextStamp, indexOfDimension, RANK } from './view-context.ts';

/** Live latency beyond this is no live playback and stays out, ms. */
const LIVE_LATENCY_MAX_MS = 300_000;
/** What nobody has: values beyond count as not said, so that sums stay what they are. As ingest takes them, or wider. */
const BITRATE_MAX = 1e10;
const PIXELS_MAX = 65_535;
const MILLI_FPS_MAX = 1_000_000;
const CODEC_CHARS_MAX = 64;
const FRAMES_MAX = 1e12;
const BYTES_MAX = 1e13;
const DURATION_MS_MAX = 86_400_000;
const FATAL = { no: 0, yes: 1, unknown: 2 } as const;
/** Source whose players count by themselves. */
const CMCD_SOURCE = 1;
const MEDIA_KINDS = new Set([1, 2]);
const CDN = indexOfDimension('cdn');
const SOURCE_RANKS = [RANK.native, RANK.cmcd, RANK.epas] as const;

export interface Report {
  readonly source: number;
  readonly run: number;
  /** Log time at which it came, ms. */
  readonly arrivedMs: number;
  /** The latest moment at which something it says may have happened, ms. */
  readonly latestMs: number;
  /** Where what happens in each window goes. */
  readonly intervals: Intervals;
  /** Where requests go, and the epoch under way. */
  readonly delivery: Delivery;
  readonly epoch: number;
}

/** Why a report was refused after it was read. */
export type Refusal = 'time_out_of_range';

export function rankOf(source: number, lane: number): number {
  return lane === 1 ? RANK.response : (SOURCE_RANKS[source] ?? RANK.epas);
}

/** Applies a report of the main lane whose turn it is. */
export function applyInOrder(
  view: View,
  cursor: BeatCursor,
  report: Report,
  settings: FoldSettings,
): Taken | Refusal {
  if (!isTimestamp(cursor.at)) return 'time_out_of_range';
  const { clock, driver, driverHasStates } = view;
  const stateCode = stateOf(cursor);
  const earliestMs = earliestOf(view, report.arrivedMs, settings);
  if (takesOver(view, report.source, stateCode >= 0)) {
    // Before what the view has is let go: a refused report must not leave it without a start.
    if (clock.placeAt(cursor.at) < earliestMs) return 'time_out_of_range';
    view.takeOver(report.source);
  } else if (!drives(view, report.source, stateCode >= 0)) {
    if (!keepAside(view, cursor, report, earliestMs)) return 'time_out_of_range';
    if (stateCode >= 0) view.reportsShadowed++;
    takeParts(view, cursor, report, cursor.at, false);
    return 'shadowed';
  }
  const { lastAt, lineMs, adjustMs, disordered } = clock;
  const elapsedMs = clock.advance(cursor.at, report.arrivedMs, settings.futureMs);
  if (clock.placeLine(clock.lineMs) < earliestMs) {
    // As if it had not come.
    Object.assign(clock, { lastAt, lineMs, adjustMs, disordered });
    Object.assign(view, { driver, driverHasStates });
    return 'time_out_of_range';
  }
  clock.keep(clock.lineMs, earliestMs);
  // After a take-over it is another.
  const { machine } = view;
  creditTime(view, elapsedMs, cursor.at, report.intervals, settings);
  machine.touch(clock.lineMs);
  const { rebufferCount, started } = machine;
  const before = { state: machine.state, rebufferCount, errorCount: view.errorCount };
  noticeRun(view, report, stateCode);
  const implied = impliedState(cursor, report.source, machine);
  if (implied >= 0) takeState(view, implied);
  const contentMs = takeParts(view, cursor, report, cursor.at, true);
  followReport(view, before, contentMs, settings);
  if (machine.started !== started) report.intervals.started(view, clock.lineMs, machine.startupMs);
  if (machine.rebufferCount !== rebufferCount) report.intervals.rebufferStarted(view, clock.lineMs);
  report.intervals.active(view, machine.state, clock.lineMs);
  return 'yes';
}

/** Gives time to the state held: to the view's figures and, the same milliseconds, to the windows they fall in. */
function creditTime(
  view: View,
  elapsedMs: number,
  at: number,
  intervals: Intervals,
  settings: FoldSettings,
): void {
  const { clock, machine } = view;
  const { rebufferMs, state, playing } = machine;
  const playedMs = playing.totalMs;
  const { gapMs } = settings;
  machine.credit(elapsedMs, at - elapsedMs, gapMs);
  const rebuffering = machine.rebufferMs > rebufferMs;
  intervals.credit(view, state, clock.lineMs - elapsedMs, Math.min(elapsedMs, gapMs), rebuffering);
  creditSubviews(view, playing.totalMs - playedMs, machine.rebufferMs - rebufferMs, settings);
}

/** Applies a report about a request, or one whose place was given up: it changes no state. */
export function applyAside(
  view: View,
  cursor: BeatCursor,
  report: Report,
  settings: FoldSettings,
  late: boolean,
): Taken | Refusal {
  if (!isTimestamp(cursor.at)) return 'time_out_of_range';
  const earliestMs = earliestOf(view, report.arrivedMs, settings);
  if (!keepAside(view, cursor, report, earliestMs)) return 'time_out_of_range';
  if (cursor.lane === 1) {
    takeParts(view, cursor, report, responseEnd(cursor), false);
  } else {
    takeLateParts(view, cursor, report);
  }
  return late ? 'late' : 'yes';
}

/** What lies before is refused, ms: nothing that a row can tell lies before 1970. */
function earliestOf(view: View, arrivedMs: number, settings: FoldSettings): number {
  return Math.max(0, arrivedMs - (view.clock.trusted ? settings.retentionMs : settings.pastMs));
}

/** Keeps the place of a report that moves no clock. False when it lies too far in the past. */
function keepAside(view: View, cursor: BeatCursor, report: Report, earliestMs: number): boolean {
  const { clock } = view;
  const lineMs = Math.min(clock.lineAt(cursor.at), latestLine(view, report));
  if (clock.placeLine(lineMs) < earliestMs) return false;
  clock.keep(lineMs, earliestMs);
  view.asideLineMs = Math.min(view.asideLineMs, lineMs);
  return true;
}

/** Where what lies too far ahead of the log is put on the view's line: its clock has stepped, or is wrong. */
function latestLine({ clock }: View, { latestMs }: Report): number {
  return latestMs - clock.shiftMs;
}

/** True when the report's source makes the view's states, perhaps from now on. */
function drives(view: View, source: number, hasState: boolean): boolean {
  if (view.driver < 0) {
    view.driver = source;
    view.driverHasStates = hasState;
    return true;
  }
  if (view.driver !== source) return false;
  if (hasState) view.driverHasStates = true;
  return true;
}

/** True when the report's source is to make the view's states instead of another. */
function takesOver(view: View, source: number, hasState: boolean): boolean {
  if (!hasState || view.driver < 0 || view.driver === source) return false;
  return !view.driverHasStates || (source < view.driver && !view.machine.started);
}

/** A new run of reports is a restart, unless its first report says that the view goes on. */
function noticeRun(view: View, report: Report, stateCode: number): void {
  const before = view.runsSeen[report.source] ?? 0;
  view.runsSeen[report.source] = report.run;
  if (report.run === before) return;
  const goesOn = stateCode === STATE.playing || stateCode === STATE.paused || isEnd(stateCode);
  if (!goesOn) view.machine.restart();
}

function stateOf(cursor: BeatCursor): number {
  for (let index = 0; index < cursor.partCount; index++) {
    if (cursor.partTypes[index] === PART.state) {
      cursor.seekPart(index);
      const state = cursor.readLong();
      return isState(state) ? state : STATE.none;
    }
  }
  return STATE.none;
}

/** The bytes may hold any number where a state is said. */
function isState(code: number): boolean {
  return code >= STATE.preloading && code <= STATE.quit;
}

/** A response's values hold from when its last byte came. */
function responseEnd(cursor: BeatCursor): number {
  for (let index = 0; index < cursor.partCount; index++) {
    if (cursor.partTypes[index] === PART.request) {
      cursor.seekPart(index);
      for (let skipped = 0; skipped < 4; skipped++) cursor.readLong();
      const ttlbMs = cursor.readLong();
      return ttlbMs <= DURATION_MS_MAX ? cursor.at + Math.max(0, ttlbMs) : cursor.at;
    }
  }
  return cursor.at;
}

/** Takes what a report says. Returns the position in the content that it says, ms; -1 without. */
function takeParts(
  view: View,
  cursor: BeatCursor,
  report: Report,
  at: number,
  inOrder: boolean,
): number {
  let contentMs = -1;
  const moment: Moment = {
    source: report.source,
    at,
    inOrder,
    order: contextStamp(cursor.lane === 1 ? 0 : 1, report.run, cursor.seq),
    arrivedMs: report.arrivedMs,
    settings: report.intervals.settings,
  };
  for (let index = 0; index < cursor.partCount; index++) {
    cursor.seekPart(index);
    switch (cursor.partTypes[index]) {
      case PART.state:
        if (inOrder) takeSaidState(view, cursor.readLong(), report.source);
        break;
      case PART.rendition:
        takeRendition(view, cursor, moment);
        break;
      case PART.status:
        contentMs = Math.max(contentMs, takeStatus(view, cursor, moment));
        break;
      case PART.playbackMode:
        if (inOrder) takeMode(view, cursor.readLong());
        break;
      case PART.error:
        takeError(view, cursor, inOrder);
        break;
      default:
        takeOther(view, cursor, report, index);
    }
  }
  return contentMs;
}

/** What holds whenever it comes: requests, timings, ads and what is said of the view. */
function takeOther(view: View, cursor: BeatCursor, report: Report, index: number): void {
  switch (cursor.partTypes[index]) {
    case PART.request:
      takeRequest(view, cursor, report);
      break;
    case PART.timing:
      takeTiming(view, cursor);
      break;
    case PART.ad:
      takeAd(view, cursor.readLong());
      break;
    case PART.custom:
      if (report.source !== CMCD_SOURCE) break;
      takeClaim(view, cursor.readText(), cursor.readText(), cursor.lane, cursor.at);
      break;
    case PART.context: {
      const start = cursor.partStarts[index] ?? 0;
      const end = cursor.partEnds[index] ?? 0;
      const stamp = contextStamp(rankOf(report.source, cursor.lane), report.run, cursor.seq);
      if (view.context.take(cursor, start, end, stamp)) view.tuple = -1;
      break;
    }
  }
}

function takeLateParts(view: View, cursor: BeatCursor, report: Report): void {
  for (let index = 0; index < cursor.partCount; index++) {
    cursor.seekPart(index);
    if (cursor.partTypes[index] === PART.error) takeError(view, cursor, false);
    else takeOther(view, cursor, report, index);
  }
}

/** When a value was said, and by whom. */
interface Moment {
  readonly source: number;
  /** Client's timestamp, ms. */
  readonly at: number;
  /** The report is in the order of states: the playing time before it is known. */
  readonly inOrder: boolean;
  /** Orders values of one moment by lane, run and number, so that arrival does not matter. */
  readonly order: number;
  readonly arrivedMs: number;
  readonly settings: FoldSettings;
}

function addPoint(view: View, track: TrackName, moment: Moment, value: number): void {
  const { at, order, arrivedMs } = moment;
  const { playing } = view.machine;
  const playedMs = moment.inOrder ? playing.totalMs : undefined;
  view.track(track, moment.source).add({ at, order, arrivedMs, playedMs, value }, playing);
}

function takeSaidState(view: View, state: number, source: number): void {
  if (!isIdleState(source, state, view.machine)) takeState(view, state);
}

function takeState(view: View, state: number): void {
  const { clock, machine } = view;
  if (!isState(state)) return;
  const wasEnd = isEnd(machine.state);
  machine.enter(state, clock.lineMs);
  const plays = state === STATE.playing && machine.state === STATE.playing;
  const endsWell = state === STATE.ended && !wasEnd && machine.started;
  if (plays || endsWell) {
    view.errorPending = false;
    view.errorWeight = -1;
  }
}

function takeRendition(view: View, cursor: BeatCursor, moment: Moment): void {
  const bitrate = view.believed(cursor.readLong(), BITRATE_MAX);
  const selected = cursor.readLong() === 1;
  const width = view.believed(cursor.readLong(), PIXELS_MAX, 0);
  const height = view.believed(cursor.readLong(), PIXELS_MAX, 0);
  if (bitrate > 0) {
    addPoint(view, selected ? 'selected' : 'shown', moment, bitrate);
    if (moment.inOrder && (!selected || view.shown === undefined)) view.bitrateNow = bitrate;
  }
  if (moment.inOrder) {
    const milliFps = view.believed(cursor.readLong(), MILLI_FPS_MAX, 0);
    const said = { bitrate, width, height, milliFps, codec: cursor.readText() };
    holdRendition(view, said, selected, moment.settings);
  }
  // Sizes hold until the next rendition in order says others; one without sizes makes them unknown.
  if (!moment.inOrder || (width === view.sourceWidth && height === view.sourceHeight)) return;
  view.sourceWidth = width;
  view.sourceHeight = height;
  takeScale(view, moment);
}

function holdRendition(
  view: View,
  said: Rendition,
  selected: boolean,
  { renditionsPerViewMax }: FoldSettings,
): void {
  const isLong = view.believed(said.codec.length, CODEC_CHARS_MAX) < 0;
  const rendition = {
    bitrate: Math.max(0, said.bitrate),
    width: Math.max(0, said.width),
    height: Math.max(0, said.height),
    milliFps: Math.max(0, said.milliFps),
    codec: isLong ? '' : said.codec,
  };
  view.said.holdRendition(rendition, selected, renditionsPerViewMax);
}

function takeMode(view: View, mode: number): void {
  if (mode >= 0 && mode < PLAYBACK_MODES.length) view.said.holdMode(mode);
}

/** Returns the position in the content, ms; negative where it is not said. */
function takeStatus(view: View, cursor: BeatCursor, moment: Moment): number {
  const contentMs = cursor.readLong();
  cursor.readLong();
  const latencyMs = cursor.readLong();
  const dropped = view.believed(cursor.readLong(), FRAMES_MAX);
  const shown = view.believed(cursor.readLong(), FRAMES_MAX);
  const width = view.believed(cursor.readLong(), PIXELS_MAX, 0);
  const height = view.believed(cursor.readLong(), PIXELS_MAX, 0);
  if (latencyMs >= 0) {
    const isLive = latencyMs <= LIVE_LATENCY_MAX_MS;
    addPoint(view, 'latency', moment, isLive ? latencyMs : UNKNOWN);
    view.latencyNow = isLive ? latencyMs : -1;
  }
  if (!moment.inOrder) return contentMs;
  if (dropped >= 0) view.droppedFrames = dropped;
  if (shown >= 0) view.shownFrames = shown;
  const isOther = width !== view.playerWidth || height !== view.playerHeight;
  if (width > 0 && height > 0 && isOther) {
    view.playerWidth = width;
    view.playerHeight = height;
    takeScale(view, moment);
  }
  return contentMs;
}

/** Enlargement of the source in the player, in the dimension that fits first, 10⁻⁶. */
function takeScale(view: View, moment: Moment): void {
  const { sourceWidth, sourceHeight, playerWidth, playerHeight } = view;
  const known = sourceWidth > 0 && sourceHeight > 0 && playerWidth > 0 && playerHeight > 0;
  const fit = Math.min(playerWidth / sourceWidth, playerHeight / sourceHeight);
  const value = known ? Math.round((fit - 1) * 1e6) : UNKNOWN;
  addPoint(view, 'scale', moment, value);
}

function takeError(view: View, cursor: BeatCursor, inOrder: boolean): void {
  const code = cursor.readText();
  cursor.skipText();
  const fatal = cursor.readLong();
  const business = cursor.readBoolean();
  const weight = fatal === FATAL.yes ? 2 : fatal === FATAL.unknown ? 1 : 0;
  view.errorCount++;
  if (weight >= view.errorWeight) {
    view.errorWeight = weight;
    view.errorCode = code;
    view.errorBusiness = business;
  }
  if (!inOrder) return;
  if (fatal === FATAL.yes) view.machine.enter(STATE.failed, view.clock.lineMs);
  else if (fatal === FATAL.unknown) view.errorPending = true;
}

function takeRequest(view: View, cursor: BeatCursor, report: Report): void {
  const kind = cursor.readLong();
  const status = cursor.readLong();
  const bytes = view.believed(cursor.readLong(), BYTES_MAX);
  const ttfbMs = view.believed(cursor.readLong(), DURATION_MS_MAX);
  const ttlbMs = view.believed(cursor.readLong(), DURATION_MS_MAX);
  const urlKey = cursor.readUrlKey();
  const cdn = cursor.readText();
  if (
    cdn !== '' &&
    view.context.set(CDN, cdn, contextStamp(RANK.request, report.run, cursor.seq))
  ) {
    view.tuple = -1;
  }
  const said = { status, bytes, ttfbMs, totalMs: ttlbMs, urlKey, cdn };
  const lineMs = Math.min(view.clock.lineAt(cursor.at), latestLine(view, report));
  report.delivery.takePlayer(view, requestOfPlayer(cursor, kind, said, lineMs), report.epoch);
  view.requestCount++;
  if (status === 0 || status >= 400) view.requestFailedCount++;
  const succeeded = (status >= 200 && status < 300) || status === 304;
  if (!succeeded || !MEDIA_KINDS.has(kind)) return;
  if (ttfbMs >= 0) {
    view.mediaTtfbSumMs += ttfbMs;
    view.mediaTtfbCount++;
    view.mediaTtfbMaxMs = Math.max(view.mediaTtfbMaxMs, ttfbMs);
    // A response's timestamp is its request's; a native event comes when the request is over.
    const byteMs = view.clock.lineAt(cursor.lane === 1 ? cursor.at + ttfbMs : cursor.at);
    report.intervals.firstByte(view, Math.min(byteMs, latestLine(view, report)), ttfbMs);
  }
  if (bytes >= 0 && ttlbMs > 0) {
    view.mediaBytes += bytes;
    view.mediaTimeMs += ttlbMs;
  }
}

function takeTiming(view: View, cursor: BeatCursor): void {
  const pageLoadMs = view.believed(cursor.readLong(), DURATION_MS_MAX);
  const playerStartupMs = view.believed(cursor.readLong(), DURATION_MS_MAX);
  const drmMs = view.believed(cursor.readLong(), DURATION_MS_MAX);
  if (pageLoadMs >= 0) view.pageLoadMs = pageLoadMs;
  if (playerStartupMs >= 0) view.playerStartupMs = playerStartupMs;
  if (drmMs >= 0) view.drmMs = drmMs;
}

const AD = { request: 0, start: 1, error: 4, breakStart: 5 } as const;

function takeAd(view: View, what: number): void {
  if (what === AD.request) {
    view.adAttempts++;
    view.adWaiting = true;
  } else if (what === AD.start) {
    view.adImpressions++;
    view.adWaiting = false;
  } else if (what === AD.error) {
    view.adErrors++;
    // What failed is not waited for any more: its viewer did not leave because of the wait.
    view.adWaiting = false;
  } else if (what === AD.breakStart) {
    view.adBreaks++;
  }
}
