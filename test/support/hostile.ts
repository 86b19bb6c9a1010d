/** Records of a partition in which anything may be said: any time, any number, any text, any bytes. */
import fc from 'fast-check';
import type { FoldRecord } from '../../processors/fold-record.ts';
import {
  AD_EVENTS,
  type BeatEvent,
  FATALITIES,
  type Part,
  PLAYER_STATES,
  type PlayerState,
  part,
  REFUSED_EVENT,
  SOURCES,
} from '../../schemas/beat.ts';
import { type EdgeRequest, encodeRecord, HEADER_BYTES } from '../../schemas/records.ts';
import { T0 } from './beats.ts';

const DAY_MS = 86_400_000;
/** The largest number that avsc writes: what is beyond comes from changed bytes. */
const MOST = Number.MAX_SAFE_INTEGER - 1;
const INT_MOST = 2 ** 31 - 1;

/** Ages of the world, and the edges of what numbers hold, ms since 1970. */
const TIMES = [
  -MOST,
  -(2 ** 51),
  Date.UTC(1900, 0, 1),
  -1,
  0,
  1,
  2 ** 31,
  2 ** 32,
  T0 - 36 * DAY_MS,
  T0 - 34 * DAY_MS,
  T0 + 9 * 60_000,
  T0 + 11 * 60_000,
  T0 + 40 * DAY_MS,
  2 ** 42,
  2 ** 43,
  Date.UTC(2106, 1, 8),
  Date.UTC(2150, 0, 1),
  Date.UTC(9999, 11, 31),
  2 ** 51,
  2 ** 52 + 1,
  MOST,
] as const;

/** The value once in so many times, else null. */
function rarely<Value>(arbitrary: fc.Arbitrary<Value>, onceIn: number): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: onceIn - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

const anyTime = fc.constantFrom(...TIMES);
const anyAmount = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  fc.constantFrom(-MOST, -5, -1, 2 ** 31, 2 ** 40, MOST),
);
const anySize = fc.oneof(
  fc.integer({ min: 0, max: 4_000 }),
  fc.constantFrom(-(2 ** 31), -1, INT_MOST),
);
const LONG_TEXT = 'x'.repeat(3_000);
const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'b', 'c') },
  fc.constantFrom('\ud800', 'a\0b', '\0', LONG_TEXT, '(other)', '🎬'.repeat(300)),
);

const anyPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PLAYER_STATES).map(part.state) },
  {
    weight: 7,
    arbitrary: fc
      .constantFrom<PlayerState>('starting', 'playing', 'playing', 'rebuffering', 'seeking')
      .map(part.state),
  },
  fc
    .record({
      bitrate: anyAmount,
      basis: fc.constantFrom('shown' as const, 'selected' as const),
      width: anySize,
      height: anySize,
    })
    .map(part.rendition),
  fc
    .record({
      liveLatency: anyAmount,
      droppedFrames: anyAmount,
      shownFrames: anyAmount,
      playerWidth: anySize,
      playerHeight: anySize,
    })
    .map(part.status),
  fc
    .record({ code: anyText, fatal: fc.constantFrom(...FATALITIES), business: fc.boolean() })
    .map(part.error),
  fc
    .record({
      kind: fc.constantFrom('segment' as const, 'manifest' as const),
      status: fc.constantFrom(200, 404, 0, INT_MOST, -INT_MOST),
      bytes: anyAmount,
      ttfb: anyAmount,
      ttlb: anyAmount,
      cdn: anyText,
    })
    .map(part.request),
  fc.record({ pageLoad: anyAmount, playerStartup: anyAmount, drm: anyAmount }).map(part.timing),
  fc.constantFrom(...AD_EVENTS).map((what) => part.ad({ what, placement: '', code: '' })),
  anyText.map((value) => part.context([{ name: 'video_id', value }])),
);

/** A moment of a client: behind the log by a little, on a clock that runs at another pace, or anything. */
const anyAt = fc.oneof(
  { weight: 18, arbitrary: fc.record({ agoMs: fc.integer({ min: 0, max: 2_000 }) }) },
  { weight: 2, arbitrary: fc.record({ agoMs: fc.integer({ min: -900_000, max: 4_000_000 }) }) },
  { weight: 3, arbitrary: fc.record({ pace: fc.constantFrom(0, 0.5, 3, 1_000, -1) }) },
  { weight: 2, arbitrary: fc.record({ time: anyTime }) },
);
type At = { agoMs: number } | { pace: number } | { time: number };

function atOf(at: At, nowMs: number): number {
  if ('time' in at) return at.time;
  const said = 'agoMs' in at ? nowMs - at.agoMs : T0 + (nowMs - T0) * at.pace;
  return Math.max(-MOST, Math.min(MOST, Math.round(said)));
}

