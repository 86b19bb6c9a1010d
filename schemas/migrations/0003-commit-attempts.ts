/** The attempt that a commit names is its own: rows may stand under other ones. */
import type { Migration } from './migration.ts';

export const commitAttempts: Migration = {
  number: 3,
  name: 'commit_attempts',
  statements: [
    `ALTER TABLE epochs COMMENT COLUMN attempt 'Attempt at the commit that stands, from 0.'`,
  ],
};
