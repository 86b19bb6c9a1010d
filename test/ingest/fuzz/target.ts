/** The server that is fuzzed: ingest without a port, a log that remembers, and what must hold after each request. */
import { pino } from 'pino';
import { expect } from 'vitest';
import type { IngestLimits } from '../../../platform/config/config.ts';
import { createServer } from '../../../platform/http/server.ts';
import { type Appended, beat, ingestServer, playing, rememberingLog } from '../ingest-server.ts';
import { checkAnswer, checkRecords, type Logged, type SeenAnswer, withoutHang } from './oracles.ts';

export interface Sending {
  readonly method?: 'POST' | 'PUT' | 'GET' | 'OPTIONS' | 'HEAD' | 'DELETE' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

export interface Result extends SeenAnswer {
  readonly logged: Logged;
  readonly appended: readonly Appended[];
}

export async function fuzzTarget(limits: Partial<IngestLimits> = {}) {
  const appended: Appended[] = [];
  const { server, counters } = await ingestServer({
    ...{ log: rememberingLog(appended), limits },
    server: createServer(pino({ level: 'silent' })),
  });
  /** Sends and checks what always holds. */
  const send = async ({ method = 'POST', url, headers = {}, body }: Sending): Promise<Result> => {
    appended.length = 0;
    const answer = await withoutHang(() =>
      server.inject({ method, url, headers: { ...headers }, payload: body }),
    );
    checkAnswer(answer);
    const { bytesInFlight, requestsInFlight, edgeGroupsOpen } = counters;
    expect({ bytesInFlight, requestsInFlight, edgeGroupsOpen }).toEqual({
      bytesInFlight: 0,
      requestsInFlight: 0,
      edgeGroupsOpen: 0,
    });
    const { statusCode, body: text } = answer;
    const logged = checkRecords(appended);
    return { statusCode, headers: answer.headers, body: text, logged, appended: [...appended] };
  };
  /** A good beat is still taken. */
  const checkAlive = async (): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const body = Buffer.from(JSON.stringify(beat([playing(0)])));
    const { statusCode, logged } = await send({ url: '/v1/beats?key=dev', headers, body });
    expect([statusCode, logged.events]).toEqual([202, 1]);
  };
  return { send, checkAlive, counters };
}
