/** Edge requests for tests in a few words. */
import type { EdgeRequest } from '../../schemas/records.ts';
import { T0 } from './beats.ts';
import type { Delivery } from './fold.ts';

let lines = 0;

/** A request that the edge ended `ms` after T0, 100 ms after it began. */
export function edgeRequest(
  ms: number,
  value: Partial<EdgeRequest> = {},
  cmcd: Readonly<Record<string, string>> = {},
): EdgeRequest {
  const identity = Buffer.alloc(8);
  identity.writeUInt32LE(++lines);
  return {
    identity,
    endAt: T0 + ms,
    durationMs: 100,
    ttfbMs: 20,
    originMs: -1,
    status: 200,
    bytes: 1_000,
    aborted: false,
    method: 'GET',
    host: 'cdn',
    path: '/seg.m4s',
    protocol: 'HTTP/1.1',
    cdn: '',
    pop: '',
    country: '',
    asn: '',
    cache: '',
    cmcd: Object.entries(cmcd).map(([name, text]) => ({ name, value: text })),
    ...value,
  };
}

export function edgeRecord(atMs: number, requests: readonly EdgeRequest[], view = 'v'): Delivery {
  return { atMs: T0 + atMs, edge: { project: 'default', view, format: 'nginx', requests } };
}
