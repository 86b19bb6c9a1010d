/** Troubles of a file: to be seen in lines and reports where they are planted, and nowhere else. */
import { describe, expect, it } from 'vitest';
import { parseCdnFile } from '../../../../ingest/clients/cdn-file.ts';
import { DEFAULT_CDNS } from '../../../../ingest/clients/simulation/cdn-defaults.ts';
import type { StruckRequest } from '../../../../ingest/clients/simulation/truth.ts';
import { type Line, linesOf, play, type RequestEvent, requestsOf, START_AT_MS } from './played.ts';

const TROUBLES = [
  {
    kind: 'origin_slow',
    cdn: 'alder',
    fromSeconds: 40,
    untilSeconds: 100,
    addedMs: 2_000,
    errorShare: 0.4,
    errorStatus: 502,
  },
  {
    kind: 'bad_edge',
    pop: 'iad-alder',
    fromSeconds: 110,
    untilSeconds: 170,
    addedMs: 900,
    errorShare: 0.2,
  },
  {
    kind: 'bad_network',
    asn: 64_512,
    fromSeconds: 180,
    untilSeconds: 230,
    rateShare: 0.2,
    rttAddedMs: 400,
    lossShare: 0.001,
    noAnswerShare: 0.1,
  },
] as const;

function plan() {
  const result = parseCdnFile(JSON.stringify({ troubles: TROUBLES }), DEFAULT_CDNS);
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.plan;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const { items, truth } = play({
  seed: 7,
  viewers: 200,
  durationMs: 240_000,
  cmcdShare: 0,
  troubles: plan().troubles,
});
const lines = linesOf(items);
const requests = requestsOf(items);
const struck = truth.struck_requests ?? [];

/** Whether a line's request was made while a trouble was there, as near as the way lets the edge know it. */
function isDuring({ time, duration }: Line, trouble: number): boolean {
  const { from = 0, until = 0 } = truth.troubles[trouble] ?? {};
  const came = time - duration;
  return from <= came && came <= until + 3_000;
}

const pathOf = (url: string): string => new URL(url).pathname;
const nameOf = (view: string, path: string, at: number): string => `${view} ${path} ${at}`;
const askedAt = ({ at, ttlb }: RequestEvent): number => at - ttlb;

const struckBy = (trouble: number): StruckRequest[] =>
  struck.filter((request) => request.trouble === trouble);

function reportsStruckBy(trouble: number): RequestEvent[] {
  const names = new Set(struckBy(trouble).map((one) => nameOf(one.view_id, one.path, one.at)));
  return requests.filter((one) => names.has(nameOf(one.view, pathOf(one.url), askedAt(one))));
}

const allStruck = new Set(struck.map((one) => nameOf(one.view_id, one.path, one.at)));
const unstruck = requests.filter(
  (one) => !allStruck.has(nameOf(one.view, pathOf(one.url), askedAt(one))),
);

/** What a player reports of a request beside what its edge logs of it: the nth of a view is the nth. */
interface Pair {
  readonly name: string;
  readonly at: number;
  readonly line: Line;
}

function pairs(): Pair[] {
  const logged = new Map<string, Line>();
  for (const line of lines) {
    const [, view, number] = /sid%3D%22([^%]+)%22%2Csn%3D(\d+)/.exec(line.url) ?? [];
    logged.set(`${view} ${number}`, line);
  }
  const counts = new Map<string, number>();
  return requests.map((request) => {
    const { view, url } = request;
    const number = counts.get(view) ?? 0;
    counts.set(view, number + 1);
    const line = logged.get(`${view} ${number}`);
    if (line === undefined) throw new Error(`no line for request ${number} of ${view}`);
    const at = askedAt(request);
    return { name: nameOf(view, pathOf(url), at), at, line };
  });
}

describe('planted troubles', { timeout: 60_000 }, () => {
  it('are all that is planted, each with its hop and the requests that it struck', () => {
    expect(truth.troubles.map(({ kind, hop, from }) => [kind, hop, from - START_AT_MS])).toEqual([
      ['origin_slow', 'origin', 40_000],
      ['bad_edge', 'edge', 110_000],
      ['bad_network', 'network', 180_000],
    ]);
    for (const [index, { hop, from, until }] of truth.troubles.entries()) {
      const own = struckBy(index);
      expect(own.length).toBeGreaterThan(20);
      for (const one of own) {
        expect(one.hop).toBe(hop);
        expect(one.at).toBeGreaterThanOrEqual(from);
        expect(one.at).toBeLessThan(until);
      }
    }
    expect(truth.struck_requests_left_out).toBe(0);
  });

  const strikes: readonly ((line: Line) => boolean)[] = [
    ({ cdn, cache }) => cdn === 'alder' && cache === 'MISS',
    ({ pop }) => pop === 'iad-alder',
    ({ asn }) => asn === '64512',
  ];
  it.each([0, 1, 2])(
    'strike each request that goes that way, and no other (trouble %i)',
    (index) => {
      const { from = 0, until = 0 } = truth.troubles[index] ?? {};
      const all = pairs();
      const reported = new Set(all.map(({ name }) => name));
      const wanted = all.filter(
        ({ at, line }) => from <= at && at < until && strikes[index]?.(line) === true,
      );
      const found = struckBy(index).map((one) => nameOf(one.view_id, one.path, one.at));
      // Of a viewer who vanished, the last requests are known to the edge only.
      expect(new Set(found.filter((name) => reported.has(name)))).toEqual(
        new Set(wanted.map(({ name }) => name)),
      );
    },
  );

  it('leave the reports of all other requests as they are', () => {
    expect(unstruck.length).toBeGreaterThan(5_000);
    expect(unstruck.filter(({ status }) => status === 502 || status === 503)).toEqual([]);
    expect(median(unstruck.map(({ ttfb = 0 }) => ttfb))).toBeLessThan(100);
  });

  it('of an origin add to the wait for it, on misses of that CDN only, and fail some of them', () => {
    const isMiss = ({ cache, origin }: Line): boolean => cache === 'MISS' && origin !== undefined;
    const isHere = (line: Line): boolean => line.cdn === 'alder' && isDuring(line, 0);
    const inside = lines.filter((line) => isMiss(line) && isHere(line));
    const outside = lines.filter((line) => isMiss(line) && !isHere(line));
    expect(median(inside.map(({ origin = 0 }) => origin))).toBeGreaterThan(
      1_500 + median(outside.map(({ origin = 0 }) => origin)),
    );
    const hits = lines.filter((line) => line.cache === 'HIT' && isHere(line));
    expect(median(hits.map(({ ttfb = 0 }) => ttfb))).toBeLessThan(20);
    const failed = lines.filter(({ status }) => status === 502);
    expect(failed.length).toBeGreaterThan(3);
    for (const line of failed) expect([line.cache, isHere(line)]).toEqual(['MISS', true]);
    const reports = reportsStruckBy(0);
    expect(median(reports.map(({ ttfb = 0 }) => ttfb))).toBeGreaterThan(1_500);
    expect(new Set(reports.map(({ cdn }) => cdn))).toEqual(new Set(['alder']));
    expect(reports.filter(({ status }) => status === 502).length).toBeGreaterThan(3);
  });

  it('of an edge add to the time before its first byte, whatever it has, and fail some', () => {
    const isHere = (line: Line): boolean => line.pop === 'iad-alder' && isDuring(line, 1);
    const inside = lines.filter((line) => isHere(line) && line.cache === 'HIT');
    expect(median(inside.map(({ ttfb = 0 }) => ttfb))).toBeGreaterThan(500);
    const others = lines.filter((line) => isDuring(line, 1) && line.pop !== 'iad-alder');
    expect(median(others.map(({ ttfb = 0 }) => ttfb))).toBeLessThan(30);
    const failed = lines.filter(({ status }) => status === 503);
    expect(failed.length).toBeGreaterThan(3);
    for (const line of failed)
      expect([line.cache, line.origin, isHere(line)]).toEqual(['', undefined, true]);
    const reports = reportsStruckBy(1);
    expect(median(reports.map(({ ttfb = 0 }) => ttfb))).toBeGreaterThan(500);
    expect(reports.some(({ status }) => status === 503)).toBe(true);
  });

  it('of an access network add to the way on every CDN, and the edges see nothing but slow clients', () => {
    const isHere = (line: Line): boolean => line.asn === '64512' && isDuring(line, 2);
    const inside = lines.filter(isHere);
    const before = lines.filter((line) => line.asn === '64512' && !isHere(line));
    expect(new Set(inside.map(({ cdn }) => cdn)).size).toBe(3);
    const rate = ({ bytes, duration }: Line): number => bytes / Math.max(1, duration);
    expect(median(inside.map(rate))).toBeLessThan(median(before.map(rate)) / 2);
    const first = (some: readonly Line[]): number => median(some.map(({ ttfb = 0 }) => ttfb));
    expect(Math.abs(first(inside) - first(before))).toBeLessThan(10);
    const reports = reportsStruckBy(2);
    expect(median(reports.map(({ ttfb = 0 }) => ttfb))).toBeGreaterThan(350);
    expect(
      reports.filter(({ status, bytes }) => status === 0 && bytes === 0).length,
    ).toBeGreaterThan(3);
    const lost = lines.filter(
      ({ status, aborted, bytes, ttfb }) =>
        status === 200 && aborted === '1' && bytes === 0 && ttfb !== undefined,
    );
    expect(lost.filter(isHere).length).toBeGreaterThan(3);
  });
});
