/**
 * A member of a group in a process of its own, to be stopped or killed. Prints what it is told, one line of JSON each.
 * Ends when its standard input does. Argument: the options of the group, as JSON.
 */
import { type GroupOptions, joinGroup } from '../../../platform/log/kafka-group.ts';

type Told = 'assigned' | 'moved' | 'lost' | 'joined';

function print(what: Told, partitions: readonly number[]): void {
  process.stdout.write(`${JSON.stringify({ what, partitions })}\n`);
}

const options = JSON.parse(process.argv[2] ?? '') as Omit<GroupOptions, 'onAssigned' | 'onRevoked'>;
const group = await joinGroup({
  ...options,
  onAssigned: (partitions) => print('assigned', partitions),
  onRevoked: (partitions, why) => print(why, partitions),
});
print('joined', group.partitions);
process.stdin.resume().once('end', () => process.exit());
