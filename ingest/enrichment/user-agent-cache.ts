/**
 * What user agents said, remembered: a fleet of players has few of them, and reading one costs 40 to 200 µs.
 *
 * Guarantee: at most `USER_AGENTS_CACHED_MAX` are kept, the ones used last, each with texts of a bounded length.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type ClientHints, clientHintsOf } from './client-hints.ts';
import { type DeviceFacts, NO_FACTS, readUserAgent, USER_AGENT_LENGTH_MAX } from './user-agent.ts';

export const USER_AGENTS_CACHED_MAX = 5_000;

export interface UserAgentCounters {
  /** Requests whose user agent was looked up. */
  userAgentLookups: number;
  /** Of those, the ones that had to be read. */
  userAgentCacheMisses: number;
  /** Of those read, the ones that told nothing. */
  userAgentsUnknown: number;
  /** Forgotten to make room. */
  userAgentsEvicted: number;
}

export class UserAgents {
  readonly #counters: UserAgentCounters;
  readonly #cachedMax: number;
  /** In the order of use, the oldest first. */
  readonly #facts = new Map<string, DeviceFacts>();

  constructor(counters: UserAgentCounters, cachedMax: number = USER_AGENTS_CACHED_MAX) {
    this.#counters = counters;
    this.#cachedMax = cachedMax;
  }

  /** What the headers of a request tell of the device. */
  factsOf(headers: IncomingHttpHeaders): DeviceFacts {
    const text = (headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX);
    if (text === '') return NO_FACTS;
    this.#counters.userAgentLookups++;
    const hints = clientHintsOf(headers);
    const key = keyOf(text, hints);
    const facts = this.#facts.get(key) ?? this.#read(text, hints);
    this.#facts.delete(key);
    this.#facts.set(key, facts);
    this.#evict();
    return facts;
  }

  #read(...parts: Parameters<typeof readUserAgent>): DeviceFacts {
    this.#counters.userAgentCacheMisses++;
    const facts = readUserAgent(...parts);
    if (Object.values(facts).every((value) => value === '')) this.#counters.userAgentsUnknown++;
    return facts;
  }

  #evict(): void {
    if (this.#facts.size <= this.#cachedMax) return;
    for (const oldest of this.#facts.keys()) {
      this.#facts.delete(oldest);
      this.#counters.userAgentsEvicted++;
      return;
    }
  }
}

/** Most senders have no hints. No header has a line end, which keeps the texts apart. */
function keyOf(text: string, hints: ClientHints): string {
  const said =
    hints.brands !== '' || hints.platform !== '' || hints.mobile !== '' || hints.model !== '';
  return said ? [text, ...Object.values(hints)].join('\n') : text;
}
