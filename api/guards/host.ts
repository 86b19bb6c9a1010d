/**
 * Refuses requests whose Host is not ours.
 *
 * Guarantee: a page of another site that points its own name at this address (DNS rebinding) gets nothing. An address
 * is no name, so it is let in: only names can be rebound.
 */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { refuse } from '../errors.ts';

/** The name of a Host header: without port, brackets and final dot, in lower case. */
export function hostName(header: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(header);
  const name = bracketed?.[1] ?? header.replace(/:\d*$/, '');
  return name.toLowerCase().replace(/\.$/, '');
}

/** True for localhost, addresses, and the names given. */
export function isOurs(header: string, names: ReadonlySet<string>): boolean {
  const name = hostName(header);
  return name === 'localhost' || isIP(name) !== 0 || names.has(name);
}

/** An onRequest hook. `hosts`: the host listened on, and the names that the operator allows. */
export function createHostGuard(
  hosts: readonly string[],
  counters: { hostRefused: number },
): (request: FastifyRequest) => Promise<void> {
  const names = new Set(hosts.map(hostName).filter((name) => name !== ''));
  return async (request) => {
    const header = request.headers.host ?? '';
    if (isOurs(header, names)) return;
    counters.hostRefused++;
    throw refuse('host_refused', {
      detail: `${JSON.stringify(hostName(header).slice(0, 80))} is not a name of this server. Use its address, or have the operator allow the name.`,
    });
  };
}
