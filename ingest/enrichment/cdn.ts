/**
 * Which CDN a host belongs to: by the project's rules, else by the names that CDNs give to hosts of their own.
 *
 * Guarantee: the longest name that fits wins, and the project's win over those built in. A host that no rule knows
 * belongs to no CDN: a name of one's own may lead to any of them.
 */

/** Hosts with more labels have the first ones left out. */
const LABELS_MAX = 24;

/** Domains under which CDNs serve their customers. */
const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  akamai: [
    ...['akamaized.net', 'akamaihd.net', 'akamai.net', 'akamaiedge.net', 'akamaistream.net'],
    ...['edgesuite.net', 'edgekey.net'],
  ],
  alibaba: ['alicdn.com', 'kunlunca.com', 'kunlunar.com', 'kunlungem.com'],
  azure: ['azureedge.net', 'azurefd.net'],
  bunny: ['b-cdn.net'],
  cachefly: ['cachefly.net'],
  cdn77: ['cdn77.org', 'cdn77.com'],
  cdnetworks: ['cdngc.net', 'gccdn.net', 'cdnetworks.net'],
  cloudflare: ['cdn.cloudflare.net', 'cloudflarestream.com', 'videodelivery.net', 'r2.dev'],
  cloudfront: ['cloudfront.net'],
  edgio: ['llnwd.net', 'llnwi.net', 'lldns.net', 'edgecastcdn.net', 'systemcdn.net'],
  fastly: ['fastly.net', 'fastlylb.net'],
  gcore: ['gcdn.co'],
  google: ['googleusercontent.com', 'googlevideo.com', 'gvt1.com'],
  keycdn: ['kxcdn.com'],
  lumen: ['footprint.net'],
  medianova: ['mncdn.com'],
  qwilt: ['cqloud.com'],
  tencent: ['myqcloud.com', 'tcdnv3.com'],
  wangsu: ['wscdns.com', 'wsdvs.com'],
};

const BUILT_IN: ReadonlyMap<string, string> = new Map(
  Object.entries(DOMAINS).flatMap(([cdn, domains]) =>
    domains.map((domain) => [`*.${domain}`, cdn] as const),
  ),
);

/** The CDN of a host in lower case; empty when none is known. */
export function cdnOfHost(host: string, own: ReadonlyMap<string, string>): string {
  if (host === '') return '';
  return findCdn(host, own) ?? findCdn(host, BUILT_IN) ?? '';
}

function findCdn(host: string, rules: ReadonlyMap<string, string>): string | undefined {
  const exact = rules.get(host);
  if (exact !== undefined) return exact;
  const labels = host.split('.').slice(-LABELS_MAX);
  for (let first = 1; first < labels.length; first++) {
    const cdn = rules.get(`*.${labels.slice(first).join('.')}`);
    if (cdn !== undefined) return cdn;
  }
  return undefined;
}

/** Formats of edge logs that only one CDN writes. */
const FORMATS: ReadonlySet<string> = new Set(['akamai', 'cloudflare', 'cloudfront', 'fastly']);

/** The CDN whose own format a log has; empty when anybody could have written it. */
export function cdnOfFormat(format: string): string {
  return FORMATS.has(format) ? format : '';
}
