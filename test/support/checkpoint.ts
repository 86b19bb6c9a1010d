/** Stories of a partition for tests of its saved state: hostile, repetitive, over many views, in few words. */
import fc from 'fast-check';
import { RowWriter } from '../../platform/store/row-binary.ts';
import { encodeState, StateLoader } from '../../processors/checkpoint-state.ts';
import type { FoldRecord } from '../../processors/fold-record.ts';
import { type Epoch, PartitionFold } from '../../processors/partition.ts';
import { defaultFoldSettings, type FoldSettings } from '../../processors/settings.ts';
import type { TupleLimits } from '../../processors/tuples.ts';
import {
  AD_EVENTS,
  type BeatEvent,
  FATALITIES,
  type Part,
  PLAYBACK_MODES,
  PLAYER_STATES,
  type PlayerState,
  part,
  REFUSED_EVENT,
  type Source,
} from '../../schemas/beat.ts';
import { type EdgeRequest, encodeRecord } from '../../schemas/records.ts';
import { T0 } from './beats.ts';

const DAY_MS = 86_400_000;
const VIEWS = 5;

/** Waits so short that a story of some seconds has views placed, silent, closed, reopened and let go. */
export const SHORT: FoldSettings = {
  ...defaultFoldSettings,
  epochMs: 500,
  reorderMs: 1_000,
  viewTimeoutMs: 4_000,
  pausedTimeoutMs: 8_000,
  gapMs: 6_000,
  reopenMs: 3_000,
  closedMemoryMs: 20_000,
  silentMs: 2_000,
  edgeDedupMs: 5_000,
};

/** The same, with limits so low that each is passed. */
export const LOW: FoldSettings = {
  ...SHORT,
  epochRecordsMax: 5,
  waitingMax: 2,
  viewsMax: 5,
  intervalTuplesMax: 1,
  edgeDedupMax: 3,
  closedMemoryMax: 1,
  eventsPerViewMax: 6,
  rejectsPerEpochMax: 1,
  pendingCreditsMax: 3,
  renditionsPerViewMax: 1,
  contentRangesMax: 1,
  troublesPerViewMax: 1,
  deliveryCellsMax: 2,
  heldRequestsPerViewMax: 2,
  heldRequestsMax: 3,
};

export const FEW_TUPLES: TupleLimits = { tuplesMax: 14, sweepFrom: 5 };

/** A value once in so many; else none. */
function rarely<Value>(once: fc.Arbitrary<Value>, inMany: number): fc.Arbitrary<Value | null> {
  return fc.oneof(
    { weight: inMany - 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: once },
  );
}

const anyPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...PLAYER_STATES).map(part.state) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom<PlayerState>(
        'starting',
        'playing',
        'playing',
        'playing',
        'rebuffering',
        'seeking',
      )
      .map(part.state),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        bitrate: fc.constantFrom(-1, 500_000, 1_000_000),
        basis: fc.constantFrom('shown' as const, 'selected' as const),
        width: fc.constantFrom(0, 640, 640, 1280, 1280),
        height: fc.constantFrom(0, 360, 360, 720, 720),
        milliFps: fc.constantFrom(0, 25_000),
        codec: fc.constantFrom('', 'avc1', 'c'.repeat(65)),
      })
      .map(part.rendition),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        playhead: fc.constantFrom(-1, 0, 800, 3_000, 9_000, 2 ** 41),
        liveLatency: fc.constantFrom(-1, 900, 3_000, 400_000),
        droppedFrames: fc.integer({ min: -1, max: 5 }),
        shownFrames: fc.integer({ min: -1, max: 90 }),
        playerWidth: fc.constantFrom(0, 640, 1280, 1600, 1920),
        playerHeight: fc.constantFrom(0, 360, 720, 900, 1080),
      })
      .map(part.status),
  },
  fc
    .record({
      code: fc.constantFrom('a', 'b'),
      fatal: fc.constantFrom(...FATALITIES),
      business: fc.boolean(),
    })
    .map(part.error),
  fc
    .record({
      kind: fc.constantFrom('segment' as const, 'manifest' as const),
      status: fc.constantFrom(200, 404, 0),
      bytes: fc.constantFrom(-1, 1_000, 2 ** 52),
      ttfb: fc.integer({ min: -1, max: 300 }),
      ttlb: fc.integer({ min: -1, max: 900 }),
      cdn: fc.constantFrom('', 'cdn-a', 'cdn-b'),
    })
    .map(part.request),
  fc
    .record({
      pageLoad: fc.constantFrom(-1, 70),
      playerStartup: fc.constantFrom(-1, 80),
      drm: fc.constantFrom(-1, 90),
    })
    .map(part.timing),
  fc.constantFrom(...AD_EVENTS).map((what) => part.ad({ what, placement: 'pre', code: '' })),
  fc.constantFrom(...PLAYBACK_MODES).map(part.playbackMode),
  fc.constantFrom('v1', 'v2', 'v3').map((value) => part.context([{ name: 'video_id', value }])),
);

