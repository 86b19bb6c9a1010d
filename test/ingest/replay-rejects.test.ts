/** Rejects taken once more: what can be made of each, and what must not. */
import { describe, expect, it } from 'vitest';
import { replayRejects } from '../../ingest/replay-rejects.ts';
import {
  createReplayPlan,
  type KeptReject,
  type Replayed,
} from '../../ingest/replay-rejects-plan.ts';
import { hideViewerInBytes } from '../../ingest/viewers.ts';
import { ingestLimits } from '../../platform/config/config.ts';
import { LogError } from '../../platform/log/log.ts';
import { openProjects, type Project, storedViewerId } from '../../platform/projects.ts';
import type { Beat } from '../../schemas/beat.ts';
import { clientDimensions } from '../../schemas/catalogue/dimensions.ts';
import {
  decodeBody,
  type EdgeRequests,
  encodeRecord,
  recordVersionOf,
} from '../../schemas/records.ts';
import { beat as logBeat, states } from '../support/beats.ts';

const NOW = 1_767_225_600_000;
const limits = ingestLimits();
const projects = openProjects({
  file: '',
  host: '127.0.0.1',
  logger: { info: () => undefined, error: () => undefined },
  now: () => NOW,
  watchIntervalMs: 0,
});
const project = projects.list()[0] as Project;
const ALICE = storedViewerId(project, 'alice');

const row: KeptReject = {
  project: 'default',
  view: '',
  route: '/v1/beats',
  code: 'events_missing',
  bytes: Buffer.from('{}'),
  rejects: 1,
};

function plan(
  some: Partial<KeptReject>,
  query = '',
  known: readonly Project[] = [project],
): Replayed {
  const deps = { projects: known, partitions: 4, limits, dimensions: clientDimensions, query };
  return createReplayPlan(deps)({ ...row, ...some });
}

/** The bytes as ingest keeps them. */
function kept(text: string): Buffer {
  return hideViewerInBytes(Buffer.from(text), project, 65_536);
}

function bodiesOf({ records }: Replayed): (Beat & EdgeRequests)[] {
  return records.map(({ value }) => {
    const version = recordVersionOf(value);
    if (version === undefined) throw new Error('no record');
    return decodeBody(version, value) as Beat & EdgeRequests;
  });
}

const event = (seq: number) => `{"seq":${seq},"at":${NOW},"type":"state","state":"playing"}`;
const beat = (view: string, context = '{}') =>
  `{"view":"${view}","context":${context},"events":[${event(0)}]}`;

describe('a native reject', () => {
  it('that is an event becomes a beat of its view, whose clock is trusted', () => {
    const result = plan({ view: 'v"1', code: 'state_unknown', bytes: Buffer.from(event(7)) });
    expect(result).toMatchObject({ events: 1, again: [] });
    expect(bodiesOf(result)).toMatchObject([
      { project: 'default', view: 'v"1', trustedClock: true, context: [], events: [{ seq: 7 }] },
    ]);
  });

  it('that is several events or several beats is all of them, beyond the limits of a body', () => {
    const few = ingestLimits();
    const events = [1, 2, 3].map(event).join(', ');
    expect(plan({ view: 'v', code: 'too_many_events', bytes: Buffer.from(events) })).toMatchObject({
      events: 3,
    });
    const beats = Array.from({ length: few.beatsPerBodyMax + 5 }, (_, i) => `{"view":"${i}"}`);
    const all = `${beats.slice(0, 300).join(',')}, ${beat('last')} ] `;
    const result = plan({ code: 'too_many_beats', bytes: Buffer.from(all) });
    expect(result).toMatchObject({ events: 1 });
    expect(result.again).toHaveLength(300);
  });

  it('that is wrong still is counted and makes no record', () => {
    expect(plan({})).toMatchObject({ records: [], again: ['view_missing'] });
    expect(plan({ bytes: Buffer.from('{"a":') })).toMatchObject({
      records: [],
      again: ['body_malformed'],
    });
    expect(plan({ bytes: Buffer.from([0xc3, 0x01, 1, 2]) })).toMatchObject({
      again: ['body_malformed'],
    });
  });
});

