import { spine } from './0001-spine.ts';
import { recovery } from './0002-recovery.ts';
import { commitAttempts } from './0003-commit-attempts.ts';
import { guessesAndClaims } from './0004-guesses-and-claims.ts';
import { evictions } from './0005-evictions.ts';
import { annotations } from './0006-annotations.ts';
import { subviews } from './0007-subviews.ts';
import { delivery } from './0008-delivery.ts';
import type { Migration } from './migration.ts';

export type { Migration } from './migration.ts';

/** Every migration, oldest first. */
export const migrations: readonly Migration[] = [
  spine,
  recovery,
  commitAttempts,
  guessesAndClaims,
  evictions,
  annotations,
  subviews,
  delivery,
];
