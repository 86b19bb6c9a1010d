import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openPriceBook,
  PriceBookError,
  type PriceBookFile,
} from '../../../platform/prices/price-book-file.ts';
import { openProjects, type Projects, projectsIn } from '../../../platform/projects.ts';
import { shop } from '../../support/projects.ts';
import { contract } from './support.ts';

let directory: string;
let file: string;
let opened: { close(): void } | undefined;
const lines: string[] = [];
const logger = {
  info: () => undefined,
  error: (...line: unknown[]) => void lines.push(JSON.stringify(line)),
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prices-'));
  file = join(directory, 'prices.json');
  lines.length = 0;
});

afterEach(() => {
  opened?.close();
  opened = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const book = (currency: string) => ({ currency, contracts: [contract()] });

function write(path: string, content: unknown): void {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

function openBook(content: unknown, watchIntervalMs = 0): PriceBookFile {
  write(file, content);
  const prices = openPriceBook({ file, logger, watchIntervalMs });
  opened = prices;
  return prices;
}

function openShop(prices: unknown, watchIntervalMs = 0): Projects {
  const projectsFile = join(directory, 'projects.json');
  write(projectsFile, { projects: [shop({ prices })] });
  const now = () => 0;
  const deps = { file: projectsFile, host: '127.0.0.1', logger, now, watchIntervalMs };
  const projects = openProjects(deps);
  opened = projects;
  return projects;
}

const currencyOf = (projects: Projects) => projects.list()[0]?.prices?.currency;

describe('a file with a price book', () => {
  it('refuses the start when it is missing or bad, with its name', () => {
    expect(() => openPriceBook({ file, logger })).toThrow(PriceBookError);
    expect(() => openPriceBook({ file, logger })).toThrow(`${file}: cannot be read (ENOENT)`);
    expect(() => openBook(book('EURO'))).toThrow(`${file}: currency: "EURO" is no currency`);
  });

  it('need not be there', () => {
    const prices = openPriceBook({ file: '', logger });
    expect(prices.book()).toBeUndefined();
    expect(prices.reload()).toBe(true);
    prices.close();
  });

  it('keeps the last good book when a change is bad, says so, counts it, and takes the next', () => {
    const prices = openBook(book('EUR'));
    write(file, '{');
    expect(prices.reload()).toBe(false);
    expect(prices.book()?.currency).toBe('EUR');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('prices_invalid');
    rmSync(file);
    expect(prices.reload()).toBe(false);
    write(file, book('USD'));
    expect(prices.reload()).toBe(true);
    expect(prices.book()?.currency).toBe('USD');
    expect(prices.counters).toEqual({ reloads: 1, reloadsRefused: 2 });
  });

  it('is read again when it changed', async () => {
    const prices = openBook(book('EUR'), 20);
    write(file, { ...book('EUR'), currency: 'USD' });
    await expect.poll(() => prices.book()?.currency, { timeout: 10_000 }).toBe('USD');
  });
});

describe('the prices of a project', () => {
  it('are in the projects file itself, or in a file that is named from its folder', () => {
    expect(currencyOf(openShop(book('SEK')))).toBe('SEK');
    mkdirSync(join(directory, 'books'));
    write(join(directory, 'books', 'shop.json'), book('NOK'));
    expect(currencyOf(openShop('./books/shop.json'))).toBe('NOK');
    expect(currencyOf(openShop(join(directory, 'books', 'shop.json')))).toBe('NOK');
    expect(openShop(undefined).list()[0]).not.toHaveProperty('prices');
    expect(projectsIn(join(directory, 'projects.json'))).toHaveLength(1);
  });

  it.each([
    [7, 'prices of shop must be the path of a price book, or the price book itself'],
    ['', 'prices of shop must be the path'],
    [null, 'prices of shop must be the path'],
    [[], 'prices of shop: the price book must be object'],
    ['./none.json', 'none.json: cannot be read (ENOENT)'],
    [{ ...book('EUR'), contracts: [contract({ unit: 'kB' })] }, 'shop: contracts[0].unit: "kB"'],
  ])('refuse the start when they are %j', (prices, words) => {
    expect(() => openShop(prices)).toThrow(words);
  });

  it('stay when their file goes bad, while the rest of the projects file is taken', () => {
    write(file, book('EUR'));
    const projects = openShop('./prices.json');
    write(file, '{');
    const revoked = shop({ prices: './prices.json', writeKeys: [{ key: 'k', revoked: true }] });
    write(join(directory, 'projects.json'), { projects: [revoked] });
    expect(projects.reload()).toBe(true);
    expect(currencyOf(projects)).toBe('EUR');
    expect(projects.findWriteKey('k')).toBe('revoked');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('prices_invalid');
    expect(projects.counters).toEqual({ reloads: 1, reloadsRefused: 0, pricesRefused: 1 });
  });

  it('leave the old projects in force when a file is bad that was not read before', () => {
    const projects = openShop(book('EUR'));
    write(join(directory, 'projects.json'), { projects: [shop({ prices: './none.json' })] });
    expect(projects.reload()).toBe(false);
    expect(currencyOf(projects)).toBe('EUR');
    expect(projects.counters).toMatchObject({ reloads: 0, reloadsRefused: 1 });
  });

  it('are read again when their file changed', async () => {
    write(file, book('EUR'));
    const projects = openShop('./prices.json', 20);
    write(file, { ...book('EUR'), currency: 'USD' });
    await expect.poll(() => currencyOf(projects), { timeout: 10_000 }).toBe('USD');
  });
});
