/**
 * The projects file: its shape, and one line for each mistake in it.
 *
 * Guarantee: `parseProjects` never repeats a key or a secret in its messages, and keeps only hashes of them.
 */
import { createHash } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { nearestHint } from './nearest.ts';
import { DimensionRuleEntry, type ProjectRules, ruleFields, rulesOf } from './project-rules.ts';

const CLOSED = { additionalProperties: false };
const Id = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' });
const Secret = Type.String({ minLength: 1, maxLength: 256 });
const Hash = Type.String({ pattern: '^[0-9a-fA-F]{64}$' });

const WriteKeyEntry = Type.Object(
  {
    key: Type.Optional(Secret),
    keyHash: Type.Optional(Hash),
    trustClock: Type.Optional(Type.Boolean()),
    expiresAt: Type.Optional(Type.String({ maxLength: 64 })),
    revoked: Type.Optional(Type.Boolean()),
  },
  CLOSED,
);
const ReadTokenEntry = Type.Object(
  { id: Id, secret: Type.Optional(Secret), secretHash: Type.Optional(Hash) },
  CLOSED,
);
const ProjectEntry = Type.Object(
  {
    id: Id,
    name: Type.Optional(Type.String({ maxLength: 200 })),
    writeKeys: Type.Array(WriteKeyEntry),
    readTokens: Type.Array(ReadTokenEntry),
    viewerSecret: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    rawViewerIds: Type.Optional(Type.Boolean()),
    ...ruleFields,
  },
  CLOSED,
);
const ProjectsFile = Type.Object({ projects: Type.Array(ProjectEntry, { minItems: 1 }) }, CLOSED);
const validator = Compile(ProjectsFile);

type ProjectsFile = Static<typeof ProjectsFile>;
type ProjectEntry = Static<typeof ProjectEntry>;
type WriteKeyEntry = Static<typeof WriteKeyEntry>;

/** A project without its secrets but the one that hides its viewers. */
export interface Project extends ProjectRules {
  readonly id: string;
  readonly name: string;
  /** Key of the hash that stands for a viewer id; empty when viewer ids are stored raw. */
  readonly viewerSecret: string;
  readonly rawViewerIds: boolean;
}

/** A write key, known by its SHA-256. */
export interface WriteKey {
  readonly project: Project;
  readonly hash: Buffer;
  readonly trustClock: boolean;
  readonly revoked: boolean;
  /** ms since 1970; Infinity when the key never expires. */
  readonly expiresAtMs: number;
}

/** A read token, its secret known by its SHA-256. */
export interface ReadToken {
  readonly project: Project;
  readonly id: string;
  readonly secretHash: Buffer;
}

/** Everything the file says, by hash and by token id. */
export interface ProjectTable {
  readonly projects: readonly Project[];
  readonly writeKeys: ReadonlyMap<string, WriteKey>;
  readonly readTokens: ReadonlyMap<string, ReadToken>;
}

export type ParseResult =
  | { readonly ok: true; readonly table: ProjectTable }
  | { readonly ok: false; readonly errors: readonly string[] };

/** SHA-256 of a key or a secret. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Parses the text of a projects file. */
export function parseProjects(text: string): ParseResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds secrets.
    return { ok: false, errors: ['is not valid JSON'] };
  }
  const errors = shapeErrors(parsed);
  if (errors.length > 0 || !validator.Check(parsed)) return { ok: false, errors };
  return buildTable(parsed);
}

interface ShapeError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function shapeErrors(value: unknown): string[] {
  if (validator.Check(value)) return [];
  return (validator.Errors(value) as readonly ShapeError[])
    .filter((error) => error.keyword !== 'boolean')
    .map((error) => `${pathOf(error.instancePath)} ${saidWell(error)}`);
}

