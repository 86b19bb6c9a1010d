/** A record of the log as the fold takes it. */
export interface FoldRecord {
  readonly offset: number;
  /** When the log took it, ms since 1970. May step back: the fold keeps the running maximum. */
  readonly appendTimeMs: number;
  readonly value: Buffer;
}
