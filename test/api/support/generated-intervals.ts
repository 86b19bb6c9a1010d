/**
 * Interval rows, gauges and epochs made up from a seed, and a server that asks about them.
 *
 * The time is far ahead: rows of `viewers_now` live an hour of the real clock.
 */
import fastify, { type FastifyInstance } from 'fastify';
import {
  type ApiDeps,
  createApiCounters,
  type MonitoringLimits,
  QUERY_LIMITS,
  registerApi,
} from '../../../api/api.ts';
import { Registry } from '../../../platform/metrics/registry.ts';
import { openProjects } from '../../../platform/projects.ts';
import type { Store } from '../../../platform/store/store.ts';
import { sketchBucket } from '../../../schemas/sketch.ts';
import { playbackSums } from '../../../schemas/tables/tables.ts';
import { type RowObject, seeded } from '../../support/rows.ts';

/** 2099-03-10T12:00:03.700Z: when the tests ask. */
export const NOW_MS = Date.UTC(2099, 2, 10, 12, 0, 3, 700);
export const WINDOW_MS = 5_000;
export const EPOCH_MS = 2_000;
/** Log time of the newest epoch of each partition; the last ends, like every fifth before it, with a window. */
export const NEWEST_MS = [NOW_MS - 1_000, NOW_MS - 3_300, NOW_MS - 3_700] as const;
/** Windows that end by then are complete. */
export const COMPLETE_MS = Math.min(...NEWEST_MS) - 30_000;

const FIRST_WINDOW_MS = Math.floor(NOW_MS / WINDOW_MS) * WINDOW_MS - 40 * 60_000;
const EPOCHS = 300;

type Random = () => number;
const whole = (random: Random, max: number): number => Math.floor(random() * max);
const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[whole(random, items.length)] as Item;

function tuple(random: Random): RowObject {
  return {
    country: pick(random, ['', 'DE', 'FR', "O'Brien\\land"]),
    cdn: pick(random, ['fastly', 'akamai', '']),
    operating_system: pick(random, ['macOS', 'Windows']),
    stream_type: pick(random, ['live', 'on-demand']),
  };
}

const fine = (random: Random): RowObject => ({
  video_id: `video-${whole(random, 3)}`,
  asn: String(64_512 + whole(random, 3)),
});

function sketch(random: Random, typical: number, weight: number): Map<number, number> {
  const buckets = new Map<number, number>();
  for (let index = whole(random, 5); index > 0; index--) {
    const bucket = sketchBucket(Math.round(typical * 4 * random() ** 2));
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1 + whole(random, weight));
  }
  return buckets;
}

function sums(random: Random): Record<string, number> {
  const viewers = 1 + whole(random, 40);
  const playing = whole(random, viewers * WINDOW_MS);
  const rebuffer = pick(random, [0, whole(random, viewers * 800)]);
  const known = pick(random, [0, playing]);
  const decided = whole(random, 9);
  return {
    viewers,
    starting_viewers: whole(random, viewers),
    viewing_ms: playing + rebuffer + whole(random, 900),
    playing_ms: playing,
    rebuffer_ms: rebuffer,
    rebuffer_starts: whole(random, 5),
    bitrate_bit_ms: known * whole(random, 8_000_000),
    bitrate_known_ms: known,
    latency_ms_ms: known * whole(random, 30_000),
    latency_known_ms: known,
    views_started: decided,
    views_ended: whole(random, 5),
    views_decided: decided,
    exits_before_start: whole(random, decided),
    startup_failures: whole(random, decided),
    failures: whole(random, decided),
  };
}

function row(project: string, atMs: number, random: Random): RowObject {
  return {
    project,
    window: atMs / 1_000,
    ...tuple(random),
    ...fine(random),
    ...sums(random),
    startup_sketch: sketch(random, 2_000, 3),
    latency_sketch: sketch(random, 9_000, 5_000),
    bitrate_sketch: sketch(random, 3_000, 5_000),
    ttfb_sketch: sketch(random, 120, 20),
    _partition: whole(random, 3),
    _epoch: 1 + whole(random, EPOCHS),
  };
}

const SKETCHES = ['startup_sketch', 'latency_sketch', 'bitrate_sketch', 'ttfb_sketch'];

/** Takes back some of a row, in the same window and tuple; of its sketches now and then more than there was. */
function correction(of: RowObject, random: Random): RowObject {
  const part = random();
  const taken = playbackSums.map(({ name }) => [name, -Math.floor(Number(of[name]) * part)]);
  const sketches = SKETCHES.map((name) => [
    name,
    new Map(
      [...(of[name] as Map<number, number>)].map(([key, weight]) => [
        key,
        -pick(random, [0, weight, weight + 1]),
      ]),
    ),
  ]);
  return { ...of, ...Object.fromEntries(taken), ...Object.fromEntries(sketches) };
}

/** Rows of 40 minutes up to now, the windows that still fill too; here and there a window without any. */
export function generatePlayback(project: string, seed: number): RowObject[] {
  const random = seeded(seed);
  const rows: RowObject[] = [];
  for (let atMs = FIRST_WINDOW_MS; atMs < NOW_MS; atMs += WINDOW_MS) {
    if (random() < 0.05) continue;
    for (let count = 1 + whole(random, 4); count > 0; count--) {
      const one = row(project, atMs, random);
      rows.push(one);
      if (random() < 0.3) rows.push(correction(one, random));
    }
  }
  return rows;
}

/** Ten minutes of epochs of three partitions, and of an older topic that must not count. */
export function generateEpochs(): RowObject[] {
  const current = NEWEST_MS.flatMap((newestMs, partition) =>
    Array.from({ length: EPOCHS }, (_, index) => ({
      topic: 'new',
      _partition: partition,
      _epoch: index + 1,
      log_time: newestMs - (EPOCHS - 1 - index) * EPOCH_MS,
      open_since: newestMs,
    })),
  );
  const old = { topic: 'old', _partition: 0, _epoch: 900, log_time: NOW_MS - 86_400_000 };
  return [...current, { ...old, open_since: old.log_time }];
}

/** A gauge for each epoch. Partition 1 holds no viewers for long stretches, the newest among them. */
export function generateGauges(project: string, seed: number): RowObject[] {
  const random = seeded(seed);
  return generateEpochs()
    .filter(({ topic }) => topic === 'new')
    .filter(({ _partition, _epoch }) => _partition !== 1 || (Number(_epoch) + 19) % 40 < 20)
    .flatMap(({ _partition, _epoch, log_time }) =>
      Array.from({ length: 1 + whole(random, 2) }, () => ({
        project,
        at: log_time as number,
        ...tuple(random),
        starting: whole(random, 9),
        playing: whole(random, 90),
        rebuffering: whole(random, 9),
        seeking: whole(random, 4),
        paused: whole(random, 20),
        _partition: _partition as number,
        _epoch: _epoch as number,
      })),
    );
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The query side at `NOW_MS`. */
export async function startAt(
  store: Store,
  options: Partial<ApiDeps> & { readonly monitoring?: Partial<MonitoringLimits> } = {},
): Promise<FastifyInstance> {
  const server = fastify({ forceCloseConnections: 'idle' });
  const now = (): number => NOW_MS;
  await server.register(registerApi, {
    store,
    projects: openProjects({ file: '', host: '127.0.0.1', logger: silent, now }),
    now,
    logger: silent,
    limits: QUERY_LIMITS,
    hosts: [],
    counters: createApiCounters(),
    operators: { checks: [], registry: new Registry() },
    ...options,
  });
  await server.ready();
  return server;
}
