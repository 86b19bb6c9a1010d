import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { urlKeyOf } from '../../../processors/delivery/url-key.ts';
import { part } from '../../../schemas/beat.ts';
import { deliverySums } from '../../../schemas/tables/delivery.ts';
import { beat, response, states, T0 } from '../../support/beats.ts';
import { edgeRecord, edgeRequest } from '../../support/edge-requests.ts';
import { type Concluded, type Delivery, foldDeliveries } from '../../support/fold.ts';

const MINUTE_MS = 60_000;
const context = [
  { name: 'cdn', value: 'akamai' },
  { name: 'country', value: 'SE' },
  { name: 'player_name', value: 'web' },
  { name: 'video_id', value: 'film' },
];
const player = (atMs: number): Delivery => ({
  atMs: T0 + atMs,
  beat: beat(states([0, 'starting'], [100, 'playing'], [8_000, 'ended']), { context }),
});

/** Sums over all rows of a source by the values of some dimensions; combinations that sum to nothing left out. */
function sums({ deliveryRows }: Concluded, by: readonly string[], source = 'edge') {
  const groups = new Map<string, Record<string, number>>();
  for (const row of deliveryRows.filter((entry) => entry.source === source)) {
    const key = by.map((name) => String(row[name])).join(' ');
    const group = groups.get(key) ?? {};
    for (const { name } of deliverySums) group[name] = (group[name] ?? 0) + Number(row[name]);
    groups.set(key, group);
  }
  return new Map([...groups].filter(([, group]) => Object.values(group).some((sum) => sum !== 0)));
}

describe('what was delivered', () => {
  it('stands under the dimensions of the view, whatever came first', () => {
    for (const order of [
      [player(8_000), edgeRecord(9_000, [edgeRequest(500), edgeRequest(6_000)])],
      [edgeRecord(7_000, [edgeRequest(500), edgeRequest(6_000)]), player(8_000)],
      [edgeRecord(900, [edgeRequest(500)]), player(8_000), edgeRecord(8_001, [edgeRequest(6_000)])],
    ]) {
      const result = foldDeliveries(order);
      const by = sums(result, ['window', 'cdn', 'country', 'player_name', 'video_id']);
      expect([...by.keys()].sort()).toEqual([
        `${T0 / 1_000} akamai SE web film`,
        `${T0 / 1_000 + 5} akamai SE web film`,
      ]);
      expect(by.get(`${T0 / 1_000} akamai SE web film`)).toMatchObject({
        requests: 1,
        bytes: 1_000,
        ttfb_sum_ms: 20,
        ttfb_count: 1,
      });
    }
  });

  it('is taken back from where it was, in rows', () => {
    const { deliveryRows } = foldDeliveries([
      edgeRecord(1_000, [edgeRequest(500, { cdn: 'fastly' })]),
      // An epoch later.
      player(8_000),
    ]);
    const rows = deliveryRows.map(({ requests, cdn, country }) => [requests, cdn, country]);
    expect(rows).toEqual([
      [1, 'fastly', ''],
      [-1, 'fastly', ''],
      [1, 'fastly', 'SE'],
    ]);
    expect(deliveryRows[1]?.ttfb_sketch).toEqual([[expect.any(Number), -1]]);
  });

  it('joins a view that is long gone, for as long as its id is remembered', () => {
    const late = edgeRecord(100 * MINUTE_MS, [edgeRequest(500, { bytes: 7 })]);
    const result = foldDeliveries([player(8_000), late]);
    expect(
      [...sums(result, ['country', 'player_name'])].map(([key, { bytes }]) => [key, bytes]),
    ).toEqual([['SE web', 7]]);
    expect(result.requestRows).toMatchObject([{ view_id: 'v', bytes: 7, source: 'edge' }]);
    expect(result.rejects).toEqual([]);
    expect(result.fold.counters().edgeRequestsLate).toBe(1);
    expect(result.view('v')).toMatchObject({ edge_request_count: 0 });
  });

  it('is what the log says where no view is named', () => {
    const request = edgeRequest(
      500,
      { cdn: 'fastly', country: 'NO', asn: '64500', pop: 'OSL', cache: 'miss', path: '/a.mpd' },
      { cid: '"film"' },
    );
    const result = foldDeliveries([edgeRecord(900, [request], '')]);
    expect(result.deliveryRows).toMatchObject([
      {
        source: 'edge',
        cdn: 'fastly',
        country: 'NO',
        asn: '64500',
        view_cdn_edge_pop: 'OSL',
        video_id: 'film',
        object_type: 'manifest',
        status_class: '2xx',
        origin_bytes: 1_000,
        cache_requests: 1,
        hit_requests: 0,
      },
    ]);
    expect(result.requestRows).toMatchObject([
      { view_id: '', cache: 'miss', object_type: 'manifest' },
    ]);
  });

  it('counts each request once when lines are sent again', () => {
    const again = edgeRequest(500);
    const result = foldDeliveries([
      edgeRecord(900, [again]),
      player(8_000),
      edgeRecord(9_000, [again, again]),
    ]);
    expect([...sums(result, []).values()]).toMatchObject([{ requests: 1 }]);
    expect(result.requestRows).toHaveLength(1);
  });

  it('has the same key from both sides, whatever host, query or escaping', () => {
    const keys = [
      'https://a.example/x/seg%201.m4s?token=1',
      '//b.example:8443/x/seg 1.m4s',
      '/x/seg 1.m4s#t',
    ].map(urlKeyOf);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toBeGreaterThan(0);
    expect([urlKeyOf('https://a.example'), urlKeyOf(''), urlKeyOf('/')]).toEqual([0, 0, 0]);
    expect(urlKeyOf('/x/%')).toBe(urlKeyOf('https://h/x/%'));
  });

  it('takes what the player reports as a source of its own, from when the request began', () => {
    const request = part.request({
      kind: 'segment',
      status: 200,
      bytes: 5_000,
      ttfb: 40,
      ttlb: 900,
      url: 'https://cdn.example/seg.m4s',
      cdn: 'fastly',
    });
    const rr = response(
      0,
      6_000,
      request,
      part.custom({ name: 'hop_delays_ms', value: 'o=30 e=5' }),
    );
    const main = states([0, 'starting'], [100, 'playing'], [8_000, 'ended']);
    const sent = beat([...main, rr], { context, source: 'cmcd' });
    const result = foldDeliveries([
      { atMs: T0 + 8_000, beat: sent },
      edgeRecord(9_000, [edgeRequest(6_900, { durationMs: 890 })]),
    ]);
    const mine = result.requestRows.filter(({ source }) => source === 'player');
    expect(mine).toMatchObject([
      { view_id: 'v', at: T0 + 6_000, bytes: 5_000, total_ms: 900, hop_ms: 35, hop_origin_ms: 30 },
    ]);
    const theirs = result.requestRows.filter(({ source }) => source === 'edge');
    expect(theirs).toMatchObject([{ at: T0 + 6_010, url_key: mine[0]?.url_key }]);
    expect([...sums(result, ['cdn', 'country'], 'player').values()]).toMatchObject([
      { requests: 1, bytes: 5_000, transfer_ms: 900 },
    ]);
  });

  it('keeps what it held within its limits, and counts the rest', () => {
    const requests = Array.from({ length: 5 }, (_, index) => edgeRequest(500 + index));
    const order = [edgeRecord(900, requests), player(8_000)];
    const { fold, ...result } = foldDeliveries(order, { settings: { heldRequestsPerViewMax: 3 } });
    expect(fold.counters().requestsNotHeld).toBe(2);
    const by = sums({ ...result, fold }, ['country']);
    expect([by.get('SE')?.requests, by.get('')?.requests]).toEqual([3, 2]);
  });

  it('becomes (other) beyond the cells of an epoch, and loses nothing', () => {
    const requests = Array.from({ length: 60 }, (_, index) =>
      edgeRequest(500, { asn: String(index), country: `C${index}`, cdn: 'fastly', bytes: 1e13 }),
    );
    const settings = { deliveryCellsMax: 10 };
    const result = foldDeliveries([edgeRecord(900, requests, '')], { settings });
    expect(result.deliveryRows.length).toBeLessThanOrEqual(2 * 10 + 1);
    expect([...sums(result, []).values()]).toMatchObject([{ requests: 60, bytes: 60e13 }]);
    expect(result.fold.counters().deliveryCellsCut).toBe(50);
  });

  it('goes on in another row where a sum grows beyond what a number holds', () => {
    const requests = Array.from({ length: 1_000 }, () => edgeRequest(500, { bytes: 1e13 }));
    const { deliveryRows } = foldDeliveries([edgeRecord(900, requests, '')]);
    expect(deliveryRows.length).toBeGreaterThan(1);
    const total = deliveryRows.reduce((sum, row) => sum + BigInt(Number(row.bytes)), 0n);
    expect(total).toBe(10_000_000_000_000_000n);
  });
});

