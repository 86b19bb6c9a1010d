/** The page at `/` in a real browser, over real engines. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/running.ts';
import {
  type PageServer,
  type SentView,
  sendViews,
  startPageServer,
} from './support/page-server.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Where pictures of the page are kept, if anywhere. */
const PICTURES = process.env.STREAMGAUGE_PAGE_PICTURES;
/** An epoch, the wait for the order of a first beat, and a look of the page: together well below this. */
const SHOWN_MS = 45_000;

const TOKEN = { username: 'dev', password: 'dev' };
const AUTHORIZATION = `Basic ${Buffer.from('dev:dev').toString('base64')}`;

const state = (agoMs: number, value: string) => ({ agoMs, type: 'state', state: value });

/** A view that stalls once and plays on. */
const stalling: SentView = {
  view: 'stalling-view',
  context: { video_id: 'm-1', video_title: 'The Long Wait', cdn: 'northwind', country: 'DE' },
  events: [
    state(20_000, 'starting'),
    { agoMs: 19_600, type: 'rendition', bitrate: 2_500_000, width: 1_280, height: 720 },
    {
      agoMs: 19_300,
      type: 'request',
      kind: 'segment',
      status: 200,
      bytes: 612_000,
      ttfb: 41,
      ttlb: 180,
    },
    state(19_200, 'playing'),
    { agoMs: 14_000, type: 'status', buffer: 400, playhead: 5_200 },
    state(13_000, 'rebuffering'),
    state(10_000, 'playing'),
    { agoMs: 9_000, type: 'status', buffer: 6_000, playhead: 6_400 },
    { agoMs: 4_000, type: 'request', kind: 'segment', status: 503, ttfb: 30, ttlb: 31 },
    { agoMs: 1_000, type: 'rendition', bitrate: 1_200_000, width: 854, height: 480 },
  ],
};

const failing: SentView = {
  view: 'failing-view',
  context: { video_id: 'm-2', video_title: 'Never Shown', cdn: 'southwind', country: 'FR' },
  events: [
    state(9_000, 'starting'),
    { agoMs: 8_000, type: 'error', code: 'drm_1', message: 'no licence', fatal: true },
    state(7_900, 'failed'),
  ],
};

const smooth = (index: number): SentView => ({
  view: `smooth-view-${index}`,
  context: { video_id: 'm-3', video_title: 'Calm Sea', cdn: 'southwind', country: 'FR' },
  events: [
    state(15_000, 'starting'),
    { agoMs: 14_800, type: 'rendition', bitrate: 4_000_000, width: 1_920, height: 1_080 },
    state(14_500, 'playing'),
    { agoMs: 500, type: 'status', buffer: 12_000 },
  ],
});

let server: PageServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained of. */
let complaints: string[];

beforeAll(async () => {
  server = await startPageServer();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  context = await browser.newContext({
    httpCredentials: TOKEN,
    viewport: { width: 1_440, height: 1_000 },
    timezoneId: 'Europe/Berlin',
  });
  page = await context.newPage();
  page.setDefaultTimeout(SHOWN_MS);
  complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(`asked ${request.url()}`);
  });
});

afterEach(async () => {
  await context.close();
});

const open = (hash = ''): Promise<unknown> => page.goto(`${server.url}/${hash}`);

async function picture(name: string): Promise<void> {
  if (PICTURES !== undefined) {
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }
}

