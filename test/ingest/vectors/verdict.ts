/** What came of one vector. */
export interface Verdict {
  readonly id: string;
  /** How the reading differs; empty when it agrees. */
  readonly found: readonly string[];
  /** The rule that decides for this reading; empty where none is known. */
  readonly decidedBy: string;
}
