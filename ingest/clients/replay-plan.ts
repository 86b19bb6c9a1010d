/** What a recording comes to: the requests to send, and the errors that stop a replay. */

/** What of a recording is sent: CMCD event reports, EPAS events, lines of the edge's log. */
export type ReplayForm = 'cmcd' | 'epas' | 'edge';

export const replayForms: readonly ReplayForm[] = ['cmcd', 'epas', 'edge'];

/** One request of the replay. */
export interface ReplayRequest {
  readonly form: ReplayForm;
  /** When it was recorded, ms since 1970. */
  readonly atMs: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Records in the body: lines of CMCD, EPAS events, log lines. */
  readonly records: number;
  /** Size in the recording, bytes; what progress is counted in. */
  readonly recordedBytes: number;
}

/** What a recording, or a file of it, comes to. */
export interface ReplayPlan {
  readonly requests: readonly ReplayRequest[];
  /** Lines that could not be read. */
  readonly brokenLines: number;
  /** Lines that are not telemetry of the forms asked for. */
  readonly leftOutLines: number;
}

/** When a batch of log lines is full. */
export interface EdgeBatchLimits {
  readonly edgeBatchLinesMax: number;
  /** Size of the lines together, bytes. */
  readonly edgeBatchBytesMax: number;
  /** Recorded time between the first and the last line, ms. */
  readonly edgeBatchSpanMs: number;
}

export type ReplayErrorCode =
  | 'replay_path_missing'
  | 'replay_nothing_found'
  | 'replay_recording_too_large'
  | 'replay_option_invalid'
  | 'replay_unreachable';

/** A replay that cannot begin or go on; the message says what to do. */
export class ReplayError extends Error {
  readonly code: ReplayErrorCode;
  constructor(code: ReplayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReplayError';
    this.code = code;
  }
}

/** The object in a line of JSON; undefined when the line is broken. */
export function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
