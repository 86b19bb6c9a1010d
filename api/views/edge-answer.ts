/**
 * What edge logs say of a view, CMCD request mode included: never mixed with what its player reports. A view of which
 * nothing else tells has the source `cmcd1`.
 */
import type { ViewRow } from '../planner/video-views.ts';

function count(row: ViewRow, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : 0;
}

function mean(sum: number, of: number): number | null {
  return of > 0 ? Math.round(sum / of) : null;
}

/** Null when no edge log names the view. Bitrates in bit/s, times in ms. */
export function edgeAnswer(row: ViewRow): Record<string, number | null> | null {
  const requests = count(row, 'edge_request_count');
  if (requests === 0) return null;
  const throughputs = count(row, 'edge_throughput_count');
  return {
    requests,
    bytes: count(row, 'edge_bytes'),
    errors: count(row, 'edge_error_count'),
    average_bitrate: mean(count(row, 'edge_bitrate_bit_ms'), count(row, 'edge_media_ms')),
    media_time_requested: count(row, 'edge_media_ms'),
    starvation_count: count(row, 'edge_starvation_count'),
    startup_requests: count(row, 'edge_startup_request_count'),
    average_buffer: mean(count(row, 'edge_buffer_sum_ms'), count(row, 'edge_buffer_count')),
    measured_throughput: mean(count(row, 'edge_throughput_sum_kbps') * 1_000, throughputs),
  };
}
