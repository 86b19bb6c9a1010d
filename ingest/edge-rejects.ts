/**
 * The rejects of one edge log, written while the log is still being read.
 *
 * Guarantee: each is a record in the log, or in the count of one `rejects_capped`; the answer's list is bounded. A line
 * is kept without addresses and tokens.
 */
import type { IngestLimits } from '../platform/config/config.ts';
import type { Ticket } from './admission.ts';
import { count, type IngestCounters } from './counters.ts';
import type { AppendWindow } from './edge-appends.ts';
import type { Line } from './edge-lines.ts';
import { redactedLine } from './formats/edge-redact.ts';
import type { FormatReject } from './formats/format.ts';
import { cappedReject, type Origin, planReject } from './records.ts';
import type { RejectedLine } from './routes.ts';

export interface EdgeRejectsDeps {
  readonly origin: Origin;
  readonly limits: IngestLimits;
  readonly counters: IngestCounters;
  readonly ticket: Ticket;
}

/** Why a line, or a body, was not taken. */
type Fault = Pick<FormatReject, 'code' | 'message'>;

/** The rejects of one body: records up to `rejectRecordsMax`, a list for the answer up to `rejectedListMax`. */
export class EdgeRejects {
  readonly #deps: EdgeRejectsDeps;
  readonly #window: AppendWindow;
  readonly listed: RejectedLine[] = [];
  readonly #cappedCounts = new Map<string, number>();
  #firstCapped: FormatReject | undefined;
  #records = 0;
  total = 0;
  firstLine = 0;

  constructor(deps: EdgeRejectsDeps, window: AppendWindow) {
    this.#deps = deps;
    this.#window = window;
  }

  /** Adds a line, and gives back what was held of it once that may go. */
  add(line: Line, { code, message }: Fault): void {
    const { limits, ticket } = this.#deps;
    const { number, bytes } = line;
    const heldBytes = bytes.length;
    if (this.total++ === 0) this.firstLine = number;
    count(this.#deps.counters.rejects, code);
    if (this.listed.length < limits.rejectedListMax) {
      this.listed.push({ line: number, code, message });
    }
    const giveBack = () => ticket.give(heldBytes);
    // Only of lines that are kept: those beyond the cap may be many.
    const kept = () => ({ code, message, bytes: redactedLine(bytes), view: '', beat: number });
    if (this.#records < limits.rejectRecordsMax) {
      this.#write(kept(), giveBack);
      return;
    }
    this.#cappedCounts.set(code, (this.#cappedCounts.get(code) ?? 0) + 1);
    this.#firstCapped ??= kept();
    giveBack();
  }

  /** Adds the body as a whole; `bytes` are kept as they are. */
  addBody({ code, message }: Fault, bytes: Buffer): void {
    count(this.#deps.counters.rejects, code);
    this.#write({ code, message, bytes, view: '', beat: 0 }, () => undefined);
  }

  /** Sums up those without a record. */
  end(): void {
    if (this.#firstCapped === undefined) return;
    this.#write(cappedReject(this.#firstCapped, this.#cappedCounts), () => undefined);
  }

  #write(reject: FormatReject, settled: () => void): void {
    const { origin, limits, counters } = this.#deps;
    this.#records++;
    const bytes = reject.bytes.subarray(0, limits.rejectBytesMax);
    this.#window.append(planReject({ ...reject, bytes }, origin, limits), (durable) => {
      settled();
      if (durable) counters.rejectRecords++;
    });
  }
}