describe('a viewer', () => {
  it('that ingest has hidden is stored as they are, and not hashed again', () => {
    const bytes = kept(beat('v', '{"viewer_user_id":"alice"}'));
    expect(bytes.toString()).toContain(ALICE);
    const [body] = bodiesOf(plan({ bytes }));
    expect(body?.context).toEqual([{ name: 'viewer_user_id', value: ALICE }]);
  });

  it('of EPAS too', () => {
    const bytes = kept(
      `{"event":"metadata","sessionId":"s","timestamp":${NOW},"payload":{"userId":"alice","contentId":"c"}}`,
    );
    const [body] = bodiesOf(plan({ route: '/v1/epas', bytes }));
    expect(JSON.stringify(body)).toContain(ALICE);
  });

  it.each([
    ['in letters that hide it', String.raw`{"viewer\u005fuser_id":"${ALICE}"}`],
    ['beside one of theirs', String.raw`{"viewer\u005fuser_id":"${ALICE}","viewer_id":"bob"}`],
    ['raw, in letters that hide it', String.raw`{"viewer\u005fid":"alice"}`],
  ])('that a client wrote %s is none that it may choose', (_name, context) => {
    expect(plan({ bytes: kept(beat('v', context)) })).toMatchObject({
      records: [],
      reason: 'viewer_unknown',
    });
  });

  it('that was kept raw is stored only where the project asks for that', () => {
    const bytes = Buffer.from(beat('v', '{"viewer_user_id":"alice"}'));
    expect(plan({ bytes })).toMatchObject({ records: [], reason: 'viewer_unknown' });
    const raw = { ...project, rawViewerIds: true };
    const [body] = bodiesOf(plan({ bytes }, '', [raw]));
    expect(body?.context).toEqual([{ name: 'viewer_user_id', value: 'alice' }]);
  });
});

describe('CMCD', () => {
  it('is taken as lines or as JSON, whatever its type was', () => {
    const line = `e=ps,sta=p,sid="v",ts=${NOW}`;
    for (const bytes of [line, JSON.stringify({ e: 'ps', sta: 'p', sid: 'v', ts: NOW })]) {
      const result = plan({ route: '/v1/cmcd', code: 'missing_ts', bytes: Buffer.from(bytes) });
      expect(bodiesOf(result)).toMatchObject([{ view: 'v', source: 'cmcd' }]);
    }
  });

  it('without a view cannot be guessed, because nothing is known of its sender', () => {
    const bytes = Buffer.from(`e=ps,sta=p,ts=${NOW}`);
    expect(plan({ route: '/v1/cmcd', bytes })).toMatchObject({
      records: [],
      reason: 'view_unknown',
    });
  });
});

describe('a line of an edge log', () => {
  const line = { route: '/v1/edge/akamai', code: 'line_columns_unexpected' };
  const bytes = Buffer.from(`${NOW / 1_000}\t200\t/seg.m4s\tcdn.example.org`);

  it('is taken with the parameters that are given now', () => {
    expect(plan({ ...line, bytes })).toMatchObject({ records: [], again: [expect.any(String)] });
    const result = plan({ ...line, bytes }, 'fields=reqTimeSec,statusCode,reqPath,reqHost');
    expect(result).toMatchObject({ edgeRequests: 1, events: 0 });
    expect(bodiesOf(result)).toMatchObject([
      {
        project: 'default',
        format: 'akamai',
        requests: [{ status: 200, host: 'cdn.example.org' }],
      },
    ]);
  });
});

describe('a record that the fold refused', () => {
  const value = encodeRecord('beat', logBeat(states([0, 'starting'], [1, 'playing'])));
  const fold = { route: 'fold', code: 'views_limit', view: 'v', bytes: value };

  it('for want of room is taken with its times', () => {
    const result = plan(fold);
    expect(result).toMatchObject({ events: 2 });
    expect(bodiesOf(result)).toMatchObject([{ view: 'v', trustedClock: true }]);
  });

  it.each([
    ['view_closed', value, 'view_closed'],
    ['time_out_of_range', Buffer.from([1]), 'part_of_record'],
    ['record_malformed', value, 'record_unreadable'],
    ['record_unknown', Buffer.from('foreign'), 'record_unreadable'],
    ['record_failed', value.subarray(0, -1), 'record_unreadable'],
    [
      'record_unknown',
      encodeRecord('forget', { project: 'default', viewer: 'x' }),
      'record_unreadable',
    ],
    ['record_failed', edge('default'), 'part_of_record'],
    ['views_limit', edge('other'), 'project_unknown'],
  ])('%s, is not, when %#', (code, bytes, reason) => {
    expect(plan({ ...fold, code, bytes })).toMatchObject({ records: [], reason });
  });

  it('is of the project of its row', () => {
    const known = [project, { ...project, id: 'other' }];
    const mine = encodeRecord('beat', { ...logBeat(states([0, 'starting'])), project: 'other' });
    const foreign = plan({ ...fold, bytes: mine }, '', known);
    expect(foreign).toMatchObject({ records: [], reason: 'project_unknown' });
    // One that could not be read then is of no project in its row.
    const unread = { ...fold, code: 'record_unknown', project: '', bytes: mine };
    expect(bodiesOf(plan(unread, '', known))).toMatchObject([{ project: 'other' }]);
  });

  it('is none, when it came as a body that only looks like one', () => {
    expect(plan({ code: 'body_malformed', bytes: value })).toMatchObject({
      records: [],
      again: ['body_malformed'],
    });
  });
});

