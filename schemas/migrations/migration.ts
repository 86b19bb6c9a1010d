/** A numbered step of the store's schema. Immutable once released: the runner refuses a changed checksum. */
export interface Migration {
  /** Counts from 1 without gaps. */
  readonly number: number;
  readonly name: string;
  /** Each can be run again: a crash may fall between a statement and the record of the migration. */
  readonly statements: readonly string[];
}
