import { describe, expect, it } from 'vitest';
import { cdnOfFormat, cdnOfHost } from '../../../ingest/enrichment/cdn.ts';

const NONE = new Map<string, string>();

describe('the CDN of a host', () => {
  it.each([
    ['d111111abcdef8.cloudfront.net', 'cloudfront'],
    ['example.map.fastly.net', 'fastly'],
    ['vod-example.akamaized.net', 'akamai'],
    ['example-vh.akamaihd.net', 'akamai'],
    ['www.example.com.edgesuite.net', 'akamai'],
    ['example.vo.llnwd.net', 'edgio'],
    ['example.b-cdn.net', 'bunny'],
    ['example.azureedge.net', 'azure'],
    ['customer-x.cloudflarestream.com', 'cloudflare'],
    ['example.com.cdn.cloudflare.net', 'cloudflare'],
    ['cdn.example.com', ''],
    ['cloudfront.net.example.com', ''],
    ['notfastly.net', ''],
    ['fastly.net', ''],
    ['', ''],
    ['[2001:db8::1]', ''],
    [`${'a.'.repeat(2_000)}fastly.net`, 'fastly'],
    ['.'.repeat(2_000), ''],
  ])('%s is %j', (host, cdn) => {
    expect(cdnOfHost(host, NONE)).toBe(cdn);
  });

  it('is what the project says first, by the longest name', () => {
    const own = new Map([
      ['cdn.example.com', 'akamai'],
      ['*.example.com', 'own'],
      ['*.live.example.com', 'live'],
      ['*.fastly.net', 'fastly-eu'],
    ]);
    expect(cdnOfHost('cdn.example.com', own)).toBe('akamai');
    expect(cdnOfHost('other.example.com', own)).toBe('own');
    expect(cdnOfHost('a.b.live.example.com', own)).toBe('live');
    expect(cdnOfHost('x.fastly.net', own)).toBe('fastly-eu');
    expect(cdnOfHost('example.com', own)).toBe('');
    expect(cdnOfHost('x.cloudfront.net', own)).toBe('cloudfront');
  });

  it('is that of a log which only it writes', () => {
    expect(
      ['cloudfront', 'fastly', 'akamai', 'cloudflare', 'nginx', 'ndjson'].map(cdnOfFormat),
    ).toEqual(['cloudfront', 'fastly', 'akamai', 'cloudflare', '', '']);
  });
});
