/**
 * Turns the lines of a recorded edge log into batches, as a log shipper would send them.
 *
 * Lines go out unchanged, in the order in which their requests ended. A batch is full after a number of lines or bytes,
 * or when it spans too much recorded time. It is sent at the time of its last line: never before what it tells of.
 */
import {
  type EdgeBatchLimits,
  parseLine,
  type ReplayForm,
  type ReplayPlan,
  type ReplayRequest,
} from './replay-plan.ts';

interface AccessLine {
  readonly line: string;
  /** End of the request, ms since 1970. */
  readonly atMs: number;
}

export function planAccessLog(
  lines: readonly string[],
  forms: ReadonlySet<ReplayForm>,
  limits: EdgeBatchLimits,
): ReplayPlan {
  if (!forms.has('edge')) return { requests: [], brokenLines: 0, leftOutLines: lines.length };
  const kept: AccessLine[] = [];
  let brokenLines = 0;
  let leftOutLines = 0;
  for (const line of lines) {
    const parsed = parseLine(line);
    const atMs = Math.round(Number(parsed?.msec) * 1000);
    if (parsed === undefined || !Number.isFinite(atMs)) brokenLines += 1;
    // A preflight delivers nothing: it is the browser's question, not the viewer's.
    else if (parsed.request_method === 'OPTIONS') leftOutLines += 1;
    else kept.push({ line, atMs });
  }
  kept.sort((a, b) => a.atMs - b.atMs);
  return { requests: batches(kept, limits).map(toRequest), brokenLines, leftOutLines };
}

function batches(lines: readonly AccessLine[], limits: EdgeBatchLimits): AccessLine[][] {
  const result: AccessLine[][] = [];
  let batch: AccessLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line.line) + 1;
    const full =
      batch.length >= limits.edgeBatchLinesMax ||
      bytes + lineBytes > limits.edgeBatchBytesMax ||
      line.atMs - (batch[0]?.atMs ?? line.atMs) > limits.edgeBatchSpanMs;
    if (full && batch.length > 0) {
      result.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += lineBytes;
  }
  return batch.length > 0 ? [...result, batch] : result;
}

function toRequest(batch: readonly AccessLine[]): ReplayRequest {
  const body = batch.map(({ line }) => `${line}\n`).join('');
  return {
    form: 'edge',
    atMs: batch.at(-1)?.atMs ?? 0,
    path: '/v1/edge/nginx',
    headers: { 'content-type': 'application/x-ndjson', 'user-agent': 'streamgauge-replay' },
    body,
    records: batch.length,
    recordedBytes: Buffer.byteLength(body),
  };
}