/** Records of a few views, edges and players of each, in any order, lines sent again among them. */
const world = fc
  .array(
    fc.record({
      view: fc.constantFrom('a', 'b', ''),
      atMs: fc.integer({ min: 0, max: 20 * MINUTE_MS }),
      player: fc.boolean(),
      lines: fc.array(
        fc.record({ id: fc.integer({ min: 0, max: 30 }), ms: fc.integer({ min: 0, max: 60_000 }) }),
        { maxLength: 6 },
      ),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((list) => list.toSorted((one, other) => one.atMs - other.atMs));

describe('delivery as a whole', () => {
  it('tells of every request once, in windows and one by one, whatever comes when', () => {
    fc.assert(
      fc.property(world, (list) => {
        const known = new Map<number, ReturnType<typeof edgeRequest>>();
        const order = list.map(({ view, atMs, player: plays, lines }): Delivery => {
          if (plays && view !== '') {
            const name = { name: 'player_name', value: `p${view}` };
            const events = states([0, 'starting'], [100, 'playing'], [8_000, 'paused']);
            return { atMs: T0 + atMs, beat: beat(events, { view, context: [name] }) };
          }
          const requests = lines.map(({ id, ms }) => {
            const request = known.get(id) ?? edgeRequest(ms, { bytes: 2 ** id, cache: 'hit' });
            known.set(id, request);
            return request;
          });
          return edgeRecord(atMs, requests, view);
        });
        const result = foldDeliveries(order, { settings: { edgeDedupMs: 60 * MINUTE_MS } });
        const given = new Set(order.flatMap(({ edge }) => edge?.requests ?? []));
        const bytes = [...given].reduce((sum, request) => sum + request.bytes, 0);
        const total = sums(result, []).get('');
        expect([total?.requests ?? 0, total?.hit_bytes ?? 0]).toEqual([given.size, bytes]);
        expect(result.requestRows.length).toBe(given.size);
        // Views whose player told of itself have all of theirs under its name.
        const byName = sums(result, ['player_name']);
        for (const view of ['a', 'b']) {
          if (!order.some(({ beat: one }) => one?.view === view)) continue;
          const theirs = result.requestRows.filter(({ view_id }) => view_id === view).length;
          expect(byName.get(`p${view}`)?.requests ?? 0).toBe(theirs);
        }
      }),
      { numRuns: 150, seed: 9 },
    );
  });
});
