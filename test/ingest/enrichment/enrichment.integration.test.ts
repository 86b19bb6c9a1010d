/** Players of several makes and places through the whole of it: what their requests tell is what a breakdown shows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Children } from '../../chaos/processes/children.ts';
import { runProgram } from '../../chaos/processes/program.ts';
import { mmdb } from '../../support/mmdb.ts';
import { startTestServer, type TestServer, until } from '../../support/running.ts';

const CITY = mmdb('Test-City', [
  {
    network: '203.0.113.0/24',
    entry: { country: { iso_code: 'SE' }, subdivisions: [{ iso_code: 'AB' }] },
  },
  { network: '2001:db8::/32', entry: { country: { iso_code: 'NO' } } },
]);
const ASN = mmdb('Test-ASN', [
  { network: '203.0.113.0/24', entry: { autonomous_system_number: 64_500 } },
  { network: '198.51.100.0/24', entry: { autonomous_system_number: 64_501 } },
]);

const ROKU = 'Roku/DVP-9.10 (519.10E04111A)';
const SHIELD =
  'Mozilla/5.0 (Linux; Android 11; SHIELD Android TV Build/RQ1A.210105.003) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Safari/537.36';
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1';

const children = new Children();
let directory: string;
let cityFile: string;
let server: TestServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'enrichment-'));
  cityFile = join(directory, 'city.mmdb');
  const asnFile = join(directory, 'asn.mmdb');
  const projectsFile = join(directory, 'projects.json');
  await writeFile(cityFile, CITY);
  await writeFile(asnFile, ASN);
  const project = {
    ...{ id: 'default', rawViewerIds: true, writeKeys: [{ key: 'dev' }] },
    readTokens: [{ id: 'dev', secret: 'dev' }],
    cdnHosts: { 'video.example.com': 'akamai' },
    dimensions: [{ dimension: 'sub_property_id', from: 'header:x-site' }],
  };
  await writeFile(projectsFile, JSON.stringify({ projects: [project] }));
  server = await startTestServer({
    ...{ epochMs: 500, reorderMs: 500, trustedProxies: '127.0.0.1' },
    ...{ geoCityFile: cityFile, geoAsnFile: asnFile, projectsFile },
  });
});

afterAll(async () => {
  await server?.close();
  await children.end();
  await rm(directory, { recursive: true, force: true });
});

const startedAt = Date.now();

/** Two beats of one view: it starts and plays, it ends; each as its own request tells. */
async function play(
  view: string,
  host: string,
  requests: readonly [Record<string, string>, Record<string, string>],
  context: object = {},
): Promise<void> {
  const at = startedAt;
  const first = [
    { seq: 0, at, type: 'state', state: 'starting' },
    { seq: 1, at: at + 5, type: 'request', kind: 'segment', status: 200, ttfb: 1, ttlb: 2, host },
    { seq: 2, at: at + 10, type: 'state', state: 'playing' },
  ];
  const last = [{ seq: 3, at: at + 500, type: 'state', state: 'ended' }];
  for (const [events, headers, said] of [
    [first, requests[0], context],
    [last, requests[1], {}],
  ] as const) {
    const beat = JSON.stringify({ view, sentAt: at + 600, context: said, events });
    const answer = await server.post('/v1/beats', beat, headers);
    expect(answer.status).toBe(202);
  }
}

function from(userAgent: string, address: string, more = {}): Record<string, string> {
  return { 'user-agent': userAgent, 'x-forwarded-for': address, ...more };
}

interface Broken {
  readonly data: readonly { readonly field: string; readonly views: number }[];
}

async function viewsBy(dimension: string): Promise<Record<string, number>> {
  const path = `/data/v1/metrics/ended_views/breakdown?group_by=${dimension}`;
  const { data } = await server.get<Broken>(path);
  return Object.fromEntries(data.map(({ field, views }) => [field, views]));
}

describe('what requests tell', () => {
  beforeAll(async () => {
    const roku = from(ROKU, '203.0.113.7', { 'x-site': 'sport' });
    await play('roku', 'x.fastly.net', [roku, roku]);
    const shield = from(SHIELD, '2001:db8::7');
    await play('shield', 'video.example.com', [shield, shield]);
    // Begins at home and ends elsewhere; the client says its country once, at the beginning.
    const home = from(PHONE, '203.0.113.8');
    const away = from(PHONE, '198.51.100.9');
    await play('phone', 'origin.example.com', [home, away], { country: 'DK' });
    await until(
      () => viewsBy('viewer_device_category'),
      (views) => Object.values(views).reduce((sum, count) => sum + count, 0) === 3,
    );
  });

  it.each([
    ['operating_system', { Roku: 1, 'Android TV': 1, iOS: 1 }],
    ['viewer_device_category', { tv: 2, phone: 1 }],
    ['viewer_device_name', { Roku: 1, 'SHIELD Android TV': 1, 'Apple iPhone': 1 }],
    ['country', { SE: 1, NO: 1, DK: 1 }],
    ['cdn', { fastly: 1, akamai: 1, '': 1 }],
    ['sub_property_id', { sport: 1, '': 2 }],
  ])('is a breakdown by %s', async (dimension, views) => {
    expect(await viewsBy(dimension)).toEqual(views);
  });

  it('puts a viewer who changed networks into the last, and what the client said once stays', async () => {
    expect(await viewsBy('asn')).toEqual({ 64500: 1, 64501: 1, '': 1 });
  });

  it('is in the row of the view', async () => {
    const rows = await server.store.query<{ text: string }>(
      "SELECT concat(toString(country), toString(region), toString(asn)) AS text FROM views FINAL WHERE view_id = 'roku'",
    );
    expect(rows).toEqual([{ text: 'SESE-AB64500' }]);
  });

  it('is counted for operators', async () => {
    const answer = await fetch(`${server.url}/metrics`);
    const text = await answer.text();
    expect(text).toMatch(/^streamgauge_ingest_place_lookups_total 6$/m);
    expect(text).toMatch(/^streamgauge_ingest_user_agent_cache_misses_total 3$/m);
    expect(text).toMatch(/^streamgauge_ingest_cdns_by_host_total 2$/m);
  });
});

describe('a geo database that cannot be used', () => {
  it.each([
    ['--geo-city-file', 'missing.mmdb', 'ENOENT'],
    ['--geo-asn-file', 'city.mmdb', 'another kind'],
  ])('with %s is one line and exit 2', async (flag, name, reason) => {
    const file = join(directory, name);
    const data = join(directory, 'other');
    const { code, stderr } = await runProgram(children, [
      ...['--port', '0', '--data-dir', data, '--log-level', 'silent', flag, file],
    ]);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(reason)]);
    expect(stderr).toContain(file);
  });
});
