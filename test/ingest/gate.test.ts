import { describe, expect, it } from 'vitest';
import { projectsOf, shop } from '../support/projects.ts';
import {
  type Appended,
  beat,
  ingestServer,
  playing,
  rememberingLog,
  type ServerChoices,
} from './ingest-server.ts';

const GOOD = JSON.stringify(beat([playing(0)]));
const CMCD = 'e=ps,sid="s",sta=p,ts=1767225600000,v=2';
const LINE = '{"msec":"1767225600.1","status":"200","request_uri":"/a.m4s","request_time":"0.1"}';

async function setUp(key: object, choices: Partial<ServerChoices> & { project?: object } = {}) {
  const clock = { ms: Date.parse('2026-01-01T23:59:00Z') };
  const now = () => clock.ms;
  const appended: Appended[] = [];
  const project = shop({ writeKeys: [{ key: 'k', ...key }], ...choices.project });
  const projects = projectsOf(
    [project, shop({ id: 'other', writeKeys: [{ key: 'o' }], readTokens: [] })],
    now,
  );
  const made = await ingestServer({ log: rememberingLog(appended), projects, now, ...choices });
  const send = async (
    url: string,
    payload: string,
    headers = {},
    remoteAddress = '203.0.113.1',
  ) => {
    const answer = await made.server.inject({
      method: 'POST',
      url: url.includes('?') ? url : `${url}?key=k`,
      payload,
      headers,
      remoteAddress,
    });
    const code = answer.body === '' ? '' : (answer.json() as { code?: string }).code;
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, code: code ?? '', retryAfter, answer };
  };
  const beats = (headers = {}, address?: string) => send('/v1/beats', GOOD, headers, address);
  return { ...made, clock, appended, send, beats };
}

describe('a key with allowedOrigins', () => {
  const allowedOrigins = ['https://www.example.com', 'https://*.Example.org:8443'];

  it('lets in these origins, in either case, and names below a star', async () => {
    const { beats } = await setUp({ allowedOrigins });
    for (const origin of [
      'https://www.example.com',
      'HTTPS://WWW.EXAMPLE.COM',
      'https://a.example.org:8443',
      'https://a.b.example.org:8443',
    ]) {
      expect((await beats({ origin })).status, origin).toBe(202);
    }
  });

  it('refuses every other, and who says none, with a code that a page can read', async () => {
    const { beats, counters, appended } = await setUp({ allowedOrigins });
    const others = [
      'http://www.example.com',
      'https://www.example.com:444',
      'https://www.example.com.evil.net',
      'https://evil.net/https://www.example.com',
      'https://example.org:8443',
      'https://evil.net#.example.org:8443',
      'https://evil.net:1@a.example.org:8443',
      'https://a.example.org',
      'null',
      '',
    ];
    for (const origin of others) {
      const { status, code, answer } = await beats({ origin });
      expect([status, code], origin).toEqual([403, 'origin_refused']);
      if (origin !== '') expect(answer.headers['access-control-allow-origin']).toBe(origin);
    }
    expect(await beats()).toMatchObject({ status: 403, code: 'origin_refused' });
    expect(counters.refusals.origin_refused).toBe(others.length + 1);
    expect(appended).toEqual([]);
  });

  it('lets in files and apps where it names them', async () => {
    const { beats } = await setUp({ allowedOrigins: ['null', 'none'] });
    expect((await beats({ origin: 'null' })).status).toBe(202);
    expect((await beats()).status).toBe(202);
    expect((await beats({ origin: 'https://www.example.com' })).status).toBe(403);
  });
});