function edge(id: string): Buffer {
  return encodeRecord('edge', { project: id, view: 'v', format: 'nginx', requests: [] });
}

describe('a row', () => {
  const whole = Buffer.alloc(limits.rejectBytesMax, ' ');
  whole.write(beat('v'));

  it.each([
    ['cut', { bytes: whole }, 'cut'],
    ['of a line that was too long', { route: '/v1/edge/nginx', code: 'line_too_long' }, 'cut'],
    ['without bytes', { bytes: Buffer.alloc(0) }, 'bytes_missing'],
    ['that sums up', { rejects: 12 }, 'summed'],
    ['that sums up those of a body', { code: 'rejects_capped' }, 'summed'],
    ['of what is compressed', { code: 'encoding_malformed' }, 'compressed'],
    ['of a project that is gone', { project: 'gone' }, 'project_unknown'],
    ['of a route that is gone', { route: '/v0/beats' }, 'route_unknown'],
  ] as const)('%s is not replayed', (_name, some, reason) => {
    expect(plan({ bytes: Buffer.from(beat('v')), ...some })).toEqual({
      records: [],
      events: 0,
      edgeRequests: 0,
      again: [],
      reason,
    });
  });
});

describe('a replay', () => {
  const good = { ...row, bytes: Buffer.from(beat('v')) };

  async function* pages(...rows: KeptReject[]) {
    for (const one of rows) yield [one];
  }

  async function run(rows: KeptReject[], { dryRun = false, takes = 100 } = {}) {
    const lines: string[] = [];
    let appended = 0;
    const append = async () => {
      if (appended >= takes) throw new LogError('log_unavailable', 'it is away');
      return { offset: appended++, appendTimeMs: NOW };
    };
    const log = { topic: 't', partitions: 4, append } as never;
    const args = { rows: pages(...rows), query: '', dryRun };
    const exit = await replayRejects({ log, projects, limits }, args, (line) => lines.push(line));
    return { exit, appended, lines };
  }

  it('says what was taken, what was refused again, and what cannot be taken and why', async () => {
    const { exit, appended, lines } = await run([good, row, { ...row, rejects: 2 }, good]);
    expect({ exit, appended }).toEqual({ exit: 0, appended: 2 });
    expect(lines).toEqual([
      '2 of 4 rejects replayed: 2 events, 0 edge requests',
      'rejected again: 1 view_missing',
      'not replayable: 1 summed, a row that stands for several has only their counts',
    ]);
  });

  it('tried only appends nothing', async () => {
    const { exit, appended, lines } = await run([good], { dryRun: true });
    expect({ exit, appended }).toEqual({ exit: 0, appended: 0 });
    expect(lines).toEqual(['1 of 1 rejects would be replayed: 1 events, 0 edge requests']);
  });

  it('of nothing that can be taken exits with 1', async () => {
    expect(await run([row])).toMatchObject({ exit: 1, appended: 0 });
    expect(await run([])).toMatchObject({ exit: 1, lines: ['no rejects'] });
  });

  it('ends where the log takes no more, and exits with 1', async () => {
    const { exit, lines } = await run([good, good, good], { takes: 1 });
    expect(exit).toBe(1);
    expect(lines[0]).toContain('1 of 1 rejects replayed');
    expect(lines.at(-1)).toContain('it is away');
  });
});
