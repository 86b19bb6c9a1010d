import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyRules, matches, RULE_VALUE_LENGTH_MAX } from '../../../ingest/enrichment/rules.ts';
import { type RulesEntry, rulesOf } from '../../../platform/project-rules.ts';
import { parseProjects } from '../../../platform/projects-file.ts';
import { part } from '../../../schemas/beat.ts';
import { beat, event } from '../../support/beats.ts';

const played = beat(
  [
    event(0, 0, 'request', part.request({ host: 'api.example.com', url: '/token' })),
    event(
      1,
      1,
      'request',
      part.request({ host: 'kids.example.com', url: '//kids.example.com/vod/1.ts' }),
    ),
  ],
  { context: [{ name: 'video_id', value: 'kids-42' }] },
);

function given(dimensions: RulesEntry['dimensions'], headers = {}) {
  const errors: string[] = [];
  const { dimensionRules } = rulesOf({ id: 'p', dimensions: dimensions ?? [] }, errors);
  expect(errors).toEqual([]);
  return applyRules(dimensionRules, played, headers);
}

describe('rules for dimensions', () => {
  it.each([
    [{ from: 'host', match: 'kids.*' }, 'kids.example.com'],
    [{ from: 'host', match: 'KIDS.*', value: 'kids' }, 'kids'],
    [{ from: 'path', match: '/vod/*', value: 'vod' }, 'vod'],
    [{ from: 'path', match: '/token' }, '/token'],
    [{ from: 'video_id', match: 'kids-*', value: 'kids' }, 'kids'],
    [{ from: 'header:X-Tenant' }, 'acme'],
    [{ from: 'header:x-tenant', match: 'ACME' }, undefined],
    [{ from: 'header:x-missing' }, undefined],
    [{ from: 'host', match: 'vod.*' }, undefined],
    [{ from: 'video_title' }, undefined],
  ])('%j gives %j', (rule, value) => {
    const [first] = given([{ dimension: 'sub_property_id', ...rule }], { 'x-tenant': 'acme' });
    expect(first?.value).toBe(value);
  });

  it('hold in their order: of one dimension the first that matches', () => {
    const rules = [
      { dimension: 'sub_property_id', from: 'host', match: 'vod.*', value: 'vod' },
      { dimension: 'sub_property_id', from: 'video_id', match: 'kids*', value: 'kids' },
      { dimension: 'sub_property_id', from: 'host', value: 'rest' },
      { dimension: 'custom_1', from: 'path', value: 'one' },
    ];
    expect(given(rules)).toEqual([
      { dimension: 'sub_property_id', value: 'kids', override: false },
      { dimension: 'custom_1', value: 'one', override: false },
    ]);
  });

  it('give no value beyond the limit', () => {
    const [first] = given([{ dimension: 'custom_1', from: 'header:x' }], { x: 'y'.repeat(10_000) });
    expect(first?.value).toHaveLength(RULE_VALUE_LENGTH_MAX);
  });
});

it('the example of the documentation is a projects file', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/enrichment.md'), 'utf8');
  const [, example = ''] = /## Rules of a project\n+```json\n([^`]+)```/.exec(page) ?? [];
  const result = parseProjects(example);
  expect(result.ok && result.table.projects[0]?.dimensionRules).toHaveLength(3);
});

describe('a pattern', () => {
  it('matches as an expression would', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });
    fc.assert(
      fc.property(letters, pattern, (text, glob) => {
        const expression = glob.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*');
        expect(matches(text, glob)).toBe(new RegExp(`^${expression}$`).test(text));
      }),
      { seed: 7, numRuns: 3_000 },
    );
  });

  it('ends on hostile texts', () => {
    expect(matches('a'.repeat(1_048_576), '*a*a*a*a*a*a*a*a*a*b')).toBe(false);
  });
});
