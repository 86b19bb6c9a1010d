import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  isLoopback,
  openProjects,
  type Projects,
  storedViewerId,
} from '../../platform/projects.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let directory: string;
let file: string;
let opened: Projects | undefined;
const lines: string[] = [];
const logger = {
  info: (...line: unknown[]) => void lines.push(`info ${JSON.stringify(line)}`),
  error: (...line: unknown[]) => void lines.push(`error ${JSON.stringify(line)}`),
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'projects-'));
  file = join(directory, 'projects.json');
  lines.length = 0;
});

afterEach(() => {
  opened?.close();
  opened = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function project(more: object = {}): object {
  return {
    id: 'shop',
    writeKeys: [
      { key: 'plain' },
      { keyHash: sha256('hashed'), trustClock: true },
      { key: 'old', expiresAt: '2020-01-01T00:00:00Z' },
      { key: 'stolen', revoked: true },
    ],
    readTokens: [
      { id: 'a', secret: 'sesame' },
      { id: 'b', secretHash: sha256('hidden').toUpperCase() },
    ],
    viewerSecret: 'salt',
    ...more,
  };
}

function open(content: unknown, watchIntervalMs = 0): Projects {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  const now = () => Date.parse('2026-01-01T00:00:00Z');
  opened = openProjects({ file, host: '0.0.0.0', logger, now, watchIntervalMs });
  return opened;
}

describe('projects', () => {
  it('find write keys, plain or hashed, and say why one may not write', () => {
    const projects = open({ projects: [project()] });
    expect(projects.findWriteKey('plain')).toMatchObject({
      project: { id: 'shop', name: 'shop' },
      trustClock: false,
      keyId: sha256('plain').slice(0, 16),
    });
    expect(projects.findWriteKey('hashed')).toMatchObject({ trustClock: true });
    expect(projects.findWriteKey('old')).toBe('expired');
    expect(projects.findWriteKey('stolen')).toBe('revoked');
    for (const key of ['', 'nonsense', sha256('hashed'), 'x'.repeat(300)]) {
      expect(projects.findWriteKey(key)).toBe('unknown');
    }
  });

  it('find read tokens by id and secret', () => {
    const projects = open({ projects: [project()] });
    const shop = { project: { id: 'shop' } };
    expect(projects.findReadToken('a', 'sesame')).toMatchObject({ ...shop, tokenId: 'a' });
    expect(projects.findReadToken('b', 'hidden')).toMatchObject({ ...shop, tokenId: 'b' });
    expect(projects.findReadToken('a', 'hidden')).toBe('unknown');
    expect(projects.findReadToken('nobody', 'sesame')).toBe('unknown');
    expect(projects.findReadToken('nobody', '')).toBe('unknown');
  });

  it('say why a right token may not read, and nothing to who does not know its secret', () => {
    const readTokens = [
      { id: 'old', secret: 's', expiresAt: '2025-12-31T23:59:59Z' },
      { id: 'new', secret: 's', expiresAt: '2026-01-01T00:00:01Z' },
      { id: 'stolen', secret: 's', revoked: true },
    ];
    const projects = open({ projects: [project({ readTokens })] });
    expect(projects.findReadToken('old', 's')).toBe('expired');
    expect(projects.findReadToken('new', 's')).toMatchObject({ tokenId: 'new' });
    expect(projects.findReadToken('stolen', 's')).toBe('revoked');
    expect(projects.findReadToken('old', 'wrong')).toBe('unknown');
    expect(projects.findReadToken('stolen', 'wrong')).toBe('unknown');
  });

  it('give tokens their scopes; without any, all but admin', () => {
    const readTokens = [
      { id: 'some', secret: 's', scopes: ['metrics', 'admin'] },
      { id: 'plain', secret: 's' },
    ];
    const projects = open({ projects: [project({ readTokens })] });
    expect(projects.findReadToken('some', 's')).toMatchObject({
      scopes: new Set(['metrics', 'admin']),
    });
    expect(projects.findReadToken('plain', 's')).toMatchObject({
      scopes: new Set(['metrics', 'monitoring', 'views', 'annotate']),
    });
  });

  it('are built in for loopback only', () => {
    const built = (host: string) => openProjects({ file: '', host, logger, now: () => 0 });
    expect(built('::1').findWriteKey('dev')).toMatchObject({ trustClock: false });
    expect(built('localhost').findWriteKey('dev-trusted')).toMatchObject({ trustClock: true });
    expect(built('127.0.0.1').findReadToken('dev', 'dev')).toMatchObject({
      project: { id: 'default' },
      scopes: new Set(['metrics', 'monitoring', 'views', 'annotate', 'admin']),
    });
    expect(() => built('0.0.0.0')).toThrow('STREAMGAUGE_PROJECTS_FILE');
  });

  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['LOCALHOST', true],
    ['0.0.0.0', false],
    ['::', false],
    ['128.0.0.1', false],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com', false],
    ['127.0.0.999', false],
  ])('know whether %s is loopback: %s', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });

  it.each([
    ['{"projects": [{"key": "hunter2"', 'is not valid JSON'],
    [{ projects: [] }, 'projects must not have fewer than 1 items'],
    [{ project: [] }, 'has unknown field "project"; did you mean projects?'],
    [
      { projects: [project({ writekeys: [] })] },
      'projects[0] has unknown field "writekeys"; did you mean writeKeys?',
    ],
    [
      { projects: [project({ writeKeys: [{ key: 'hunter2', trustclock: true }] })] },
      'projects[0].writeKeys[0] has unknown field "trustclock"; did you mean trustClock?',
    ],
    [{ projects: [project({ id: 'a b' })] }, 'projects[0].id must match pattern'],
    [{ projects: [project(), project()] }, 'project shop is there twice'],
    [
      { projects: [project({ writeKeys: [{}] })] },
      'writeKeys[0] of shop needs either key or keyHash',
    ],
    [
      { projects: [project({ writeKeys: [{ key: 'hunter2', keyHash: sha256('x') }] })] },
      'writeKeys[0] of shop needs either key or keyHash',
    ],
    [
      { projects: [project({ writeKeys: [{ key: 'hunter2', expiresAt: 'soon' }] })] },
      'is not a date',
    ],
    [{ projects: [project({ readTokens: [{ id: 'a' }] })] }, 'needs either secret or secretHash'],
    [
      { projects: [project({ readTokens: [{ id: 'a', secret: 's', expiresAt: 'soon' }] })] },
      'read token a of shop has an expiresAt that is not a date',
    ],
    [
      { projects: [project({ readTokens: [{ id: 'a', secret: 's', scopes: ['all'] }] })] },
      'projects[0].readTokens[0].scopes[0]',
    ],
    [
      { projects: [project({ writeKeys: [{ key: 'a', allowedOrigins: ['example.com'] }] })] },
      'projects[0].writeKeys[0].allowedOrigins[0] must match pattern',
    ],
    [
      { projects: [project({ writeKeys: [{ key: 'a', formats: ['nginx'] }] })] },
      'projects[0].writeKeys[0].formats[0]',
    ],
    [
      { projects: [project({ quota: { eventsPerDay: 1 } })] },
      'projects[0].quota has unknown field "eventsPerDay"; did you mean eventsPerDayMax?',
    ],
    [{ projects: [project({ viewerSecret: undefined })] }, 'needs viewerSecret'],
    [{ projects: [project({ cdnHosts: { 'https://a/': 'x' } })] }, 'projects[0].cdnHosts'],
    [{ projects: [project({ cdnHosts: { 'a.com': '' } })] }, 'projects[0].cdnHosts'],
    [
      { projects: [project({ dimensions: [{ dimension: 'contry', from: 'host' }] })] },
      'dimensions[0] of shop sets "contry", which is no dimension; did you mean country?',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'cdn', from: 'hots' }] })] },
      'reads "hots", which is neither host, path, header:NAME nor a dimension; did you mean host?',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'cdn', from: 'host', mach: '*' }] })] },
      'projects[0].dimensions[0] has unknown field "mach"; did you mean match?',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'viewer_user_id', from: 'host' }] })] },
      'may not set viewer_user_id',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'custom_1', from: 'viewer_user_id' }] })] },
      'may not read viewer_user_id',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'cdn', from: 'header:Cookie' }] })] },
      'may not read header:Cookie: it holds a credential or an address',
    ],
    [
      { projects: [project({ dimensions: [{ dimension: 'cdn', from: 'header:a b' }] })] },
      'which is no header',
    ],
  ])('refuse the file %j', (content, words) => {
    expect(() => open(content)).toThrow(words);
    expect(() => open(content)).not.toThrow('hunter2');
  });

  it('have rules of CDNs and dimensions, hosts in lower case', () => {
    const dimensions = [
      { dimension: 'sub_property_id', from: 'host', match: 'Kids.*', value: 'kids' },
      { dimension: 'custom_1', from: 'header:X-Tenant', override: true },
    ];
    const projects = open({
      projects: [project({ cdnHosts: { '*.CDN.example': 'own' }, dimensions })],
    });
    expect(projects.list()).toMatchObject([
      {
        cdnHosts: new Map([['*.cdn.example', 'own']]),
        dimensionRules: [
          { source: { kind: 'host' }, match: 'kids.*', value: 'kids', override: false },
          {
            source: { kind: 'header', name: 'x-tenant' },
            match: '*',
            value: undefined,
            override: true,
          },
        ],
      },
    ]);
  });

  it('refuse a file that is not there', () => {
    expect(() => openProjects({ file, host: '127.0.0.1', logger, now: () => 0 })).toThrow('ENOENT');
  });

  it('keep the old projects when a change is bad, say so, and take the next good one', () => {
    const projects = open({ projects: [project()] });
    writeFileSync(file, '{"projects": [{"id": "hunter2"}');
    expect(projects.reload()).toBe(false);
    expect(projects.findWriteKey('plain')).toMatchObject({ trustClock: false });
    expect(lines.join()).toMatch(/^error .*projects_invalid/);
    expect(lines.join()).not.toContain('hunter2');
    writeFileSync(file, JSON.stringify({ projects: [project({ writeKeys: [{ key: 'new' }] })] }));
    expect(projects.reload()).toBe(true);
    expect(projects.findWriteKey('plain')).toBe('unknown');
    expect(projects.findWriteKey('new')).toMatchObject({ trustClock: false });
    expect(lines.join()).not.toContain('"new"');
  });

  it('notice by themselves that the file changed', async () => {
    const projects = open({ projects: [project()] }, 20);
    writeFileSync(file, JSON.stringify({ projects: [project({ writeKeys: [{ key: 'new' }] })] }));
    await expect
      .poll(() => typeof projects.findWriteKey('new'), { timeout: 10_000 })
      .toBe('object');
  });

  it('hide viewers under their secret, unless told to keep them raw', () => {
    const [hidden, raw] = open({
      projects: [project(), { id: 'raw', writeKeys: [], readTokens: [], rawViewerIds: true }],
    }).list();
    if (hidden === undefined || raw === undefined) throw new Error('two projects expected');
    expect(storedViewerId(hidden, 'me')).toMatch(/^[0-9a-f]{32}$/);
    expect(storedViewerId(hidden, 'me')).not.toBe(
      storedViewerId({ ...hidden, viewerSecret: 'x' }, 'me'),
    );
    expect(storedViewerId(hidden, '')).toBe('');
    expect(storedViewerId(raw, 'me')).toBe('me');
  });
});
