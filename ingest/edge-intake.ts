/**
 * Takes an edge log chunk by chunk: lines → requests → enriched → groups → records in the log.
 *
 * Guarantee: what is held of a body is bounded, whatever its size: one line, the groups that are being filled, the
 * records that wait for the log. While the log is slow no more of the body is read. Every line is counted as accepted,
 * rejected or a preflight; every reject is a record in the log, or in the count of `rejects_capped`.
 */
import type { IngestLimits } from '../platform/config/config.ts';
import type { ProblemError } from '../platform/http/problem.ts';
import type { Log } from '../platform/log/log.ts';
import { count } from './counters.ts';
import { AppendWindow } from './edge-appends.ts';
import { type EdgeGroup, EdgeGroups, lineBytesMaxOf } from './edge-groups.ts';
import type { EdgeLimits } from './edge-limits.ts';
import { type Line, LineSplitter } from './edge-lines.ts';
import { EdgeRejects, type EdgeRejectsDeps } from './edge-rejects.ts';
import type { EdgeEnricher } from './enrichment/enrich.ts';
import { refusal } from './errors.ts';
import type { EdgeLineReader, EdgeScope } from './formats/edge.ts';
import type { BodyTaker } from './receive-stream.ts';
import { logAway } from './refusals.ts';
import type { EdgeOutcome, EdgeRoute } from './routes.ts';

export interface EdgeIntakeDeps extends EdgeRejectsDeps {
  readonly log: Log;
  readonly route: EdgeRoute;
  readonly enrich: EdgeEnricher;
  readonly readLine: EdgeLineReader;
  readonly limits: IngestLimits & EdgeLimits;
  /** Told of what was read, and of requests that are durable. */
  readonly used: (taken: { readonly events: number; readonly bytes: number }) => void;
}

/** Rejects of lines that are in another format than the route's; a body of nothing else is refused. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'line_not_json',
  'line_malformed',
  'line_columns_unexpected',
]);

/**
 * Begin of a body that cannot be decompressed: enough to tell in what it is compressed. More would be lines, with
 * addresses and tokens that cannot be found before they are decompressed.
 */
const BODY_HEAD_BYTES = 4;

export class EdgeIntake implements BodyTaker {
  readonly #deps: EdgeIntakeDeps;
  readonly #lines: LineSplitter;
  readonly #groups: EdgeGroups;
  readonly #window: AppendWindow;
  readonly #scope: EdgeScope;
  readonly #rejects: EdgeRejects;
  readonly #lineBytesMax: number;
  #bodyHead: Buffer | undefined;
  #groupsSeen = 0;
  #lineCount = 0;
  #unreadableCount = 0;
  #acceptedCount = 0;
  #preflightCount = 0;

