/**
 * Sends an export: what is read is passed on as the client takes it.
 *
 * Guarantees: the next page is read only when the client has taken the last; a client that leaves, or takes nothing for
 * `exportStallMsMax`, ends the export; a failure after the first byte cuts the connection, so that no part of a file
 * looks like the whole. Each export is counted under how it ended.
 */
import { finished, Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { refuse } from '../errors.ts';
import { csvHead } from './columns.ts';
import { FORMAT_SPECS, fileName } from './formats.ts';
import { type ExportDeps, type ExportPage, type ExportQuestion, exportPages } from './pages.ts';
import { planCount, planWhole } from './statements.ts';

/** What became of exports since the start. */
export interface ExportCounters {
  /** Exports under way. */
  running: number;
  /** Sent whole. */
  done: number;
  /** Cut after the first byte, because the store failed. */
  failed: number;
  clientLeft: number;
  /** Cut, because the client took nothing for too long. */
  stalled: number;
  /** Answered with a problem: too many at once, too large, or the store failed before the first byte. */
  refused: number;
  /** Views read for exports. */
  views: number;
  bytes: number;
}

export function createExportCounters(): ExportCounters {
  return {
    running: 0,
    done: 0,
    failed: 0,
    clientLeft: 0,
    stalled: 0,
    refused: 0,
    views: 0,
    bytes: 0,
  };
}

type Outcome = 'done' | 'failed' | 'clientLeft' | 'stalled' | 'refused';

export interface DownloadDeps extends ExportDeps {
  readonly counters: ExportCounters;
}

/** What is handed to the connection at a time: a client that takes this much is not stalled. */
const SLICE_BYTES = 65_536;
const RETRY_AFTER_S = 10;

/** One export on its way to its client. */
export class Download {
  readonly #question: ExportQuestion;
  readonly #deps: DownloadDeps;
  #outcome: Outcome | undefined;
  #asking = true;
  #watch: NodeJS.Timeout | undefined;

  constructor(question: ExportQuestion, deps: DownloadDeps) {
    this.#question = question;
    this.#deps = deps;
  }

  /** @throws ProblemError when nothing has been sent. */
  async send(reply: FastifyReply): Promise<FastifyReply> {
    this.#enter(reply);
    try {
      const pages = this.#pages();
      // Read before the head of the answer is written: what fails here is still answered with a problem.
      const first = await pages.next();
      this.#asking = false;
      this.#watchOver(reply);
      return reply
        .headers(headersOf(this.#question))
        .send(Readable.from(this.#slices(first, pages), { objectMode: false }));
    } catch (error) {
      this.#outcome ??= 'refused';
      throw error;
    }
  }

  #enter(reply: FastifyReply): void {
    const { counters, limits } = this.#deps;
    if (counters.running >= limits.exportsAtOnceMax) {
      counters.refused++;
      throw refuse('query_queue_full', {
        detail: `${limits.exportsAtOnceMax} exports run already (exportsAtOnceMax). Try again when one has ended.`,
        headers: { 'retry-after': String(RETRY_AFTER_S) },
      });
    }
    counters.running++;
    finished(reply.raw, (error) => {
      clearTimeout(this.#watch);
      counters.running--;
      counters[this.#outcome ?? (error == null ? 'done' : 'clientLeft')]++;
    });
  }

  /** Ends the answer of a client that takes nothing. Time that the store takes is no fault of the client's. */
  #watchOver(reply: FastifyReply): void {
    this.#watch = setTimeout(() => {
      if (this.#asking) {
        this.#watch?.refresh();
        return;
      }
      this.#outcome ??= 'stalled';
      reply.raw.destroy();
    }, this.#deps.limits.exportStallMsMax);
  }

  async *#pages(): AsyncGenerator<Buffer> {
    // The head goes with the first page: before that has been read, nothing may be sent.
    let head = this.#question.format === 'csv' ? csvHead : '';
    for await (const page of this.#read()) {
      this.#deps.counters.views += page.views;
      yield head === '' ? page.bytes : Buffer.concat([Buffer.from(head), page.bytes]);
      head = '';
    }
    if (head !== '') yield Buffer.from(head);
  }

  #read(): AsyncIterable<ExportPage> {
    const { format } = this.#question;
    return format === 'parquet' ? this.#whole() : exportPages(this.#question, this.#deps);
  }

  async *#whole(): AsyncGenerator<ExportPage> {
    yield await wholeFile(this.#question, this.#deps);
  }

  async *#slices(
    first: IteratorResult<Buffer>,
    rest: AsyncGenerator<Buffer>,
  ): AsyncGenerator<Buffer> {
    try {
      for (let page = first; page.done !== true; page = await this.#next(rest)) {
        for (let from = 0; from < page.value.length; from += SLICE_BYTES) {
          const slice = page.value.subarray(from, from + SLICE_BYTES);
          this.#watch?.refresh();
          yield slice;
          this.#deps.counters.bytes += slice.length;
        }
      }
    } catch (error) {
      if (!this.#question.signal.aborted) this.#outcome ??= 'failed';
      throw error;
    }
  }

  async #next(rest: AsyncGenerator<Buffer>): Promise<IteratorResult<Buffer>> {
    this.#asking = true;
    try {
      return await rest.next();
    } finally {
      this.#asking = false;
      this.#watch?.refresh();
    }
  }
}

/** A Parquet file ends with where everything in it is, so it is made as one. */
async function wholeFile(
  { scope, format, signal }: ExportQuestion,
  { runner, limits }: ExportDeps,
): Promise<ExportPage> {
  const rowsMax = limits.exportParquetRowsMax;
  const [found] = await runner.run<{ views: number }>(planCount(scope), signal);
  const views = found?.views ?? 0;
  if (views > rowsMax) {
    const detail = `These are ${views} views; a Parquet file holds ${rowsMax} (exportParquetRowsMax). Ask for a shorter timeframe, or for csv or ndjson, which have no limit.`;
    throw refuse('query_too_large', { detail });
  }
  const statement = planWhole(scope, format);
  const asked = { statement, format: FORMAT_SPECS[format].written, rowsMax };
  return { bytes: await runner.runFormat(asked, signal), views };
}

function headersOf({ scope, format }: ExportQuestion): Record<string, string> {
  return {
    'content-type': FORMAT_SPECS[format].contentType,
    'content-disposition': `attachment; filename="${fileName(scope.project, scope.timeframe, format)}"`,
  };
}
