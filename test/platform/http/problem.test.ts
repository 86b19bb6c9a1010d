import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import {
  HTTP_ERRORS,
  handleError,
  PROBLEM_TYPE,
  ProblemError,
  registerProblems,
} from '../../../platform/http/problem.ts';

function setUp() {
  const server = fastify({
    bodyLimit: 100,
    routerOptions: { maxParamLength: 10 },
    frameworkErrors: handleError,
  });
  registerProblems(server);
  const body = { type: 'object', properties: { limit: { type: 'integer' } } };
  server.post('/echo', { schema: { body } }, () => ({}));
  server.get('/param/:name', () => ({}));
  server.get('/bug', () => {
    throw new Error('password is hunter2');
  });
  server.get('/teapot', () => {
    throw Object.assign(new Error('short and stout'), { statusCode: 418 });
  });
  server.get('/own', () => {
    const spec = { status: 409, title: 'Taken', advice: 'Choose another.' };
    throw new ProblemError('taken', spec, {
      headers: { 'x-a': 'b' },
      members: { near: 'c', code: 'no' },
    });
  });
  return server;
}

describe('problem details', () => {
  it.each([
    ['POST', '/echo', 'application/json', '{', 400, 'body_malformed'],
    ['POST', '/echo', 'application/json', '', 400, 'body_empty'],
    ['POST', '/echo', 'application/json', '{"limit":"x"}', 400, 'request_invalid'],
    ['POST', '/echo', 'application/json', '{"__proto__":{}}', 400, 'body_malformed'],
    ['POST', '/echo', 'application/json', `"${'x'.repeat(200)}"`, 413, 'body_too_large'],
    ['POST', '/echo', 'image/png', 'x', 415, 'type_unknown'],
    ['GET', '/nothing?key=k', undefined, undefined, 404, 'not_found'],
    ['GET', '/param/%zz', undefined, undefined, 400, 'url_malformed'],
    ['GET', '/param/a-long-long-name', undefined, undefined, 414, 'url_too_long'],
    ['GET', '/bug', undefined, undefined, 500, 'internal'],
    ['GET', '/teapot', undefined, undefined, 418, 'request_refused'],
  ] as const)(
    'answer %s %s (%s, %j) with %i %s',
    async (method, url, type, payload, status, code) => {
      const headers = type === undefined ? {} : { 'content-type': type };
      const answer = await setUp().inject({
        method,
        url,
        headers,
        ...(payload === undefined ? {} : { payload }),
      });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toContain(PROBLEM_TYPE);
      expect(answer.json()).toMatchObject({
        code,
        status,
        type: `urn:streamgauge:problem:${code}`,
      });
      expect(answer.json().title).not.toBe('');
    },
  );

  it('never tell what an unforeseen error said', async () => {
    const answer = await setUp().inject('/bug');
    expect(answer.body).not.toContain('hunter2');
    expect(answer.json().detail).toBe(HTTP_ERRORS.internal.advice);
  });

  it('name the parameter that a schema complains about', async () => {
    const answer = await setUp().inject({ method: 'POST', url: '/echo', payload: { limit: 'x' } });
    expect(answer.json().detail).toContain('limit');
  });

  it('carry headers and further members, which cannot replace the code', async () => {
    const answer = await setUp().inject('/own');
    expect(answer.json()).toMatchObject({ code: 'taken', near: 'c', detail: 'Choose another.' });
    expect(answer.headers['x-a']).toBe('b');
  });
});