  constructor(deps: EdgeIntakeDeps) {
    const { limits, log, origin, counters } = deps;
    this.#deps = deps;
    this.#lineBytesMax = Math.min(limits.edgeLineBytesMax, lineBytesMaxOf(limits.recordBytesMax));
    this.#lines = new LineSplitter(this.#lineBytesMax);
    this.#groups = new EdgeGroups(origin, {
      requestsPerRecordMax: limits.edgeRequestsPerRecordMax,
      recordBytesMax: limits.recordBytesMax,
    });
    this.#window = new AppendWindow(log, {
      recordsMax: limits.edgeAppendsMax,
      bytesMax: limits.edgeAppendBytesMax,
    });
    this.#scope = {
      stringLengthMax: limits.stringLengthMax,
      note: (code, times = 1) => count(counters.notes, code, times),
    };
    this.#rejects = new EdgeRejects(deps, this.#window);
  }

  sent(chunk: Buffer): void {
    this.#deps.counters.bodyBytes += chunk.length;
    this.#bodyHead ??= Buffer.from(chunk.subarray(0, BODY_HEAD_BYTES));
  }

  take(chunk: Buffer): Promise<ProblemError | undefined> {
    this.#deps.counters.decompressedBytes += chunk.length;
    this.#deps.used({ events: 0, bytes: chunk.length });
    return this.#takeLines(this.#lines.push(chunk));
  }

  /** The body came whole: everything goes to the log. The result is there once all is durable. */
  async end(): Promise<EdgeOutcome | ProblemError> {
    const problem = (await this.#takeLines(this.#lines.end())) ?? (await this.#writeAll());
    if (problem !== undefined) return problem;
    this.#rejects.end();
    const away = await this.#settled();
    if (away !== undefined) return away;
    if (this.#lineCount === 0) return refusal('body_empty');
    if (this.#unreadableCount === this.#lineCount) {
      const detail = `Not one line could be read; the first was line ${this.#rejects.firstLine}. ${this.#deps.route.advice}`;
      return refusal('body_malformed', { detail });
    }
    return {
      acceptedRequests: this.#acceptedCount,
      preflights: this.#preflightCount,
      rejected: this.#rejects.listed,
      rejectedTotal: this.#rejects.total,
    };
  }

  /** The body cannot be decompressed: keeps its begin as a reject. The result is the answer, once that is durable. */
  async refuse(problem: ProblemError): Promise<ProblemError> {
    this.#rejects.addBody(problem, this.#bodyHead ?? Buffer.alloc(0));
    return (await this.#settled()) ?? problem;
  }

  /** Waits until nothing is under way. Groups that are not full are dropped: the body was refused. */
  async close(): Promise<void> {
    await this.#window.settled().catch(() => undefined);
    while (this.#groups.takeOldest() !== undefined);
    this.#countGroups();
  }

  async #takeLines(lines: Iterable<Line>): Promise<ProblemError | undefined> {
    for (const line of lines) {
      const problem = this.#deps.ticket.hold(line.bytes.length)
        ? undefined
        : await this.#makeRoom(line.bytes.length);
      if (problem !== undefined) return problem;
      this.#takeLine(line);
      while (this.#window.isFull() || this.#groupsAreOver()) {
        if (this.#groupsAreOver()) this.#writeEarly();
        await this.#window.room();
        if (this.#window.hasFailed()) break;
      }
      if (this.#window.hasFailed()) return this.#settled();
    }
    return undefined;
  }

  #takeLine(line: Line): void {
    const { readLine, enrich, counters, ticket } = this.#deps;
    this.#lineCount++;
    if (line.tooLong) {
      this.#unreadableCount++;
      const message = `The line has more than ${this.#lineBytesMax} bytes: log less in each line.`;
      this.#rejects.add(line, { code: 'line_too_long', message });
      return;
    }
    const read = readLine(line.bytes, this.#scope);
    if (read.kind === 'request') {
      const request = enrich(read.request, read.clientAddress ?? '');
      const full = this.#groups.add(read.view, request, line.bytes.length);
      this.#countGroups();
      if (full !== undefined) this.#write(full);
    } else if (read.kind === 'preflight') {
      this.#preflightCount++;
      counters.preflights++;
      ticket.give(line.bytes.length);
    } else if (read.kind === 'nothing') {
      count(counters.notes, 'line_left_out');
      ticket.give(line.bytes.length);
    } else {
      if (UNREADABLE.has(read.code)) this.#unreadableCount++;
      this.#rejects.add(line, read);
    }
  }

  #groupsAreOver(): boolean {
    const { edgeGroupsMax, edgeGroupBytesMax } = this.#deps.limits;
    return this.#groups.count > edgeGroupsMax || this.#groups.lineBytes > edgeGroupBytesMax;
  }

  #writeEarly(): void {
    const oldest = this.#groups.takeOldest();
    if (oldest === undefined) return;
    this.#deps.counters.edgeEarlyRecords++;
    this.#write(oldest);
  }

  #write(group: EdgeGroup): void {
    const { route, counters, ticket, used } = this.#deps;
    this.#countGroups();
    this.#window.append(this.#groups.recordOf(group, route.format), (durable) => {
      ticket.give(group.lineBytes);
      if (!durable) return;
      this.#acceptedCount += group.requests.length;
      counters.edgeRequests += group.requests.length;
      counters.edgeRecords++;
      used({ events: group.requests.length, bytes: 0 });
    });
  }

  /** Writes all groups, full or not. */
  async #writeAll(): Promise<ProblemError | undefined> {
    for (;;) {
      const oldest = this.#groups.takeOldest();
      if (oldest === undefined) return undefined;
      this.#write(oldest);
      await this.#window.room();
      if (this.#window.hasFailed()) return this.#settled();
    }
  }

  /** All bodies together hold too much: this one writes what it holds before it asks for more. */
  async #makeRoom(bytes: number): Promise<ProblemError | undefined> {
    this.#deps.counters.edgeEarlyRecords += this.#groups.count;
    const problem = (await this.#writeAll()) ?? (await this.#settled());
    if (problem !== undefined) return problem;
    return this.#deps.ticket.hold(bytes) ? undefined : refusal('overloaded');
  }

  async #settled(): Promise<ProblemError | undefined> {
    const away = await this.#window.settled();
    return away === undefined ? undefined : logAway(away, this.#deps.route);
  }

  #countGroups(): void {
    this.#deps.counters.edgeGroupsOpen += this.#groups.count - this.#groupsSeen;
    this.#groupsSeen = this.#groups.count;
  }
}
