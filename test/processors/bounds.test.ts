/** Everything that grows has a limit; what goes beyond it is counted, and the totals stay right. */
import { describe, expect, it } from 'vitest';
import type { FoldRecord } from '../../processors/fold-record.ts';
import { HOLES_MAX } from '../../processors/holes.ts';
import { Lane } from '../../processors/lane.ts';
import { type Epoch, PartitionFold } from '../../processors/partition.ts';
import { PlayClock, SPANS_MAX } from '../../processors/play-clock.ts';
import { defaultFoldSettings, type FoldSettings } from '../../processors/settings.ts';
import { IDENTITIES_MAX } from '../../processors/time-lane.ts';
import { POINTS_MAX, Track } from '../../processors/track.ts';
import type { TupleLimits } from '../../processors/tuples.ts';
import { type BeatEvent, type PlayerState, part } from '../../schemas/beat.ts';
import { type EdgeRequest, encodeRecord, HEADER_BYTES } from '../../schemas/records.ts';
import {
  playback5s,
  rejected,
  viewEvents,
  viewersNow,
  views,
} from '../../schemas/tables/tables.ts';
import { type BeatOptions, beat, event, response, state, states, T0 } from '../support/beats.ts';
import { chunksOf, loaded } from '../support/checkpoint.ts';
import { type Row, readRows } from '../support/row-reader.ts';

const MINUTE_MS = 60_000;

/** A partition, record by record, with the rows of its epochs. */
class Partition {
  readonly fold: PartitionFold;
  readonly viewRows: Row[] = [];
  readonly eventRows: Row[] = [];
  readonly playbackRows: Row[] = [];
  readonly nowRows: Row[] = [];
  readonly rejects: Row[] = [];
  readonly epochs: Omit<Epoch, 'rows'>[] = [];
  #offset = 0;

  constructor(settings: Partial<FoldSettings> = {}, limits?: TupleLimits) {
    this.fold = new PartitionFold(0, { ...defaultFoldSettings, ...settings }, limits);
  }

