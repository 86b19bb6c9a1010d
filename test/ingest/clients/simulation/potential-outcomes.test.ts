/** Outcomes of one viewer on several CDNs: the CDN is all that differs, and what it is like shows. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CDNS } from '../../../../ingest/clients/simulation/cdn-defaults.ts';
import type { CdnProfile } from '../../../../ingest/clients/simulation/cdn-profile.ts';
import { experienceScore } from '../../../../ingest/clients/simulation/experience-score.ts';
import {
  type Outcome,
  potentialOutcomes,
} from '../../../../ingest/clients/simulation/potential-outcomes.ts';
import { noFigures } from '../../../../ingest/clients/simulation/view-figures.ts';
import {
  experienceScoreMilli,
  qualityScoreMilli,
  rebufferScoreMilli,
  startupScoreMilli,
} from '../../../../processors/scores.ts';

const SMALL = { seed: 3, viewers: 60, stayMsMax: 60_000 };

function byCdn(outcomes: readonly Outcome[], cdn: string): Outcome[] {
  return outcomes.filter((outcome) => outcome.cdn === cdn);
}

function meanStartupMs(outcomes: readonly Outcome[]): number {
  const started = outcomes.filter((outcome) => outcome.started);
  return started.reduce((sum, { startupMs }) => sum + startupMs, 0) / started.length;
}

describe('potential outcomes', { timeout: 60_000 }, () => {
  const outcomes = potentialOutcomes(SMALL);

  it('are the same for the same seed, and others for another', () => {
    expect(potentialOutcomes(SMALL)).toEqual(outcomes);
    expect(potentialOutcomes({ ...SMALL, seed: 4 })).not.toEqual(outcomes);
  });

  it('are one for each viewer and CDN, with everything but the CDN the same', () => {
    expect(outcomes).toHaveLength(3 * SMALL.viewers);
    for (let viewer = 0; viewer < SMALL.viewers; viewer++) {
      const own = outcomes.slice(3 * viewer, 3 * viewer + 3);
      expect(own.map(({ cdn }) => cdn)).toEqual(['alder', 'birch', 'cedar']);
      expect(own.filter(({ assigned }) => assigned)).toHaveLength(1);
      for (const { viewer: number, bornMs, dimensions } of own)
        expect({ number, bornMs, dimensions }).toEqual({
          number: viewer,
          bornMs: own[0]?.bornMs,
          dimensions: own[0]?.dimensions,
        });
    }
    expect(Object.keys(outcomes[0]?.dimensions ?? {})).toEqual(
      expect.arrayContaining([
        'country',
        'region',
        'asn',
        'viewer_device_category',
        'stream_type',
        'operating_system',
        'player_name',
        'video_id',
      ]),
    );
  });

  it('do not differ between two CDNs that are alike but for name and price', () => {
    const [alder] = DEFAULT_CDNS;
    const twin: CdnProfile = { ...alder, id: 'twin', price: { ...alder.price, perGigabyte: 0.09 } };
    const both = potentialOutcomes({ ...SMALL, cdns: [alder, twin] });
    const bare = (outcome: Outcome) => ({ ...unnamed(outcome), cost: 0 });
    expect(byCdn(both, 'twin').map(bare)).toEqual(byCdn(both, 'alder').map(bare));
    // Another CDN beside it changes nothing of what a viewer meets.
    expect(byCdn(both, 'alder').map(bare)).toEqual(byCdn(outcomes, 'alder').map(bare));
    const [dear] = byCdn(both, 'twin');
    const [cheap] = byCdn(both, 'alder');
    expect((dear?.cost ?? 0) - (cheap?.cost ?? 0)).toBeCloseTo((0.045 * (dear?.bytes ?? 0)) / 1e9);
  });

  it('show the distance of the edges, and the ways into a network', () => {
    const alder: CdnProfile = { ...DEFAULT_CDNS[0], peerings: {} };
    const far: CdnProfile = {
      ...alder,
      id: 'far',
      pops: [{ ...alder.pops[0], latitude: -33, longitude: 151 }],
    };
    const peered: CdnProfile = {
      ...alder,
      id: 'peered',
      peerings: { '64512': { rttAddedMs: 200, kilobitsMax: 900, lossShare: 0 } },
    };
    const played = potentialOutcomes({ ...SMALL, cdns: [alder, far, peered] });
    const german = (all: readonly Outcome[]) =>
      all.filter(({ dimensions }) => dimensions.country === 'DE');
    const near = byCdn(played, 'alder');
    expect(meanStartupMs(german(byCdn(played, 'far')))).toBeGreaterThan(
      1_000 + meanStartupMs(german(near)),
    );
    const bad = byCdn(played, 'peered');
    const isStruck = ({ dimensions }: Outcome) => dimensions.asn === '64512';
    expect(meanStartupMs(bad.filter(isStruck))).toBeGreaterThan(
      1_000 + meanStartupMs(near.filter(isStruck)),
    );
    const others = (all: readonly Outcome[]) => all.filter((one) => !isStruck(one)).map(unnamed);
    expect(others(bad)).toEqual(others(near));
  });

  it('count what the origin had to send, the less the more caches answer', () => {
    const [alder] = DEFAULT_CDNS;
    const cold: CdnProfile = {
      ...alder,
      id: 'cold',
      cache: { manifest: 0, live: 0, popular: 0, obscure: 0 },
      errorShare: 0,
    };
    const warm: CdnProfile = {
      ...cold,
      id: 'warm',
      cache: { manifest: 1, live: 1, popular: 1, obscure: 1 },
    };
    const played = potentialOutcomes({ ...SMALL, cdns: [cold, warm] });
    for (const { bytes, originBytes } of byCdn(played, 'cold')) expect(originBytes).toBe(bytes);
    for (const { originBytes } of byCdn(played, 'warm')) expect(originBytes).toBe(0);
  });

  it('have the score that the fold would give them', () => {
    const figures = {
      ...noFigures(),
      startup_ms: 1_234,
      playing_ms: 60_000,
      rebuffer_ms: 2_345,
      rebuffer_count: 3,
      upscale_ppm: 421_000,
      max_upscale_ppm: 2_000_000,
    };
    const view = { started: true, failed: false, refused: false, figures };
    const milli = experienceScoreMilli(
      100_000,
      rebufferScoreMilli(3, 2_345, 60_000),
      qualityScoreMilli(421_000, 2_000_000),
      startupScoreMilli(1_234),
    );
    expect(experienceScore(view)).toBe(milli / 1_000);
    expect(experienceScore({ ...view, failed: true })).toBe(0);
    expect(experienceScore({ ...view, refused: true })).toBeNull();
    expect(experienceScore({ ...view, started: false })).toBeNull();
  });
});

function unnamed({ cdn: _cdn, assigned: _assigned, ...rest }: Outcome) {
  return rest;
}
