import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderMetricsPage } from '../../api/docs/metrics-page.ts';
import { requestOnlyDimensions } from '../../schemas/catalogue/delivery-dimensions.ts';
import { deliveryMetrics } from '../../schemas/catalogue/delivery-metrics.ts';
import { sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { viewMetrics } from '../../schemas/catalogue/metrics.ts';

const FILE = join(import.meta.dirname, '../../docs/metrics.md');

describe('docs/metrics.md', () => {
  it('is what the catalogue says', () => {
    // Written by: npx tsx -e "import('./api/docs/metrics-page.ts').then((m) => process.stdout.write(m.renderMetricsPage()))" > docs/metrics.md
    expect(readFileSync(FILE, 'utf8')).toBe(renderMetricsPage());
  });

  it('has a row for each metric and each dimension, of as many cells as its header', () => {
    const rows = renderMetricsPage()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const delivery = [...deliveryMetrics, ...sideMetrics, ...requestOnlyDimensions];
    expect(rows).toHaveLength(
      viewMetrics.length + intervalMetrics.length + dimensions.length + delivery.length,
    );
    for (const row of rows) expect([6, 10]).toContain(row.split(/(?<!\\)\|/).length);
  });
});
