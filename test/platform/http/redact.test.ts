import { Writable } from 'node:stream';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { handleError, registerProblems } from '../../../platform/http/problem.ts';
import { logSerializers, redactUrl } from '../../../platform/http/redact.ts';

describe('redaction', () => {
  it.each([
    ['/v1/beats?key=SECRET', '/v1/beats?key=***'],
    ['/v1/beats?a=1&key=SECRET&b=2', '/v1/beats?a=1&key=***&b=2'],
    ['/v1/beats?KEY=SECRET', '/v1/beats?KEY=***'],
    ['/v1/beats?k%65y=SECRET', '/v1/beats?k%65y=***'],
    ['/v1/beats?key=SEC=RET', '/v1/beats?key=***'],
    ['/v1/beats?%zz=SECRET', '/v1/beats?%zz=***'],
    ['/v1/beats?a=1;key=SECRET', '/v1/beats?a=1;key=***'],
    ['/v1/beats?a=1?key=SECRET', '/v1/beats?a=1?key=***'],
    ['http://me:SECRET@host/x?key=SECRET', 'http://host/x?key=***'],
    ['/v1/beats?monkey=1', '/v1/beats?monkey=1'],
    ['/v1/beats', '/v1/beats'],
    ['/v1/beats?key', '/v1/beats?key'],
  ])('prints %s as %s', (url, printed) => {
    expect(redactUrl(url)).toBe(printed);
  });

  it('keeps keys out of every line that a server logs', async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const server = fastify({
      logger: { level: 'trace', stream, serializers: logSerializers },
      frameworkErrors: handleError,
    });
    registerProblems(server);
    server.post('/ok', () => ({}));
    server.post('/bug', () => {
      throw new Error('oh');
    });
    for (const path of ['/ok', '/bug', '/nothing', '/%zz', '/ok/%zz']) {
      await server.inject({
        method: 'POST',
        url: `${path}?key=SECRET`,
        headers: { referer: 'http://a/?key=SECRET', authorization: 'Bearer SECRET' },
      });
    }
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.filter((line) => line.includes('SECRET'))).toEqual([]);
  });
});
