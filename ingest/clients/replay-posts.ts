/**
 * Turns recorded posts of players into requests: CMCD reports and EPAS events, body and content type as recorded.
 *
 * Posts that were answered 503 are sent like the others: the player sent them again, and recognising duplicates is
 * the fold's business. Preflights and beacons of other vendors are left out.
 */
import { parseLine, type ReplayForm, type ReplayPlan, type ReplayRequest } from './replay-plan.ts';

const ROUTES = { cmcd: '/v1/cmcd', epas: '/v1/epas' } as const;

/** Characters that a header value may hold; anything else would make the request impossible to send. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function planPosts(lines: readonly string[], forms: ReadonlySet<ReplayForm>): ReplayPlan {
  const requests: ReplayRequest[] = [];
  let brokenLines = 0;
  let leftOutLines = 0;
  let userAgent: string | undefined;
  for (const line of lines) {
    const post = readPost(line);
    if (post === undefined) {
      brokenLines += 1;
      continue;
    }
    // A recording is one browser, and trimmed lines lack the headers that never change: the last one seen holds.
    userAgent = post.headers.get('user-agent') ?? userAgent;
    const form = formOf(post.url);
    if (post.method !== 'POST' || form === undefined || !forms.has(form)) {
      leftOutLines += 1;
      continue;
    }
    requests.push(toRequest(post, form, userAgent, line));
  }
  return { requests, brokenLines, leftOutLines };
}

interface Post {
  readonly atMs: number;
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

function readPost(line: string): Post | undefined {
  const { t, method, url, headers, body } = parseLine(line) ?? {};
  if (typeof t !== 'number' || typeof body !== 'string') return undefined;
  if (typeof method !== 'string' || typeof url !== 'string') return undefined;
  return { atMs: t, method, url, headers: readHeaders(headers), body };
}

/** Headers by lower-case name, from the recorded list of pairs. */
function readHeaders(pairs: unknown): Map<string, string> {
  const headers = new Map<string, string>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    const [name, value] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof name !== 'string' || typeof value !== 'string') continue;
    if (HEADER_VALUE.test(value)) headers.set(name.toLowerCase(), value);
  }
  return headers;
}

function formOf(url: string): 'cmcd' | 'epas' | undefined {
  const path = url.split('?', 1)[0] ?? '';
  if (path.startsWith('/cmcd/')) return 'cmcd';
  return path === '/epas' ? 'epas' : undefined;
}

function toRequest(
  post: Post,
  form: 'cmcd' | 'epas',
  userAgent: string | undefined,
  line: string,
): ReplayRequest {
  const contentType = post.headers.get('content-type');
  return {
    form,
    atMs: post.atMs,
    path: ROUTES[form],
    headers: {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      // Empty rather than absent: without one, fetch would name itself as the viewer's browser.
      'user-agent': userAgent ?? '',
    },
    body: post.body,
    records: contentType?.includes('json') ? countJson(post.body) : countLines(post.body),
    recordedBytes: Buffer.byteLength(line) + 1,
  };
}

function countLines(body: string): number {
  return body.split('\n').filter((line) => line.trim() !== '').length;
}

function countJson(body: string): number {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value.length : 1;
  } catch {
    return 1;
  }
}
