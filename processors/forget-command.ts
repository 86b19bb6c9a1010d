/**
 * `streamgauge forget`: puts the request into every partition of the log and waits until each has acted on it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Options, resultSettings } from '../platform/config/config.ts';
import type { Engines } from '../platform/control/run-command.ts';
import type { Command } from '../platform/control/server.ts';
import { hasKafka, prepareTables } from '../platform/engines.ts';
import type { Log } from '../platform/log/log.ts';
import { openProjects, type Projects, storedViewerId } from '../platform/projects.ts';
import type { Store } from '../platform/store/store.ts';
import { encodeRecord } from '../schemas/records.ts';
import { Processor } from './processor.ts';

const LOOK_AGAIN_MS = 100;

export interface ForgetArgs {
  readonly project: string;
  /** The viewer's id as the players say it. */
  readonly viewerId?: string;
  /** Or as it is stored: what `viewer_user_id` of the api shows. */
  readonly viewer?: string;
}

export interface ForgetDeps {
  readonly log: Log;
  readonly store: Store;
  readonly projects: Pick<Projects, 'list'>;
}

/** Exit code 0 done, 2 wrong use. Needs a processor that runs. */
export function createForgetCommand(deps: ForgetDeps): Command<ForgetArgs> {
  return async (args, print, signal) => {
    const project = deps.projects.list().find(({ id }) => id === args.project);
    if (project === undefined) {
      const known = deps.projects.list().map(({ id }) => id);
      print(`there is no project ${args.project}; there is ${known.join(', ')}`);
      return 2;
    }
    const viewer = args.viewer ?? storedViewerId(project, args.viewerId ?? '');
    if (viewer === '') {
      print('give the viewer: --viewer-id as players say it, or --viewer as it is stored');
      return 2;
    }
    const value = encodeRecord('forget', { project: project.id, viewer });
    const offsets: number[] = [];
    for (let partition = 0; partition < deps.log.partitions; partition++) {
      offsets.push((await deps.log.append(partition, value)).offset);
    }
    await untilForgotten(deps.store, offsets, signal);
    print(`viewer ${viewer} of project ${project.id} is forgotten`);
    print('the log keeps what it was told until its retention ends; sums that name nobody stay');
    return 0;
  };
}

/**
 * The command where no server runs it. Embedded engines are this process's now, so it is also the processor, which first
 * catches up; with Kafka the processors that run do it.
 */
export function forgetWith(engines: Engines, options: Options): Command<ForgetArgs> {
  return async (args, print, signal) => {
    const { logger } = engines;
    const [log, store] = [await engines.log(), await engines.store()];
    const { projectsFile: file, host } = options;
    const projects = openProjects({ file, host, logger, now: Date.now, watchIntervalMs: 0 });
    const forget = createForgetCommand({ log, store, projects });
    if (hasKafka(options)) return forget(args, print, signal);
    await prepareTables(store, options, logger);
    const processor = new Processor({ log, store, settings: resultSettings(options), logger });
    await processor.start();
    try {
      return await forget(args, print, signal);
    } finally {
      await processor.stop();
    }
  };
}

/** Each partition's request is a row of `forgotten` once everything of the viewer is gone there. */
async function untilForgotten(
  store: Store,
  offsets: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = offsets.map((offset, partition) => `(${partition}, ${offset})`).join(', ');
  for (;;) {
    const [row] = await store.query<{ done: number }>(
      `SELECT uniqExact(_partition) AS done FROM forgotten INNER JOIN epochs USING (_partition, _epoch)
       WHERE (_partition, log_offset) IN (${wanted})`,
    );
    if ((row?.done ?? 0) >= offsets.length) return;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}
