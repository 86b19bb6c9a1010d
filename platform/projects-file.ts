/**
 * The projects file: its shape, and one line for each mistake in it.
 *
 * Guarantee: `parseProjects` never repeats a key or a secret in its messages, and keeps only hashes of them.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  noPriceFiles,
  ProjectPricesEntry,
  pricesOf,
  type ReadPrices,
} from './prices/project-prices.ts';
import type { Project } from './project.ts';
import { DimensionRuleEntry, ruleFields, rulesOf } from './project-rules.ts';
import { ClosedObject, Id } from './projects-shape.ts';
import { type ReadToken, ReadTokenEntry, readTokenOf } from './read-tokens.ts';
import { shapeErrors } from './shape-errors.ts';
import { type WriteKey, WriteKeyEntry, writeKeyOf } from './write-keys.ts';

/** How much a project may bring in a day of UTC. */
const QuotaEntry = ClosedObject({
  eventsPerDayMax: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  bytesPerDayMax: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
});

const Days = Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 }));
/** How long rows of a project are kept, days, where it is not as long as those of all. */
const RetentionEntry = ClosedObject({
  viewsDays: Days,
  viewEventsDays: Days,
  playbackDays: Days,
  deliveryDays: Days,
  requestsDays: Days,
  rejectedDays: Days,
});

const ProjectEntry = ClosedObject({
  id: Id,
  name: Type.Optional(Type.String({ maxLength: 200 })),
  writeKeys: Type.Array(WriteKeyEntry),
  readTokens: Type.Array(ReadTokenEntry),
  viewerSecret: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  rawViewerIds: Type.Optional(Type.Boolean()),
  quota: Type.Optional(QuotaEntry),
  retention: Type.Optional(RetentionEntry),
  prices: ProjectPricesEntry,
  ...ruleFields,
});
const ProjectsFile = ClosedObject({ projects: Type.Array(ProjectEntry, { minItems: 1 }) });
const validator = Compile(ProjectsFile);

type ProjectsFile = Static<typeof ProjectsFile>;
type ProjectEntry = Static<typeof ProjectEntry>;

/** Everything the file says, by hash and by token id. */
export interface ProjectTable {
  readonly projects: readonly Project[];
  readonly writeKeys: ReadonlyMap<string, WriteKey>;
  readonly readTokens: ReadonlyMap<string, ReadToken>;
}

export type ParseResult =
  | { readonly ok: true; readonly table: ProjectTable }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Parses the text of a projects file; price books that it names are read by `readPrices`. */
export function parseProjects(text: string, readPrices = noPriceFiles): ParseResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds secrets.
    return { ok: false, errors: ['is not valid JSON'] };
  }
  const errors = shapeErrors(validator, parsed, { root: 'the file', fieldsAt });
  if (errors.length > 0 || !validator.Check(parsed)) return { ok: false, errors };
  return buildTable(parsed, readPrices);
}

/** Names that are valid at a place of the file. */
function fieldsAt(pointer: string): string[] {
  if (pointer.includes('/writeKeys/')) return Object.keys(WriteKeyEntry.properties);
  if (pointer.includes('/dimensions/')) return Object.keys(DimensionRuleEntry.properties);
  if (pointer.endsWith('/retention')) return Object.keys(RetentionEntry.properties);
  if (pointer.endsWith('/quota')) return Object.keys(QuotaEntry.properties);
  if (pointer.includes('/readTokens/')) return Object.keys(ReadTokenEntry.properties);
  if (pointer.startsWith('/projects/')) return Object.keys(ProjectEntry.properties);
  return ['projects'];
}

/** Collects a table and, beside it, what a shape alone cannot say. */
function buildTable(file: ProjectsFile, readPrices: ReadPrices): ParseResult {
  const errors: string[] = [];
  const projects = new Map<string, Project>();
  const writeKeys = new Map<string, WriteKey>();
  const readTokens = new Map<string, ReadToken>();
  for (const entry of file.projects) {
    const prices = pricesOf(entry, readPrices, errors);
    const project = { ...projectOf(entry, errors), ...prices };
    if (projects.has(entry.id)) errors.push(`project ${entry.id} is there twice`);
    projects.set(entry.id, project);
    entry.writeKeys.forEach((key, index) => {
      const where = `writeKeys[${index}] of ${entry.id}`;
      const made = writeKeyOf(key, project);
      if (typeof made === 'string') errors.push(`${where} ${made}`);
      else if (writeKeys.has(made.hash.toString('hex'))) errors.push(`${where} is there twice`);
      else writeKeys.set(made.hash.toString('hex'), made);
    });
    for (const token of entry.readTokens) {
      const where = `read token ${token.id} of ${entry.id}`;
      const made = readTokenOf(token, project);
      if (typeof made === 'string') errors.push(`${where} ${made}`);
      else if (readTokens.has(token.id)) errors.push(`${where} is there twice`);
      else readTokens.set(token.id, made);
    }
  }
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, table: { projects: [...projects.values()], writeKeys, readTokens } };
}

const NO_LIMIT = Number.POSITIVE_INFINITY;

function projectOf(entry: ProjectEntry, errors: string[]): Project {
  const rawViewerIds = entry.rawViewerIds ?? false;
  if (entry.viewerSecret === undefined && !rawViewerIds) {
    errors.push(
      `project ${entry.id} needs viewerSecret, which hides viewer ids, or rawViewerIds: true to store them as they come`,
    );
  }
  const { id, name = entry.id, viewerSecret = '', quota = {}, retention = {} } = entry;
  const { eventsPerDayMax = NO_LIMIT, bytesPerDayMax = NO_LIMIT } = quota;
  const quotas = { eventsPerDayMax, bytesPerDayMax };
  const kept = { viewerSecret, rawViewerIds, ...quotas, retention };
  return { id, name, ...kept, ...rulesOf(entry, errors) };
}