const overflowPx = (): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe('how the page is served', () => {
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(server.url + path, { headers });

  it('asks for a token, and tells a reader who has none what to do', async () => {
    const response = await ask('/', { accept: 'text/html' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Basic realm=');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain('without a\nprojects file');
    const program = await ask('/');
    expect(((await program.json()) as { code: string }).code).toBe('token_missing');
  });

  it('lets nothing in that is not its own, and keeps what never changes', async () => {
    const headers = { authorization: AUTHORIZATION, 'accept-encoding': 'br' };
    const document = await ask('/', headers);
    const policy = document.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(document.headers.get('cache-control')).toBe('private, no-cache');
    const html = await document.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|https?:/);
    const script = /src="\.(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
    const asset = await ask(script, headers);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-encoding')).toBe('br');
    expect((await ask(script)).status).toBe(401);
    const missing = await ask('/assets/of-another-build.js', headers);
    expect([missing.status, missing.headers.get('cache-control')]).toEqual([404, 'no-store']);
  });
});

describe('the page', () => {
  it('says how to send something until there is something, then shows it', async () => {
    await open();
    await page.getByRole('heading', { name: 'No views yet' }).waitFor();
    expect(await page.locator('pre').first().textContent()).toContain(`${server.url}/v1/beats`);
    await picture('start-1440');
    await sendViews(server.url, [stalling, failing, smooth(1), smooth(2), smooth(3)]);
    await page.getByRole('region', { name: 'Figures now' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows live figures, and goes on as views go on', async () => {
    await open();
    const viewers = async (): Promise<number> =>
      Number(await page.locator('[data-metric="current-concurrent-viewers"]').textContent());
    await sendViews(server.url, [smooth(4), smooth(5), smooth(6)]);
    const before = await until(viewers, (count) => count >= 3, SHOWN_MS);
    await page.getByText('complete through').waitFor();
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    expect(await page.locator('.project').textContent()).toBe('default');
    // Some that were sent before may have fallen silent meanwhile: more come than there were.
    await sendViews(
      server.url,
      Array.from({ length: before + 1 }, (_, index) => smooth(100 + index)),
    );
    await until(viewers, (count) => count > before, SHOWN_MS);
    expect(complaints).toEqual([]);
  });

  it('puts the metric of a tile into the chart, split by a dimension', async () => {
    await open();
    await page.locator('.tile').filter({ hasText: 'Bitrate' }).click();
    expect(await page.getByLabel('Metric').inputValue()).toBe('current-average-bitrate');
    await page.getByLabel('Split by').selectOption('cdn');
    const legend = page.locator('.chart-panel .legend');
    await legend.getByText('northwind').waitFor();
    await legend.getByText('southwind').waitFor();
    expect(page.url()).toContain('metric=current-average-bitrate');
    expect(page.url()).toContain('split=cdn');
    expect(complaints).toEqual([]);
  });

  it('breaks the figures down, and filters all of them by a value', async () => {
    await open();
    const table = page.getByRole('region', { name: 'Breakdown' });
    await table.getByRole('row', { name: /southwind/ }).waitFor();
    await table.getByLabel('by').selectOption('country');
    await table.getByRole('button', { name: 'Germany' }).click();
    await page.getByRole('button', { name: /^Country: Germany/ }).waitFor();
    const views = page.getByRole('region', { name: 'Views' });
    await until(
      () => views.locator('tbody tr').count(),
      (count) => count === 1,
      SHOWN_MS,
    );
    await views.getByText('The Long Wait').waitFor();
    await page.getByRole('button', { name: /^Country: Germany/ }).click();
    await views.getByText('Calm Sea').first().waitFor();
    await page.goBack();
    await page.getByRole('button', { name: /^Country: Germany/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('opens the timeline of a view, with its bands, lines, marks and events', async () => {
    await open();
    await page.getByRole('link', { name: 'The Long Wait' }).click();
    await page.getByRole('heading', { name: 'The Long Wait' }).waitFor();
    await page.locator('.band.band-rebuffering').waitFor({ state: 'attached' });
    const bands = await page.locator('.band title').allTextContents();
    expect(bands.map((band) => band.split(',')[0])).toEqual([
      'starting',
      'playing',
      'rebuffering',
      'playing',
    ]);
    expect(bands[2]?.replace('\u00a0', ' ')).toBe('rebuffering, 3 s');
    expect(await page.locator('.marks .request').count()).toBe(2);
    expect(await page.locator('.request-failed').count()).toBe(1);
    expect(await page.locator('.lane-name').allTextContents()).toEqual(['Bitrate', 'Buffer']);
    await page.getByRole('button', { name: /^State changes/ }).click();
    expect(await page.locator('.event-rows > li').count()).toBe(4);
    await picture('view-1440');
    expect(complaints).toEqual([]);
  });

  it('is read and zoomed by keys', async () => {
    await open('#/view/stalling-view');
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    const before = Number(await slider.getAttribute('aria-valuenow'));
    await page.keyboard.press('Shift+ArrowRight');
    expect(Number(await slider.getAttribute('aria-valuenow'))).toBeGreaterThan(before);
    expect(await slider.getAttribute('aria-valuetext')).toContain('State playing');
    const whole = Number(await slider.getAttribute('aria-valuemax'));
    await page.keyboard.press('+');
    expect(Number(await slider.getAttribute('aria-valuemax'))).toBeLessThan(whole);
    await page.keyboard.press('Escape');
    expect(Number(await slider.getAttribute('aria-valuemax'))).toBe(whole);
    expect(complaints).toEqual([]);
  });

  it('finds a view by its id, and says so when there is none', async () => {
    await open();
    await page.getByLabel('View id').fill('failing-view');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Never Shown' }).waitFor();
    await page.locator('.moment-error').first().waitFor({ state: 'attached' });
    expect(await page.locator('.event-error').first().textContent()).toContain('no licence');
    expect(complaints).toEqual([]);
    await open('#/view/nobody');
    await page.getByRole('alert').getByText('view_not_found').waitFor();
  });

  it('fits a telephone, in the dark too', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await open();
    await page.getByRole('link', { name: 'The Long Wait' }).waitFor();
    expect(await overflowPx()).toBeLessThanOrEqual(0);
    await picture('overview-390-dark');
    await open('#/view/stalling-view');
    await page.locator('.lanes').waitFor();
    expect(await overflowPx()).toBeLessThanOrEqual(0);
    await picture('view-390-dark');
    await page.setViewportSize({ width: 1_440, height: 1_000 });
    await page.emulateMedia({ colorScheme: 'light' });
    await open();
    await page.getByRole('link', { name: 'The Long Wait' }).waitFor();
    await picture('overview-1440');
    expect(complaints).toEqual([]);
  });
});
