import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Group } from '../../../platform/log/group.ts';
import { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { type GroupOptions, joinGroup } from '../../../platform/log/kafka-group.ts';
import { kafkaTimes, readKafkaSettings } from '../../../platform/log/kafka-options.ts';
import { type KafkaForTests, kafkaForTests } from '../../support/kafka/kafka-for-tests.ts';
import { until } from '../../support/kafka/until.ts';

const memberProgram = fileURLToPath(
  new URL('../../support/kafka/kafka-member.ts', import.meta.url),
);
/** The shortest that brokers allow by default. */
const SESSION_TIMEOUT_MS = 6_000;
const PARTITIONS = 12;

let kafka: KafkaForTests;
let topic: string;
let members: TestMember[] = [];
let children: ChildProcess[] = [];

beforeAll(async () => {
  kafka = await kafkaForTests();
  topic = await kafka.createTopic(PARTITIONS);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await Promise.all(members.map((member) => member.group?.leave()));
  members = [];
});
afterAll(() => kafka?.close());

/** What a member was told, and what it has by that. */
class TestMember {
  readonly told: { what: string; partitions: readonly number[] }[] = [];
  readonly has = new Set<number>();
  group: Group | undefined;

  tell(what: string, partitions: readonly number[]): void {
    this.told.push({ what, partitions });
    for (const partition of partitions) {
      if (what === 'assigned') this.has.add(partition);
      else if (what !== 'joined') this.has.delete(partition);
    }
  }

  heard(what: string): number[] {
    return this.told.filter((entry) => entry.what === what).flatMap(({ partitions }) => partitions);
  }
}

/** Groups that are told apart by a name of their own. */
let groups = 0;
function newGroup(): string {
  groups += 1;
  return `group-${groups} ${topic}`;
}

function accessTo(groupId: string) {
  const place = { brokers: kafka.brokers, groupId, topic, partitions: PARTITIONS };
  return { ...place, sessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatMs: 200 };
}

async function join(groupId: string, options: Partial<GroupOptions> = {}): Promise<TestMember> {
  const member = new TestMember();
  members.push(member);
  member.group = await joinGroup({
    ...accessTo(groupId),
    onAssigned: (partitions) => member.tell('assigned', partitions),
    onRevoked: (partitions, why) => member.tell(why, partitions),
    ...options,
  });
  return member;
}

/** A member in a process of its own. */
async function joinElsewhere(groupId: string) {
  const args = ['--import', 'tsx', memberProgram, JSON.stringify(accessTo(groupId))];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const member = new TestMember();
  createInterface(child.stdout).on('line', (line) => {
    const { what, partitions } = JSON.parse(line);
    member.tell(what, partitions);
  });
  await until(
    async () => member.told,
    (told) => told.some(({ what }) => what === 'joined'),
  );
  return { child, member };
}

/** Waits until each has its share, all together have all, and none has what another has. */
async function shared(...all: readonly TestMember[]): Promise<void> {
  const share = PARTITIONS / all.length;
  await until(
    async () => all.map(({ has }) => [...has].sort((a, b) => a - b)),
    (lists) =>
      lists.every(({ length }) => length === share) && new Set(lists.flat()).size === PARTITIONS,
  );
}

describe('a group that shares partitions', () => {
  it('gives each of three members a third, whether they come one by one or together', async () => {
    const oneByOne = newGroup();
    const first = await join(oneByOne);
    await shared(first);
    const second = await join(oneByOne);
    await shared(first, second);
    const third = await join(oneByOne);
    await shared(first, second, third);
    expect([...(first.group?.partitions ?? [])].sort((a, b) => a - b)).toEqual(
      [...first.has].sort((a, b) => a - b),
    );
    const together = newGroup();
    await shared(...(await Promise.all([join(together), join(together), join(together)])));
  });

  it('lets members keep what they have when others come and go', async () => {
    const groupId = newGroup();
    const [first, second] = [await join(groupId), await join(groupId)];
    await shared(first, second);
    for (const { told } of [first, second]) told.length = 0;
    const third = await join(groupId);
    await shared(first, second, third);
    await third.group?.leave();
    await shared(first, second);
    // Four went to the third, two from each, and came back. Of the others nothing was said.
    for (const member of [first, second]) {
      expect(member.heard('moved')).toHaveLength(2);
      expect(member.heard('assigned')).toHaveLength(2);
      expect(member.heard('lost')).toEqual([]);
    }
  });

  it('gives a partition to another only when its owner has given it up, however long that takes', async () => {
    const groupId = newGroup();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = new TestMember();
    const group = await joinGroup({
      ...accessTo(groupId),
      onAssigned: (partitions) => slow.tell('assigned', partitions),
      onRevoked: async (partitions, why) => {
        slow.tell('asked for', []);
        await released;
        slow.tell(why, partitions);
      },
    });
    slow.group = group;
    members.push(slow);
    const other = await join(groupId);
    await until(
      async () => slow.told,
      (told) => told.some(({ what }) => what === 'asked for'),
    );
    // Heartbeats go on meanwhile: the group would have given it up by then.
    const askedAtMs = Date.now();
    await until(
      async () => group.lastContactMs,
      (contactMs) => contactMs > askedAtMs + SESSION_TIMEOUT_MS,
    );
    expect(slow.has.size).toBe(PARTITIONS);
    expect(other.has.size).toBe(0);
    release();
    await shared(slow, other);
    expect(slow.heard('lost')).toEqual([]);
  });

  it('gives the partitions of a member that leaves to others at once', async () => {
    const groupId = newGroup();
    const [first, second] = [await join(groupId), await join(groupId)];
    await shared(first, second);
    const had = [...second.has].sort();
    await second.group?.leave();
    expect(second.has.size).toBe(0);
    expect(second.heard('moved').slice(-6).sort()).toEqual(had);
    await shared(first);
  });

  it('takes the partitions of a process that was killed, and of one that hangs, which learns of it', async () => {
    const groupId = newGroup();
    const first = await join(groupId);
    const [killed, hanging] = await Promise.all([joinElsewhere(groupId), joinElsewhere(groupId)]);
    await shared(first, killed.member, hanging.member);
    const had = [...hanging.member.has].sort();
    killed.child.kill('SIGKILL');
    hanging.child.kill('SIGSTOP');
    await shared(first);
    hanging.child.kill('SIGCONT');
    await until(
      async () => hanging.member.heard('lost'),
      (lost) => lost.length > 0,
    );
    expect(hanging.member.heard('lost').sort()).toEqual(had);
    await shared(first, hanging.member);
    expect(first.heard('lost')).toEqual([]);
  });
});

describe('a member that its group has given up', () => {
  /** As the group's broker does when a member is silent for too long. */
  async function putOut(groupId: string): Promise<void> {
    const settings = await readKafkaSettings({ brokers: kafka.brokers });
    const cluster = new KafkaCluster({ settings, times: kafkaTimes, topic });
    const { groups: described } = await kafka.admin.describeGroups([groupId]);
    for (const { memberId } of described[0]?.members ?? []) {
      await cluster.askAny('LeaveGroup', { groupId, memberId });
    }
    cluster.close();
  }

  it('learns of it with the next heartbeat, then joins again', async () => {
    const groupId = newGroup();
    const member = await join(groupId);
    await putOut(groupId);
    await until(
      async () => member.heard('assigned').length,
      (count) => count === 2 * PARTITIONS,
    );
    expect(member.heard('lost')).toHaveLength(PARTITIONS);
    expect(member.heard('moved')).toEqual([]);
    expect(member.has.size).toBe(PARTITIONS);
  });

  it('learns of it when it leaves before its next heartbeat', async () => {
    const groupId = newGroup();
    const member = await join(groupId, { heartbeatMs: 2_900 });
    await putOut(groupId);
    await member.group?.leave();
    expect(member.heard('lost')).toHaveLength(PARTITIONS);
    expect(member.heard('moved')).toEqual([]);
  });
});

describe('a member of a group', () => {
  it('refuses to be heard so rarely that one lost heartbeat would cost its membership', async () => {
    const refused = join(newGroup(), { heartbeatMs: SESSION_TIMEOUT_MS / 2 });
    await expect(refused).rejects.toThrow('heartbeatMs');
  });

  it('tells lag monitors how far it is', async () => {
    const groupId = newGroup();
    const { group } = await join(groupId);
    group?.commitHint(3, 17);
    group?.commitHint(3, 42);
    const offsets = await until(
      async () => {
        const [found] = await kafka.admin.fetchOffsets({ groupId, topics: [topic] });
        return found?.partitions.filter(({ offset }) => offset !== '-1') ?? [];
      },
      (found) => found.length > 0,
    );
    expect(offsets).toMatchObject([{ partition: 3, offset: '42' }]);
  });

  it('shows Kafka’s own tools which partitions it has', async () => {
    const groupId = newGroup();
    const { group } = await join(groupId);
    const { groups: described } = await kafka.admin.describeGroups([groupId]);
    expect(described).toMatchObject([{ groupId, state: 'Stable', protocolType: 'consumer' }]);
    expect(described[0]?.members).toHaveLength(1);
    expect(group?.partitions).toHaveLength(PARTITIONS);
  });

  it('goes on when a callback throws, and tells of it', async () => {
    const warnings: string[] = [];
    const member = await join(newGroup(), {
      onAssigned: () => {
        throw new Error('no room');
      },
      onWarning: (message, cause) => warnings.push(`${message}: ${cause}`),
    });
    expect(warnings).toEqual(['A callback of the group threw: Error: no room']);
    expect(member.group?.partitions).toHaveLength(PARTITIONS);
  });

  it('does not join a group of another kind of program', async () => {
    const groupId = newGroup();
    const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
    const stranger = client.consumer({ groupId, maxWaitTimeInMs: 100 });
    await stranger.connect();
    await stranger.subscribe({ topic });
    const joined = new Promise((resolve) => stranger.on('consumer.group_join', resolve));
    await stranger.run({ eachBatch: async () => undefined });
    await joined;
    const refused = join(groupId);
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    const why = await refused.catch((error: Error) => `${error.cause}`);
    expect(why).toContain('INCONSISTENT_GROUP_PROTOCOL');
    await stranger.disconnect();
  });
});