const anyEvent = fc.record({
  seqStep: fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: -6, max: 6 }) },
    fc.constantFrom(-1_000, 70, 2 ** 31, 2 ** 52, MOST),
  ),
  /** Without a number, or with one below all. */
  seq: rarely(fc.constantFrom(-1, -7, -MOST), 25),
  at: anyAt,
  lane: fc.oneof(
    { weight: 3, arbitrary: fc.constant('main' as const) },
    fc.constant('response' as const),
  ),
  name: fc.oneof({ weight: 20, arbitrary: fc.constant('e') }, anyText, fc.constant(REFUSED_EVENT)),
  parts: fc.array(anyPart, { minLength: 0, maxLength: 3 }),
});

const anyBeat = fc.record({
  kind: fc.constant('beat' as const),
  view: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('v0', 'v1', 'v2') }, anyText),
  source: fc.constantFrom(...SOURCES),
  trustedClock: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
  sentAt: rarely(anyAt, 4),
  context: fc.array(
    fc.record({
      name: fc.constantFrom('asn', 'cdn', 'video_id', 'viewer_user_id', 'country', 'no such one'),
      value: anyText,
    }),
    { maxLength: 3 },
  ),
  events: fc.array(anyEvent, { maxLength: 6 }),
});

const anyEdge = fc.record({
  kind: fc.constant('edge' as const),
  view: fc.constantFrom('', 'v0', 'v1', 'v2', 'edge only'),
  requests: fc.array(
    fc.record({
      line: fc.nat(40),
      endAt: anyAt,
      durationMs: anyAmount,
      bytes: anyAmount,
      status: fc.constantFrom(200, 500, -1, INT_MOST),
      cmcd: fc.dictionary(
        fc.constantFrom('d', 'br', 'bl', 'mtp', 'bs', 'su', 'ot'),
        fc.constantFrom('', '4000', '(1000)', '999999999999999.9', '-4', '?0', 'v'),
      ),
    }),
    { maxLength: 3 },
  ),
});

const SETTINGS = [
  'epochMs',
  'epochRecordsMax',
  'epochBytesMax',
  'reorderMs',
  'viewTimeoutMs',
  'pausedTimeoutMs',
  'gapMs',
  'reopenMs',
  'closedMemoryMs',
  'pastMs',
  'retentionMs',
  'futureMs',
  'waitingMax',
  'viewsMax',
  'intervalTuplesMax',
  'silentMs',
  'edgeDedupMs',
  'edgeDedupMax',
  'closedMemoryMax',
  'eventsPerViewMax',
  'rejectsPerEpochMax',
  'rejectBytesPerEpochMax',
  'pendingCreditsMax',
  'no such one',
  '__proto__',
] as const;

const anySettings = fc.record({
  kind: fc.constant('settings' as const),
  foldVersion: fc.constantFrom(0, 2, -(2 ** 31)),
  values: fc
    .array(
      fc.tuple(
        fc.constantFrom(...SETTINGS),
        fc.oneof(fc.constantFrom(-MOST, -1, 0, 1, MOST), fc.integer({ min: 0, max: 5_000 })),
      ),
      { maxLength: 4 },
    )
    .map((entries) => Object.fromEntries(entries) as Record<string, number>),
});

const anyOther = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'tick' as const }) },
  fc.record({ kind: fc.constant('forget' as const), viewer: fc.constantFrom('a', 'b', '') }),
  fc.record({
    kind: fc.constant('reject' as const),
    code: anyText,
    route: anyText,
    bytes: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  }),
);

/** How the bytes of a record are changed: cut, overwritten, or all but the header made up. */
const anyHarm = fc.record({
  cutAt: rarely(fc.nat(400), 2),
  overwrites: fc.array(
    fc.tuple(fc.nat(400), fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0x42)),
    { maxLength: 6 },
  ),
  insert: rarely(
    fc.tuple(
      fc.nat(200),
      fc
        .constantFrom('ffffffffffffffffff7f', 'ffffffffffffffffffffffff', 'feffffff0f', '80808001')
        .map((hex) => Buffer.from(hex, 'hex')),
    ),
    3,
  ),
  tail: rarely(
    fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
    3,
  ),
});
type Harm = ValueOf<typeof anyHarm>;

