/** Pieces that the shapes of the projects file share. */
import { createHash } from 'node:crypto';
import Type, { type TProperties } from 'typebox';

/** An object without other fields: a misspelt one is a mistake, never ignored. */
export const ClosedObject = <Fields extends TProperties>(fields: Fields) =>
  Type.Object(fields, { additionalProperties: false });

export const Id = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' });
export const Secret = Type.String({ minLength: 1, maxLength: 256 });
export const Hash = Type.String({ pattern: '^[0-9a-fA-F]{64}$' });

/** SHA-256 of a key or a secret. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** The hash, from exactly one of a secret and its hash. */
export function hashFrom(secret: string | undefined, hash: string | undefined): Buffer | undefined {
  if ((secret === undefined) === (hash === undefined)) return undefined;
  return secret === undefined ? Buffer.from(hash ?? '', 'hex') : hashOf(secret);
}

export const WRONG_EXPIRY = 'has an expiresAt that is not a date such as 2030-01-31T00:00:00Z';

/** When a key or a token ends, ms since 1970; Infinity without a text, undefined when it is no date. */
export function expiryOf(text: string | undefined): number | undefined {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
