/** Clients that name no view, from HTTP to the log. */
import { describe, expect, it } from 'vitest';
import type { Appended, ServerChoices } from './ingest-server.ts';
import { bodiesOf, ingestServer, rememberingLog } from './ingest-server.ts';

const AT = 1_767_225_600_000;

async function setUp(choices: Partial<ServerChoices> = {}) {
  const appended: Appended[] = [];
  const { server } = await ingestServer({ log: rememberingLog(appended), ...choices });
  const send = (body: string, agent = 'a', address = '192.0.2.1', path = '/v1/cmcd') =>
    server.inject({
      method: 'POST',
      url: `${path}?key=dev`,
      payload: body,
      headers: { 'user-agent': agent },
      remoteAddress: address,
    });
  const beats = () =>
    bodiesOf(
      'beat',
      appended.map(({ value }) => value),
    );
  return { send, beats, appended };
}

const LINE = `e=t,sn=3,ts=${AT},v=2`;

describe('a CMCD record without sid', () => {
  it('is of a view that is guessed, says so, and is ordered by time', async () => {
    const { send, beats } = await setUp();
    expect((await send(`${LINE}\nsid="own",${LINE}`)).statusCode).toBe(204);
    const [guessed, own] = beats();
    expect(guessed?.view).toMatch(/^guessed-/);
    expect(guessed?.context).toEqual([{ name: 'view_id_origin', value: 'guessed' }]);
    expect(guessed?.events).toMatchObject([{ seq: -1, at: AT }]);
    expect(own).toMatchObject({ view: 'own', context: [], events: [{ seq: 3 }] });
  });

  it('is of the same view as another of its client, and of no other client', async () => {
    const { send, beats } = await setUp();
    await send(LINE);
    await send(LINE);
    await send(LINE, 'b');
    await send(LINE, 'a', '192.0.2.2');
    const [first, second, ...others] = beats().map(({ view }) => view);
    expect(second).toBe(first);
    expect(new Set([first, ...others]).size).toBe(3);
  });

  it('is of another view after a pause that ends a silent view', async () => {
    let nowMs = 0;
    const { send, beats } = await setUp({ now: () => nowMs });
    for (const atMs of [0, 119_999, 239_998, 359_998]) {
      nowMs = atMs;
      await send(LINE);
    }
    const views = beats().map(({ view }) => view);
    expect(new Set(views.slice(0, 3)).size).toBe(1);
    expect(views[3]).not.toBe(views[0]);
  });

  it('leaves no address in the log', async () => {
    const { send, appended } = await setUp();
    await send(LINE, 'a', '203.0.113.77');
    const bytes = Buffer.concat(appended.map(({ value }) => value));
    expect(bytes.includes('203.0.113')).toBe(false);
  });
});

describe('an EPAS client', () => {
  const event = (name: string, more: object = {}) =>
    JSON.stringify({ event: name, timestamp: AT, playhead: -1, duration: -1, ...more });
  const path = '/v1/epas';

  it('is told its session, and how often to say that it lives, when it begins', async () => {
    const { send } = await setUp();
    const answer = await send(event('init', { sessionId: 's' }), 'a', '192.0.2.1', path);
    const told = { sessionId: 's', valid: true, heartbeatInterval: 10_000 };
    expect([answer.statusCode, answer.json()]).toEqual([200, told]);
    const later = await send(event('playing', { sessionId: 's' }), 'a', '192.0.2.1', path);
    expect([later.statusCode, later.json()]).toEqual([200, { sessionId: 's', valid: true }]);
  });

  it('without a session is told the one that its later events are taken for', async () => {
    const { send, beats } = await setUp();
    const answer = await send(event('init'), 'a', '192.0.2.1', path);
    const { sessionId } = answer.json();
    expect(sessionId).toMatch(/^guessed-/);
    await send(event('playing'), 'a', '192.0.2.1', path);
    await send(event('playing', { sessionId }), 'a', '192.0.2.1', path);
    expect(beats().map(({ view, source }) => [view, source])).toEqual(
      Array(3).fill([sessionId, 'epas']),
    );
  });

  it('is told of an event that was not taken, which is kept without the name of its viewer', async () => {
    const { send, appended } = await setUp();
    const body = event('dozing', { sessionId: 's', payload: { userId: 'anna' } });
    const answer = await send(body, 'a', '192.0.2.1', path);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ sessionId: 's', valid: false });
    const values = appended.map(({ value }) => value);
    expect(bodiesOf('reject', values)).toMatchObject([{ code: 'event_type_unknown', view: 's' }]);
    expect(Buffer.concat(values).includes('anna')).toBe(false);
  });

  it('hides its viewer', async () => {
    const { send, appended } = await setUp();
    await send(
      event('metadata', { sessionId: 's', payload: { userId: 'anna' } }),
      'a',
      '::1',
      path,
    );
    const bytes = Buffer.concat(appended.map(({ value }) => value));
    expect([bytes.includes('viewer_user_id'), bytes.includes('anna')]).toEqual([true, false]);
  });
});
