/** The flags of `streamgauge rejects list`, `show` and `replay`. What they do is given. */
import type { Command } from 'commander';
import type { Environment, Options } from '../config/config.ts';
import { optionsOf, positiveNumber, timeOf, UsageError, withOptions } from './command-line.ts';
import { parseRejectId, type RejectId } from './reject-id.ts';

/** Which rejects; what is left out may be anything. */
export interface RejectFilter {
  readonly project?: string | undefined;
  readonly code?: string | undefined;
  readonly route?: string | undefined;
  /** When the log took them, ms, both included. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly ids?: readonly RejectId[] | undefined;
}

export interface RejectsListArgs {
  readonly filter: RejectFilter;
  /** Rows one by one instead of counts. */
  readonly each: boolean;
  readonly limit: number;
  /** One object a line. */
  readonly json: boolean;
}

export interface RejectsShowArgs {
  readonly id: RejectId;
  readonly json: boolean;
}

export interface RejectsReplayArgs {
  readonly filter: RejectFilter;
  /** Parameters of the URL that edge logs came to. */
  readonly query: string;
  readonly dryRun: boolean;
}

export interface RejectsActions {
  list(args: RejectsListArgs, options: Options): Promise<void>;
  show(args: RejectsShowArgs, options: Options): Promise<void>;
  replay(args: RejectsReplayArgs, options: Options): Promise<void>;
}

/** Flags as commander gives them; what is not of a command is an option of the configuration. */
interface RejectFlags {
  readonly project?: string;
  readonly code?: string;
  readonly route?: string;
  readonly from?: string;
  readonly to?: string;
  readonly each?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
  readonly query?: string;
  readonly dryRun?: boolean;
}

const LISTED = 50;
const LISTED_MAX = 1_000_000;

/** Adds the commands to the program. */
export function addRejects(program: Command, env: Environment, actions: RejectsActions): void {
  const rejects = program
    .command('rejects')
    .description('what was refused: lists it, shows one, takes it once more');
  withRejectFilter(withOptions(rejects.command('list', { isDefault: true })))
    .description('counts by project, route and code (default)')
    .option('--each', 'one by one, the newest first')
    .option('--limit <count>', `lines at most (default: ${LISTED})`, positiveNumber)
    .option('--json', 'one JSON object a line')
    .action(({ each, limit = LISTED, json, ...flags }: RejectFlags) => {
      const { filter, rest } = filterOf(flags);
      const most = Math.min(Math.ceil(limit), LISTED_MAX);
      const args = { filter, each: each === true, limit: most, json: json === true };
      return actions.list(args, optionsOf(rest, env));
    });
  withOptions(rejects.command('show'))
    .argument('<id>', 'as `rejects list --each` has it')
    .description('everything of one, with the bytes that were kept')
    .option('--json', 'one JSON object, its bytes as base64')
    .action((id: string, { json, ...rest }: RejectFlags) =>
      actions.show({ id: idOf(id), json: json === true }, optionsOf(rest, env)),
    );
  withRejectFilter(withOptions(rejects.command('replay')))
    .argument('[id...]', 'as `rejects list --each` has them; or say which with --code and the like')
    .description('takes what was kept once more, into the log; exit 1 if nothing can be taken')
    .option('--query <text>', 'parameters of the URL that edge logs came to: fields=time,status')
    .option('--dry-run', 'says what would be taken')
    .action((ids: string[], { query = '', dryRun, ...flags }: RejectFlags) => {
      const { filter, rest } = filterOf(flags);
      const chosen = ids.length === 0 ? filter : { ...filter, ids: ids.map(idOf) };
      if (Object.values(chosen).every((value) => value === undefined)) {
        throw new UsageError(
          'rejects replay needs ids, or some of --code, --route, --project, --from, --to',
        );
      }
      const args = { filter: chosen, query, dryRun: dryRun === true };
      return actions.replay(args, optionsOf(rest, env));
    });
}

/** What tells rejects apart. */
function withRejectFilter(command: Command): Command {
  return command
    .option('--project <id>', 'of this project')
    .option('--code <code>', 'of this reason')
    .option('--route <path>', 'that came in this way: /v1/beats, …; fold: refused by the processor')
    .option('--from <time>', 'from this log time, ISO 8601')
    .option('--to <time>', 'up to this log time');
}

function filterOf({ project, code, route, from, to, ...rest }: RejectFlags) {
  const filter = { project, code, route, fromMs: timeOf('--from', from), toMs: timeOf('--to', to) };
  return { filter, rest };
}

function idOf(text: string): RejectId {
  const id = parseRejectId(text);
  if (id === undefined) throw new UsageError(`${text} is no id; ids are like 3-1204 or 3-1204-7`);
  return id;
}