describe('a key with formats', () => {
  it('opens these routes only', async () => {
    const { send, beats } = await setUp({ formats: ['cmcd', 'edge/nginx'] });
    expect((await send('/v1/cmcd', CMCD)).status).toBe(204);
    expect((await send('/v1/edge/nginx', LINE)).status).toBe(202);
    expect(await beats()).toMatchObject({ status: 403, code: 'format_refused' });
    expect(await send('/v1/edge/fastly', LINE)).toMatchObject({ status: 403 });
    expect(await send('/v1/epas', '{}')).toMatchObject({ status: 403 });
  });

  it('opens every edge log with edge', async () => {
    const { send, beats } = await setUp({ formats: ['edge'] });
    expect((await send('/v1/edge/nginx', LINE)).status).toBe(202);
    expect((await send('/v1/edge/ndjson', LINE)).status).not.toBe(403);
    expect((await beats()).status).toBe(403);
  });
});

describe('rates', () => {
  it('of a key are its own before those of all keys, and come back with time', async () => {
    const { beats, send, clock, counters } = await setUp(
      { requestsPerSecondMax: 2 },
      { limits: { keyRequestsPerSecondMax: 1 } },
    );
    const other = () => send('/v1/beats?key=o', GOOD);
    expect([(await beats()).status, (await beats()).status]).toEqual([202, 202]);
    expect(await beats()).toMatchObject({ status: 429, code: 'rate_exceeded', retryAfter: '1' });
    expect([(await other()).status, (await other()).status]).toEqual([202, 429]);
    clock.ms += 500;
    expect([(await beats()).status, (await beats()).status]).toEqual([202, 429]);
    expect(counters.refusals.rate_exceeded).toBe(3);
  });

  it('of an address hold for all keys, wrong ones too, and for an IPv6 network as one', async () => {
    const { beats, send, clock, counters } = await setUp(
      {},
      { limits: { addressRequestsPerSecondMax: 2 } },
    );
    expect((await send('/v1/beats?key=wrong', GOOD)).status).toBe(401);
    expect((await beats()).status).toBe(202);
    expect(await beats()).toMatchObject({ status: 429, code: 'address_rate_exceeded' });
    expect((await beats({}, '203.0.113.2')).status).toBe(202);
    for (const address of ['2001:db8::1', '2001:db8:0:0:ffff::2']) {
      expect((await beats({}, address)).status).toBe(202);
    }
    expect((await beats({}, '2001:db8::3')).status).toBe(429);
    expect((await beats({}, '2001:db8:0:1::3')).status).toBe(202);
    clock.ms += 1_000;
    expect((await beats()).status).toBe(202);
    expect(counters.refusals.address_rate_exceeded).toBe(2);
  });
});

describe('a quota', () => {
  it('of events refuses the next body until midnight, in UTC, of this project alone', async () => {
    const quota = { eventsPerDayMax: 3 };
    const { beats, send, clock, counters } = await setUp({}, { project: { quota } });
    for (let taken = 0; taken < 3; taken++) expect((await beats()).status).toBe(202);
    expect(await beats()).toMatchObject({ status: 429, code: 'quota_exceeded', retryAfter: '60' });
    expect((await send('/v1/cmcd', CMCD)).status).toBe(429);
    expect((await send('/v1/beats?key=o', GOOD)).status).toBe(202);
    clock.ms += 60_000;
    expect((await beats()).status).toBe(202);
    expect(counters.refusals.quota_exceeded).toBe(2);
  });

  it('of bytes counts what was read, edge logs and refused bodies too', async () => {
    const quota = { bytesPerDayMax: 2 * LINE.length };
    const { send } = await setUp({}, { project: { quota } });
    expect((await send('/v1/edge/nginx', LINE)).status).toBe(202);
    expect((await send('/v1/edge/nginx', LINE.replaceAll('"', ' '))).status).toBe(400);
    expect(await send('/v1/edge/nginx', LINE)).toMatchObject({ code: 'quota_exceeded' });
  });

  it('of events counts requests of edge logs', async () => {
    const { send } = await setUp({}, { project: { quota: { eventsPerDayMax: 2 } } });
    expect((await send('/v1/edge/nginx', `${LINE}\n${LINE}`)).status).toBe(202);
    expect(await send('/v1/edge/nginx', LINE)).toMatchObject({ code: 'quota_exceeded' });
  });
});
