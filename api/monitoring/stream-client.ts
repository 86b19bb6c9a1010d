/**
 * One client of the stream, with what waits for it.
 *
 * Guarantee: no more than `bufferBytesMax` wait; a client that does not read is dropped, and comes back with its token.
 */
import { PassThrough } from 'node:stream';

export interface StreamClient {
  readonly project: string;
  /** False when the client was too slow and has been dropped. */
  send(text: string): boolean;
  /** Ends it in good order. */
  end(): void;
}

/** A client that is written to a stream. `drop` cuts its connection. */
export function createStreamClient(
  project: string,
  bufferBytesMax: number,
  drop: () => void,
): StreamClient & { readonly body: PassThrough } {
  const body = new PassThrough();
  return {
    project,
    body,
    send(text) {
      if (body.destroyed || body.writableEnded) return true;
      const waitingBytes = body.readableLength + body.writableLength;
      if (waitingBytes + Buffer.byteLength(text) > bufferBytesMax) {
        drop();
        return false;
      }
      body.write(text);
      return true;
    },
    end() {
      body.end();
    },
  };
}
