import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createServer } from '../../../platform/http/server.ts';

async function addressSeen(trusted: readonly string[], from: string, forwarded: string) {
  const server = createServer(pino({ level: 'silent' }), trusted);
  server.get('/address', (request) => ({ ip: request.ip }));
  const answer = await server.inject({
    url: '/address',
    remoteAddress: from,
    headers: { 'x-forwarded-for': forwarded },
  });
  return answer.json<{ ip: string }>().ip;
}

describe('the address of a client', () => {
  it('is that of the connection when no proxy is trusted, whatever a header says', async () => {
    expect(await addressSeen([], '10.0.0.1', '203.0.113.7')).toBe('10.0.0.1');
  });

  it('is what a trusted proxy says', async () => {
    expect(await addressSeen(['10.0.0.0/8'], '10.0.0.1', '203.0.113.7')).toBe('203.0.113.7');
    expect(await addressSeen(['2001:db8::/32'], '2001:db8::5', '203.0.113.7')).toBe('203.0.113.7');
  });

  it('is not what somebody else says who is no trusted proxy', async () => {
    expect(await addressSeen(['10.0.0.0/8'], '198.51.100.1', '203.0.113.7')).toBe('198.51.100.1');
  });

  it('is the last that no trusted proxy has, so that a client cannot put another before itself', async () => {
    const forwarded = '192.0.2.66, 203.0.113.7, 10.0.0.9';
    expect(await addressSeen(['10.0.0.0/8'], '10.0.0.1', forwarded)).toBe('203.0.113.7');
  });
});
