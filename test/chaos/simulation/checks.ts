/** What must hold at the end of a run, whatever happened in it. Each check gives sentences; none is good. */
import { createHash } from 'node:crypto';
import { StateLoader } from '../../../processors/checkpoint-state.ts';
import type { PartitionFold } from '../../../processors/partition.ts';
import type { CheckpointEntry, SealedEpoch } from '../../../processors/shell/epoch-store.ts';
import type { Client } from './clients.ts';
import { commitsOf } from './epoch-store-model.ts';
import type { Senders } from './senders.ts';
import { foldFromStart, foldStraight } from './straight-fold.ts';
import { checkCommits, checkTables } from './table-checks.ts';
import { checkTruth } from './truth-checks.ts';
import type { World } from './world.ts';

export function checkAll(world: World, clients: readonly Client[], senders: Senders): string[] {
  const failures = [...world.failures];
  for (let partition = 0; partition < world.plan.partitions; partition++) {
    const expected = foldFromStart(partition, world.log.durableRecords(partition));
    countRejected(world, expected);
    const found = [
      ...checkCommits(world, partition, expected),
      ...checkTables(world, partition, expected),
      ...checkCheckpoints(world, partition, expected),
    ];
    failures.push(...found.map((failure) => `partition ${partition}: ${failure}`));
  }
  return [...failures, ...checkTruth(world, clients, senders)];
}

function countRejected({ counters }: World, epochs: readonly SealedEpoch[]): void {
  for (const { counts } of epochs) counters.recordsRejected += counts.recordsRejected;
}

/** Each whole checkpoint leads to the same rows as the start of the log, and there is one. */
function checkCheckpoints(
  world: World,
  partition: number,
  expected: readonly SealedEpoch[],
): string[] {
  const whole = world.checkpointTable.list(partition).filter(({ chunks }) => chunks > 0);
  const committed = commitsOf(world.engine, partition).at(-1)?.epoch ?? 0;
  if (whole.length === 0 && committed > 0) return ['no checkpoint is whole at the end'];
  const records = world.log.durableRecords(partition);
  return whole.flatMap((entry) => {
    const { epoch } = entry;
    if (epoch > committed) return [`the checkpoint of epoch ${epoch} is not committed`];
    const states = statesOf(world, entry);
    if (states === undefined) return [];
    const rest = foldStraight(load(partition, states), records);
    const isSame = sameEpochs(rest, expected.slice(epoch));
    return isSame ? [] : [`the checkpoint of epoch ${epoch} leads to other rows`];
  });
}

/** The chunks of a checkpoint; undefined when their hashes say that one is damaged, and recovery passes it over. */
function statesOf(
  { checkpointTable }: World,
  { partition, epoch, chunks }: CheckpointEntry,
): Buffer[] | undefined {
  const states: Buffer[] = [];
  let hash = '';
  for (let chunk = 0; chunk < chunks; chunk++) {
    const found = checkpointTable.readChunk(partition, epoch, chunk);
    if (found === undefined) return undefined;
    hash = createHash('sha256').update(hash).update(found.state).digest('hex');
    if (hash !== found.hash) return undefined;
    states.push(found.state);
  }
  return states;
}

function load(partition: number, states: readonly Buffer[]): PartitionFold {
  const loader = new StateLoader(partition);
  for (const state of states) loader.add(state);
  return loader.finish();
}

function sameEpochs(some: readonly SealedEpoch[], others: readonly SealedEpoch[]): boolean {
  return some.length === others.length && some.every((epoch, at) => sameEpoch(epoch, others[at]));
}

function sameEpoch(one: SealedEpoch, other: SealedEpoch | undefined): boolean {
  return (
    one.epoch === other?.epoch &&
    one.nextOffset === other.nextOffset &&
    one.tables.every(({ bytes }, at) => other.tables[at]?.bytes.equals(bytes) === true)
  );
}
