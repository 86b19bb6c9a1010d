/**
 * Bytes that are held for as long as a view.
 *
 * Guarantee: they hold no more memory than they have. A copy that Node takes from its pool would keep the eight kilobytes
 * that it was cut from, and whatever else had been in them.
 */
export function keptCopy(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
