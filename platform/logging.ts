/**
 * The log of the process itself: pino, JSON lines; readable text where a person looks on.
 *
 * ERROR: an operator must act. WARN: something went wrong and recovered. INFO: an action finished. DEBUG: never one an
 * event. No key and no secret gets in: requests go through `logSerializers`.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { logSerializers } from './http/redact.ts';

export type { Logger } from 'pino';

export function createLogger(level: string, toTerminal: boolean): Logger {
  // Both write to stderr and at once: stdout belongs to what a command prints.
  const destination: DestinationStream = toTerminal
    ? pretty({
        colorize: true,
        destination: 2,
        sync: true,
        ignore: 'pid,hostname',
        translateTime: 'HH:MM:ss.l',
      })
    : pino.destination({ dest: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { ...logSerializers, error: pino.stdSerializers.err },
    },
    destination,
  );
}
