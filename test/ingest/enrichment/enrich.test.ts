import { describe, expect, it } from 'vitest';
import { NO_PLACE } from '../../../ingest/enrichment/places.ts';
import { type RulesEntry, rulesOf } from '../../../platform/project-rules.ts';
import { writeKeyOf } from '../../../platform/write-keys.ts';
import type { Entry } from '../../../schemas/beat.ts';
import {
  type Appended,
  beat,
  bodiesOf,
  ingestServer,
  playing,
  rememberingLog,
} from '../ingest-server.ts';

const ROKU = { 'user-agent': 'Roku/DVP-9.10 (519.10E04111A)' };
/** Every client is in Stockholm, but those who connect from this machine. */
const places = {
  find: (address: string) =>
    address.startsWith('127.') ? NO_PLACE : { country: 'SE', region: 'SE-AB', asn: '64500' },
};

async function setUp(rules: Omit<RulesEntry, 'id'> = {}) {
  const appended: Appended[] = [];
  const errors: string[] = [];
  const project = {
    id: 'p',
    name: 'p',
    viewerSecret: '',
    rawViewerIds: true,
    eventsPerDayMax: Number.POSITIVE_INFINITY,
    bytesPerDayMax: Number.POSITIVE_INFINITY,
    retention: {},
    ...rulesOf({ id: 'p', ...rules }, errors),
  };
  expect(errors).toEqual([]);
  const key = writeKeyOf({ key: 'k' }, project);
  if (typeof key === 'string') throw new Error(key);
  const { grant } = key;
  const { server, counters } = await ingestServer({
    log: rememberingLog(appended),
    projects: { findWriteKey: () => grant },
    places,
  });
  const post = async (
    url: string,
    payload: string | object,
    headers = {},
    remoteAddress = '203.0.113.7',
  ) => {
    const type = { 'content-type': 'text/plain' };
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const answer = await server.inject({
      method: 'POST',
      url: `${url}?key=k`,
      payload: body,
      remoteAddress,
      headers: { ...type, ...headers },
    });
    expect(answer.statusCode).toBeLessThan(300);
  };
  const values = () => appended.map(({ value }) => value);
  return {
    post,
    values,
    counters,
    beats: () => bodiesOf('beat', values()),
    edges: () => bodiesOf('edge', values()),
  };
}

function texts(context: readonly Entry[] | undefined): string[] {
  return (context ?? []).map(({ name, value }) => `${name}=${value}`);
}

const FOUND = [
  '~asn=64500',
  '~country=SE',
  '~operating_system=Roku',
  '~operating_system_version=9.10',
  '~region=SE-AB',
  '~viewer_device_category=tv',
  '~viewer_device_name=Roku',
];

describe('a beat', () => {
  it('carries what its request tells, marked, after what its client says', async () => {
    const { post, beats, counters } = await setUp();
    const body = beat([playing(0)], { context: { video_id: 'a', country: 'NO' } });
    await post('/v1/beats', body, ROKU);
    const [first] = beats();
    expect(texts(first?.context)).toEqual([
      'country=NO',
      'video_id=a',
      ...FOUND.filter((text) => !text.startsWith('~country')),
    ]);
    expect(counters).toMatchObject({ userAgentLookups: 1, userAgentCacheMisses: 1 });
  });

  it('carries it every time, in the same bytes, CMCD too', async () => {
    const { post, beats } = await setUp();
    await post('/v1/beats', [beat([playing(0)]), beat([playing(1)])], ROKU);
    await post('/v1/cmcd', 'sid="view-2",v=2,ts=1767225600000,sn=0,e=ps,sta=p', ROKU);
    expect(beats().map(({ context }) => texts(context))).toEqual([FOUND, FOUND, FOUND]);
  });

  it('carries nothing when its request tells nothing', async () => {
    const { post, beats } = await setUp();
    await post('/v1/beats', beat([playing(0)]), { 'user-agent': 'curl/8.5.0' }, '127.0.0.1');
    expect(beats()[0]?.context).toEqual([]);
  });

  it('never carries an address', async () => {
    const { post, values } = await setUp();
    await post('/v1/beats', beat([playing(0)]), { ...ROKU, 'x-forwarded-for': '198.51.100.9' });
    const written = Buffer.concat(values()).toString('latin1');
    expect(written).toContain('SE');
    expect(written).not.toContain('203.0.113');
    expect(written).not.toContain('198.51.100');
  });

  it('cannot say what only ingest may find out', async () => {
    const { post, beats, counters } = await setUp();
    await post('/v1/beats', beat([playing(0)], { context: { '~country': 'XX' } }), {}, '127.0.0.1');
    expect(JSON.stringify(beats())).not.toContain('XX');
    expect(counters.notes.context_unknown).toBe(1);
  });
});

