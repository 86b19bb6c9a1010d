/** The baseline is only worth comparing with when it concludes the same where it concludes at all. */
import { describe, expect, it } from 'vitest';
import { toRecord } from '../../bench/load/record-file.ts';
import { simulateBeats } from '../../bench/load/simulated-beats.ts';
import { NaiveFold } from '../../bench/naive-fold.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { playback5s } from '../../schemas/tables/tables.ts';
import { readRows } from '../support/row-reader.ts';

const START_AT_MS = 1_767_225_600_000;
const load = { seed: 3, viewers: 60, durationMs: 60_000, startAtMs: START_AT_MS };

function records(beats = simulateBeats(load)) {
  return beats.map((beat, offset) => ({
    offset,
    appendTimeMs: beat.sentAtMs + 40,
    value: toRecord(beat),
  }));
}

describe('the naive fold', () => {
  it('finds the playing time that the fold finds, over all windows', () => {
    const naive = new NaiveFold();
    const fold = new PartitionFold(0);
    let playingMs = 0;
    const collect = (): void => {
      for (const row of readRows(playback5s, fold.rows.playback.take()))
        playingMs += Number(row.playing_ms);
      fold.rows.reset();
    };
    const all = records();
    for (const record of all) {
      naive.fold(record);
      fold.fold(record, collect);
    }
    // Views that began last get their place in time a little later.
    const appendTimeMs = START_AT_MS + load.durationMs + 10_000;
    fold.fold({ offset: all.length, appendTimeMs, value: encodeRecord('tick', {}) }, collect);
    fold.endEpoch();
    collect();
    const naiveMs = [...naive.views.values()].reduce((sum, view) => sum + view.playingMs, 0);
    expect(naiveMs).toBeGreaterThan(100_000);
    expect(naiveMs).toBe(playingMs);
    expect(naive.events).toBe(fold.beats.counters.eventsTaken);
  });

  it('takes a beat that comes twice once', () => {
    const naive = new NaiveFold();
    const [record] = records();
    if (record === undefined) throw new Error('no beat was simulated');
    naive.fold(record);
    const { events } = naive;
    naive.fold(record);
    expect(naive.events).toBe(events);
  });
});

describe('the simulated beats', () => {
  it('are the same for the same seed, of ten events, numbered without a gap', () => {
    const beats = simulateBeats(load);
    expect(beats).toEqual(simulateBeats(load));
    const sizes = beats.map(({ events }) => events);
    expect(Math.max(...sizes)).toBe(10);
    expect(sizes.filter((size) => size === 10).length).toBeGreaterThan(0.8 * sizes.length);
    const next = new Map<string, number>();
    for (const { view, json } of beats) {
      for (const { seq } of (JSON.parse(json) as { events: { seq: number }[] }).events) {
        expect(seq).toBe(next.get(view) ?? 0);
        next.set(view, seq + 1);
      }
    }
  });
});
