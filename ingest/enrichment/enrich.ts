/**
 * Enrichment: what a sender does not say of itself and its request tells all the same. One step of the pipeline, before
 * the log, so that the fold needs nothing from outside.
 *
 *   user agent, hints → browser, system, device      address → country, region, network
 *   hosts of requests → CDN                          the project's rules → dimensions
 *
 * Every beat carries what its own request told, under names that begin with `FOUND_OUT`: ingest knows no other beat of the
 * view. Guarantee: what a client says, in this beat or in any other, wins, whichever comes first; of what was found out the
 * last by sequence holds, so that a viewer who changes networks is in the new one from there on. A dimension that the
 * request does not tell is not touched.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Project } from '../../platform/projects.ts';
import { type BeatEvent, type Entry, FOUND_OUT, part } from '../../schemas/beat.ts';
import type { EdgeRequest } from '../../schemas/records.ts';
import type { FormatBeat } from '../formats/format.ts';
import { cdnOfFormat, cdnOfHost } from './cdn.ts';
import { NO_PLACE, type Places } from './places.ts';
import { withCdns } from './request-cdn.ts';
import { applyRules, type RuleResult } from './rules.ts';
import { type UserAgentCounters, UserAgents } from './user-agent-cache.ts';

export interface EnrichCounters {
  /** Requests whose CDN was known by their host. */
  cdnsByHost: number;
  /** Dimensions that a project's rule gave a beat. */
  ruleMatches: number;
}

export interface EnrichDeps {
  /** Undefined: no address is looked up. */
  readonly places?: Pick<Places, 'find'> | undefined;
  readonly counters: EnrichCounters & UserAgentCounters;
}

/** The part of a request that tells of its sender. */
export interface Sender {
  readonly headers: IncomingHttpHeaders;
  /** The client's address, that of the last proxy that is not trusted. */
  readonly ip: string;
}

export interface Enricher {
  /** Makes the step for the beats of one request. */
  ofRequest(sender: Sender, project: Project): (beat: FormatBeat) => FormatBeat;
  /** Makes the step for the lines of one edge log. */
  ofEdgeLog(format: string, project: Project): EdgeEnricher;
}

/** An edge request with what its line did not say; `clientAddress` is looked up and not kept. */
export type EdgeEnricher = (request: EdgeRequest, clientAddress: string) => EdgeRequest;

export function createEnricher({ places, counters }: EnrichDeps): Enricher {
  const agents = new UserAgents(counters);
  return {
    ofRequest: ({ headers, ip }, project) => {
      const place = places?.find(ip) ?? NO_PLACE;
      const found = foundOut({ ...agents.factsOf(headers), ...place });
      return (beat) => enrichBeat(beat, { found, headers, project, counters });
    },
    ofEdgeLog: (format, project) => (request, clientAddress) => {
      const place =
        (request.country === '' || request.asn === '') && clientAddress !== ''
          ? (places?.find(clientAddress) ?? NO_PLACE)
          : NO_PLACE;
      const country = request.country || place.country;
      const asn = request.asn || place.asn;
      return { ...request, country, asn, cdn: request.cdn || edgeCdn(format, request, project) };
    },
  };
}

function edgeCdn(format: string, { host }: EdgeRequest, { cdnHosts }: Project): string {
  // A CDN's own log is of that CDN, whatever name the host was asked by.
  return cdnOfFormat(format) || cdnOfHost(host, cdnHosts);
}

/** Entries of what is known, sorted by name. */
function foundOut(facts: object): readonly Entry[] {
  return (Object.entries(facts) as [string, string][])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({ name: FOUND_OUT + name, value }))
    .sort(byName);
}

function byName(left: Entry, right: Entry): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

interface Told {
  readonly found: readonly Entry[];
  readonly headers: IncomingHttpHeaders;
  readonly project: Project;
  readonly counters: EnrichCounters;
}

function enrichBeat(beat: FormatBeat, { found, headers, project, counters }: Told): FormatBeat {
  const events = withCdns(beat.events, project, counters);
  const { dimensionRules } = project;
  const results =
    dimensionRules.length === 0 ? [] : applyRules(dimensionRules, { ...beat, events }, headers);
  counters.ruleMatches += results.length;
  const overrides = results.filter(({ override }) => override);
  const context = contextOf(beat.context, found, results);
  return { ...beat, context, events: overridden(events, overrides) };
}

/** What is said, then what was found out of the rest; a rule knows better than a database. */
function contextOf(
  said: readonly Entry[],
  found: readonly Entry[],
  results: readonly RuleResult[],
): readonly Entry[] {
  if (results.length === 0) return said.length === 0 ? found : joined(said, found);
  const forced = results.filter(({ override }) => override).map(entryOf);
  const kept = said.filter(({ name }) => !forced.some((entry) => entry.name === name));
  const ruled = results
    .filter(({ override }) => !override)
    .map(({ dimension, value }) => ({ name: FOUND_OUT + dimension, value }));
  const rest = found.filter(({ name }) => !ruled.some((entry) => entry.name === name));
  return joined([...kept, ...forced].sort(byName), [...rest, ...ruled].sort(byName));
}

function entryOf({ dimension, value }: RuleResult): Entry {
  return { name: dimension, value };
}

/** What this beat says need not be found out. */
function joined(said: readonly Entry[], found: readonly Entry[]): readonly Entry[] {
  const names = new Set(said.map(({ name }) => FOUND_OUT + name));
  return [...said, ...found.filter(({ name }) => !names.has(name))];
}

const CONTEXT_CHANGE = 'streamgauge.v1.ContextChange';

/** A rule that overrides also overrides what later events of the beat say. */
function overridden(
  events: readonly BeatEvent[],
  overrides: readonly RuleResult[],
): readonly BeatEvent[] {
  if (overrides.length === 0) return events;
  const values = new Map(overrides.map(({ dimension, value }) => [dimension, value]));
  return events.map((event) =>
    event.parts.some((inner) => CONTEXT_CHANGE in inner)
      ? {
          ...event,
          parts: event.parts.map((inner) =>
            CONTEXT_CHANGE in inner
              ? part.context(
                  inner[CONTEXT_CHANGE].entries.map(({ name, value }) => ({
                    name,
                    value: values.get(name) ?? value,
                  })),
                )
              : inner,
          ),
        }
      : event,
  );
}
