/**
 * What edges and players of each recording tell of the same requests. Every line that its player does not tell of is one
 * of those that players never report.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../../ingest/clients/replay.ts';
import { CORPUS, cmcdLines, eventSid, readRecordings } from '../support/corpus.ts';
import { startTestServer, type TestServer, until } from '../support/running.ts';

const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 6_000 };

/** Recordings whose lines and reports name the same view. */
const recordings = readRecordings().filter(
  (recording) =>
    eventSid(recording) !== undefined && cmcdLines(recording).some((line) => /e=rr/.test(line)),
);

interface Row {
  readonly view_id: string;
  readonly url_key: number;
  readonly source: string;
  readonly object_type: string;
  readonly at_ms: number;
  readonly status: number;
  readonly bytes: number;
  readonly aborted: number;
}

let server: TestServer;
let rows: readonly Row[];

beforeAll(async () => {
  server = await startTestServer(SETTINGS);
  await replay({ paths: [CORPUS], url: server.url, key: 'dev', forms: ['cmcd', 'edge'] });
  const list = '/data/v1/video-views?timeframe[]=1:hours&limit=200';
  await until(
    () => server.get<{ data: { live: boolean }[] }>(list),
    ({ data }) => data.length > recordings.length && data.every(({ live }) => !live),
  );
  rows = await server.store.query<Row>(
    `SELECT view_id, url_key, source, object_type, toUnixTimestamp64Milli(at) AS at_ms, status, bytes, aborted
     FROM requests WHERE view_id != '' ORDER BY at`,
  );
}, 180_000);

afterAll(() => server?.close());

/** Lines lie where they were recorded, reports where they were sent. */
const frame = (): string => {
  const [first, last] = [rows.at(0)?.at_ms ?? 0, rows.at(-1)?.at_ms ?? 0];
  return `timeframe[]=${Math.floor(first / 1_000)}&timeframe[]=${Math.ceil(last / 1_000) + 1}`;
};

/** Lines of a view beyond those that its player tells of, path by path. */
function untold(view: readonly Row[]): Row[] {
  const left = new Map<number, number>();
  for (const { source, url_key } of view)
    if (source === 'player') left.set(url_key, (left.get(url_key) ?? 0) + 1);
  // What was answered whole is what a player reports, where a path was asked for again.
  const lines = view
    .filter(({ source }) => source === 'edge')
    .toSorted((a, b) => a.aborted - b.aborted || Number(a.status >= 400) - Number(b.status >= 400));
  return lines.filter(({ url_key }) => {
    const count = left.get(url_key) ?? 0;
    left.set(url_key, count - 1);
    return count <= 0;
  });
}

/** Why a player does not tell of a line; undefined when nothing explains it. */
function reasonFor(line: Row, view: readonly Row[], name: string): string | undefined {
  // dash.js alone reports them.
  if (line.object_type === 'manifest' && !name.startsWith('dash')) return 'manifest';
  if (line.aborted === 1) return 'broken off';
  const reported = new Set(
    view.filter(({ source }) => source === 'player').map(({ url_key }) => url_key),
  );
  if (line.status >= 400 && reported.has(line.url_key)) return 'asked for again';
  // Reports go out in batches: one is never sent when the page or the channel is left, or its target says that it is gone.
  const told = view.filter(({ source, url_key }) => source === 'edge' && reported.has(url_key));
  const later = told.filter(({ at_ms }) => at_ms > line.at_ms).length;
  return later === 0 || name.includes('rejoin') ? 'never posted' : undefined;
}

describe.each(recordings.map((recording) => [recording.name, recording] as const))(
  '%s',
  (name, recording) => {
    const viewOf = (): Row[] => rows.filter(({ view_id }) => view_id === eventSid(recording));

    it('has a line for every request that its player tells of', () => {
      const lines = new Map<number, number>();
      for (const { source, url_key } of viewOf())
        lines.set(url_key, (lines.get(url_key) ?? 0) + (source === 'edge' ? 1 : -1));
      expect([...lines.values()].filter((count) => count < 0)).toEqual([]);
    });

    it('has no other line than those that a player never reports', () => {
      const view = viewOf();
      const unexplained = untold(view).filter((line) => reasonFor(line, view, name) === undefined);
      expect(unexplained).toEqual([]);
    });

    it('counts the same over the API, and bytes at the edge alone', async () => {
      const view = viewOf();
      const sid = eventSid(recording);
      const figure = async (id: string, source: string): Promise<number> => {
        const path = `/data/v1/delivery/metrics/${id}/overall?measurement=${id === 'bytes' ? 'sum' : 'count'}`;
        const query = `&source=${source}&filters[]=view_id:${sid}&${frame()}`;
        return (await server.get<{ data: { value: number } }>(path + query)).data.value;
      };
      const of = (source: string): Row[] => view.filter((row) => row.source === source);
      const bytes = of('edge').reduce((sum, row) => sum + Math.max(0, row.bytes), 0);
      expect(await figure('requests', 'edge')).toBe(of('edge').length);
      expect(await figure('requests', 'player')).toBe(of('player').length);
      expect(await figure('bytes', 'edge')).toBe(bytes);
      // CMCD's response reports have no key for them.
      expect(await figure('bytes', 'player')).toBe(0);
    });
  },
);

describe('all recordings', () => {
  it('pair nearly every request that a player tells of, though its clock is hours off', async () => {
    const told = rows.filter(({ source, url_key }) => source === 'player' && url_key !== 0).length;
    const { data } = await server.get<{ data: { value: number } }>(
      `/data/v1/delivery/metrics/paired_requests/overall?${frame()}`,
    );
    expect(told).toBeGreaterThan(800);
    expect(data.value / told).toBeGreaterThan(0.95);
  });
});
