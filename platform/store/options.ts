/** What a store is opened with. */
export interface StoreOptions {
  /** A server's HTTP or HTTPS address; may have user and password. Without one the engine is embedded. */
  readonly url?: string | undefined;
  /** HTTP only: the cluster that the server is of. */
  readonly cluster?: string | undefined;
  /** HTTP only: instead of the address's. */
  readonly user?: string | undefined;
  /** HTTP only: instead of the address's. */
  readonly password?: string | undefined;
  /** HTTPS only: file of the certificates (PEM) that the server's must go back to, instead of those the system trusts. */
  readonly caFile?: string | undefined;
  /** HTTP only: requests and answers travel as gzip. */
  readonly compression?: boolean | undefined;
  /** Directory of the embedded engine. Needed without `url`; made when missing. */
  readonly directory?: string | undefined;
  /** Database of the tables; created when missing. */
  readonly database: string;
  /** Reads that run at the same time. Each is a connection, and on the embedded engine a thread of libuv's pool. */
  readonly readers?: number | undefined;
  /** Reads that wait for a connection; one more is refused with `store_unavailable`. */
  readonly readsWaitingMax?: number | undefined;
  /** HTTP only: writes that run at the same time. The embedded engine takes one at a time. */
  readonly writers?: number | undefined;
  /** HTTP only: a request without progress for this many ms fails with `store_unavailable`. */
  readonly requestTimeoutMs?: number | undefined;
}

export const STORE_DEFAULTS = {
  readers: 2,
  writers: 4,
  compression: true,
  readsWaitingMax: 1_000,
  requestTimeoutMs: 60_000,
} as const;
