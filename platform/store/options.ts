/** What a store is opened with. */
export interface StoreOptions {
  /** A server's HTTP address, with user and password if it needs them. Without one the engine is embedded. */
  readonly url?: string | undefined;
  /** Directory of the embedded engine. Needed without `url`; made when missing. */
  readonly directory?: string | undefined;
  /** Database of the tables; created when missing. */
  readonly database: string;
  /** Reads that run at the same time. Each is a connection, and on the embedded engine a thread of libuv's pool. */
  readonly readers?: number | undefined;
  /** Reads that wait for a connection; one more is refused with `store_unavailable`. */
  readonly readsWaitingMax?: number | undefined;
  /** HTTP only: a request without progress for this many ms fails with `store_unavailable`. */
  readonly requestTimeoutMs?: number | undefined;
}

export const STORE_DEFAULTS = {
  readers: 2,
  readsWaitingMax: 1_000,
  requestTimeoutMs: 60_000,
} as const;