function saidWell(error: ShapeError): string {
  if (error.keyword !== 'additionalProperties') return error.message;
  const { additionalProperties } = error.params as { additionalProperties: readonly string[] };
  const valid = fieldsAt(error.instancePath);
  return additionalProperties
    .map((name) => `has unknown field ${JSON.stringify(name)}${nearestHint(name, valid)}`)
    .join(', ');
}

function pathOf(pointer: string): string {
  return pointer === ''
    ? 'the file'
    : pointer
        .slice(1)
        .replaceAll(/\/(\d+)/g, '[$1]')
        .replaceAll('/', '.');
}

/** Names that are valid at a place of the file. */
function fieldsAt(pointer: string): string[] {
  if (pointer.includes('/writeKeys/')) return Object.keys(WriteKeyEntry.properties);
  if (pointer.includes('/dimensions/')) return Object.keys(DimensionRuleEntry.properties);
  if (pointer.includes('/readTokens/')) return Object.keys(ReadTokenEntry.properties);
  if (pointer.startsWith('/projects/')) return Object.keys(ProjectEntry.properties);
  return ['projects'];
}

/** Collects a table and, beside it, what a shape alone cannot say. */
function buildTable(file: ProjectsFile): ParseResult {
  const errors: string[] = [];
  const projects = new Map<string, Project>();
  const writeKeys = new Map<string, WriteKey>();
  const readTokens = new Map<string, ReadToken>();
  for (const entry of file.projects) {
    const project = projectOf(entry, errors);
    if (projects.has(entry.id)) errors.push(`project ${entry.id} is there twice`);
    projects.set(entry.id, project);
    entry.writeKeys.forEach((key, index) => {
      addWriteKey(key, { project, where: `writeKeys[${index}] of ${entry.id}`, writeKeys, errors });
    });
    for (const token of entry.readTokens) {
      const secretHash = hashFrom(token.secret, token.secretHash);
      const where = `read token ${token.id} of ${entry.id}`;
      if (secretHash === undefined) errors.push(`${where} needs either secret or secretHash`);
      else if (readTokens.has(token.id)) errors.push(`${where} is there twice`);
      else readTokens.set(token.id, { project, id: token.id, secretHash });
    }
  }
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, table: { projects: [...projects.values()], writeKeys, readTokens } };
}

function projectOf(entry: ProjectEntry, errors: string[]): Project {
  const rawViewerIds = entry.rawViewerIds ?? false;
  if (entry.viewerSecret === undefined && !rawViewerIds) {
    errors.push(
      `project ${entry.id} needs viewerSecret, which hides viewer ids, or rawViewerIds: true to store them as they come`,
    );
  }
  const { id, name = entry.id, viewerSecret = '' } = entry;
  return { id, name, viewerSecret, rawViewerIds, ...rulesOf(entry, errors) };
}

interface Adding {
  readonly project: Project;
  readonly where: string;
  readonly writeKeys: Map<string, WriteKey>;
  readonly errors: string[];
}

function addWriteKey(entry: WriteKeyEntry, to: Adding): void {
  const hash = hashFrom(entry.key, entry.keyHash);
  const expiresAtMs =
    entry.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(entry.expiresAt);
  if (Number.isNaN(expiresAtMs)) {
    to.errors.push(`${to.where} has an expiresAt that is not a date such as 2030-01-31T00:00:00Z`);
  } else if (hash === undefined) {
    to.errors.push(`${to.where} needs either key or keyHash`);
  } else if (to.writeKeys.has(hash.toString('hex'))) {
    to.errors.push(`${to.where} is there twice`);
  } else {
    const { trustClock = false, revoked = false } = entry;
    const key = { project: to.project, hash, trustClock, revoked, expiresAtMs };
    to.writeKeys.set(hash.toString('hex'), key);
  }
}

/** The hash, from exactly one of a secret and its hash. */
function hashFrom(secret: string | undefined, hash: string | undefined): Buffer | undefined {
  if ((secret === undefined) === (hash === undefined)) return undefined;
  return secret === undefined ? Buffer.from(hash ?? '', 'hex') : hashOf(secret);
}
