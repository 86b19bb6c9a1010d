/**
 * Where a client of the stream stands: the newest epoch of each partition, as `p0=12,p1=11`.
 *
 * It grows with each message, and means the same to every process of the api.
 */

/** Partitions that a token may name; a longer one is not ours. */
const PARTITIONS_MAX = 4_096;
const TOKEN_LENGTH_MAX = 65_536;

export type Epochs = ReadonlyMap<number, number>;

export function formatToken(epochs: Epochs): string {
  return [...epochs]
    .sort(([left], [right]) => left - right)
    .map(([partition, epoch]) => `p${partition}=${epoch}`)
    .join(',');
}

/** The epochs of a token; undefined when it is not one. */
export function parseToken(text: string): Epochs | undefined {
  if (text.length === 0 || text.length > TOKEN_LENGTH_MAX) return undefined;
  const epochs = new Map<number, number>();
  for (const part of text.split(',')) {
    const match = /^p(\d{1,5})=(\d{1,15})$/.exec(part);
    if (match === null || epochs.size === PARTITIONS_MAX) return undefined;
    epochs.set(Number(match[1]), Number(match[2]));
  }
  return epochs;
}