const anyAppend = fc.oneof(
  { weight: 60, arbitrary: fc.record({ afterMs: fc.integer({ min: 0, max: 700 }) }) },
  { weight: 3, arbitrary: fc.record({ afterMs: fc.integer({ min: -900, max: 9_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ afterMs: fc.constantFrom(0.3, -0.5, 60_000, DAY_MS, 40 * DAY_MS) }),
  },
);
/** Rarely: an append time that says nothing of now. */
const anyStrayAppend = rarely(
  fc.constantFrom(0, -5, 0.5, 1e18, -1e18, Number.NaN, T0 - 3_650 * DAY_MS),
  20,
);
/** More rarely still, one that moves log time for good. */
const anyLeap = rarely(fc.constantFrom(3_650 * DAY_MS, 29_000 * DAY_MS), 300);

const anyStep = fc.record({
  append: anyAppend,
  stray: anyStrayAppend,
  leap: anyLeap,
  what: fc.oneof(
    { weight: 16, arbitrary: anyBeat },
    { weight: 2, arbitrary: anyEdge },
    { weight: 1, arbitrary: anySettings },
    { weight: 2, arbitrary: anyOther },
    { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
  ),
  harm: rarely(anyHarm, 10),
});

type ValueOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;
type Step = ValueOf<typeof anyStep>;

function harmed(value: Buffer, { cutAt, overwrites, insert, tail }: Harm): Buffer {
  let bytes = Buffer.from(value);
  for (const [at, byte] of overwrites) {
    if (HEADER_BYTES + at < bytes.length) bytes[HEADER_BYTES + at] = byte;
  }
  if (insert !== null) {
    const at = Math.min(bytes.length, HEADER_BYTES + insert[0]);
    bytes = Buffer.concat([bytes.subarray(0, at), insert[1], bytes.subarray(at)]);
  }
  if (cutAt !== null) bytes = bytes.subarray(0, cutAt);
  return tail === null ? bytes : Buffer.concat([bytes.subarray(0, HEADER_BYTES), tail]);
}

/** Turns steps into records: numbers of each lane go on from its last. */
class Teller {
  #nowMs = T0;
  #offset = 0;
  #last: Buffer = encodeRecord('tick', {});
  readonly #next = new Map<string, number>();

  tell({ append, stray, leap, what, harm }: Step): FoldRecord {
    this.#nowMs += append.afterMs + (leap ?? 0);
    const whole = this.#encode(what);
    const value = harm === null ? whole : harmed(whole, harm);
    this.#last = value;
    return { offset: this.#offset++, appendTimeMs: stray ?? this.#nowMs, value };
  }

  quiet(ms: number): FoldRecord {
    this.#nowMs += ms;
    return {
      offset: this.#offset++,
      appendTimeMs: this.#nowMs,
      value: encodeRecord('tick', {}),
    };
  }

  #encode(what: Step['what']): Buffer {
    switch (what.kind) {
      case 'beat':
        return this.#beat(what);
      case 'edge':
        return this.#edge(what);
      case 'settings':
        return encodeRecord('settings', what);
      case 'forget':
        return encodeRecord('forget', { project: 'default', viewer: what.viewer });
      case 'reject':
        return encodeRecord('reject', { project: 'default', view: 'v0', message: '', ...what });
      case 'tick':
        return encodeRecord('tick', {});
      case 'again':
        return this.#last;
    }
  }

  #beat({ view, source, trustedClock, sentAt, context, events }: ValueOf<typeof anyBeat>): Buffer {
    return encodeRecord('beat', {
      project: 'default',
      view,
      source,
      trustedClock,
      sentAt: sentAt === null ? 0 : atOf(sentAt, this.#nowMs),
      context,
      events: events.map((event) => this.#event(`${view} ${source} ${event.lane}`, source, event)),
    });
  }

  #event(lane: string, source: string, event: ValueOf<typeof anyEvent>): BeatEvent {
    const seq = Math.min(MOST, Math.max(0, (this.#next.get(lane) ?? 0) + event.seqStep));
    if (event.seqStep < 1_000) this.#next.set(lane, seq + 1);
    return {
      seq: event.seq ?? (source === 'epas' ? -1 : seq),
      at: atOf(event.at, this.#nowMs),
      lane: event.lane,
      name: event.name,
      parts: event.parts,
    };
  }

  #edge({ view, requests }: ValueOf<typeof anyEdge>): Buffer {
    return encodeRecord('edge', {
      project: 'default',
      view,
      format: 'nginx',
      requests: requests.map((request) => this.#request(request)),
    });
  }

  #request(request: ValueOf<typeof anyEdge>['requests'][number]): EdgeRequest {
    const { line, endAt, durationMs, bytes, status, cmcd } = request;
    return {
      identity: Buffer.from([line, 200, 0, 0, 0, 0, 0, 1]),
      endAt: atOf(endAt, this.#nowMs),
      durationMs,
      ttfbMs: 1,
      originMs: -1,
      status,
      bytes,
      aborted: false,
      method: 'GET',
      host: 'h',
      path: '/p',
      protocol: '',
      cdn: '',
      pop: '',
      country: '',
      asn: '',
      cache: '',
      cmcd: Object.entries(cmcd).map(([name, value]) => ({ name, value })),
    };
  }
}

function storyOf(steps: readonly Step[]): FoldRecord[] {
  const teller = new Teller();
  const records = steps.map((step) => teller.tell(step));
  for (const ms of [600, 600, 2_000, 5_000, 30_000, 100_000, 4_000_000, 4_000_000])
    records.push(teller.quiet(ms));
  return records;
}

/** Anything at all. */
export const anyHostileStory: fc.Arbitrary<FoldRecord[]> = fc
  .array(anyStep, { minLength: 10, maxLength: 50, size: 'max' })
  .map(storyOf);

/** Reports of one view alone, from all its sources: any times and amounts. */
export const anyHostileView: fc.Arbitrary<FoldRecord[]> = fc
  .array(
    anyStep.map(
      (step): Step => ({
        ...step,
        harm: null,
        leap: null,
        what: step.what.kind === 'beat' ? { ...step.what, view: 'v0' } : { kind: 'tick' },
      }),
    ),
    { minLength: 6, maxLength: 30, size: 'max' },
  )
  .map(storyOf);
