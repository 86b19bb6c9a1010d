/**
 * Log-bucket sketches of positive whole numbers: a value goes into a bucket of 2 % width, and the bucket's middle is at
 * most 1 % off (γ = 1.02). Buckets are summed, so sketches of parts join into the sketch of the whole, exactly.
 */

/** Width of a bucket: its upper bound over its lower one. */
export const SKETCH_GAMMA = 1.02;
const LOG_GAMMA = Math.log(SKETCH_GAMMA);
/** Largest bucket: values beyond go into it. 1.02^2000 is 1.6 × 10¹⁷. */
export const SKETCH_BUCKET_MAX = 2_000;

/** Bucket of a value; 0 for zero and below. Bucket n holds (γ^(n−1), γ^n]. */
export function sketchBucket(value: number): number {
  if (value < 1) return 0;
  return Math.min(SKETCH_BUCKET_MAX, Math.max(1, Math.ceil(Math.log(value) / LOG_GAMMA)));
}

/** The value that stands for a bucket: at most 1 % from any in it. */
export function sketchValue(bucket: number): number {
  return bucket <= 0 ? 0 : (2 * SKETCH_GAMMA ** bucket) / (1 + SKETCH_GAMMA);
}

/** `sketchValue` as SQL over a column of buckets. */
export function sketchValueSql(bucket: string): string {
  return `if(${bucket} = 0, 0, 2 * pow(${SKETCH_GAMMA}, ${bucket}) / ${1 + SKETCH_GAMMA})`;
}
