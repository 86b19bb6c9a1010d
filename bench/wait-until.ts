/** Waits for a condition, with a deadline. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until it holds. @throws Error at the deadline, with what was seen last. */
export async function waitUntil<Value>(
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
  { everyMs, deadlineMs }: { readonly everyMs: number; readonly deadlineMs: number },
): Promise<Value> {
  const endsMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > endsMs)
      throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`);
    await sleep(everyMs);
  }
}
