/** `/`: the dashboard, or, where it has not been built, a text that says where to look. */
import type { FastifyInstance } from 'fastify';
import { type DashboardDeps, hasDashboard, registerDashboard } from './dashboard.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}' +
  'pre{background:#f2f2f2;padding:.8rem;overflow:auto;border-radius:4px}code{font-family:ui-monospace,monospace}';

/** Style is inline, scripts there are none. */
const CSP =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/** Shell text. `<` and `&` are escaped where it enters the page. */
const BEAT = `NOW=$(($(date +%s) * 1000))
curl -i "$URL/v1/beats" -H 'Authorization: Bearer dev' -H 'Content-Type: application/json' -d '{
  "view": "first-view", "sentAt": '$NOW',
  "context": { "video_id": "movie-1" },
  "events": [
    { "seq": 0, "at": '$((NOW - 9000))', "type": "state", "state": "starting" },
    { "seq": 1, "at": '$((NOW - 8000))', "type": "state", "state": "playing" },
    { "seq": 2, "at": '$NOW', "type": "state", "state": "ended" } ] }'`;

const QUERIES = `curl -u dev:dev "$URL/data/v1/video-views/first-view"
curl -u dev:dev "$URL/data/v1/metrics/video_startup_time/overall?timeframe[]=24:hours" --globoff`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The page. It holds nothing that a request said. */
export function renderPage(): string {
  const block = (text: string): string => `<pre><code>${escaped(text)}</code></pre>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Streamgauge</title><style>${STYLE}</style></head><body>
<h1>Streamgauge</h1>
<p>The server runs. The reference of the query API is at <a href="/docs">/docs</a>, its document at
<a href="/openapi.json">/openapi.json</a>.</p>
<h2>Send a first view</h2>
<p>Players send to <code>POST /v1/beats</code> (native) and <code>POST /v1/cmcd</code> (CMCD v2 event mode), with a write key.
Without a projects file the key is <code>dev</code>.</p>
${block(`URL=http://127.0.0.1:8080\n${BEAT}`)}
<h2>Ask for it</h2>
<p>Questions go to <code>/data/v1</code> with a read token: id and secret, <code>dev</code> and <code>dev</code> without a
projects file. A view is found a few seconds after it was sent.</p>
${block(QUERIES)}
<p>In the browser: <a href="/data/v1/video-views">the views of the last 24 hours</a>,
<a href="/data/v1/metrics/views/timeseries">views over time</a>, <a href="/data/v1/dimensions">dimensions</a>.
<a href="/healthz">/healthz</a> and <a href="/readyz">/readyz</a> are for operators.</p>
</body></html>
`;
}

export interface PageDeps extends Omit<DashboardDeps, 'directory' | 'help'> {
  /** Where the build of the dashboard lies; without one the page is text. */
  readonly pageDirectory?: string;
}

/** The dashboard where it has been built, behind the token guard; else a text that says where to look, for anyone. */
export async function registerPage(
  fastify: FastifyInstance,
  { pageDirectory = '', projects, counters }: PageDeps,
): Promise<void> {
  const help = renderPage();
  if (hasDashboard(pageDirectory)) {
    const deps = { directory: pageDirectory, projects, counters, help };
    await fastify.register(registerDashboard, deps);
    return;
  }
  fastify.get('/', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', CSP);
    return help;
  });
}
