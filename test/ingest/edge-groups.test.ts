import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EdgeGroup, EdgeGroups, lineBytesMaxOf } from '../../ingest/edge-groups.ts';
import { readNginxLine } from '../../ingest/formats/edge-nginx.ts';
import type { KeyGrant } from '../../platform/projects.ts';
import { bodiesOf } from './ingest-server.ts';

const RECORD_BYTES_MAX = 4_096;
const PROJECT = { id: 'p'.repeat(64), rawViewerIds: false };
const ORIGIN = {
  grant: { project: PROJECT, keyId: 'k', trustClock: false } as unknown as KeyGrant,
  route: '/v1/edge/nginx',
  partitions: 4,
};

function groups(requestsPerRecordMax = 200) {
  return new EdgeGroups(ORIGIN, { requestsPerRecordMax, recordBytesMax: RECORD_BYTES_MAX });
}

function read(line: Buffer) {
  return readNginxLine(line, { stringLengthMax: 16_384, note: () => undefined });
}

function put(target: EdgeGroups, view: string, host: string): EdgeGroup | undefined {
  const line = Buffer.from(JSON.stringify({ msec: 1, status: 200, host }));
  const result = read(line);
  if (result.kind !== 'request') throw new Error('not a request');
  return target.add(view, result.request, line.length);
}

describe('groups of edge requests', () => {
  it('hold one view each, in the order of the log, and go when they are full', () => {
    const open = groups(2);
    expect(put(open, 'a', '1')).toBeUndefined();
    expect(put(open, 'b', '2')).toBeUndefined();
    expect(put(open, 'a', '3')).toBeUndefined();
    const full = put(open, 'a', '4');
    expect(full?.view).toBe('a');
    expect(full?.requests.map(({ host }) => host)).toEqual(['1', '3']);
    expect(open.count).toBe(2);
    expect(open.takeOldest()?.view).toBe('b');
    expect(open.takeOldest()?.requests.map(({ host }) => host)).toEqual(['4']);
    expect([open.takeOldest(), open.count, open.lineBytes]).toEqual([undefined, 0, 0]);
  });

  it('without a view are one for each partition, and the same line goes to the same', () => {
    const partitions = () => {
      const open = groups();
      for (let index = 0; index < 40; index++) put(open, '', `h${index}`);
      const taken: [number, string[]][] = [];
      for (let group = open.takeOldest(); group !== undefined; group = open.takeOldest()) {
        taken.push([group.partition, group.requests.map(({ host }) => host)]);
      }
      return taken;
    };
    const first = partitions();
    expect(first.map(([partition]) => partition).sort()).toEqual([0, 1, 2, 3]);
    expect(partitions()).toEqual(first);
  });

  it('never make a record that is too large, whatever the lines say', () => {
    const lineBytesMax = lineBytesMaxOf(RECORD_BYTES_MAX);
    // A byte of Latin-1 becomes two; short keys without a value grow most.
    const latin = fc.nat({ max: 300 }).map((length) => 'ü'.repeat(length));
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), latin);
    const cmcd = fc
      .array(fc.constantFrom('a', 'b', 'br=1', 'bl=(1 2)', 'z="ü"', 'sid="ü"'), { maxLength: 300 })
      .map((keys) => keys.map((key, index) => (key.length === 1 ? `${key}${index}` : key)).join());
    const field = fc.constantFrom('host', 'request_uri', 'cdn', 'pop', 'request_method', 'asn');
    const line = fc
      .tuple(fc.dictionary(field, value), cmcd)
      .map(([fields, http_cmcd_object]) =>
        Buffer.from(JSON.stringify({ msec: 1, status: 1, http_cmcd_object, ...fields }), 'latin1'),
      )
      .filter((bytes) => bytes.length <= lineBytesMax);
    fc.assert(
      fc.property(fc.array(line, { minLength: 10, maxLength: 60 }), (lines) => {
        const open = groups();
        const records: Buffer[] = [];
        const keep = (group: EdgeGroup | undefined) => {
          if (group !== undefined) records.push(open.recordOf(group, 'nginx').value);
        };
        let taken = 0;
        for (const bytes of lines) {
          const result = read(bytes);
          if (result.kind !== 'request') continue;
          taken++;
          keep(open.add(result.view, result.request, bytes.length));
        }
        for (let group = open.takeOldest(); group; group = open.takeOldest()) keep(group);
        expect(Math.max(0, ...records.map(({ length }) => length))).toBeLessThanOrEqual(
          RECORD_BYTES_MAX,
        );
        const requests = bodiesOf('edge', records).flatMap((body) => body.requests);
        expect(requests).toHaveLength(taken);
      }),
      { numRuns: 200 },
    );
  });
});
