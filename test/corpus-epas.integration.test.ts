/** The EPAS events of the recordings, alone, against what the video element knew. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../ingest/clients/replay.ts';
import { CORPUS, epasEvents, epasSession, readRecordings } from './support/corpus.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

/** Short waits, so that views which only fell silent close while the test looks on. */
const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 6_000 };

interface ViewDetail {
  readonly outcome: string;
  readonly video_startup_time: number | null;
  readonly rebuffer_count: number | null;
  readonly rebuffer_duration: number | null;
  readonly playing_time: number | null;
  readonly seek_latency: number | null;
  readonly weighted_average_bitrate: number | null;
  readonly report_completeness: number | null;
}

const recordings = readRecordings();

let server: TestServer;

async function detailOf(id: string): Promise<ViewDetail> {
  return (await server.get<{ data: ViewDetail }>(`/data/v1/video-views/${id}`)).data;
}

beforeAll(async () => {
  server = await startTestServer(SETTINGS);
  const result = await replay({ paths: [CORPUS], url: server.url, key: 'dev', forms: ['epas'] });
  expect(result.forms.epas).toMatchObject({ failed: 0, rejectedRecords: 0 });
  const list = '/data/v1/video-views?timeframe[]=1:hours&limit=100';
  await until(
    () => server.get<{ data: { live: boolean }[] }>(list),
    ({ data }) => data.length === recordings.length && data.every(({ live }) => !live),
  );
});

afterAll(() => server?.close());

it('has every event of the recordings in its tables', async () => {
  const sent = recordings.flatMap(epasEvents).length;
  const [taken] = await server.store.query<{ taken: number }>(
    'SELECT count() AS taken FROM view_events',
  );
  const [rejected] = await server.store.query<{ rows: number }>(
    'SELECT count() AS rows FROM rejected',
  );
  expect([taken?.taken, rejected?.rows]).toEqual([sent, 0]);
});

describe.each(recordings.map((recording) => ({ recording, name: recording.name })))(
  '$name',
  ({ recording }) => {
    const { summary } = recording.truth;
    const id = epasSession(recording);

    it('starts when the video did', async () => {
      const { video_startup_time: startupMs } = await detailOf(id);
      if (summary.startup_ms === null) {
        expect(startupMs).toBeNull();
        return;
      }
      expect(Math.abs((startupMs ?? 0) - summary.startup_ms)).toBeLessThanOrEqual(250);
    });

    it('rebuffers as often and as long as the video did, seeks told apart', async () => {
      // The glue told EPAS that play had stopped, and the player played on and stalled.
      if (summary.fatal_errors > 0) return;
      const view = await detailOf(id);
      expect(view.rebuffer_count ?? 0).toBe(summary.rebuffer_count);
      // A stall still open at the end has no end to compare with: its reports stop before it does.
      if (summary.rebuffer_open_at_end === true) return;
      expect(Math.abs((view.rebuffer_duration ?? 0) - summary.rebuffer_ms)).toBeLessThanOrEqual(
        250,
      );
      if (recording.name.includes('seekpause')) expect(view.seek_latency).toBeGreaterThan(0);
    });

    it('comes out as the video did', async () => {
      const { outcome } = await detailOf(id);
      const failed = summary.fatal_errors > 0;
      const stopped = epasEvents(recording).some(({ event }) => event === 'stopped');
      const left = stopped ? 'quit' : 'dropped';
      expect(outcome).toBe(summary.ended ? 'ended' : failed ? 'failed' : left);
    });

    it('plays as long as the video did, where it ended', async () => {
      if (!summary.ended) return;
      const { playing_time: playedMs } = await detailOf(id);
      expect(Math.abs((playedMs ?? 0) - summary.played_ms)).toBeLessThanOrEqual(1_000);
    });

    it('does not claim to know of reports that were lost', async () => {
      expect((await detailOf(id)).report_completeness).toBeNull();
    });
  },
);
