/** What a request was for, as players and edges tell of it: by CMCD's object type, else by the name of the file. */
import type { RequestKind } from './beat.ts';

/** CMCD `ot` (CTA-5004) as a kind of request. */
export const kindsByObjectType: Readonly<Record<string, RequestKind>> = {
  m: 'manifest',
  i: 'init',
  v: 'segment',
  a: 'segment',
  av: 'segment',
  k: 'key',
  c: 'other',
  tt: 'other',
  o: 'other',
};

const MANIFESTS: ReadonlySet<string> = new Set(['m3u8', 'mpd']);
const INITS: ReadonlySet<string> = new Set(['mp4', 'm4s', 'm4v', 'm4a', 'cmfv', 'cmfa', 'webm']);
const SEGMENTS: ReadonlySet<string> = new Set([...INITS, 'ts', 'aac']);

/** For a request without an object type; `url` has no query. */
export function kindOfUrl(url: string): RequestKind {
  const name = url.slice(url.lastIndexOf('/') + 1).toLowerCase();
  const suffix = name.slice(name.lastIndexOf('.') + 1);
  if (MANIFESTS.has(suffix)) return 'manifest';
  if (INITS.has(suffix) && name.includes('init')) return 'init';
  return SEGMENTS.has(suffix) ? 'segment' : 'other';
}
