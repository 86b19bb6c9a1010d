/** Recorded telemetry of real players through the whole of it, against what the video element knew. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../ingest/clients/replay.ts';
import { PartitionFold } from '../processors/partition.ts';
import type { Table } from '../schemas/tables/table.ts';
import {
  playback5s,
  rejected,
  viewEvents as viewEventsTable,
  views,
} from '../schemas/tables/tables.ts';
import { CORPUS, cmcdLines, eventSid, type Recording, readRecordings } from './support/corpus.ts';
import { type Row, readRows } from './support/row-reader.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

/** Short waits, so that views which only fell silent close while the test looks on. */
const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 6_000 };

interface ViewDetail {
  readonly outcome: string;
  readonly live: boolean;
  readonly video_startup_time: number | null;
  readonly rebuffer_count: number | null;
  readonly rebuffer_duration: number | null;
  readonly playing_time: number | null;
  readonly seek_latency: number | null;
  readonly report_completeness: number | null;
  readonly live_stream_latency: number | null;
}

const recordings = readRecordings();
const withEvents = recordings.filter((recording) => eventSid(recording) !== undefined);
/** Their lines name no view: all of them together are one that is guessed. */
const withoutSid = recordings.filter((recording) => eventSid(recording) === undefined);

let server: TestServer;

async function detailOf(recording: Recording): Promise<ViewDetail> {
  const { data } = await server.get<{ data: ViewDetail }>(
    `/data/v1/video-views/${eventSid(recording)}`,
  );
  return data;
}

beforeAll(async () => {
  server = await startTestServer(SETTINGS);
  const result = await replay({ paths: [CORPUS], url: server.url, key: 'dev', forms: ['cmcd'] });
  expect(result.forms.cmcd).toMatchObject({ failed: 0, rejectedRecords: 0 });
  const list = '/data/v1/video-views?timeframe[]=1:hours&limit=100';
  await until(
    () => server.get<{ data: { live: boolean }[] }>(list),
    ({ data }) => data.length === withEvents.length + 1 && data.every(({ live }) => !live),
  );
});

afterAll(() => server?.close());

describe('every report of the recordings', () => {
  it('is in the tables, those without a session id in a view that says that it is guessed', async () => {
    const sent = recordings.flatMap(cmcdLines).length;
    const [taken] = await server.store.query<{ taken: number }>(
      'SELECT count() AS taken FROM view_events',
    );
    const [sums] = await server.store.query<{ received: number; repeated: number }>(
      'SELECT sum(reports_received) AS received, sum(reports_duplicate) AS repeated FROM views FINAL',
    );
    const [rejects] = await server.store.query<{ rows: number }>(
      'SELECT count() AS rows FROM rejected',
    );
    const guessed = await server.store.query<{ reports: number }>(
      `SELECT reports_received + reports_duplicate AS reports FROM views FINAL WHERE view_id_origin = 'guessed'`,
    );
    expect(rejects?.rows).toBe(0);
    expect(guessed).toEqual([{ reports: withoutSid.flatMap(cmcdLines).length }]);
    expect(taken?.taken).toBe(sums?.received);
    expect((sums?.received ?? 0) + (sums?.repeated ?? 0)).toBe(sent);
  });
});

describe.each(withEvents.map((recording) => ({ recording, name: recording.name })))(
  '$name',
  ({ recording }) => {
    const { summary } = recording.truth;
    // hls.js says `preloading` before `starting`: the start it reports is later than the load that a page asks for.
    const startupLateMs = recording.name.startsWith('hls') ? 750 : 250;

    it('starts when the video did', async () => {
      const { video_startup_time: startupMs } = await detailOf(recording);
      if (summary.startup_ms === null) {
        expect(startupMs).toBeNull();
        return;
      }
      expect(startupMs).toBeGreaterThanOrEqual(summary.startup_ms - startupLateMs);
      expect(startupMs).toBeLessThanOrEqual(summary.startup_ms + 250);
    });

    it('rebuffers as often and as long as the video did, seeks told apart', async () => {
      const view = await detailOf(recording);
      expect(view.rebuffer_count ?? 0).toBe(summary.rebuffer_count);
      // A stall still open at the end has no end to compare with: its reports stop before it does.
      if (summary.rebuffer_open_at_end === true) return;
      expect(Math.abs((view.rebuffer_duration ?? 0) - summary.rebuffer_ms)).toBeLessThanOrEqual(
        250,
      );
      if (recording.name.includes('seekpause')) expect(view.seek_latency).toBeGreaterThan(0);
    });

    it('comes out as the video did', async () => {
      const { outcome } = await detailOf(recording);
      const failed = summary.fatal_errors > 0;
      // Recordings that neither ended nor failed were closed with their tab, and no player says so.
      expect(outcome).toBe(summary.ended ? 'ended' : failed ? 'failed' : 'dropped');
    });

    it('plays as long as the video did, where it ended', async () => {
      if (!summary.ended) return;
      const { playing_time: playedMs } = await detailOf(recording);
      expect(Math.abs((playedMs ?? 0) - summary.played_ms)).toBeLessThanOrEqual(1_000);
    });

    it('has every report that was sent', async () => {
      expect((await detailOf(recording)).report_completeness).toBe(1);
    });
  },
);

