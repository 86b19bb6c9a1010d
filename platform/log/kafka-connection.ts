/**
 * One connection to one broker.
 *
 * Guarantees: opening and every request end within their time limit; a connection that has failed once, or has let a
 * request wait too long, is closed for good with all that is under way on it, and its owner makes a new one.
 *
 * Time for which a broker's quota holds a request back comes on top of its limit. A broker answers the requests of a
 * connection one after the other, so what may wait long gets a connection of its own.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { KafkaError } from './kafka-errors.ts';
import {
  type Apis,
  type ApiVersions,
  apiVersionsExchange,
  createConnection,
  type Exchange,
  exchangeOf,
  type LibraryConnection,
  type SocketRequest,
} from './kafka-library.ts';
import type { KafkaAddress, KafkaSettings, KafkaTimes } from './kafka-options.ts';

const KEEP_ALIVE_MS = 30_000;

/** Opens a connection, signs in, and learns what the broker understands. @throws KafkaError. */
export async function openConnection(
  address: KafkaAddress,
  settings: KafkaSettings,
  times: KafkaTimes,
): Promise<KafkaConnection> {
  const connection = new KafkaConnection(address, settings, times);
  await connection.open(times.connectTimeoutMs);
  return connection;
}

export class KafkaConnection {
  readonly address: KafkaAddress;
  readonly #library: LibraryConnection;
  readonly #requestTimeoutMs: number;
  readonly #signsIn: boolean;
  #socket: Socket | undefined;
  #versions: ApiVersions = {};
  #failure: Error | undefined;
  /** kafkajs never settles a connect whose socket is destroyed: this ends the wait for it. */
  #giveUp: ((reason: Error) => void) | undefined;

  constructor(address: KafkaAddress, settings: KafkaSettings, times: KafkaTimes) {
    this.address = address;
    this.#requestTimeoutMs = times.requestTimeoutMs;
    this.#signsIn = settings.sasl !== undefined;
    this.#library = createConnection(address, settings, times, (request) => this.#dial(request));
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Called once, before anything else. */
  async open(timeoutMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.close(new Error(`no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      await this.#greet();
    } catch (error) {
      const cause = this.#failure ?? error;
      this.close(error);
      const message = `Kafka at ${this.#name()} cannot be reached: ${textOf(cause)}`;
      throw new KafkaError(message, { mayHaveActed: false, cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks with a request of kafkajs, in the newest version that both sides know. */
  ask<Name extends keyof Apis>(
    name: Name,
    args: Apis[Name]['args'],
    timeoutMs?: number,
  ): Promise<Apis[Name]['reply']> {
    const exchange = exchangeOf(name, args, this.#versions);
    if (exchange !== undefined) return this.exchange(exchange, timeoutMs);
    const message = `Kafka at ${this.#name()} does not know ${name} as this program does`;
    return Promise.reject(new KafkaError(message, { mayHaveActed: false }));
  }

  /** Sends a request and waits for its answer. @throws KafkaError. */
  async exchange<Reply>(
    exchange: Exchange<Reply>,
    timeoutMs = this.#requestTimeoutMs,
  ): Promise<Reply> {
    const { request, response } = exchange;
    if (this.#failure !== undefined) throw this.#failed(this.#failure, request.apiName, false);
    try {
      return await this.#library.send({
        request,
        // Error codes are looked at by who asked, one by one: one bad partition must not hide the others' answers.
        response: { decode: (raw) => response.decode(raw), parse: async (reply) => reply },
        logResponseError: false,
        requestTimeout: timeoutMs,
      });
    } catch (error) {
      const unsent = error instanceof Error && error.message === 'Not connected';
      this.close(error);
      throw this.#failed(error, request.apiName, !unsent);
    }
  }

  /** Fails what is under way. */
  close(reason: unknown = new Error('closed')): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason instanceof Error ? reason : new Error(String(reason));
    this.#giveUp?.(this.#failure);
    this.#library.rejectRequests(this.#failure);
    // Not ended but destroyed: the other side may be gone and never answer.
    this.#socket?.destroy();
    this.#library.disconnect().catch(() => undefined);
  }

  async #greet(): Promise<void> {
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    await Promise.race([givenUp, this.#library.connect()]);
    givenUp.catch(() => undefined);
    const { apiVersions } = await this.exchange(apiVersionsExchange());
    this.#versions = Object.fromEntries(apiVersions.map((entry) => [entry.apiKey, entry]));
    if (!this.#signsIn) return;
    this.#library.setVersions(this.#versions);
    this.#library.setSupportAuthenticationProtocol(true);
    await this.#library.authenticate();
  }

  #dial({ host, port, ssl, onConnect }: SocketRequest): Socket {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      ssl === null
        ? connectTcp({ host, port }, onConnect)
        : connectTls({ host, port, ...name, ...ssl }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // A small request must not wait for the answer to the one before.
    socket.setNoDelay(true);
    socket.once('close', () => this.close(new Error('the broker closed the connection')));
    this.#socket = socket;
    return socket;
  }

  #failed(cause: unknown, what: string, mayHaveActed: boolean): KafkaError {
    const message = `${what} got no answer from Kafka at ${this.#name()}: ${textOf(cause)}`;
    return new KafkaError(message, { mayHaveActed, cause });
  }

  #name(): string {
    const { host, port } = this.address;
    return `${host}:${port}`;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
