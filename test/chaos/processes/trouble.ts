/** What ends a run before its time. */

/** Rejects with the signal's reason when it is aborted; never resolves. */
export function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