describe('live latency', () => {
  it('agrees with the wall clock of the frames where a player reports it', async () => {
    const reporting = withEvents.filter(({ name }) => name.startsWith('dash-v2q-live'));
    expect(reporting.length).toBeGreaterThan(2);
    for (const recording of reporting) {
      const { live_stream_latency: latencyMs } = await detailOf(recording);
      const truthMs = recording.truth.summary.live_latency_mean_ms ?? 0;
      expect(Math.abs((latencyMs ?? 0) - truthMs)).toBeLessThanOrEqual(150);
    }
  });
});

describe('the fold, run again over the stored log', () => {
  interface Rows {
    views: Row[];
    events: Row[];
    rejects: Row[];
    windows: Row[];
  }

  async function refold(partition: number, epochs: number): Promise<Rows> {
    const fold = new PartitionFold(partition);
    const rows: Rows = { views: [], events: [], rejects: [], windows: [] };
    const from = await server.log.earliest(partition);
    for await (const batch of server.log.read(partition, { fromOffset: from, follow: false })) {
      for (const record of batch) {
        fold.fold(record, (epoch) => {
          if (epoch.epoch <= epochs) {
            rows.views.push(...readRows(views, epoch.rows.views.take()));
            rows.events.push(...readRows(viewEventsTable, epoch.rows.viewEvents.take()));
            rows.rejects.push(...readRows(rejected, epoch.rows.rejected.take()));
            rows.windows.push(...readRows(playback5s, epoch.rows.playback.take()));
          }
          epoch.rows.reset();
        });
      }
    }
    return rows;
  }

  /** Rows of a table as the reader of row bytes gives them: times in ms, days since 1970, strings as bytes. */
  async function stored(table: Table, partition: number, epochs: number): Promise<Row[]> {
    const columns = table.columns.map(({ name, type }) => {
      if (type.startsWith('DateTime64')) return `toUnixTimestamp64Milli(${name}) AS ${name}`;
      if (type === "DateTime('UTC')") return `toUnixTimestamp(${name}) AS ${name}`;
      // As the reader of row bytes gives a map: pairs in the order they were written.
      if (type.startsWith('Map'))
        return `arrayZip(mapKeys(${name}), mapValues(${name})) AS ${name}`;
      if (type === 'Date') return `toUInt16(${name}) AS ${name}`;
      return type === 'String' ? `hex(${name}) AS ${name}` : name;
    });
    // Qualified, because an alias here is also a column's name.
    return server.store.query<Row>(
      `SELECT ${columns.join(', ')} FROM ${table.name} AS t
       WHERE t._partition = {partition:UInt16} AND t._epoch <= {epochs:UInt64}`,
      { params: { partition, epochs } },
    );
  }

  function comparable(table: Table, rows: readonly Row[], areHex: boolean): string[] {
    const texts = table.columns.filter(({ type }) => type === 'String').map(({ name }) => name);
    return rows
      .map((row) => {
        const copy = { ...row };
        for (const name of texts) {
          if (!areHex)
            copy[name] = Buffer.from(String(row[name]), 'latin1').toString('hex').toUpperCase();
        }
        return JSON.stringify(copy);
      })
      .sort();
  }

  it('gives the rows that the store has', async () => {
    let compared = 0;
    for (let partition = 0; partition < server.log.partitions; partition++) {
      const epochs = server.processor.partitions[partition]?.committedEpoch ?? 0;
      const again = await refold(partition, epochs);
      const newest = new Map(again.views.map((row) => [row.view_id, row]));
      const pairs = [
        [viewEventsTable, again.events],
        [rejected, again.rejects],
        [playback5s, again.windows],
      ] as const;
      for (const [table, rows] of pairs) {
        const kept = await stored(table, partition, epochs);
        expect(comparable(table, kept, true)).toEqual(comparable(table, rows, false));
        compared += rows.length;
      }
      // Older rows of a view go when the engine merges: the newest is what stands.
      const standing = new Map(
        (await stored(views, partition, epochs))
          .sort((a, b) => Number(a._epoch) - Number(b._epoch))
          .map((row) => [row.view_id, row]),
      );
      expect(comparable(views, [...standing.values()], true)).toEqual(
        comparable(views, [...newest.values()], false),
      );
      compared += newest.size;
    }
    expect(compared).toBeGreaterThan(1_000);
  });
});
