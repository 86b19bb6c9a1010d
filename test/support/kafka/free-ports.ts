/** Ports for servers that must know them before they listen, and come back at the same ones. */
import { createServer } from 'node:net';

export const HOST = '127.0.0.1';

/** Below those that the system gives to outgoing connections: one of these must not take a stopped server's place. */
const FIRST = 20_000;
const COUNT = 10_000;

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}
