/** Secrets planted in requests: none of them is in a record, however the request is damaged. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Appended, builtInProjects, ingestServer, rememberingLog } from '../ingest-server.ts';
import { RUNS_TIMEOUT_MS, runs } from './runs.ts';
import { fuzzTarget } from './target.ts';
import { EDGE_FORMS } from './wire-forms.ts';

const SECRET = 'pLaNtEd-SeCrEt';
const AT = 1_795_326_184_236;
const JSON_TYPE = { 'content-type': 'application/json' };

const textOf = (appended: readonly Appended[]) =>
  appended.map(({ value }) => value.toString('latin1')).join('\n');
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Where a URL has a secret: its query, its fragment, its user, encoded once or not at all. */
const anyUrl = fc
  .tuple(
    fc.constantFrom('https://h.example', '//h.example', 'HTTP://h.example:8080', 'skd://h', ''),
    fc.constantFrom('/a/b.m3u8', '/', '/seg-1.m4s;x=1'),
    fc.constantFrom(
      ...[`?token=${SECRET}`, `#${SECRET}`, `?a=1&b=${SECRET}#c`, `?${SECRET}`, `?a=?b=#${SECRET}`],
      ...[`;jsessionid=${SECRET}`, `/hdnts=exp=1~hmac=${SECRET}`, `?x=/y?${SECRET}`],
    ),
    fc.boolean(),
  )
  .map(([host, path, query, hasUser]) =>
    (hasUser ? host.replace('//', `//me:${SECRET}@`) : host).concat(path, query),
  );
/** Only edges see signed paths; a player's URL keeps its path. */
const playersUrl = anyUrl.filter((url) => !/[;/](?:jsessionid|hdnts)/.test(url));