describe('the CDN of a request', () => {
  const request = (seq: number, more: object) => ({
    ...{ seq, at: 1_767_225_600_000 + seq, type: 'request', status: 200 },
    ...more,
  });

  it('is known by its host, unless the client says it or it was for a key', async () => {
    const { post, beats, counters } = await setUp({ cdnHosts: { 'cdn.example.com': 'akamai' } });
    const events = [
      request(0, { kind: 'segment', host: 'x.fastly.net' }),
      request(1, { kind: 'segment', host: 'cdn.example.com' }),
      request(2, { kind: 'segment', host: 'x.fastly.net', cdn: 'mine' }),
      request(3, { kind: 'key', host: 'x.fastly.net' }),
      request(4, { kind: 'segment', host: 'origin.example.com' }),
    ];
    await post('/v1/beats', beat(events));
    const cdns = JSON.stringify(beats()).match(/"cdn":"[^"]*"/g);
    expect(cdns).toEqual([
      '"cdn":"fastly"',
      '"cdn":"akamai"',
      '"cdn":"mine"',
      '"cdn":""',
      '"cdn":""',
    ]);
    expect(counters.cdnsByHost).toBe(2);
  });

  it('is known by the URL that CMCD reports', async () => {
    const { post, beats } = await setUp();
    const url = 'https://vod.akamaized.net/a/1.m4s?token=1';
    await post('/v1/cmcd', `sid="v",v=2,ts=1767225600000,sn=0,e=rr,ot=v,rc=200,url="${url}"`);
    expect(JSON.stringify(beats())).toContain('"cdn":"akamai"');
  });
});

describe('a rule of the project', () => {
  const kids = { dimension: 'video_id', from: 'header:x-video', value: 'ruled' };
  const changed = {
    seq: 1,
    at: 1_767_225_600_001,
    type: 'context',
    context: { video_id: 'said-later' },
  };
  const body = beat([playing(0), changed], { context: { video_id: 'said' } });

  it('fills in what the client does not say', async () => {
    const { post, beats, counters } = await setUp({ dimensions: [kids] });
    await post('/v1/beats', beat([playing(0)]), { 'x-video': '1' }, '127.0.0.1');
    await post('/v1/beats', body, { 'x-video': '1' }, '127.0.0.1');
    await post('/v1/beats', beat([playing(0)]), {}, '127.0.0.1');
    expect(beats().map(({ context }) => texts(context))).toEqual([
      ['~video_id=ruled'],
      ['video_id=said'],
      [],
    ]);
    expect(counters.ruleMatches).toBe(2);
  });

  it('that overrides also replaces what the client says, then and later in the beat', async () => {
    const { post, beats } = await setUp({ dimensions: [{ ...kids, override: true }] });
    await post('/v1/beats', body, { 'x-video': '1' }, '127.0.0.1');
    expect(texts(beats()[0]?.context)).toEqual(['video_id=ruled']);
    expect(JSON.stringify(beats())).not.toContain('said');
  });

  it('knows better than a database', async () => {
    const country = { dimension: 'country', from: 'header:x-country' };
    const { post, beats } = await setUp({ dimensions: [country] });
    await post('/v1/beats', beat([playing(0)]), { 'x-country': 'DK' });
    expect(texts(beats()[0]?.context)).toEqual(['~asn=64500', '~country=DK', '~region=SE-AB']);
  });
});

describe('a line of an edge log', () => {
  const line = (more: object) =>
    JSON.stringify({ msec: 1_767_225_600, status: 200, request_uri: '/a.ts', ...more });

  it('is where its client is, unless it says so itself', async () => {
    const { post, edges, values } = await setUp();
    const lines = [
      line({ remote_addr: '203.0.113.9' }),
      line({ remote_addr: '203.0.113.9', country: 'NO' }),
      line({ remote_addr: '127.0.0.1' }),
      line({}),
    ];
    await post('/v1/edge/nginx', lines.join('\n'), ROKU);
    const requests = edges().flatMap((record) => record.requests);
    const told = requests.map(({ country, asn }) => `${country} ${asn}`);
    expect(told.sort()).toEqual([' ', ' ', 'NO 64500', 'SE 64500']);
    expect(Buffer.concat(values()).toString('latin1')).not.toContain('203.0.113');
  });

  it('has the CDN of its host', async () => {
    const { post, edges } = await setUp({ cdnHosts: { '*.example.com': 'own' } });
    const lines = [line({ host: 'a.example.com' }), line({ host: 'a.example.com', cdn: 'said' })];
    await post('/v1/edge/nginx', lines.join('\n'));
    const cdns = edges().flatMap(({ requests }) => requests.map(({ cdn }) => cdn));
    expect(cdns.sort()).toEqual(['own', 'said']);
  });

  it('that is refused is kept with its addresses made coarse', async () => {
    const { post, values } = await setUp();
    const bad = '{"remote_addr":"203.0.113.9","status":200}';
    await post('/v1/edge/nginx', `${line({})}\n${bad}`);
    const [reject] = bodiesOf('reject', values());
    expect(reject?.bytes.toString()).toBe('{"remote_addr":"203.0.113.0","status":200}');
  });
});
