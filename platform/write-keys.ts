/**
 * Write keys: who they let in, from where, with what, how fast.
 *
 * Guarantee: a key is kept as its SHA-256. What a key does not restrict is open; what it restricts is refused to
 * everybody whom it does not name.
 */
import Type, { type Static } from 'typebox';
import type { Project } from './project.ts';
import { ClosedObject, expiryOf, Hash, hashFrom, Secret, WRONG_EXPIRY } from './projects-shape.ts';

/** Ways in that a key can be restricted to: `edge` is every edge log, `edge/nginx` one. */
export const KEY_FORMATS = [
  'beats',
  'cmcd',
  'epas',
  'edge',
  'edge/nginx',
  'edge/cloudfront',
  'edge/fastly',
  'edge/akamai',
  'edge/cloudflare',
  'edge/ndjson',
] as const;

/** A web origin (RFC 6454), with `*.` for everything below a name; `null` as browsers send it; `none` for no header. */
const ORIGIN_PATTERN =
  '^(https?://(\\*\\.)?[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63}){0,20}(:[0-9]{1,5})?|null|none)$';
const ORIGINS_MAX = 100;
const RATE_MAX = 1_000_000;

export const WriteKeyEntry = ClosedObject({
  key: Type.Optional(Secret),
  keyHash: Type.Optional(Hash),
  trustClock: Type.Optional(Type.Boolean()),
  expiresAt: Type.Optional(Type.String({ maxLength: 64 })),
  revoked: Type.Optional(Type.Boolean()),
  allowedOrigins: Type.Optional(
    Type.Array(Type.String({ pattern: ORIGIN_PATTERN }), { minItems: 1, maxItems: ORIGINS_MAX }),
  ),
  formats: Type.Optional(
    Type.Array(Type.Union(KEY_FORMATS.map((name) => Type.Literal(name))), { minItems: 1 }),
  ),
  requestsPerSecondMax: Type.Optional(Type.Integer({ minimum: 1, maximum: RATE_MAX })),
});

export type WriteKeyEntry = Static<typeof WriteKeyEntry>;

/** What a key that is good lets its sender do. */
export interface KeyGrant {
  readonly project: Project;
  readonly trustClock: boolean;
  /** Names the key without telling it: the first 16 hex digits of its SHA-256. */
  readonly keyId: string;
  /** True for an Origin header's value, undefined when there is none. */
  readonly allowsOrigin: (origin: string | undefined) => boolean;
  /** True for a route below `/v1/`, as in KEY_FORMATS. */
  readonly allowsFormat: (format: string) => boolean;
  /** Requests a second; undefined: the limit of all keys. */
  readonly requestsPerSecondMax: number | undefined;
}

/** A write key, known by its SHA-256. */
export interface WriteKey {
  readonly grant: KeyGrant;
  readonly hash: Buffer;
  readonly revoked: boolean;
  /** ms since 1970; Infinity when the key never expires. */
  readonly expiresAtMs: number;
}

/** The key of an entry, or what is wrong with it. */
export function writeKeyOf(entry: WriteKeyEntry, project: Project): WriteKey | string {
  const hash = hashFrom(entry.key, entry.keyHash);
  const expiresAtMs = expiryOf(entry.expiresAt);
  if (expiresAtMs === undefined) return WRONG_EXPIRY;
  if (hash === undefined) return 'needs either key or keyHash';
  return {
    grant: grantOf(entry, project, hash),
    hash,
    expiresAtMs,
    revoked: entry.revoked ?? false,
  };
}

function grantOf(entry: WriteKeyEntry, project: Project, hash: Buffer): KeyGrant {
  const { allowedOrigins, formats, trustClock = false, requestsPerSecondMax } = entry;
  return {
    project,
    trustClock,
    keyId: hash.toString('hex', 0, 8),
    allowsOrigin: allowedOrigins === undefined ? anything : originsOf(allowedOrigins),
    allowsFormat: formats === undefined ? anything : formatsOf(formats),
    requestsPerSecondMax,
  };
}

/** What a project lets its operator do, who needs no key. Its clock is trusted: it tells of times gone by. */
export function operatorGrant(project: Project): KeyGrant {
  return {
    project,
    trustClock: true,
    keyId: '',
    allowsOrigin: anything,
    allowsFormat: anything,
    requestsPerSecondMax: undefined,
  };
}

const anything = (): boolean => true;

function formatsOf(names: readonly string[]): (format: string) => boolean {
  const all = new Set(names);
  return (format) => all.has(format) || (format.startsWith('edge/') && all.has('edge'));
}

/** Origins are compared in lower case; one with `*.` stands for every name below, not for the name itself. */
function originsOf(allowed: readonly string[]): (origin: string | undefined) => boolean {
  const lower = allowed.map((origin) => origin.toLowerCase());
  const exact = new Set(lower.filter((origin) => !origin.includes('*')));
  const below = lower
    .filter((origin) => origin.includes('*'))
    .map((origin) => origin.split('*', 2) as [scheme: string, end: string]);
  return (origin = 'none') => {
    const said = origin.toLowerCase();
    return exact.has(said) || below.some((parts) => isBelow(said, parts));
  };
}

/** Nothing but a name may stand where the star does: no user, no port, no path. */
function isBelow(origin: string, [scheme, end]: readonly [string, string]): boolean {
  if (!origin.startsWith(scheme) || !origin.endsWith(end)) return false;
  return /^[\w.-]+$/.test(origin.slice(scheme.length, origin.length - end.length));
}
