/** Scores of one view, version 1 (METRICS "View metrics"), in thousandths so that their sums are exact. */

/** 100 × 8/(8 + t), t in seconds. */
export function startupScoreMilli(startupMs: number): number {
  return Math.round((100_000 * 8_000) / (8_000 + startupMs));
}

/** Mean of 100/√(1 + (n/2)²) and 100·e^(−10·ratio). */
export function rebufferScoreMilli(count: number, rebufferMs: number, playingMs: number): number {
  const watchedMs = rebufferMs + playingMs;
  const ratio = watchedMs === 0 ? 0 : rebufferMs / watchedMs;
  const byCount = 100_000 / Math.sqrt(1 + (count / 2) ** 2);
  return Math.round((byCount + 100_000 * Math.exp(-10 * ratio)) / 2);
}

/** 100·e^(−0.33·(0.15·peak + 0.85·mean)) of upscaling. */
export function qualityScoreMilli(meanPpm: number, peakPpm: number): number {
  const upscale = (0.15 * peakPpm + 0.85 * meanPpm) / 1e6;
  return Math.round(100_000 * Math.exp(-0.33 * upscale));
}

/** Success/100 × the mean of the geometric means of smoothness, quality and startup, pair by pair. */
export function experienceScoreMilli(
  successMilli: number,
  smoothMilli: number,
  qualityMilli: number,
  startupMilli: number,
): number {
  const mean =
    (Math.sqrt(smoothMilli * qualityMilli) +
      Math.sqrt(smoothMilli * startupMilli) +
      Math.sqrt(startupMilli * qualityMilli)) /
    3;
  return Math.round((successMilli / 100_000) * mean);
}
