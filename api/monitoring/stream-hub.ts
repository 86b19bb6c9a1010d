/**
 * Follows the commits of all partitions and tells every client of the stream.
 *
 * Guarantees: commits are looked for only while there are clients, once for all of them; a client gets each epoch after
 * its token once, in order, or one snapshot where that is too many. Looks and joins take turns, so that none is missed
 * between the two. All memory is bounded: clients, messages of a look, bytes that wait for a client.
 */
import pLimit from 'p-limit';
import type { Commit } from '../planner/monitoring-stream.ts';
import type { MonitoringLimits } from './limits.ts';
import { type Epochs, parseToken } from './resume-token.ts';
import type { StreamClient } from './stream-client.ts';
import {
  advance,
  type Bitrates,
  type Counts,
  epochsOf,
  eventText,
  type Heads,
  messagesOf,
  newestWindow,
  snapshot,
} from './stream-messages.ts';
import type { StreamReader } from './stream-reader.ts';
import { GAUGE_REACH_MS } from './windows.ts';

/** After so many looks the topic and its partitions are read anew. */
const LOOKS_PER_RELOAD = 120;
const HEARTBEAT = ': heartbeat\n\n';

/** What became of the stream since the start; `clients` is how many follow now. */
export interface StreamCounters {
  clients: number;
  clientsRefused: number;
  clientsTooSlow: number;
  messages: number;
  epochsSkipped: number;
  resumed: number;
  snapshots: number;
  looks: number;
  looksFailed: number;
}

export interface StreamHubDeps {
  readonly reader: StreamReader;
  readonly limits: MonitoringLimits;
  /** Wall clock, ms since 1970: how long ago counts are surely kept. */
  readonly now: () => number;
}

/** Clients of one project, and its counts at the hub's heads. */
interface Follower {
  readonly clients: Set<StreamClient>;
  counts: Counts;
}

