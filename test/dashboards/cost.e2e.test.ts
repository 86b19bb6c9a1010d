/** The place for cost in a real browser, over real engines and a simulation whose edges hand in their logs. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { columnText } from '../../dashboards/web/cost/column-text.ts';
import { decimalsFor, moneyText, sumOf } from '../../dashboards/web/figures/money.ts';
import { frameOf, timeframeOf } from '../../dashboards/web/state/cost-frame.ts';
import { simulate } from '../../ingest/clients/simulate.ts';
import { readSimulateArgs } from '../../ingest/clients/simulate-options.ts';
import { until } from '../support/running.ts';
import { type PageServer, sendViews, startPageServer } from './support/page-server.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Where pictures of the page are kept, if anywhere. */
const PICTURES = process.env.STREAMGAUGE_PAGE_PICTURES;
const SHOWN_MS = 90_000;
const TOKEN = { username: 'dev', password: 'dev' };
const AUTHORIZATION = `Basic ${Buffer.from('dev:dev').toString('base64')}`;
const CURRENCY = 'EUR';
/** Some views of a simulation fall silent: they end long after it. */
const VIEWS_ENDED_MIN = 0.5;

const contract = (cdn: string, price: string) => ({
  cdn,
  validFrom: '2020-01-01',
  tiers: [{ price }],
  perRequest: { price: '0.8', per: 1_000_000 },
});
const PRICES = {
  currency: CURRENCY,
  contracts: [contract('alder', '0.06'), contract('birch', '0.03'), contract('cedar', '0.02')],
};

interface Row {
  readonly field: string;
  readonly cost: string;
  readonly cost_per_watched_hour: string | null;
  readonly bytes: number;
  readonly quality: Readonly<Record<string, number | null>>;
}

interface Overall {
  readonly cost: string;
  readonly requests: number;
  readonly cost_per_watched_hour: string | null;
  readonly waste: Readonly<Record<'unplayed' | 'oversized', { readonly cost: string }>>;
}

/** Columns, and where the api has them. */
const QUALITIES = [
  ['rebuffering', 'rebuffer_percentage', 'fraction'],
  ['startup', 'video_startup_time', 'ms'],
  ['ttfb', 'ttfb', 'ms'],
  ['hits', 'hit_ratio', 'fraction'],
  ['errors', 'error_percentage', 'fraction'],
] as const;

let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained of. */
let complaints: string[];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});

afterAll(() => browser?.close());