describe('a secret in a URL is in no record', () => {
  it(
    'of a native beat that was taken',
    async () => {
      const { send } = await fuzzTarget();
      await fc.assert(
        fc.asyncProperty(playersUrl, async (url) => {
          const body = json({
            view: 'v',
            events: [
              { seq: 0, at: AT, type: 'request', url, status: 200 },
              {
                seq: 1,
                at: AT,
                type: 'error',
                message: `lost "${/^[a-z]+:/i.test(url) ? url : ''}"`,
              },
            ],
          });
          const { appended, logged } = await send({
            url: '/v1/beats?key=dev',
            headers: JSON_TYPE,
            body,
          });
          expect(logged).toEqual({ events: 2, requests: 0, rejects: 0 });
          expect(textOf(appended)).not.toContain(SECRET);
        }),
        runs(60),
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it('of CMCD that was taken', async () => {
    const { send } = await fuzzTarget();
    await fc.assert(
      fc.asyncProperty(playersUrl, fc.boolean(), async (url, isEncoded) => {
        const nor = isEncoded ? encodeURIComponent(url.replace(/^.*@/, '')) : url;
        const body = Buffer.from(
          `e=rr,sid="v",ts=${AT},url="${url}",nor="${nor}"\ne=ps,sid="v",ts=${AT},nor=("${nor}" "${url}")`,
        );
        const headers = { 'content-type': 'application/cmcd' };
        const { appended, logged } = await send({ url: '/v1/cmcd?key=dev', headers, body });
        expect(logged.events).toBe(2);
        expect(textOf(appended)).not.toContain(SECRET);
      }),
      runs(60),
    );
  });

  it('of EPAS that was taken', async () => {
    const { send } = await fuzzTarget();
    await fc.assert(
      fc.asyncProperty(playersUrl, async (url) => {
        const message = `lost '${/^[a-z]+:/i.test(url) ? url : ''}'`;
        const common = { sessionId: 's', timestamp: AT };
        const body = json([
          { ...common, event: 'metadata', payload: { contentUrl: url } },
          { ...common, event: 'error', payload: { message, data: { url } } },
          { ...common, event: 'loading', payload: { source: / |^\//.test(url) ? '' : url } },
        ]);
        const { appended, logged } = await send({
          url: '/v1/epas?key=dev',
          headers: JSON_TYPE,
          body,
        });
        expect(logged.events).toBe(3);
        expect(textOf(appended)).not.toContain(SECRET);
      }),
      runs(60),
    );
  });

  /** The request of nginx's line with the URL, in the words of each format. */
  const line = (target: string) => ({
    time_iso8601: '2026-11-22T05:43:04.236Z',
    msec: '1795326184.236',
    request_method: 'GET',
    request_uri: target,
    host: `me:${SECRET}@h.example`,
    server_protocol: 'HTTP/1.1',
    status: 200,
    body_bytes_sent: 9,
    request_time: '0.020',
    upstream_header_time: '0.018',
    request_completion: 'OK',
  });

  it('of an nginx line that was taken', async () => {
    const { send } = await fuzzTarget();
    await fc.assert(
      fc.asyncProperty(anyUrl, async (url) => {
        const headers = { 'content-type': 'text/plain' };
        const sending = { url: '/v1/edge/nginx?key=dev', headers, body: json(line(url)) };
        const { appended, logged } = await send(sending);
        expect(logged.requests).toBe(1);
        expect(textOf(appended)).not.toContain(SECRET);
      }),
      runs(80),
    );
  });
});

const anyTokenName = fc.constantFrom(
  ...['token', 'hdnts', 'Signature', 'Key-Pair-Id', 'auth', 'x-amz-security-token', 'sig', 'jwt'],
);
const anyJoint = fc.constantFrom(
  ...['?', '&', '%26', '%3F', '\\u0026', '&amp;', ';', '~', '%2526', '/'],
);
const anySign = fc.constantFrom('=', '%3D', '%253D', '\\u003d', '%3d');

describe('a line of an edge log that was refused', () => {
  const anyFault = fc.constantFrom<(target: string) => string>(
    (target) => `{"status":"none","request_uri":"${target}"}`,
    (target) => `{"status":200,"request_uri":"${target}"`,
    (target) => `GET ${target} HTTP/1.1`,
    (target) => `1.5\t200\t${target}\t-`,
  );

  it(
    'has no token, wherever in its URL it stands, and however it is encoded',
    async () => {
      const { send } = await fuzzTarget();
      const anyTarget = fc
        .tuple(fc.constantFrom('/a.ts', '/a.ts?x=1', '/a?u=/b'), anyJoint, anyTokenName, anySign)
        .map(([path, joint, name, sign]) => path + joint + name + sign + SECRET);
      const anyForm = fc.constantFrom(...EDGE_FORMS);
      await fc.assert(
        fc.asyncProperty(anyForm, anyTarget, anyFault, async ({ url, type }, target, fault) => {
          const body = Buffer.from(fault(target));
          const { appended } = await send({ url, headers: { 'content-type': type }, body });
          expect(textOf(appended)).not.toContain(SECRET);
        }),
        runs(250),
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it('has no whole address of a client, nor has one that was taken', async () => {
    const { send } = await fuzzTarget();
    const addresses = ['203.0.113.77', '2001:db8:85a3:1:2:8a2e:370:7334', '2001:db8:85a3::7334'];
    const anyAddress = fc.constantFrom(...addresses, '::ffff:203.0.113.77');
    const around = fc.constantFrom<(address: string) => string>(
      ...[
        (text: string) => text,
        (text: string) => `[${text}]:443`,
        (text: string) => `for=${text}.`,
      ],
      ...[
        (text: string) => `from:${text}: x`,
        (text: string) => `ip6:${text}`,
        (text: string) => `(${text})`,
      ],
      (text) => `10.0.0.1, ${text}`,
    );
    const named = ['remote_addr', 'c-ip', 'client.ip', 'client_ip', 'cliIP', 'ClientIP', 'client'];
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.constantFrom(...EDGE_FORMS), anyAddress, around, fc.boolean()),
        async ([{ url, type }, address, put, isGood]) => {
          const said = Object.fromEntries(named.map((name) => [name, put(address)]));
          const status = isGood ? { msec: 1_795_326_184, status: 200 } : {};
          const lines = [JSON.stringify({ ...said, ...status }), `${put(address)} - - [x] "GET /"`];
          const body = Buffer.from(lines.join('\n'));
          const { appended } = await send({ url, headers: { 'content-type': type }, body });
          expect(textOf(appended)).not.toMatch(/113\.77|7334/);
        },
      ),
      runs(200),
    );
  });
});

describe('an id of a viewer', () => {
  const VIEWER = 'pLaNtEd-ViEwEr';

  it('is in no record as it came, whether its beat was taken or refused', async () => {
    const { send } = await fuzzTarget();
    const anyName = fc.constantFrom('viewer_id', 'viewer_user_id');
    const anyEvents = fc.constantFrom<object[]>(
      [{ seq: 0, at: AT, type: 'state', state: 'playing' }],
      [{ seq: 0, at: AT, type: 'context', context: { viewer_id: VIEWER } }],
      [{ seq: -1, at: AT, type: 'context', context: { viewer_user_id: VIEWER } }],
      [],
    );
    await fc.assert(
      fc.asyncProperty(anyName, anyEvents, fc.constantFrom('v', ''), async (name, events, view) => {
        const beatBody = json({ view, context: { [name]: VIEWER }, events });
        const beats = await send({ url: '/v1/beats?key=dev', headers: JSON_TYPE, body: beatBody });
        expect(textOf(beats.appended)).not.toContain(VIEWER);
        expect(beats.appended.length).toBeGreaterThan(0);
      }),
      runs(60),
    );
    const event = { event: 'metadata', timestamp: AT, payload: { userId: VIEWER } };
    for (const sent of [event, { ...event, timestamp: 0 }]) {
      const { appended } = await send({
        url: '/v1/epas?key=dev',
        headers: JSON_TYPE,
        body: json(sent),
      });
      expect(textOf(appended)).not.toContain(VIEWER);
      expect(appended).toHaveLength(1);
    }
  });
});

describe('an id of a viewer in a body that cannot be read', () => {
  const VIEWER = 'pLaNtEd-ViEwEr';
  const NUMBER = 8_675_309_424_242;
  const beatOf = (id: string) => `{"view":"v","events":[],"context":{"viewer_user_id":${id}}}`;
  const whole = beatOf(`"${VIEWER}"`);
  const cut = whole.slice(0, whole.indexOf('EwEr'));

  it.each<readonly [string, string, Buffer, Record<string, string>]>([
    ['a number', '/v1/beats', Buffer.from(beatOf(String(NUMBER))), JSON_TYPE],
    ['without its end', '/v1/beats', Buffer.from(cut), JSON_TYPE],
    ['longer than any', '/v1/beats', Buffer.from(beatOf(`"${VIEWER.repeat(500)}"`)), JSON_TYPE],
    ['in JSON that is none', '/v1/epas', Buffer.from(`{"userId": "${VIEWER}",}`), JSON_TYPE],
    [
      'in Avro that is none',
      '/v1/beats',
      Buffer.from(`${'.'.repeat(10)}${VIEWER}`),
      { 'content-type': 'application/avro' },
    ],
    [
      'in gzip that was cut',
      '/v1/beats',
      gzipSync(whole, { level: 0 }).subarray(0, -4),
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
    ],
  ])('is in no record: %s', async (_, path, body, headers) => {
    const { send } = await fuzzTarget();
    const { appended } = await send({ url: `${path}?key=dev`, headers, body });
    expect(appended).toHaveLength(1);
    for (const planted of [VIEWER.slice(0, 8), String(NUMBER)])
      expect(textOf(appended)).not.toContain(planted);
  });
});

describe('a write key', () => {
  it('is in no record, and no address of the sender is', async () => {
    const appended: Appended[] = [];
    const grant = builtInProjects().findWriteKey('dev');
    const projects = { findWriteKey: () => grant };
    const { server } = await ingestServer({ log: rememberingLog(appended), projects });
    for (const { url, type, good } of EDGE_FORMS.slice(0, 3)) {
      const [body = Buffer.alloc(0)] = fc.sample(good, { seed: 1, numRuns: 1 });
      await server.inject({
        ...{ method: 'POST', payload: body, remoteAddress: '203.0.113.77' },
        url: url.replace('key=dev', `key=${SECRET}`),
        headers: { 'content-type': type },
      });
    }
    expect(appended.length).toBeGreaterThan(0);
    expect(textOf(appended)).not.toContain(SECRET);
    expect(textOf(appended)).not.toContain('113.77');
  });
});

describe('a token in the URL of something refused', () => {
  it.each([
    ['/v1/beats', '{"view":"v","events":[{"seq":-1,"url":"https://c/a.m4s?token=PlAnTeD&b=1"}]}'],
    ['/v1/epas', '{"event":5,"sessionId":"s","payload":{"contentUrl":"https://c/a?sig=PlAnTeD"}}'],
    ['/v1/cmcd', '{"v":9,"sid":"s","url":"https://c/a?hdnts=PlAnTeD"}'],
  ])('is in no record: %s', async (path, body) => {
    const { send } = await fuzzTarget();
    const url = `${path}?key=dev`;
    const { appended } = await send({ url, headers: JSON_TYPE, body: Buffer.from(body) });
    expect(appended).toHaveLength(1);
    expect(textOf(appended)).toContain('https://c/a');
    expect(textOf(appended)).not.toContain('PlAnTeD');
  });
});
