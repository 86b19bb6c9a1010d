/**
 * The viewer experience score of a view whose truth is known, by the definitions of the metrics page, version 1.
 *
 * Guarantee: rounded as the fold rounds it, so that the two are equal and not only near.
 */
import type { ViewFigures } from './view-figures.ts';

const SCALE = 100_000;

export interface Scored {
  readonly started: boolean;
  readonly failed: boolean;
  /** Failed for a business reason. */
  readonly refused: boolean;
  readonly figures: ViewFigures;
}

/** 0 to 100; `null` for a view that never started, was refused, or of whose picture nothing is known. */
export function experienceScore({ started, failed, refused, figures }: Scored): number | null {
  if (refused || !started || figures.upscale_ppm === null) return null;
  if (failed) return 0;
  const smooth = smoothness(figures);
  const quality = qualityOf(figures);
  const startup = Math.round((SCALE * 8_000) / (8_000 + (figures.startup_ms ?? 0)));
  const pairs = Math.sqrt(smooth * quality) + Math.sqrt(smooth * startup);
  return Math.round((pairs + Math.sqrt(startup * quality)) / 3) / 1_000;
}

function smoothness({ rebuffer_count, rebuffer_ms, playing_ms }: ViewFigures): number {
  const stalledMs = rebuffer_ms ?? 0;
  const watchedMs = stalledMs + (playing_ms ?? 0);
  const ratio = watchedMs === 0 ? 0 : stalledMs / watchedMs;
  const byCount = SCALE / Math.sqrt(1 + ((rebuffer_count ?? 0) / 2) ** 2);
  return Math.round((byCount + SCALE * Math.exp(-10 * ratio)) / 2);
}

function qualityOf({ upscale_ppm, max_upscale_ppm }: ViewFigures): number {
  const upscale = (0.15 * (max_upscale_ppm ?? 0) + 0.85 * (upscale_ppm ?? 0)) / 1e6;
  return Math.round(SCALE * Math.exp(-0.33 * upscale));
}
