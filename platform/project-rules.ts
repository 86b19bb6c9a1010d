/**
 * What a project says of its own traffic: which CDN a host belongs to, and dimensions that follow from something else.
 *
 * Guarantee: a rule that is taken names a dimension that there is, and reads nothing that must not be stored: no
 * credential, no address, no viewer.
 */
import Type, { type Static } from 'typebox';
import { clientDimensions } from '../schemas/catalogue/dimensions.ts';
import { nearestHint } from './nearest.ts';

const CLOSED = { additionalProperties: false };
const RULES_MAX = 100;
const CDN_HOSTS_MAX = 1_000;
/** A name, or `*.` and a name: everything below it. */
const HOST_PATTERN = '^(\\*\\.)?[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63}){0,20}$';

export const DimensionRuleEntry = Type.Object(
  {
    dimension: Type.String({ minLength: 1, maxLength: 64 }),
    from: Type.String({ minLength: 1, maxLength: 80 }),
    match: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    value: Type.Optional(Type.String({ maxLength: 128 })),
    override: Type.Optional(Type.Boolean()),
  },
  CLOSED,
);

/** The fields of a project that say it. */
export const ruleFields = {
  cdnHosts: Type.Optional(
    Type.Record(
      Type.String({ pattern: HOST_PATTERN }),
      Type.String({ pattern: '^[\\w. -]{1,64}$' }),
      {
        ...CLOSED,
        maxProperties: CDN_HOSTS_MAX,
      },
    ),
  ),
  dimensions: Type.Optional(Type.Array(DimensionRuleEntry, { maxItems: RULES_MAX })),
};

type DimensionRuleEntry = Static<typeof DimensionRuleEntry>;

/** What a rule looks at. */
export type RuleSource =
  /** Hosts, or paths, of the requests that a beat tells of. */
  | { readonly kind: 'host' | 'path' }
  /** A header of the request that brought the beat, in lower case. */
  | { readonly kind: 'header'; readonly name: string }
  /** Another dimension, as the client says it. */
  | { readonly kind: 'dimension'; readonly name: string };

export interface DimensionRule {
  readonly dimension: string;
  readonly source: RuleSource;
  /** The whole text; `*` stands for any characters. */
  readonly match: string;
  /** Undefined: the text that matched. */
  readonly value: string | undefined;
  /** Also where the client says the dimension itself. */
  readonly override: boolean;
}

export interface ProjectRules {
  /** Names of CDNs by host, or by what hosts end in: `cdn.example.com`, `*.example.com`. In lower case. */
  readonly cdnHosts: ReadonlyMap<string, string>;
  /** In the order of the file: of one dimension the first that matches holds. */
  readonly dimensionRules: readonly DimensionRule[];
}

export interface RulesEntry {
  readonly id: string;
  readonly cdnHosts?: Readonly<Record<string, string>>;
  readonly dimensions?: readonly DimensionRuleEntry[];
}

/** The rules of a project; a line in `errors` for each that cannot be. */
export function rulesOf(entry: RulesEntry, errors: string[]): ProjectRules {
  const hosts = Object.entries(entry.cdnHosts ?? {});
  const dimensionRules = (entry.dimensions ?? []).flatMap((rule, index) => {
    const where = `dimensions[${index}] of ${entry.id}`;
    const faults = [...dimensionFaults(rule.dimension), ...sourceFaults(rule.from)];
    errors.push(...faults.map((fault) => `${where} ${fault}`));
    return faults.length > 0 ? [] : [ruleOf(rule)];
  });
  return {
    cdnHosts: new Map(hosts.map(([host, cdn]) => [host.toLowerCase(), cdn])),
    dimensionRules,
  };
}

function ruleOf({ dimension, from, match, value, override }: DimensionRuleEntry): DimensionRule {
  const source = sourceOf(from);
  // Hosts are the same in either case, and are read in lower case.
  const text = source.kind === 'host' ? match?.toLowerCase() : match;
  return { dimension, source, match: text ?? '*', value, override: override ?? false };
}

/** Viewers are hidden under a key, which a rule would go around. */
const HIDDEN = 'viewer_user_id';

function dimensionFaults(name: string): string[] {
  if (name === HIDDEN) return [`may not set ${HIDDEN}: only clients say who watches`];
  if (clientDimensions.has(name)) return [];
  return [
    `sets ${JSON.stringify(name)}, which is no dimension${nearestHint(name, clientDimensions)}`,
  ];
}

/** Headers that hold credentials or addresses. */
const PRIVATE_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'forwarded',
  'x-forwarded-for',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
]);
const HEADER = 'header:';

function sourceFaults(from: string): string[] {
  const source = sourceOf(from);
  if (source.kind === 'header') {
    if (!/^[a-z0-9_-]{1,64}$/.test(source.name)) return [`reads ${from}, which is no header`];
    return PRIVATE_HEADERS.has(source.name)
      ? [`may not read ${from}: it holds a credential or an address`]
      : [];
  }
  if (source.kind !== 'dimension') return [];
  if (source.name === HIDDEN) return [`may not read ${HIDDEN}`];
  if (clientDimensions.has(source.name)) return [];
  const hint = nearestHint(source.name, [...clientDimensions, 'host', 'path']);
  return [
    `reads ${JSON.stringify(from)}, which is neither host, path, header:NAME nor a dimension${hint}`,
  ];
}

function sourceOf(from: string): RuleSource {
  if (from === 'host' || from === 'path') return { kind: from };
  if (from.startsWith(HEADER)) {
    return { kind: 'header', name: from.slice(HEADER.length).toLowerCase() };
  }
  return { kind: 'dimension', name: from };
}