beforeEach(async () => {
  const viewport = { width: 1_440, height: 1_000 };
  context = await browser.newContext({ httpCredentials: TOKEN, viewport });
  page = await context.newPage();
  page.setDefaultTimeout(SHOWN_MS);
  complaints = [];
  page.on('console', (message) => {
    // A slice that is too thin is an answer of its own kind, which the browser tells of.
    const refused = message.text().includes('422') && message.location().url.includes('/what-if');
    if (['error', 'warning'].includes(message.type()) && !refused) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});

afterEach(() => context.close());

async function picture(name: string): Promise<void> {
  if (PICTURES !== undefined) {
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }
}

const overflowPx = (): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Data of an answer over the seven days that the page begins with. */
async function ask<Data>(
  url: string,
  path: string,
  query: readonly (readonly [string, string])[] = [],
): Promise<Data> {
  const search = new URLSearchParams();
  for (const at of timeframeOf(frameOf('7-days', Date.now()))) search.append('timeframe[]', at);
  for (const [name, value] of query) search.append(name, value);
  const headers = { authorization: AUTHORIZATION };
  const response = await fetch(`${url}/data/v1/${path}?${search}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { data: Data }).data;
}

describe('the place for cost', () => {
  let server: PageServer;
  let overall: Overall;
  let rows: readonly Row[];

  const open = (hash = '#/cost'): Promise<unknown> => page.goto(`${server.url}/${hash}`);
  const scores = () => page.getByRole('region', { name: 'Scoreboard' });
  const figure = (name: string) => page.locator(`[data-figure="${name}"]`);
  const names = (): Promise<string[]> => scores().locator('tbody th').allTextContents();
  const cells = (column: string): Promise<string[]> =>
    scores().locator(`[data-column="${column}"] .figure`).allTextContents();

  beforeAll(async () => {
    server = await startPageServer(PRICES);
    const plan = readSimulateArgs({
      ...{ url: server.url, viewers: 160, duration: 300, seed: 5, speed: 'max' },
    });
    const { counts, truth } = await simulate({ plan });
    await until(
      () => ask<Overall>(server.url, 'cost/overall'),
      ({ requests }) => requests === counts.edge.accepted,
      SHOWN_MS,
    );
    await until(
      () => ask<{ value: number }>(server.url, 'metrics/ended_views/overall'),
      ({ value }) => value >= VIEWS_ENDED_MIN * truth.views,
      SHOWN_MS,
    );
  }, 240_000);

  afterAll(() => server?.close());

  beforeEach(async () => {
    overall = await ask<Overall>(server.url, 'cost/overall');
    rows = await askRows();
  });

  const askRows = (): Promise<readonly Row[]> =>
    ask<readonly Row[]>(server.url, 'cost/breakdown', [['group_by', 'cdn']]);

  /** What the api says and the page shows, looked at anew until nothing has come in between. */
  async function agree(look: () => Promise<{ told: unknown; shown: unknown }>): Promise<void> {
    await until(
      async () => {
        await page.reload();
        return await look();
      },
      ({ told, shown }) => JSON.stringify(told) === JSON.stringify(shown),
      SHOWN_MS,
    );
  }

  it('is reached from the header, and leads with the figures of the api', async () => {
    await page.goto(server.url);
    await page.getByRole('link', { name: 'Cost', exact: true }).click();
    expect(page.url()).toContain('#/cost');
    const text = (amount: string | null): string => moneyText(amount, { currency: CURRENCY });
    await figure('cost').getByText(text(overall.cost)).waitFor();
    expect(Number(overall.cost)).toBeGreaterThan(0);
    await agree(async () => {
      await figure('cost').getByText(text(overall.cost)).waitFor();
      overall = await ask<Overall>(server.url, 'cost/overall');
      const { unplayed, oversized } = overall.waste;
      const told = [overall.cost_per_watched_hour, sumOf([unplayed.cost, oversized.cost])];
      const shown = [figure('hourly').textContent(), figure('waste').textContent()];
      return { told: told.map(text), shown: await Promise.all(shown) };
    });
    expect(await page.title()).toBe('Cost – Streamgauge');
    expect(complaints).toEqual([]);
  });

  it('has a row for each CDN, with the figures of the api', async () => {
    await open();
    await until(names, (found) => found.length === rows.length, SHOWN_MS);
    expect(await names()).toEqual(rows.map(({ field }) => field));
    const decimals = decimalsFor(rows.map(({ cost }) => cost));
    const money = rows.map(({ cost }) => moneyText(cost, { currency: CURRENCY, decimals }));
    expect(await cells('cost')).toEqual(money);
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
    const shares = rows.map((row) => row.bytes / bytes);
    expect(await cells('share')).toEqual(shares.map(columnText(shares, 'fraction')));
    await agree(async () => {
      await until(names, (found) => found.length === rows.length, SHOWN_MS);
      rows = await askRows();
      const told = QUALITIES.map(([, id, unit]) => {
        const values = rows.map(({ quality }) => quality[id]);
        return values.map(columnText(values, unit));
      });
      return { told, shown: await Promise.all(QUALITIES.map(([column]) => cells(column))) };
    });
    const hourly = rows.map(({ cost_per_watched_hour: each }) => Number(each));
    const best = scores().locator('tr', {
      has: page.locator('[data-column="hourly"] .verdict-best'),
    });
    const cheapest = rows[hourly.indexOf(Math.min(...hourly))]?.field ?? '';
    expect(await best.locator('th').textContent()).toBe(cheapest);
    await page.locator('.over-time .u-over').nth(1).waitFor();
    await picture('cost-1440');
    expect(complaints).toEqual([]);
  });

  it('sorts by a column, and keeps the order in the link', async () => {
    await open();
    await until(names, (found) => found.length === rows.length, SHOWN_MS);
    await scores().getByRole('button', { name: 'Startup' }).click();
    const slowest = rows.toSorted(
      (one, other) =>
        (other.quality.video_startup_time ?? 0) - (one.quality.video_startup_time ?? 0),
    );
    expect(await names()).toEqual(slowest.map(({ field }) => field));
    const head = scores().getByRole('columnheader', { name: 'Startup' });
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    expect(await names()).toEqual(slowest.map(({ field }) => field).toReversed());
    await page.reload();
    await until(names, (found) => found.length === rows.length, SHOWN_MS);
    expect(await names()).toEqual(slowest.map(({ field }) => field).toReversed());
    expect(complaints).toEqual([]);
  });

  it('filters all by a name that is pressed, until its chip is', async () => {
    await open();
    const text = (amount: string): string => moneyText(amount, { currency: CURRENCY });
    await figure('cost').getByText(text(overall.cost)).waitFor();
    const cedar = rows.find(({ field }) => field === 'cedar');
    await scores().getByRole('button', { name: 'cedar' }).click();
    await figure('cost')
      .getByText(text(cedar?.cost ?? ''), { exact: true })
      .waitFor();
    await until(names, (found) => found.length === 1, SHOWN_MS);
    await page.getByText('The filter by CDN does not hold here').waitFor();
    await scores().getByRole('button', { name: 'Country' }).click();
    await until(names, (found) => found.includes('Germany'), SHOWN_MS);
    await page.getByRole('button', { name: /^CDN: cedar/ }).click();
    await figure('cost').getByText(text(overall.cost)).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: /^CDN: cedar/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('answers what if, anew for every share', async () => {
    await open('#/cost?match=stream_type&from=alder&to=birch');
    const delta = (id: string) => page.locator(`[data-effect="${id}"] .delta`);
    const answer = async (share: number) => {
      const query = [
        ...[['from', 'alder'] as const, ['to', 'birch'] as const],
        ...[['share', String(share)] as const, ['match[]', 'stream_type'] as const],
      ];
      const data = await ask<{ cost: { delta: string } }>(server.url, 'cost/what-if', query);
      return moneyText(data.cost.delta, { currency: CURRENCY, signed: true });
    };
    await delta('cost')
      .getByText(await answer(20))
      .waitFor();
    expect(await delta('cost').textContent()).toMatch(/^−€/);
    const slider = page.getByRole('slider', { name: 'Share that moves' });
    await slider.focus();
    await page.keyboard.press('End');
    expect(await slider.getAttribute('aria-valuetext')).toBe('100 percent of the views on alder');
    await delta('cost')
      .getByText(await answer(100))
      .waitFor();
    expect(page.url()).toContain('share=100');
    for (const id of ['rebuffer_percentage', 'video_startup_time', 'viewer_experience_score']) {
      expect(await delta(id).textContent()).toMatch(/^[+−]?[\d.]+|–$/);
    }
    await page.keyboard.press('Home');
    await page.getByText('Nothing moves.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('says that a slice is too thin, and names what cannot be compared', async () => {
    await open('#/cost?from=alder&to=birch&slice=country:JP');
    await page.getByText('This slice is too thin to tell.').waitFor();
    await page.locator('.refused li', { hasText: 'Japan' }).first().waitFor();
    expect(await page.locator('.effects').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('tells by CDN who is to blame', async () => {
    await open();
    const blame = page.getByRole('region', { name: 'Who is to blame' });
    const row = blame.getByRole('row', { name: /birch/ });
    await row.waitFor();
    const told = await ask<readonly { field: string; blame_network_percentage: number | null }[]>(
      server.url,
      'delivery/blame',
      [['group_by', 'cdn']],
    );
    const network = told.find(({ field }) => field === 'birch')?.blame_network_percentage ?? 0;
    expect(await row.locator('td').nth(1).textContent()).toBe(`${Math.round(network * 100)}%`);
    expect(complaints).toEqual([]);
  });

  it('fits a telephone, in the dark too', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('#/cost?match=stream_type');
    await until(names, (found) => found.length === rows.length, SHOWN_MS);
    await page.locator('.effects').waitFor();
    await page.locator('.over-time .u-over').nth(1).waitFor();
    expect(await overflowPx()).toBeLessThanOrEqual(0);
    await picture('cost-390-dark');
    expect(complaints).toEqual([]);
  });
});

describe('the place for cost without a price book', () => {
  let server: PageServer;

  beforeAll(async () => {
    server = await startPageServer();
  }, 120_000);

  afterAll(() => server?.close());

  it('says what to set, and shows quality all the same', async () => {
    const state = (agoMs: number, value: string) => ({ agoMs, type: 'state', state: value });
    await sendViews(server.url, [
      {
        view: 'priceless',
        context: { video_id: 'm-1', cdn: 'northwind', country: 'DE' },
        events: [state(99_000, 'starting'), state(98_200, 'playing'), state(91_000, 'quit')],
      },
    ]);
    await page.goto(`${server.url}/#/cost`);
    await page.getByText('What delivery costs needs a price book.').waitFor();
    expect(await page.getByText('STREAMGAUGE_PRICES_FILE').count()).toBeGreaterThan(0);
    const startup = page.getByRole('row', { name: /northwind/ }).locator('[data-column="startup"]');
    await until(
      async () => {
        await page.reload();
        await page.getByText('What delivery costs needs a price book.').waitFor();
        const board = page.getByRole('region', { name: 'Scoreboard' });
        await board.locator('tbody tr, .empty').first().waitFor();
        return (await startup.count()) === 0 ? '' : ((await startup.textContent()) ?? '');
      },
      (text) => text.includes('800'),
      SHOWN_MS,
    );
    expect(await page.locator('[data-column="cost"]').count()).toBe(0);
    await page.getByText('All views of this time are on northwind').waitFor();
    await picture('cost-unpriced-1440');
    expect(complaints.filter((each) => !each.includes('409'))).toEqual([]);
  });
});
