/**
 * The network of a play: page, players and stream, on two origins of one server, with the access log of an edge.
 *
 * Guarantee: what is held is answered when it is released, never by a clock, so that a stall happens on a machine
 * however fast or slow. Each play has its own prefix: what it held and what was logged of it is told apart.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const PAGE = join(import.meta.dirname, '../page');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
};

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers': '*',
  'access-control-max-age': '600',
  'timing-allow-origin': '*',
};

/** One request of a play as an edge logs it, in the words of nginx. */
export type AccessLine = Readonly<Record<string, string>>;

export interface Origin {
  /** Where the page is; the stream is under another origin. */
  readonly pageUrl: string;
  /** Base of a play's stream: `/stream/PLAY/`. */
  streamUrl(play: string): string;
  /** Holds the answers for a segment of the picture, in whatever rendition, until `releaseUrl` is asked. */
  hold(play: string, segment: number): void;
  releaseUrl(play: string): string;
  /** What the edge logged of a play so far. */
  accessLines(play: string): readonly AccessLine[];
  close(): Promise<void>;
}

/** A segment that is held: what waits for it, and how to let go. */
interface Held {
  readonly path: RegExp;
  readonly released: Promise<void>;
  release(): void;
}

interface Contents {
  readonly stream: string;
  readonly libraries: ReadonlyMap<string, string>;
}

export async function startOrigin(contents: Contents): Promise<Origin> {
  const files = await readFiles(contents);
  const plays = new Map<string, { lines: AccessLine[]; held?: Held }>();
  const playOf = (play: string) => {
    const known = plays.get(play) ?? { lines: [] };
    plays.set(play, known);
    return known;
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind = '', play = '', name = ''] = pathOf(request).split('/');
    if (kind === 'release') playOf(play).held?.release();
    if (kind !== 'stream') return send(request, response, files.get(pathOf(request)));
    const startedMs = Date.now();
    response.on('close', () => playOf(play).lines.push(lineOf(request, response, startedMs)));
    const { held } = playOf(play);
    if (held?.path.test(name) === true) await held.released;
    return send(request, response, files.get(`/stream/${name}`));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    pageUrl: `http://127.0.0.1:${port}/page/page.html`,
    streamUrl: (play) => `http://localhost:${port}/stream/${play}`,
    hold: (play, segment) => {
      playOf(play).held = holding(segment);
    },
    releaseUrl: (play) => `http://127.0.0.1:${port}/release/${play}`,
    accessLines: (play) => playOf(play).lines,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function holding(segment: number): Held {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { path: new RegExp(`^seg-\\d-${segment}\\.m4s$`), released, release: () => release() };
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '').split('?')[0] ?? '';

/** Everything that is served, by path, without the play. */
async function readFiles({ stream, libraries }: Contents): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const [folder, prefix] of [
    [stream, '/stream/'],
    [PAGE, '/page/'],
  ] as const) {
    for (const name of await readdir(folder)) {
      files.set(prefix + name, await readFile(join(folder, name)));
    }
  }
  for (const [name, text] of libraries) files.set(`/libraries/${name}`, Buffer.from(text));
  return files;
}

function send(request: IncomingMessage, response: ServerResponse, body: Buffer | undefined): void {
  if (request.method === 'OPTIONS' || request.method === 'POST') {
    response.writeHead(204, CORS).end();
  } else if (body === undefined) {
    response.writeHead(404, CORS).end();
  } else {
    const type = TYPES[extname(pathOf(request))] ?? 'application/octet-stream';
    response.setHeader('content-length', body.length);
    response.writeHead(200, { ...CORS, 'content-type': type, 'cache-control': 'no-store' });
    response.end(body);
  }
}

function lineOf(request: IncomingMessage, response: ServerResponse, startedMs: number): AccessLine {
  const { headers, method = '' } = request;
  const header = (name: string): string => String(headers[name] ?? '');
  const endedMs = Date.now();
  const length = response.writableFinished ? response.getHeader('content-length') : undefined;
  return {
    msec: (endedMs / 1_000).toFixed(3),
    request_time: ((endedMs - startedMs) / 1_000).toFixed(3),
    request_completion: response.writableFinished ? 'OK' : '',
    status: response.headersSent ? String(response.statusCode) : '499',
    body_bytes_sent: String(length ?? 0),
    request_method: method,
    host: header('host'),
    request_uri: request.url ?? '',
    server_protocol: `HTTP/${request.httpVersion}`,
    request_id: `${startedMs}-${request.socket.remotePort}-${request.url}`,
    http_cmcd_request: header('cmcd-request'),
    http_cmcd_object: header('cmcd-object'),
    http_cmcd_session: header('cmcd-session'),
    http_cmcd_status: header('cmcd-status'),
  };
}