const anyContext = fc
  .record(
    {
      asn: fc.constantFrom('as1', 'as2', 'as3'),
      cdn: fc.constantFrom('cdn-a', 'cdn-c'),
      video_id: fc.constantFrom('v1', 'v2', 'v3', 'v4'),
      viewer_id: fc.constantFrom('u1', 'u2'),
      viewer_user_id: fc.constantFrom('u1', 'u3'),
    },
    { requiredKeys: [] },
  )
  .map((said) => Object.entries(said).map(([name, value]) => ({ name, value })));

/** A clock that is wrong by years; some such steps of one view together still lie after 1970, which a row can tell. */
const hostileAt = fc.constantFrom(
  T0 - 2_000 * DAY_MS,
  T0 - 40 * DAY_MS,
  T0 + 40 * DAY_MS,
  T0 + 2_000 * DAY_MS,
);

const anyEvent = fc.record({
  /** From the number that would come next: mostly none. */
  seqStep: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    fc.integer({ min: -4, max: 4 }),
    fc.constantFrom(-1_000, 70, 2 ** 51),
  ),
  /** Time to the next event, or to the delivery, ms. */
  gapMs: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 300 }) },
    fc.integer({ min: -2_000, max: 3_000 }),
    fc.constant(50_000),
  ),
  hostileAt: rarely(hostileAt, 60),
  lane: fc.oneof(
    { weight: 3, arbitrary: fc.constant('main' as const) },
    fc.constant('response' as const),
  ),
  refused: fc.integer({ min: 0, max: 30 }).map((value) => value === 0),
  parts: fc.array(anyPart, { minLength: 1, maxLength: 3 }),
});

const anyBeat = fc.record({
  kind: fc.constant('beat' as const),
  view: fc.nat(VIEWS - 1),
  source: fc.constantFrom<Source>('native', 'native', 'cmcd', 'cmcd', 'epas'),
  trustedClock: fc.integer({ min: 0, max: 6 }).map((value) => value === 0),
  sentAgoMs: fc.option(fc.integer({ min: -200, max: 500 })),
  context: anyContext,
  events: fc.array(anyEvent, { maxLength: 6 }),
});

const anyEdge = fc.record({
  kind: fc.constant('edge' as const),
  view: fc.option(fc.nat(VIEWS - 1), { freq: 6 }),
  requests: fc.array(
    fc.record({
      line: fc.nat(12),
      hostileAt: rarely(fc.constantFrom(DAY_MS, T0 + 40 * DAY_MS), 15),
      bytes: fc.constantFrom(-1, 100, 2 ** 52),
      status: fc.constantFrom(200, 500),
      cmcd: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        { d: '4000', br: '(1000)', ot: 'v', bl: '2000', mtp: '900' },
        { bs: '', su: '?1' },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

const anySettings = fc.record({
  kind: fc.constant('settings' as const),
  values: fc.record(
    {
      reorderMs: fc.constantFrom(0, 400, 1_000),
      viewTimeoutMs: fc.constantFrom(1_500, 4_000),
      silentMs: fc.constantFrom(700, 2_000),
      epochMs: fc.constantFrom(300, 500),
      intervalTuplesMax: fc.constantFrom(1, 2, 5),
    },
    { requiredKeys: [] },
  ),
});

const anyStep = fc.record({
  /** Log time since the record before; it may step back. */
  afterMs: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 400 }) },
    fc.integer({ min: -300, max: 2_500 }),
    { weight: 1, arbitrary: fc.constantFrom(5_000, 12_000, 60_000) },
  ),
  what: fc.oneof(
    { weight: 14, arbitrary: anyBeat },
    { weight: 2, arbitrary: anyEdge },
    { weight: 1, arbitrary: anySettings },
    { weight: 1, arbitrary: fc.constant({ kind: 'tick' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('u1', 'u2').map((viewer) => ({ kind: 'forget' as const, viewer })),
    },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 30 })
        .map((bytes) => ({ kind: 'bytes' as const, bytes: Buffer.from(bytes) })),
    },
  ),
});

type Value<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Of> ? Of : never;
type Step = Value<typeof anyStep>;

/** Turns steps into records: numbers and times of each client go on from its last. */
class Teller {
  #nowMs = T0;
  #offset = 0;
  #last: Buffer = encodeRecord('tick', {});
  readonly #next = new Map<string, number>();

