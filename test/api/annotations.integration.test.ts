import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOW_MS } from './support/generated-views.ts';
import { AUTHORIZATION, openTestStore, startServer, type TestStore } from './support/server.ts';

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  ({ server } = await startServer(engine.store, { limits: { annotationsMax: 3 } }));
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

interface Annotation {
  readonly id: string;
  readonly date: string;
  readonly note: string;
  readonly sub_property_id: string | null;
}

async function send<Data>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) {
  const answer = await server.inject({
    method,
    url: `/data/v1/annotations${path}`,
    headers: { authorization: AUTHORIZATION, host: 'localhost' },
    ...(body === undefined ? {} : { payload: body }),
  });
  const parsed = answer.body === '' ? {} : (answer.json() as object);
  return { status: answer.statusCode, ...(parsed as { data: Data; code: string; detail: string }) };
}

const nowSeconds = NOW_MS / 1_000;

describe('annotations', () => {
  it('are made, found, changed, listed by their moment, and deleted', async () => {
    const made = await send<Annotation>('POST', '', { date: nowSeconds - 60, note: 'a "note"' });
    expect(made.status).toBe(201);
    const { id } = made.data;
    expect(made.data).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      date: new Date(NOW_MS - 60_000).toISOString().replace('.000Z', 'Z'),
      note: 'a "note"',
      sub_property_id: null,
    });
    expect((await send<Annotation>('GET', `/${id}`)).data).toEqual(made.data);

    const change = { note: "it's 100 % better\n", sub_property_id: 'kids' };
    const changed = await send<Annotation>('PATCH', `/${id}`, change);
    expect(changed).toMatchObject({ status: 200, data: { ...made.data, ...change } });
    await send('PATCH', `/${id}`, { note: 'again' });
    expect((await send<Annotation>('GET', `/${id}`)).data).toMatchObject({ note: 'again' });

    const older = await send<Annotation>('POST', '', { date: nowSeconds - 3_600, note: 'older' });
    const far = await send<Annotation>('POST', '', { date: nowSeconds - 90_000, note: 'far' });
    const ids = async (query: string) =>
      (await send<Annotation[]>('GET', query)).data.map((each) => each.id);
    expect(await ids('')).toEqual([id, older.data.id]);
    expect(await ids('?order_direction=asc')).toEqual([older.data.id, id]);
    expect(await ids('?timeframe[]=30:minutes')).toEqual([id]);
    expect(await ids('?timeframe[]=7:days&limit=1&page=3')).toEqual([far.data.id]);
    const beyond = await send('GET', '?timeframe[]=7:days&limit=1&page=4');
    expect(beyond).toMatchObject({ status: 200, data: [], total_row_count: 3 });
    const before = await send('GET', '?timeframe[]=1767225600&timeframe[]=1767225660&page=2');
    expect(before).toMatchObject({ status: 200, data: [], total_row_count: 0 });

    const full = await send('POST', '', { date: 1, note: 'one too many' });
    expect(full).toMatchObject({ status: 422, code: 'annotations_full' });

    expect((await send('DELETE', `/${id}`)).status).toBe(204);
    expect(await send('GET', `/${id}`)).toMatchObject({
      status: 404,
      code: 'annotation_not_found',
    });
    expect(await send('DELETE', `/${id}`)).toMatchObject({ status: 404 });
    expect(await send('PATCH', `/${id}`, { note: 'x' })).toMatchObject({ status: 404 });
    expect(await ids('')).toEqual([older.data.id]);
  });

  it.each([
    [{ note: 'x' }, 'date'],
    [{ date: 1 }, 'note'],
    [{ date: -1, note: 'x' }, 'date'],
    [{ date: 5e9, note: 'x' }, 'date'],
    [{ date: 1, note: '' }, 'note'],
    [{ date: 1, note: 'x'.repeat(10_001) }, 'note'],
  ])('are not made of what they cannot be: %#', async (body, named) => {
    const refused = await send('POST', '', body);
    expect(refused).toMatchObject({ status: 400, code: 'parameter_invalid' });
    expect(refused.detail).toContain(named);
  });

  it('name the nearest field of one that they do not have', async () => {
    const refused = await send('POST', '', { date: 1, notes: 'x' });
    expect(refused).toMatchObject({ status: 400, code: 'parameter_unknown' });
    expect(refused.detail).toContain('did you mean note?');
  });

  it('refuse bodies that are no JSON, or too large', async () => {
    const post = (payload: string, type: string) =>
      server.inject({
        method: 'POST',
        url: '/data/v1/annotations',
        headers: { authorization: AUTHORIZATION, host: 'localhost', 'content-type': type },
        payload,
      });
    expect((await post('{', 'application/json')).statusCode).toBe(400);
    expect((await post('{"date":1,"note":"x"}', 'text/plain')).statusCode).toBe(400);
    expect((await post('x', 'application/xml')).statusCode).toBe(415);
    expect((await post(' '.repeat(70_000), 'application/json')).statusCode).toBe(413);
  });
});