  give(atMs: number, value: Buffer): void {
    const record: FoldRecord = { offset: this.#offset++, appendTimeMs: T0 + atMs, value };
    this.fold.fold(record, (epoch) => this.#collect(epoch));
  }

  beat(atMs: number, events: readonly BeatEvent[], options: BeatOptions = {}): void {
    this.give(atMs, encodeRecord('beat', beat(events, options)));
  }

  tick(atMs: number): void {
    this.give(atMs, encodeRecord('tick', {}));
  }

  /** Lets log time pass until every view is closed, and ends the epoch. */
  end(atMs: number): this {
    for (const afterMs of [6_000, 70 * MINUTE_MS, 75 * MINUTE_MS]) this.tick(atMs + afterMs);
    this.#collect(this.fold.endEpoch());
    return this;
  }

  view(id = 'v'): Row {
    const row = this.viewRows.filter(({ view_id }) => view_id === id).at(-1);
    if (row === undefined) throw new Error(`no row of view ${id}`);
    return row;
  }

  /** Sum of a column over all windows. */
  sum(column: string): number {
    return this.playbackRows.reduce((sum, row) => sum + Number(row[column]), 0);
  }

  /** Both sides of the books: events in views, and playing time, told twice. */
  expectBooksBalance(): void {
    const { eventsInViews, viewsPlayingMs, intervalsPlayingMs } = this.fold.beats.life.audit();
    const expected = this.epochs.reduce(
      (sum, { counts }) => sum + counts.events - counts.eventsDuplicate - counts.eventsRejected,
      0,
    );
    expect([eventsInViews, viewsPlayingMs]).toEqual([expected, intervalsPlayingMs]);
  }

  #collect({ rows, ...epoch }: Epoch): void {
    this.epochs.push(epoch);
    this.viewRows.push(...readRows(views, rows.views.take()));
    this.eventRows.push(...readRows(viewEvents, rows.viewEvents.take()));
    this.playbackRows.push(...readRows(playback5s, rows.playback.take()));
    this.nowRows.push(...readRows(viewersNow, rows.viewersNow.take()));
    this.rejects.push(...readRows(rejected, rows.rejected.take()));
    rows.reset();
  }
}

const played = states([0, 'starting'], [1_000, 'playing'], [4_000, 'ended']);

function unnumbered(events: readonly BeatEvent[]): BeatEvent[] {
  return events.map((item) => ({ ...item, seq: -1 }));
}

function times<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

describe('views', () => {
  it('beyond viewsMax are refused, each a reject with its events', () => {
    const partition = new Partition({ viewsMax: 3 });
    for (const view of ['a', 'b', 'c', 'd', 'e']) partition.beat(4_000, played, { view });
    expect(partition.fold.gauges().views).toBe(3);
    partition.end(4_000);
    expect(partition.rejects.map(({ code, view_id, events }) => [code, view_id, events])).toEqual([
      ['views_limit', 'd', 3],
      ['views_limit', 'e', 3],
    ]);
    expect(partition.fold.counters().rejectsViewsLimit).toBe(2);
    expect(partition.sum('playing_ms')).toBe(3 * 3_000);
    partition.expectBooksBalance();
  });

  it('hold no text for a dimension that there is none of', () => {
    const partition = new Partition();
    const context = times(500, (index) => ({ name: `made up ${index}`, value: 'x'.repeat(500) }));
    partition.beat(4_000, played, { context });
    const [view] = partition.fold.beats.life.views();
    expect(view?.context.chars).toBe(0);
    expect(Buffer.concat(chunksOf(endOf(partition.fold))).length).toBeLessThan(20_000);
  });

  it('whose ids are longer than any id are rejects, not rows', () => {
    const partition = new Partition();
    partition.beat(4_000, played, { view: 'v'.repeat(1_025) });
    partition.give(
      4_000,
      encodeRecord('edge', {
        project: 'default',
        view: 'v'.repeat(1_025),
        format: 'nginx',
        requests: [request(0, {})],
      }),
    );
    partition.beat(4_000, played, { view: 'v'.repeat(1_024) });
    partition.end(4_000);
    expect(partition.rejects.map(({ code }) => code)).toEqual([
      'record_malformed',
      'record_malformed',
    ]);
    expect(partition.fold.counters().viewsOpened).toBe(1);
  });
});

function endOf(fold: PartitionFold): PartitionFold {
  fold.endEpoch();
  fold.rows.reset();
  return fold;
}

describe('reports that wait', () => {
  const many = 400;
  /** Plays and stalls by turns, 100 ms each. */
  const turns = times(many, (index) =>
    state(
      index,
      100 * index,
      index === 0 ? 'starting' : index % 2 === 1 ? 'playing' : 'rebuffering',
    ),
  );

  it('behind a gap are at most waitingMax: then the gap is lost, and all else is told', () => {
    const partition = new Partition({ waitingMax: 16 });
    partition.beat(40_000, [...turns.slice(0, 2), ...turns.slice(3)], { source: 'cmcd' });
    expect(partition.fold.gauges().waitingReports).toBe(0);
    partition.end(40_000);
    expect(partition.fold.counters().gapsGivenUpEarly).toBe(1);
    expect(partition.view()).toMatchObject({
      reports_lost: 1,
      reports_received: many - 1,
      playing_ms: 200 * 100,
      rebuffer_ms: 198 * 100,
    });
    partition.expectBooksBalance();
  });

  it('behind many gaps never are more, in any lane', () => {
    const partition = new Partition({ waitingMax: 16 });
    const gapped = turns.filter(({ seq }) => seq % 3 !== 2);
    for (const item of gapped.reverse()) partition.beat(40_000, [item], { source: 'cmcd' });
    expect(partition.fold.gauges().waitingReports).toBeLessThanOrEqual(16);
    partition.end(40_000);
    const { reports_received: received, reports_duplicate: repeated } = partition.view();
    // Numbers of holes that are closed by then count as known.
    expect(Number(received) + Number(repeated)).toBe(gapped.length);
    expect(partition.fold.counters().holesClosed).toBeGreaterThan(0);
    partition.expectBooksBalance();
  });

  it('without numbers are at most waitingMax: beyond, the earliest pass at once, in their order', () => {
    const partition = new Partition({ waitingMax: 16 });
    const plain = new Partition();
    for (const one of [partition, plain]) {
      one.beat(40_000, unnumbered(turns), { source: 'epas' });
    }
    expect(partition.fold.gauges().waitingReports).toBe(16);
    expect(plain.fold.gauges().waitingReports).toBe(defaultFoldSettings.waitingMax);
    partition.end(40_000);
    plain.end(40_000);
    expect(partition.fold.counters().timedPassedEarly).toBe(many - 16);
    const figures = { reports_received: many, reports_late: 0, playing_ms: 199 * 100 };
    expect(partition.view()).toMatchObject(figures);
    expect(plain.view()).toMatchObject(figures);
    partition.expectBooksBalance();
  });

  it('that pass early make late what came before them, which is counted', () => {
    const partition = new Partition({ waitingMax: 2 });
    partition.beat(40_000, unnumbered(turns.slice(10, 20)), { source: 'epas' });
    partition.beat(40_000, unnumbered(turns.slice(0, 10)), { source: 'epas' });
    partition.end(40_000);
    expect(partition.view()).toMatchObject({ reports_received: 20, reports_late: 10 });
    partition.expectBooksBalance();
  });

  it('are known again when they come twice, the last 1,024 of those without numbers', () => {
    const partition = new Partition();
    const reports = unnumbered(times(IDENTITIES_MAX + 6, (index) => event(0, index, 'status')));
    partition.beat(2_000, reports, { source: 'epas' });
    partition.beat(2_000, reports.slice(-IDENTITIES_MAX), { source: 'epas' });
    partition.end(2_000);
    expect(partition.view()).toMatchObject({
      reports_received: reports.length,
      reports_duplicate: IDENTITIES_MAX,
    });
    expect(partition.fold.counters().timedIdentitiesForgotten).toBe(6);
  });
});

describe('what a view keeps until it has a place in time', () => {
  const steps = times(60, (index) =>
    state(index + 1, 1_000 + 100 * index, index % 2 === 0 ? 'playing' : 'seeking'),
  );

  it('is placed at once beyond pendingCreditsMax, and every millisecond is told', () => {
    const partition = new Partition({ pendingCreditsMax: 20 });
    partition.beat(10_000, [state(0, 0, 'starting'), ...steps.slice(0, 30)]);
    expect(partition.fold.gauges()).toMatchObject({ pendingCredits: 0, heldEvents: 0 });
    expect(partition.fold.counters().viewsPlacedEarly).toBe(1);
    partition.beat(10_500, steps.slice(30));
    partition.end(10_500);
    expect(partition.sum('playing_ms')).toBe(30 * 100);
    expect(partition.view()).toMatchObject({ playing_ms: 30 * 100 });
    partition.expectBooksBalance();
  });

  it('lists eventsPerViewMax events and counts the others in every figure', () => {
    const partition = new Partition({ eventsPerViewMax: 10 });
    partition.beat(10_000, [state(0, 0, 'starting'), ...steps]);
    expect(partition.fold.gauges().heldEvents).toBe(10);
    partition.end(10_000);
    expect(partition.eventRows).toHaveLength(10);
    expect(partition.fold.counters().eventsUnlisted).toBe(51);
    expect(partition.view()).toMatchObject({ reports_received: 61, playing_ms: 30 * 100 });
  });
});

describe('what is kept to weigh late values', () => {
  it('is the last 64 spans of playing: a value for a time before them counts from the oldest', () => {
    const clock = new PlayClock();
    for (let span = 0; span < SPANS_MAX + 10; span++) clock.add(1_000 * span, 100);
    expect(clock.save().spans).toHaveLength(SPANS_MAX);
    expect(clock.playedBefore(0)).toBe(10 * 100);
    expect(clock.playedBefore(10_050)).toBe(10 * 100 + 50);

    const partition = new Partition();
    const stops = times(2 * (SPANS_MAX + 10), (index) =>
      state(index, 1_000 * index, index % 2 === 0 ? 'playing' : 'rebuffering'),
    );
    const bitrate = part.rendition({ bitrate: 1_000_000 });
    partition.beat(148_000, stops, { source: 'cmcd' });
    partition.beat(148_000, [response(0, 500, bitrate)], { source: 'cmcd' });
    partition.end(148_000);
    expect(partition.fold.counters().spansForgotten).toBe(10);
    expect(partition.view()).toMatchObject({
      playing_ms: 74_000,
      bitrate_known_ms: 64_000,
      bitrate_bit_ms: 64_000 * 1_000_000,
    });
  });

  it('is 128 points: beyond, the earliest are summed before their time, and none twice', () => {
    const partition = new Partition();
    const reports = times(POINTS_MAX + 40, (index) =>
      response(index, 100 * index, part.rendition({ bitrate: 1_000_000 * (1 + (index % 2)) })),
    );
    partition.beat(20_000, states([0, 'playing'], [20_000, 'ended']), { source: 'cmcd' });
    partition.beat(20_000, reports, { source: 'cmcd' });
    // Of a time that is summed already: nothing is left for it.
    partition.beat(20_000, [response(500, 50, part.rendition({ bitrate: 9_000_000 }))], {
      source: 'cmcd',
    });
    partition.end(20_000);
    expect(partition.fold.counters().pointsSummedEarly).toBe(41);
    expect(partition.view()).toMatchObject({
      bitrate_known_ms: 20_000,
      bitrate_bit_ms: (84 * 100 * 1 + (83 * 100 + 3_300) * 2) * 1_000_000,
    });
  });

  it('weighs no playing time twice, however late a value comes', () => {
    const clock = new PlayClock();
    const track = new Track(60_000);
    const point = (at: number, arrivedMs: number, value: number) =>
      track.add({ at, arrivedMs, value, order: at, playedMs: undefined }, clock);
    point(0, 0, 5);
    clock.add(0, 300_000);
    point(100_000, 100_000, 7);
    point(200_000, 300_000, 9);
    // Four minutes late, for a time of which all is summed but the last.
    point(50_000, 340_000, 1_000);
    expect(track.sums(clock)).toMatchObject({
      knownMs: 300_000,
      sumPositive: 100_000 * (5 + 7 + 9),
    });
  });
});

describe('holes in the numbers', () => {
  const every = (step: number, count: number) => times(count, (index) => index * step);

  it('are at most 64: the numbers of those that are closed stay lost, whatever comes', () => {
    const partition = new Partition({ reorderMs: 0 });
    const numbers = every(2, HOLES_MAX + 11);
    for (const seq of numbers) {
      partition.beat(100 * seq, [event(seq, 100 * seq, 'status')], { source: 'cmcd' });
      partition.tick(100 * seq);
    }
    expect(partition.fold.counters().holesClosed).toBe(10);
    const last = 100 * Math.max(...numbers);
    for (const seq of [1, 3, 19, 21, 23]) {
      partition.beat(last, [event(seq, 100 * seq, 'status')], { source: 'cmcd' });
    }
    partition.end(last);
    // 74 holes of one number; two that are still open were filled, three that are closed were not.
    expect(partition.view()).toMatchObject({
      reports_lost: HOLES_MAX + 10 - 2,
      reports_late: 2,
      reports_duplicate: 3,
    });
    partition.expectBooksBalance();
  });

  it('are at most 64 when one hole is filled here and there', () => {
    const lane = new Lane(false);
    lane.offer(0, 0, 5_000, 0);
    lane.offer(100_000, 1, 5_000, 0);
    for (const seq of every(2, 500)) if (seq > 0) lane.offer(seq, 0, 5_000, 0);
    expect(lane.run?.holes.ranges.length).toBeLessThanOrEqual(HOLES_MAX);
    expect(lane.run?.holes.count).toBe(99_999 - 499);
  });

  it('of lanes that are numbered together are lost once, however many there are', () => {
    const partition = new Partition();
    const lost = new Set([40, 41, 500]);
    const request = part.request({ kind: 'segment', status: 200, ttlb: 5 });
    for (let seq = 0; seq < 1_000; seq++) {
      if (lost.has(seq)) continue;
      const item =
        seq % 2 === 0 ? event(seq, 100 * seq, 'status') : response(seq, 100 * seq, request);
      partition.beat(100 * seq, [item], { source: 'cmcd' });
    }
    partition.end(100_000);
    expect(partition.fold.counters().holesClosed).toBeGreaterThan(300);
    expect(partition.view()).toMatchObject({ reports_lost: 3, reports_received: 997 });
  });

  it('are never walked number by number', () => {
    const partition = new Partition();
    const far = 2 ** 52;
    const source = { source: 'cmcd' } as const;
    partition.beat(0, [response(0, 0), response(far, 1)], source);
    const spread = times(HOLES_MAX + 2, (index) => response(far + 2 + 2 * index, 2 + index));
    partition.beat(0, spread, source);
    partition.beat(100, [event(1, 100, 'a'), event(far + 9, 200, 'b')], source);
    partition.end(200);
    expect(partition.view()).toMatchObject({ reports_received: 2 + HOLES_MAX + 2 + 2 });
  });
});

describe('combinations of dimensions', () => {
  const spread = (partition: Partition, count: number): void => {
    for (let index = 0; index < count; index++) {
      const context = [
        { name: 'asn', value: `as${index}` },
        { name: 'country', value: `c${index}` },
        { name: 'video_id', value: `m${index}` },
      ];
      partition.beat(4_000, states([0, 'starting'], [1_000, 'playing']), {
        view: `v${index}`,
        context,
      });
    }
    partition.end(4_000);
  };

  it('of a window are bounded whatever is said: in the end all values are (other), and sums stay', () => {
    const partition = new Partition({ intervalTuplesMax: 5 });
    spread(partition, 60);
    const tuples = partition.playbackRows
      .filter(({ window }) => Number(window) === T0 / 1_000)
      .map(({ asn, country, video_id }) => [asn, country, video_id].join());
    expect(new Set(tuples).size).toBe(3 * 5 + 1);
    expect(tuples).toContain('(other),(other),(other)');
    expect(partition.sum('viewers')).toBe(60);
    expect(partition.sum('viewing_ms')).toBe(60 * 1_000);
    expect(partition.fold.counters().tuplesCut).toBeGreaterThan(0);
  });

  it('of who is watching now are bounded as well, and everybody is counted', () => {
    const partition = new Partition({ intervalTuplesMax: 5 });
    spread(partition, 60);
    const newest = partition.nowRows.filter(({ _epoch }) => _epoch === 2);
    expect(newest).toHaveLength(3 * 5 + 1);
    expect(newest.reduce((sum, { playing }) => sum + Number(playing), 0)).toBe(60);
  });

  it('of a partition are bounded, and nothing is left out of a sum', () => {
    const limits = { tuplesMax: 20, sweepFrom: 1_000 };
    const partition = new Partition({}, limits);
    spread(partition, 200);
    expect(partition.fold.gauges().tuples).toBeLessThanOrEqual(2 * limits.tuplesMax + 1);
    expect(partition.fold.counters().tuplesLimited).toBeGreaterThan(0);
    expect(partition.sum('viewers')).toBe(200);
    expect(partition.sum('viewing_ms')).toBe(200 * 1_000);
  });
});

describe('rejects of an epoch', () => {
  const bad = (size: number) => Buffer.concat([Buffer.from('no record'), Buffer.alloc(size)]);

  it('beyond rejectsPerEpochMax are one row for each reason, which says how many', () => {
    const partition = new Partition({ rejectsPerEpochMax: 4, viewsMax: 1 });
    partition.beat(4_000, played);
    for (let index = 0; index < 10; index++) partition.beat(4_000, played, { view: `w${index}` });
    for (let index = 0; index < 5; index++) partition.give(4_000, bad(3));
    partition.end(4_000);
    const sum = (column: string) =>
      partition.rejects.reduce((all, row) => all + Number(row[column]), 0);
    expect(partition.rejects).toHaveLength(4 + 2);
    expect([sum('rejects'), sum('events')]).toEqual([15, 30]);
    expect(partition.fold.counters()).toMatchObject({
      rejectsSummed: 11,
      rejectsViewsLimit: 10,
      rejectsRecordUnknown: 5,
    });
    partition.expectBooksBalance();
  });

  it('beyond rejectBytesPerEpochMax come without their bytes', () => {
    const bytesMax = 10_000;
    const partition = new Partition({ rejectBytesPerEpochMax: bytesMax });
    for (let index = 0; index < 20; index++) partition.give(4_000, bad(1_500));
    partition.end(4_000);
    const lengths = partition.rejects.map(({ bytes }) => String(bytes).length);
    expect(lengths).toEqual([...times(6, () => 1_509), ...times(14, () => 0)]);
    expect(partition.fold.counters().rejectBytesCut).toBe(14);
    expect(partition.rejects.every(({ rejects }) => rejects === 1)).toBe(true);
  });

  it('of ever new reasons are told apart for the first thousand', () => {
    const partition = new Partition({ rejectsPerEpochMax: 0 });
    for (let index = 0; index < 1_300; index++) {
      const why = { project: 'p', view: 'v', route: 'r', code: `c${index}`, message: '' };
      partition.give(4_000, encodeRecord('reject', { ...why, bytes: Buffer.from('x') }));
    }
    partition.end(4_000);
    expect(partition.rejects).toHaveLength(1_001);
    expect(partition.rejects.find(({ code }) => code === '(other)')).toMatchObject({
      rejects: 300,
    });
    const total = partition.rejects.reduce((sum, { rejects }) => sum + Number(rejects), 0);
    expect(total).toBe(1_300);
  });
});

let lines = 0;

function request(ms: number, value: Partial<EdgeRequest>): EdgeRequest {
  const identity = Buffer.alloc(8);
  identity.writeUInt32LE(++lines);
  const texts = { method: 'GET', host: '', path: '/', protocol: '', cdn: '', pop: '' };
  return {
    identity,
    endAt: T0 + ms,
    durationMs: 10,
    ttfbMs: 1,
    originMs: -1,
    status: 200,
    bytes: 100,
    aborted: false,
    ...texts,
    country: '',
    asn: '',
    cache: '',
    cmcd: [],
    ...value,
  };
}

function edge(requests: readonly EdgeRequest[], view = 'v'): Buffer {
  return encodeRecord('edge', { project: 'default', view, format: 'nginx', requests });
}

describe('ids that are remembered', () => {
  it('of views that were let go are at most closedMemoryMax: the oldest is new again', () => {
    const partition = new Partition({ closedMemoryMax: 2 });
    for (const view of ['a', 'b', 'c']) partition.beat(4_000, played, { view });
    partition.tick(40 * MINUTE_MS);
    expect(partition.fold.gauges()).toMatchObject({ views: 0, closedIds: 2 });
    expect(partition.fold.counters().closedIdsForgotten).toBe(1);
    for (const view of ['a', 'b', 'c']) partition.beat(40 * MINUTE_MS, played, { view });
    expect(partition.fold.counters()).toMatchObject({ viewsOpened: 4, rejectsViewClosed: 2 });
  });

  it('of edge requests are at most edgeDedupMax, also after that was lowered', () => {
    const partition = new Partition({ edgeDedupMax: 100 });
    const requests = times(50, () => request(0, {}));
    partition.give(1_000, edge(requests));
    const values = { edgeDedupMax: 10 };
    partition.give(4_000, encodeRecord('settings', { foldVersion: 0, values }));
    partition.give(8_000, edge([request(0, {})]));
    expect(partition.fold.gauges().edgeIds).toBe(10);
    expect(partition.fold.counters().edgeIdsForgotten).toBe(41);
    partition.give(8_000, edge(requests.slice(-3)));
    expect(partition.fold.counters()).toMatchObject({
      edgeRequestsTaken: 51,
      edgeRequestsRepeated: 3,
    });
  });
});

describe('edge requests whose time cannot be', () => {
  const DAY_MS = 86_400_000;

  it('are rejects, one by one, and make no view', () => {
    const partition = new Partition();
    const wrong = [-31 * DAY_MS, 11 * MINUTE_MS, 8_000 * 365 * DAY_MS, -T0 - 1];
    partition.give(
      0,
      edge(
        wrong.map((ms) => request(ms, {})),
        'wrong',
      ),
    );
    expect(partition.fold.gauges().views).toBe(0);
    partition.give(0, edge([request(-1_000, {}), request(12 * MINUTE_MS, {})], 'mixed'));
    partition.end(0);
    expect(partition.rejects.map(({ code, view_id, event: at }) => [code, view_id, at])).toEqual([
      ...wrong.map((_, index) => ['time_out_of_range', 'wrong', index]),
      ['time_out_of_range', 'mixed', 1],
    ]);
    expect(partition.view('mixed')).toMatchObject({ edge_request_count: 1, view_end: T0 - 1_000 });
    expect(partition.fold.counters()).toMatchObject({
      edgeRequestsTaken: 1,
      edgeRequestsRefused: 5,
      rejectsTimeOutOfRange: 5,
    });
  });

  it('or whose amounts cannot be count as requests that do not say them', () => {
    const partition = new Partition();
    const huge = { durationMs: 2 ** 50, bytes: 2 ** 52 };
    const cmcd = [
      { name: 'd', value: '999999999999999' },
      { name: 'br', value: '999999999999999' },
      { name: 'bl', value: '999999999999999' },
      { name: 'mtp', value: '999999999999999' },
    ];
    partition.give(0, edge([request(0, { ...huge, cmcd }), request(0, { durationMs: -5 })]));
    partition.end(0);
    expect(partition.view()).toMatchObject({
      view_start: T0,
      edge_request_count: 2,
      edge_bytes: 100,
      edge_media_ms: 0,
      edge_buffer_count: 0,
      edge_throughput_count: 0,
    });
  });
});

describe('what is to be done to a view', () => {
  /** Entries of a view that goes on, whatever it does: to be placed, reordered, looked at, let go. */
  const ENTRIES_MAX = 6;

  it('is a few entries though it ends and begins again a thousand times', () => {
    const partition = new Partition();
    const turns = times(2_000, (seq) => state(seq, 10 * seq, seq % 2 === 0 ? 'playing' : 'ended'));
    for (const item of turns) partition.beat(20_000, [item]);
    expect(partition.fold.gauges().deadlines).toBeLessThanOrEqual(ENTRIES_MAX);
    expect(partition.fold.counters().viewsClosed).toBe(1_000);
    partition.end(20_000);
    expect(partition.sum('views_ended')).toBe(1);
    expect(partition.fold.gauges().views).toBe(0);
  });

  it('is a few entries though it says nothing a thousand times', () => {
    const partition = new Partition();
    for (let index = 0; index < 1_000; index++) partition.beat(0, []);
    expect(partition.fold.gauges().deadlines).toBeLessThanOrEqual(ENTRIES_MAX);
  });

  it('is a few entries though it pauses and plays on for a day', () => {
    const partition = new Partition({ silentMs: 10 * MINUTE_MS });
    let most = 0;
    partition.beat(0, [state(0, 0, 'starting')]);
    for (let seq = 1; seq < 900; seq++) {
      const ms = seq * 95_000;
      partition.beat(ms, [state(seq, ms, seq % 2 === 0 ? 'paused' : 'playing')]);
      most = Math.max(most, partition.fold.gauges().deadlines);
    }
    expect(most).toBeLessThanOrEqual(ENTRIES_MAX);
    partition.end(900 * 95_000);
    expect(partition.view()).toMatchObject({ reports_received: 900, outcome: 'dropped' });
  });

  it('is a few entries though settings change a thousand times', () => {
    const partition = new Partition({ epochRecordsMax: 1 });
    partition.beat(0, [state(0, 0, 'starting'), state(5, 10, 'playing')]);
    for (let index = 0; index < 1_000; index++) {
      const values = {
        reorderMs: index % 2 === 0 ? 5_000 : 4_000,
        viewTimeoutMs: 60_000 + (index % 2),
      };
      partition.give(0, encodeRecord('settings', { foldVersion: 0, values }));
    }
    expect(partition.fold.gauges().deadlines).toBeLessThanOrEqual(2 * ENTRIES_MAX);
  });

  it('closes a paused view when its hour is over, not before', () => {
    const partition = new Partition({ silentMs: 0 });
    partition.beat(0, states([0, 'starting'], [1_000, 'playing'], [2_000, 'paused']));
    partition.tick(60 * MINUTE_MS - 1);
    expect(partition.fold.counters().viewsClosed).toBe(0);
    partition.tick(60 * MINUTE_MS);
    expect(partition.fold.counters().viewsClosed).toBe(1);
  });
});

describe('the rows of an epoch', () => {
  it('are cut when they are too many, by facts of the log, and no sum notices', () => {
    const settings = { epochBytesMax: 20_000, epochMs: 60 * MINUTE_MS };
    const small = new Partition(settings);
    const large = new Partition({ epochMs: 60 * MINUTE_MS });
    for (const partition of [small, large]) {
      for (let index = 0; index < 200; index++) {
        partition.beat(4_000 + index, played, { view: `v${index}` });
      }
      for (let second = 10; second < 60; second++) partition.tick(1_000 * second);
      partition.end(60_000);
      partition.expectBooksBalance();
    }
    expect(small.fold.counters().epochsCut).toBeGreaterThan(5);
    expect(large.fold.counters().epochsCut).toBe(0);
    for (const column of ['playing_ms', 'viewing_ms', 'views_started', 'views_ended', 'viewers'])
      expect([column, small.sum(column)]).toEqual([column, large.sum(column)]);
    expect(small.eventRows).toHaveLength(large.eventRows.length);
  });

  it('leave for the next what log time has made due for more views than an epoch has room for', () => {
    const partition = new Partition({ epochBytesMax: 30_000 });
    for (let index = 0; index < 200; index++)
      partition.beat(10 * index, states([0, 'starting'], [1_000, 'playing']), {
        view: `v${index}`,
      });
    for (let minute = 1; minute < 60; minute++) partition.tick(minute * MINUTE_MS);
    partition.end(60 * MINUTE_MS);
    expect(partition.fold.counters().viewsClosed).toBe(200);
    expect(partition.sum('views_ended')).toBe(200);
    expect(Math.max(...partition.epochs.map(({ epoch }) => epoch))).toBeGreaterThan(20);
    const rowsOf = new Map<unknown, number>();
    for (const { _epoch } of partition.viewRows) rowsOf.set(_epoch, (rowsOf.get(_epoch) ?? 0) + 1);
    expect(Math.max(...rowsOf.values())).toBeLessThanOrEqual(30);
  });

  it('of one event are at most the windows of a gap', () => {
    const partition = new Partition();
    partition.beat(0, states([-86_400_000, 'starting'], [-86_300_000, 'playing'], [0, 'ended']));
    partition.end(0);
    expect(partition.sum('playing_ms')).toBe(MINUTE_MS);
    expect(new Set(partition.playbackRows.map(({ window }) => window)).size).toBeLessThanOrEqual(
      2 * (MINUTE_MS / 5_000 + 1),
    );
  });
});

describe('settings in the log', () => {
  const announced = (values: Record<string, number>) =>
    encodeRecord('settings', { foldVersion: 0, values });

  it('that would stop a partition, or let it grow beyond a machine, are ignored and counted', () => {
    const partition = new Partition();
    const before = partition.fold.settings;
    const most = Number.MAX_SAFE_INTEGER - 1;
    const names = Object.keys(defaultFoldSettings);
    const bad = { epochMs: 0, epochRecordsMax: 0, epochBytesMax: 0, viewsMax: 0, gapMs: 0 };
    partition.give(0, announced({ ...bad, viewTimeoutMs: 0, pausedTimeoutMs: -1, pastMs: 0 }));
    partition.give(0, announced(Object.fromEntries(names.map((name) => [name, most]))));
    partition.give(0, announced(Object.fromEntries(names.map((name) => [name, -1]))));
    partition.give(0, announced({ noSuchOne: 5, __proto__: 5, constructor: 5 }));
    expect(partition.fold.settings).toEqual(before);
    expect(partition.fold.counters().settingsIgnored).toBe(8 + 2 * names.length + 2);
  });

  it('of nothing where nothing may be are taken, and the partition goes on', () => {
    const zero = {
      reorderMs: 0,
      waitingMax: 0,
      reopenMs: 0,
      closedMemoryMs: 0,
      closedMemoryMax: 0,
      futureMs: 0,
      silentMs: 0,
      edgeDedupMs: 0,
      edgeDedupMax: 0,
      eventsPerViewMax: 0,
      rejectsPerEpochMax: 0,
      rejectBytesPerEpochMax: 0,
      pendingCreditsMax: 0,
      epochMs: 10,
      gapMs: 1,
    };
    const partition = new Partition();
    partition.give(0, announced(zero));
    expect(partition.fold.settings).toMatchObject(zero);
    partition.beat(5_000, [...played.slice(0, 1), ...played.slice(2)], { source: 'cmcd' });
    partition.beat(5_000, unnumbered(played), { source: 'epas', view: 'w' });
    partition.give(5_000, edge([request(4_000, {})], 'x'));
    partition.give(5_000, Buffer.from('no record'));
    partition.end(5_000);
    expect(partition.eventRows).toEqual([]);
    expect(partition.rejects).toMatchObject([{ code: 'record_unknown', rejects: 1 }]);
    expect(['v', 'w', 'x'].map((id) => partition.view(id).closed)).toEqual([1, 1, 1]);
    partition.expectBooksBalance();
  });
});

describe('a record that is damaged', () => {
  it('costs no more than its bytes, whatever number it says is in it', () => {
    const partition = new Partition();
    const count = Buffer.from('feffffffffffffff7f', 'hex');
    for (const kind of ['edge', 'settings'] as const) {
      const body = {
        project: 'p',
        view: 'v',
        format: 'f',
        requests: [],
        foldVersion: 0,
        values: {},
      };
      const whole = encodeRecord(kind, body);
      // The last byte ends the list of requests, or the map of values.
      partition.give(0, Buffer.concat([whole.subarray(0, -1), count]));
      partition.give(0, Buffer.concat([whole.subarray(0, -1), count, Buffer.alloc(500, 1)]));
    }
    partition.end(0);
    expect(partition.rejects.map(({ code }) => code)).toEqual(times(4, () => 'record_malformed'));
  });

  it('is a reject wherever it was cut off, and the next is folded', () => {
    const partition = new Partition();
    const value = edge([request(0, { cmcd: [{ name: 'br', value: '1' }] })]);
    for (let length = HEADER_BYTES; length < value.length; length++)
      partition.give(0, value.subarray(0, length));
    partition.give(0, value);
    partition.end(0);
    expect(partition.fold.counters().rejectsRecordMalformed).toBe(value.length - HEADER_BYTES);
    expect(partition.fold.counters().edgeRequestsTaken).toBe(1);
  });
});

/** Makes the writing of rows fail half-way, as a defect would: where a timeline tells of this client's time. */
const POISON_MS = 2_345;

function poison({ rows }: PartitionFold): void {
  const write = rows.viewEvents.int64.bind(rows.viewEvents);
  rows.viewEvents.int64 = (value) => {
    if (value === T0 + POISON_MS) throw new RangeError('a defect');
    write(value);
  };
}

describe('a record on which the fold fails', () => {
  const good = states([0, 'starting'], [1_000, 'playing'], [2_000, 'playing']);
  const bad = [
    state(3, POISON_MS, 'rebuffering'),
    state(4, 2_600, 'playing'),
    event(5, 2_700, 'status'),
  ];
  const tell = (): Partition => {
    const partition = new Partition();
    poison(partition.fold);
    partition.beat(2_000, good);
    partition.tick(8_000);
    partition.beat(8_000, bad);
    partition.beat(8_000, good, { view: 'w' });
    partition.beat(9_000, [state(6, 3_000, 'ended')]);
    return partition.end(9_000);
  };

  it('is a reject with its bytes and its events; the next one is folded, and the books balance', () => {
    const partition = tell();
    const [row] = partition.rejects;
    expect(partition.rejects).toHaveLength(1);
    expect(row).toMatchObject({ code: 'record_failed', view_id: 'v', events: 2, rejects: 1 });
    const bytes = Buffer.from(String(row?.bytes), 'latin1');
    expect(bytes.equals(encodeRecord('beat', beat(bad)))).toBe(true);
    expect(partition.fold.counters().rejectsRecordFailed).toBe(1);
    expect(partition.fold.failure).toBeInstanceOf(RangeError);
    expect(partition.view('w')).toMatchObject({ playing_ms: 1_000 });
    expect(partition.view('v')).toMatchObject({ closed: 1, outcome: 'ended' });
    partition.expectBooksBalance();
  });

  it('leaves no half of a row', () => {
    const partition = tell();
    // Rows of another length would not be read back at all.
    expect(partition.eventRows.map(({ view_id, seq }) => `${view_id} ${seq}`)).toEqual([
      ...good.map(({ seq }) => `v ${seq}`),
      ...good.map(({ seq }) => `w ${seq}`),
      // Those between went with the record, and were waited for.
      'v 6',
    ]);
    expect(partition.view('v')).toMatchObject({ reports_received: 5, reports_lost: 2 });
  });

  it('gives the same again, to the byte, whoever folds it', () => {
    const [once, twice] = [tell(), tell()];
    expect(twice.epochs).toEqual(once.epochs);
    expect([twice.eventRows, twice.viewRows, twice.rejects]).toEqual([
      once.eventRows,
      once.viewRows,
      once.rejects,
    ]);
  });

  it('is one whatever its kind', () => {
    const partition = new Partition();
    const { edge: edgeFold, life } = partition.fold.beats;
    edgeFold.take = () => {
      throw new Error('a defect');
    };
    life.forgetViewer = () => {
      throw new Error('a defect');
    };
    partition.give(0, edge([request(0, {})]));
    partition.give(0, encodeRecord('forget', { project: 'default', viewer: 'u' }));
    partition.beat(4_000, played);
    partition.end(4_000);
    expect(partition.rejects.map(({ code }) => code)).toEqual(['record_failed', 'record_failed']);
    expect(partition.view()).toMatchObject({ playing_ms: 3_000 });
  });
});

describe('what is due to a view, when the fold fails on it', () => {
  it('costs the row that cannot be written, and nothing else', () => {
    const partition = new Partition();
    poison(partition.fold);
    partition.beat(4_000, [...played.slice(0, 2), state(2, POISON_MS, 'playing')]);
    partition.beat(4_000, [state(3, 4_000, 'ended')]);
    partition.end(4_000);
    expect(partition.eventRows.map(({ seq }) => seq)).toEqual([0, 1, 3]);
    expect(partition.view()).toMatchObject({ playing_ms: 3_000, outcome: 'ended' });
    expect(partition.sum('playing_ms')).toBe(3_000);
    expect(partition.fold.counters().rowsFailed).toBe(1);
    expect(partition.rejects).toMatchObject([{ code: 'record_failed', view_id: 'v', events: 0 }]);
    partition.expectBooksBalance();
  });

  it('lets the view go, once, and nobody is counted as watching it', () => {
    const partition = new Partition();
    partition.beat(1_000, states([0, 'starting'], [1_000, 'playing']));
    partition.beat(1_000, states([0, 'starting'], [1_000, 'playing']), { view: 'w' });
    for (const view of partition.fold.beats.life.views()) {
      if (view.id !== 'v') continue;
      Object.defineProperty(view, 'startMs', {
        get: () => {
          throw new Error('a defect');
        },
      });
    }
    partition.end(1_000);
    expect(partition.fold.counters().deadlinesFailed).toBe(1);
    expect(partition.rejects).toMatchObject([{ code: 'record_failed', view_id: 'v' }]);
    expect(partition.view('w')).toMatchObject({ closed: 1 });
    const counts = partition.nowRows.map(({ playing }) => Number(playing));
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    expect(partition.nowRows.at(-1)).toMatchObject({ playing: 1 });
  });

  it('leaves out a row of a view or a window that cannot be written, and tells of it', () => {
    const partition = new Partition();
    const { rows } = partition.fold;
    partition.beat(4_000, played);
    partition.beat(4_000, played, { view: 'w' });
    partition.tick(10_000);
    const date = rows.views.date.bind(rows.views);
    let failures = 1;
    rows.views.date = (days) => {
      if (failures-- > 0) throw new RangeError('a defect');
      date(days);
    };
    rows.playback.varuint = () => {
      throw new RangeError('a defect');
    };
    partition.tick(20_000);
    partition.end(20_000);
    expect(partition.viewRows.map(({ view_id }) => view_id)).toEqual(['w']);
    expect(partition.playbackRows).toEqual([]);
    expect(partition.fold.counters().rowsFailed).toBe(2);
    expect(partition.rejects.map(({ code, view_id }) => [code, view_id])).toEqual([
      ['record_failed', 'v'],
      ['record_failed', ''],
    ]);
  });
});

describe('counters', () => {
  it('and gauges go on in a fold that was loaded', () => {
    const partition = new Partition({ viewsMax: 2, rejectsPerEpochMax: 1, waitingMax: 1 });
    for (const view of ['a', 'b', 'c', 'd']) {
      const kinds: PlayerState[] = ['starting', 'playing', 'paused'];
      const events = kinds.map((kind, index) => state(2 * index, 100 * index, kind));
      partition.beat(1_000, events, { view, source: 'cmcd' });
    }
    partition.give(1_000, edge([request(0, {})], ''));
    const fold = endOf(partition.fold);
    const again = loaded(chunksOf(fold));
    expect(again.counters()).toEqual(fold.counters());
    expect({ ...again.gauges(), epochBytes: 0 }).toEqual({ ...fold.gauges(), epochBytes: 0 });
    expect(fold.counters()).toMatchObject({ rejectsViewsLimit: 2, rejectsSummed: 1 });
    expect(fold.gauges()).toMatchObject({ views: 2, waitingReports: 2, edgeIds: 1 });
    for (const value of [...Object.values(fold.counters()), ...Object.values(fold.gauges())])
      expect(Number.isSafeInteger(value)).toBe(true);
  });
});
