/** Facts that two parties state, compared one by one. */

export class Comparison {
  /** Facts compared. */
  facts = 0;
  readonly #different: string[] = [];

  /** Those that differ, as sentences. */
  get different(): readonly string[] {
    return this.#different;
  }

  equal(what: string, expected: unknown, found: unknown): void {
    this.facts++;
    const [said, seen] = [JSON.stringify(expected), JSON.stringify(found)];
    if (said !== seen) this.#different.push(`${what}: expected ${said}, found ${seen}`);
  }
}
