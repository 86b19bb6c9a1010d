/** The recordings and what the video element knew of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CORPUS = join(import.meta.dirname, '..', 'corpus');

export interface Truth {
  readonly sid: string | null;
  readonly summary: {
    readonly startup_ms: number | null;
    readonly rebuffer_count: number;
    readonly closed_rebuffer_ms?: number;
    readonly rebuffer_ms: number;
    readonly rebuffer_open_at_end?: boolean;
    readonly played_ms: number;
    readonly paused_ms: number;
    readonly ended: boolean;
    readonly fatal_errors: number;
    readonly user_seek_count?: number;
    readonly live_latency_mean_ms?: number;
  };
}

export interface RecordedPost {
  readonly t: number;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export interface Recording {
  readonly name: string;
  readonly truth: Truth;
  readonly posts: readonly RecordedPost[];
}

export function readRecordings(): Recording[] {
  return readdirSync(CORPUS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      name,
      truth: JSON.parse(readFileSync(join(CORPUS, name, 'truth.json'), 'utf8')) as Truth,
      posts: readFileSync(join(CORPUS, name, 'posts.ndjson'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as RecordedPost),
    }));
}

/** Lines of CMCD event mode that a recording posted, repeats included. */
export function cmcdLines(recording: Recording): string[] {
  return recording.posts
    .filter(({ method, url }) => method === 'POST' && url.startsWith('/cmcd'))
    .flatMap(({ body }) => body.split('\n').filter((line) => line !== ''));
}

/** The session id that a recording's events carry; undefined when they carry none. */
export function eventSid(recording: Recording): string | undefined {
  for (const line of cmcdLines(recording)) {
    const sid = /(?:^|,)sid="([^"]+)"/.exec(line)?.[1];
    if (sid !== undefined) return sid;
  }
  return undefined;
}

export interface EpasEvent {
  readonly sessionId: string;
  readonly event: string;
}

/** EPAS events that a recording posted. */
export function epasEvents(recording: Recording): EpasEvent[] {
  return recording.posts
    .filter(({ method, url }) => method === 'POST' && url === '/epas')
    .map(({ body }) => JSON.parse(body) as EpasEvent);
}

/** The session of a recording's EPAS events. */
export function epasSession(recording: Recording): string {
  return epasEvents(recording)[0]?.sessionId ?? '';
}