  tell({ afterMs, what }: Step): FoldRecord {
    this.#nowMs += afterMs;
    const value = this.#encode(what);
    this.#last = value;
    return { offset: this.#offset++, appendTimeMs: this.#nowMs, value };
  }

  #encode(what: Step['what']): Buffer {
    switch (what.kind) {
      case 'beat':
        return this.#beat(what);
      case 'edge':
        return this.#edge(what);
      case 'settings':
        return encodeRecord('settings', {
          foldVersion: 2,
          values: what.values as Record<string, number>,
        });
      case 'forget':
        return encodeRecord('forget', { project: 'default', viewer: what.viewer });
      case 'tick':
        return encodeRecord('tick', {});
      case 'again':
        return this.#last;
      case 'bytes':
        return what.bytes;
    }
  }

  #beat({ view, source, trustedClock, sentAgoMs, context, events }: Value<typeof anyBeat>): Buffer {
    return encodeRecord('beat', {
      project: 'default',
      view: `v${view}`,
      source,
      trustedClock,
      sentAt: sentAgoMs === null ? 0 : this.#nowMs - sentAgoMs,
      context,
      events: events.map((event, index) => {
        const agoMs = events.slice(index).reduce((sum, { gapMs }) => sum + gapMs, 0);
        return this.#event(`${view} ${source} ${event.lane}`, source, agoMs, event);
      }),
    });
  }

  #event(lane: string, source: string, agoMs: number, event: Value<typeof anyEvent>): BeatEvent {
    const seq = Math.max(0, (this.#next.get(lane) ?? 0) + event.seqStep);
    if (event.seqStep < 1_000) this.#next.set(lane, seq + 1);
    return {
      seq: source === 'epas' ? -1 : seq,
      at: event.hostileAt ?? this.#nowMs - agoMs,
      lane: event.lane,
      name: event.refused ? REFUSED_EVENT : 'e',
      parts: event.parts,
    };
  }

  #edge({ view, requests }: Value<typeof anyEdge>): Buffer {
    return encodeRecord('edge', {
      project: 'default',
      view: view === null ? '' : `v${view}`,
      format: 'nginx',
      requests: requests.map((request) => this.#request(request)),
    });
  }

  #request(request: Value<typeof anyEdge>['requests'][number]): EdgeRequest {
    const { line, hostileAt: at, bytes, status, cmcd } = request;
    return {
      identity: Buffer.from([line, 200, 0, 0, 0, 0, 0, 1]),
      endAt: at ?? this.#nowMs - 10 * line,
      durationMs: line,
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

/** Records of one partition, with time to let every wait run out at the end. */
export const anyStory: fc.Arbitrary<FoldRecord[]> = fc
  .array(anyStep, { minLength: 20, maxLength: 90, size: 'max' })
  .map((steps) => {
    const teller = new Teller();
    const records = steps.map((step) => teller.tell(step));
    for (const afterMs of [600, 600, 2_000, 5_000, 5_000, 30_000])
      records.push(teller.tell({ afterMs, what: { kind: 'tick' } }));
    return records;
  });

/** What one epoch came to: all that it says, and the bytes of each of its tables. */
export function bytesOf({ rows, ...said }: Epoch): string {
  const tables = Object.entries(rows).flatMap(([name, writer]) =>
    writer instanceof RowWriter ? [`${name} ${writer.take().toString('base64')}`] : [],
  );
  rows.reset();
  return [JSON.stringify(said), ...tables].join('\n');
}

export function chunksOf(fold: PartitionFold, chunkBytesMax?: number): Buffer[] {
  return [...encodeState(fold, chunkBytesMax)];
}

export function loaded(chunks: readonly Buffer[], limits?: TupleLimits): PartitionFold {
  const loader = new StateLoader(0, limits);
  for (const chunk of chunks) loader.add(chunk);
  return loader.finish();
}

export interface Telling {
  readonly settings: FoldSettings;
  readonly limits?: TupleLimits;
  /** Called between epochs with how many have ended; the fold that it gives goes on. */
  readonly between?: (fold: PartitionFold, epochs: number) => PartitionFold;
}

/** Folds records to their end; what each epoch came to. */
export function foldStory(
  records: readonly FoldRecord[],
  { settings, limits, between = (fold) => fold }: Telling,
): string[] {
  let fold = new PartitionFold(0, settings, limits);
  const epochs: string[] = [];
  const end = (): void => {
    epochs.push(bytesOf(fold.endEpoch()));
    fold = between(fold, epochs.length);
  };
  for (const record of records) {
    if (fold.endsBefore(record)) end();
    fold.take(record);
  }
  end();
  return epochs;
}
