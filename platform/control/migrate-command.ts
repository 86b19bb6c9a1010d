/** `streamgauge migrate`: brings the tables to the newest step, or says what is missing. */
import { migrations } from '../../schemas/migrations/index.ts';
import { migrate } from '../store/migrate.ts';
import type { Store } from '../store/store.ts';
import type { Command } from './server.ts';

export interface MigrateArgs {
  readonly dryRun: boolean;
}

export function createMigrateCommand(store: Store): Command<MigrateArgs> {
  return async ({ dryRun }, print) => {
    const { applied, pending } = await migrate(store, migrations, { dryRun });
    for (const { number, name, statements } of dryRun ? pending : applied) {
      print(`${dryRun ? 'would apply' : 'applied'} ${number} ${name}`);
      if (dryRun) for (const statement of statements) print(`${statement};`);
    }
    if (applied.length + pending.length === 0) print('nothing to apply');
    return 0;
  };
}
