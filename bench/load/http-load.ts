/**
 * Posts bodies over a few kept connections, as fast as they are answered.
 *
 * Guarantee: every body is answered 2xx once, or this throws. One that is answered 429 or 503 is sent again.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedBeat } from './simulated-beats.ts';

const BEATS_PER_BODY = 10;
const ATTEMPTS_MAX = 200;
const RETRY_MS = 100;

export interface LoadBody {
  readonly bytes: Buffer;
  readonly events: number;
}

export interface LoadTarget {
  readonly url: string;
  readonly key: string;
  /** Connections, each with one body under way. */
  readonly connections: number;
}

/** Bodies of ten beats each, in order. */
export function toBodies(beats: readonly SimulatedBeat[]): LoadBody[] {
  const bodies: LoadBody[] = [];
  for (let at = 0; at < beats.length; at += BEATS_PER_BODY) {
    const chunk = beats.slice(at, at + BEATS_PER_BODY);
    const bytes = Buffer.from(`[${chunk.map(({ json }) => json).join(',')}]`);
    bodies.push({ bytes, events: chunk.reduce((sum, { events }) => sum + events, 0) });
  }
  return bodies;
}

/** Sends all; returns how often one was sent again. */
export async function postAll(bodies: readonly LoadBody[], target: LoadTarget): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: target.connections });
  let next = 0;
  let retries = 0;
  const run = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++])
      retries += await postUntilTaken(body.bytes, target, agent);
  };
  try {
    await Promise.all(Array.from({ length: target.connections }, run));
  } finally {
    agent.destroy();
  }
  return retries;
}

async function postUntilTaken(body: Buffer, target: LoadTarget, agent: Agent): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const status = await post(body, target, agent);
    if (status >= 200 && status < 300) return attempt;
    if (status !== 429 && status !== 503) throw new Error(`${target.url} answers ${status}`);
    await sleep(RETRY_MS);
  }
  throw new Error(`${target.url} did not take a body in ${ATTEMPTS_MAX} attempts`);
}

function post(body: Buffer, { url, key }: LoadTarget, agent: Agent): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    authorization: `Bearer ${key}`,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/beats`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const shared = new Agent({ keepAlive: true });

/** Posts one body; false when it was not taken, for whatever reason that may pass. */
export async function postBody(body: Buffer, url: string): Promise<boolean> {
  try {
    const status = await post(body, { url, key: 'dev', connections: 0 }, shared);
    if (status >= 200 && status < 300) return true;
    if (status === 429 || status === 503) return false;
    throw new Error(`${url} answers ${status}`);
  } catch (error) {
    // The server is gone, or goes.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