export class StreamHub {
  readonly counters: StreamCounters = {
    clients: 0,
    clientsRefused: 0,
    clientsTooSlow: 0,
    messages: 0,
    epochsSkipped: 0,
    resumed: 0,
    snapshots: 0,
    looks: 0,
    looksFailed: 0,
  };
  readonly #deps: StreamHubDeps;
  readonly #turn = pLimit(1);
  readonly #followers = new Map<string, Follower>();
  #topic = '';
  #heads: Heads = new Map();
  #looksLeft = 0;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(deps: StreamHubDeps) {
    this.#deps = deps;
  }

  /** False when no further client has a place; counted. Call it before `join`, and `leave` in the end. */
  enter(): boolean {
    if (this.#closed || this.counters.clients >= this.#deps.limits.streamClientsMax) {
      this.counters.clientsRefused += 1;
      return false;
    }
    this.counters.clients += 1;
    return true;
  }

  /** Sends what came since the token, or the present state; from then on the client is told of every epoch. */
  async join(client: StreamClient, lastEventId: string | undefined): Promise<void> {
    await this.#turn(async () => {
      if (this.#closed) return;
      await this.#catchUp();
      const follower = await this.#followerOf(client.project);
      const token = lastEventId === undefined ? undefined : parseToken(lastEventId);
      const missed = token === undefined ? undefined : await this.#missed(client.project, token);
      for (const text of missed ?? (await this.#present(client.project, follower))) {
        this.#send(client, text);
      }
      follower.clients.add(client);
      this.#start();
    });
  }

  /** Forgets a client that left, whether or not it had joined. */
  leave(client: StreamClient): void {
    this.counters.clients -= 1;
    // In turn: a client may leave while it joins.
    void this.#turn(() => {
      const follower = this.#followers.get(client.project);
      if (follower === undefined) return;
      follower.clients.delete(client);
      if (follower.clients.size === 0) this.#followers.delete(client.project);
      if (this.#followers.size === 0) this.#stop();
    });
  }

  /** Ends every client in good order; resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop();
    await this.#turn(() => {
      for (const { clients } of this.#followers.values()) for (const one of clients) one.end();
      this.#followers.clear();
    });
  }

  #start(): void {
    const { streamPollMs, streamHeartbeatMs } = this.#deps.limits;
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#look(), streamPollMs);
    this.#timer.unref();
    this.#heartbeat ??= setInterval(() => this.#tellAll(HEARTBEAT), streamHeartbeatMs).unref();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#timer = undefined;
    this.#heartbeat = undefined;
    // Without clients commits go by unseen.
    this.#looksLeft = 0;
  }

  async #look(): Promise<void> {
    const { streamPollMs, streamRetryMsMax } = this.#deps.limits;
    const own = this.#timer;
    try {
      await this.#turn(() => (this.#followers.size === 0 ? undefined : this.#catchUp()));
      this.#failures = 0;
    } catch {
      // The runner has logged the cause. The next look sees what this one would have.
      this.counters.looksFailed += 1;
      this.#failures += 1;
    }
    // The last client has left meanwhile, and perhaps another has come and begun anew.
    if (this.#timer !== own) return;
    const delayMs = Math.min(streamRetryMsMax, streamPollMs * 2 ** Math.min(this.#failures, 10));
    this.#timer = setTimeout(() => void this.#look(), Math.max(streamPollMs, delayMs));
    this.#timer.unref();
  }

  /** Reads what was committed since the last look and tells it. Heads move only when everybody has been told. */
  async #catchUp(): Promise<void> {
    this.counters.looks += 1;
    if (this.#looksLeft === 0 || this.#heads.size === 0) {
      await this.#reload();
      return;
    }
    this.#looksLeft -= 1;
    const { reader, limits } = this.#deps;
    const most = limits.streamMessagesMax;
    const commits = await reader.commitsAfter(this.#topic, epochsOf(this.#heads), most + 1);
    if (commits.length > most) await this.#reload();
    else await this.#tell(commits);
  }

  /** Reads the newest epoch of each partition; what lies between is told as one state. */
  async #reload(): Promise<void> {
    const rows = await this.#deps.reader.heads();
    this.#looksLeft = LOOKS_PER_RELOAD;
    const topic = rows[0]?.topic ?? '';
    const fresh = topic === this.#topic ? this.#heads : new Map<number, Commit>();
    const commits = rows.filter(({ partition, epoch }) => fresh.get(partition)?.epoch !== epoch);
    if (topic !== this.#topic) for (const one of this.#followers.values()) one.counts = new Map();
    this.#topic = topic;
    this.#heads = fresh;
    await this.#tell(commits, true);
  }

  /** Reads for every project first and tells then: a failed read is repeated, and nobody is told twice. */
  async #tell(commits: readonly Commit[], asOne = false): Promise<void> {
    if (commits.length === 0) return;
    const { heads } = advance(this.#heads, new Map(), commits, () => NOBODY);
    const read = await Promise.all(
      [...this.#followers].map(([project, follower]) =>
        this.#readFor(project, follower, commits, heads),
      ),
    );
    for (const { follower, countsOf, bitrates } of read) {
      const { counts } = advance(this.#heads, follower.counts, commits, countsOf);
      const messages = asOne
        ? [snapshot(heads, counts, bitrates)]
        : messagesOf(this.#heads, follower.counts, commits, countsOf, bitrates);
      follower.counts = counts;
      for (const message of messages) this.#tellProject(follower, eventText(message));
    }
    if (asOne && read.length > 0) this.counters.epochsSkipped += skipped(this.#heads, heads);
    this.#heads = heads;
  }

  async #readFor(project: string, follower: Follower, commits: readonly Commit[], heads: Heads) {
    const countsOf = await this.#deps.reader.counts(project, commits);
    return { follower, countsOf, bitrates: await this.#bitrates(project, this.#heads, heads) };
  }

  #bitrates(project: string, before: Heads, after: Heads): Promise<Bitrates> {
    const toMs = newestWindow(after);
    const fromMs = before.size === 0 ? toMs : Math.min(toMs, newestWindow(before));
    return this.#deps.reader.bitrates(project, Math.max(fromMs, toMs - GAUGE_REACH_MS), toMs);
  }

  async #followerOf(project: string): Promise<Follower> {
    const found = this.#followers.get(project);
    if (found !== undefined) return found;
    const commits = [...this.#heads.values()];
    const countsOf = await this.#deps.reader.counts(project, commits);
    const counts = new Map(commits.map((commit) => [commit.partition, countsOf(commit)]));
    const follower: Follower = { clients: new Set(), counts };
    this.#followers.set(project, follower);
    return follower;
  }

  async #present(project: string, { counts }: Follower): Promise<string[]> {
    this.counters.snapshots += 1;
    if (this.#heads.size === 0) return [];
    const bitrates = await this.#bitrates(project, new Map(), this.#heads);
    return [eventText(snapshot(this.#heads, counts, bitrates))];
  }

  /** The messages after a token; undefined when they are too many, too old, or the token is of another log. */
  async #missed(project: string, token: Epochs): Promise<string[] | undefined> {
    const { reader, limits, now } = this.#deps;
    if (token.size !== this.#heads.size) return undefined;
    // From the token's own epochs on: they are the state that it stands for.
    const before = new Map([...token].map(([partition, epoch]) => [partition, epoch - 1]));
    const most = limits.streamReplayMax + token.size;
    const found = await reader.commitsAfter(this.#topic, before, most + 1);
    const base = found.filter(({ partition, epoch }) => token.get(partition) === epoch);
    if (found.length > most || base.length !== token.size) return undefined;
    if (Math.min(...base.map(({ at }) => at)) < now() - GAUGE_REACH_MS) return undefined;
    const commits = found.filter(
      ({ partition, epoch }) =>
        token.get(partition) !== epoch && epoch <= (this.#heads.get(partition)?.epoch ?? 0),
    );
    const countsOf = await reader.counts(project, found);
    const start = advance(new Map(), new Map(), base, countsOf);
    const bitrates = await this.#bitrates(project, start.heads, this.#heads);
    const messages = messagesOf(start.heads, start.counts, commits, countsOf, bitrates);
    const texts = messages.map(eventText);
    // More than a client may hold would drop it, and again whenever it came back.
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > limits.streamBufferBytesMax / 2) return undefined;
    this.counters.resumed += 1;
    return texts;
  }

  #tellAll(text: string): void {
    for (const follower of this.#followers.values()) this.#tellProject(follower, text, 0);
  }

  #tellProject({ clients }: Follower, text: string, messages = 1): void {
    for (const client of clients) {
      if (!this.#send(client, text, messages)) clients.delete(client);
    }
  }

  #send(client: StreamClient, text: string, messages = 1): boolean {
    const sent = client.send(text);
    if (sent) this.counters.messages += messages;
    else this.counters.clientsTooSlow += 1;
    return sent;
  }
}

const NOBODY = { starting: 0, playing: 0, rebuffering: 0, seeking: 0, paused: 0 };

/** Epochs that a client was not told one by one. */
function skipped(before: Heads, after: Heads): number {
  let count = 0;
  for (const [partition, { epoch }] of after) {
    const known = before.get(partition)?.epoch;
    if (known !== undefined) count += Math.max(0, epoch - known - 1);
  }
  return count;
}
