import { describe, expect, it } from 'vitest';
import { decodeEdgeRequest } from '../../schemas/records.ts';
import { beat, states, T0 } from '../support/beats.ts';
import { edgeRecord as edge, edgeRequest as request } from '../support/edge-requests.ts';
import { type Delivery, foldDeliveries } from '../support/fold.ts';

describe('edge requests', () => {
  const events = states([0, 'starting'], [100, 'playing'], [8_000, 'ended']);
  const player: Delivery = { atMs: T0 + 8_000, beat: beat(events) };

  it('join the timeline of the view that they name, before its beats or after', () => {
    for (const order of [
      [player, edge(9_000, [request(500), request(900)])],
      [edge(7_000, [request(500), request(900)]), player],
    ]) {
      const result = foldDeliveries(order);
      const row = result.view('v');
      expect(row).toMatchObject({
        source: 'native',
        playing_ms: 7_900,
        edge_request_count: 2,
        edge_bytes: 2_000,
      });
      const listed = result.eventRows.filter(({ lane }) => lane === 'edge');
      expect(listed.map(({ at }) => at)).toEqual([T0 + 400, T0 + 800]);
      expect(decodeEdgeRequest(Buffer.from(String(listed[0]?.parts), 'latin1')).path).toBe(
        '/seg.m4s',
      );
    }
  });

  it('count once when their line is sent again', () => {
    const again = request(500);
    const result = foldDeliveries([
      player,
      edge(9_000, [again]),
      edge(10_000, [again, request(700)]),
    ]);
    expect(result.view('v')).toMatchObject({ edge_request_count: 2 });
  });

  it('say where a view was, over which CDN and what it showed, the last of them first', () => {
    const cmcd = { cid: '"a \\"film\\""', st: 'l', sf: 'd' };
    const first = request(500, { country: 'SE', asn: '64500', cdn: 'akamai', pop: 'ARN' }, cmcd);
    const last = request(900, { country: 'NO', cdn: 'fastly' });
    const said = {
      country: 'NO',
      asn: '64500',
      cdn: 'fastly',
      view_cdn_edge_pop: 'ARN',
      video_id: 'a "film"',
      stream_type: 'live',
      source_type: 'dash',
    };
    for (const requests of [
      [first, last],
      [last, first],
    ]) {
      const result = foldDeliveries([edge(5_000, requests)]);
      expect(result.view('v')).toMatchObject({ source: 'cmcd1', ...said });
    }
  });

  it('never say what the player says, or what was found out of it', () => {
    const context = [
      { name: 'country', value: 'DE' },
      { name: '~cdn', value: 'cloudfront' },
    ];
    const told: Delivery = { atMs: T0 + 8_000, beat: beat(events, { context }) };
    const requests = [request(500, { country: 'SE', cdn: 'akamai', asn: '64500' })];
    for (const order of [
      [told, edge(9_000, requests)],
      [edge(7_000, requests), told],
    ]) {
      const row = foldDeliveries(order).view('v');
      expect(row).toMatchObject({ country: 'DE', cdn: 'cloudfront', asn: '64500' });
    }
  });

  it('give a view of its own figures when nothing else tells of it, marked by their source', () => {
    const media = { ot: 'v', d: '4000' };
    const result = foldDeliveries([
      edge(5_000, [
        request(500, { bytes: 100 }, { su: '?1', ot: 'm' }),
        request(1_000, {}, { ...media, br: '(1000)', bl: '(2000)', mtp: '5000' }),
        request(4_000, {}, { ...media, br: '3000;v', bs: '', bl: '4000' }),
        request(4_500, { status: 404 }, { ot: 'a', d: '4000', br: '64' }),
      ]),
    ]);
    expect(result.view('v')).toMatchObject({
      source: 'cmcd1',
      outcome: 'stateless',
      closed: 1,
      view_start: T0 + 400,
      view_end: T0 + 4_500,
      edge_request_count: 4,
      edge_error_count: 1,
      edge_media_ms: 8_000,
      edge_bitrate_bit_ms: 1_000_000 * 4_000 + 3_000_000 * 4_000,
      edge_starvation_count: 1,
      edge_startup_request_count: 1,
      edge_buffer_sum_ms: 6_000,
      edge_buffer_count: 2,
      edge_throughput_sum_kbps: 5_000,
    });
    expect(result.playbackRows).toEqual([]);
  });

  it('make no view when they name none', () => {
    const result = foldDeliveries([edge(5_000, [request(500)], '')]);
    expect(result.viewRows).toEqual([]);
    expect(result.fold.beats.edge.counters.requestsWithoutView).toBe(1);
  });
});
