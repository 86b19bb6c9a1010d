/** Waiting for a condition. On its own, because what waits for a broker needs nothing of the server under test. */
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;

/** Looks until a condition holds, or fails at the deadline with what was seen last. */
export async function until<Value>(
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
  deadlineMs = 120_000,
): Promise<Value> {
  const endsAtMs = Date.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > endsAtMs) {
      throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`);
    }
    await delay(LOOK_EVERY_MS);
  }
}
