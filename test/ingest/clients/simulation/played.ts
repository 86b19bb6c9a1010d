/** A simulation played to its end, and its messages read by the decoders of ingest, as beats in the order of arrival. */

import type { SimulationItem } from '../../../../ingest/clients/simulation/reports.ts';
import {
  Simulation,
  type SimulationOptions,
} from '../../../../ingest/clients/simulation/simulation.ts';
import type { Truth } from '../../../../ingest/clients/simulation/truth.ts';
import type { ViewTruth } from '../../../../ingest/clients/simulation/view-figures.ts';
import { decodeCmcdBody } from '../../../../ingest/formats/cmcd.ts';
import type { FormatBeat, FormatResult } from '../../../../ingest/formats/format.ts';
import { createNativeFormat } from '../../../../ingest/formats/native.ts';
import { clientDimensions } from '../../../../schemas/catalogue/dimensions.ts';
import type { Delivery } from '../../../support/fold.ts';

export const START_AT_MS = 1_767_225_600_000;

export interface Played {
  readonly items: readonly SimulationItem[];
  readonly truth: Truth;
  readonly views: readonly ViewTruth[];
}

/** Plays it in steps of some ms. */
export function play(options: Partial<SimulationOptions> = {}, stepMs = 700): Played {
  const durationMs = options.durationMs ?? 240_000;
  const simulation = new Simulation({
    seed: 1,
    viewers: 80,
    startAtMs: START_AT_MS,
    keepsViews: true,
    ...options,
    durationMs,
  });
  const items: SimulationItem[] = [];
  for (let atMs = 0; atMs < durationMs; atMs += stepMs) items.push(...simulation.advance(atMs));
  items.push(...simulation.advance(durationMs), ...simulation.finish());
  const truth = simulation.truth();
  return { items, truth, views: truth.view_list ?? [] };
}

const decodeNative = createNativeFormat({
  limits: { beatsPerBodyMax: 10, eventsPerBeatMax: 1_000, stringLengthMax: 1_024 },
  dimensions: clientDimensions,
});

/** The beats of an item; throws when anything in it was not taken as it stands. */
export function decode({ kind, payload }: SimulationItem): readonly FormatBeat[] {
  const body = Buffer.from(payload);
  const result: FormatResult =
    kind === 'native' ? decodeNative(body) : decodeCmcdBody(body, 'application/cmcd');
  const noted = Object.entries(result.notes ?? {}).filter(([, count]) => count > 0);
  if (result.malformed !== undefined || result.rejects.length > 0 || noted.length > 0)
    throw new Error(`not taken: ${JSON.stringify({ ...result, noted })} of ${payload}`);
  return result.beats;
}

/** A line of an edge's log, as it is sent. */
export interface Line {
  readonly time: number;
  readonly duration: number;
  readonly ttfb?: number;
  readonly origin?: number;
  readonly status: number;
  readonly bytes: number;
  readonly aborted: '0' | '1';
  readonly cache: 'HIT' | 'MISS' | '';
  readonly cdn: string;
  readonly pop: string;
  readonly country: string;
  readonly asn: string;
  readonly host: string;
  readonly url: string;
}

/** The lines that edges sent, each as often as it was sent. */
export function linesOf(items: readonly SimulationItem[]): Line[] {
  return textsOf(items).map((text) => JSON.parse(text) as Line);
}

export function textsOf(items: readonly SimulationItem[]): string[] {
  const edges = items.filter(({ kind }) => kind === 'edge');
  return edges.flatMap(({ payload }) => payload.trimEnd().split('\n'));
}

/** A request as a native player reports it. */
export interface RequestEvent {
  readonly view: string;
  readonly at: number;
  readonly kind: string;
  readonly status: number;
  readonly bytes: number;
  readonly ttfb?: number;
  readonly ttlb: number;
  readonly url: string;
  readonly cdn: string;
}

export function requestsOf(items: readonly SimulationItem[]): RequestEvent[] {
  return items.flatMap(({ kind, payload }) => {
    if (kind !== 'native') return [];
    const { view, events } = JSON.parse(payload) as {
      view: string;
      events: (RequestEvent & { readonly type: string })[];
    };
    return events.filter(({ type }) => type === 'request').map((event) => ({ ...event, view }));
  });
}

/** What players sent, as it would come into the log. */
export function deliveries(items: readonly SimulationItem[], delayMs = 40): Delivery[] {
  return items
    .filter(({ kind }) => kind !== 'edge')
    .flatMap((item) =>
      decode(item).map((beat) => ({
        atMs: START_AT_MS + item.atMs + delayMs,
        beat: { ...beat, project: 'default', trustedClock: false },
      })),
    );
}
