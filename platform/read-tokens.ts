/**
 * Read tokens: which project they read, and what of it.
 *
 * Guarantee: a secret is kept as its SHA-256. A token without `scopes` reads everything of its project, and may not
 * look behind the answers (`admin`).
 */
import Type, { type Static } from 'typebox';
import type { Project } from './project.ts';
import {
  ClosedObject,
  expiryOf,
  Hash,
  hashFrom,
  Id,
  Secret,
  WRONG_EXPIRY,
} from './projects-shape.ts';

/** What a token may ask for. */
export const SCOPES = {
  metrics: 'figures of many views: metrics, dimensions, errors, engagement, delivery, cost',
  monitoring: 'figures of now, and the stream of them',
  views: 'single views with their timelines, and exports of them',
  annotate: 'writing annotations',
  admin: 'how an answer came to be: tables, SQL, rows read',
} as const;

export type Scope = keyof typeof SCOPES;

const SCOPE_NAMES = Object.keys(SCOPES) as Scope[];
const STANDARD_SCOPES = SCOPE_NAMES.filter((name) => name !== 'admin');

export const ReadTokenEntry = ClosedObject({
  id: Id,
  secret: Type.Optional(Secret),
  secretHash: Type.Optional(Hash),
  scopes: Type.Optional(
    Type.Array(Type.Union(SCOPE_NAMES.map((name) => Type.Literal(name))), { minItems: 1 }),
  ),
  expiresAt: Type.Optional(Type.String({ maxLength: 64 })),
  revoked: Type.Optional(Type.Boolean()),
});

type ReadTokenEntry = Static<typeof ReadTokenEntry>;

/** What a token that is right lets its holder read. */
export interface ReadGrant {
  readonly project: Project;
  readonly tokenId: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** A read token, its secret known by its SHA-256. */
export interface ReadToken {
  readonly grant: ReadGrant;
  readonly secretHash: Buffer;
  readonly revoked: boolean;
  /** ms since 1970; Infinity when the token never expires. */
  readonly expiresAtMs: number;
}

/** The token of an entry, or what is wrong with it. */
export function readTokenOf(entry: ReadTokenEntry, project: Project): ReadToken | string {
  const secretHash = hashFrom(entry.secret, entry.secretHash);
  const expiresAtMs = expiryOf(entry.expiresAt);
  if (expiresAtMs === undefined) return WRONG_EXPIRY;
  if (secretHash === undefined) return 'needs either secret or secretHash';
  const scopes = new Set(entry.scopes ?? STANDARD_SCOPES);
  const grant = { project, tokenId: entry.id, scopes };
  return { grant, secretHash, expiresAtMs, revoked: entry.revoked ?? false };
}
