/** A whole Streamgauge with the page built anew, and views posted to it as their players would. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { type Running, startAll } from '../../../main.ts';
import { loadOptions } from '../../../platform/config/config.ts';
import { createLogger } from '../../../platform/logging.ts';

export interface PageServer extends Running {
  close(): Promise<void>;
}

const CONFIG = join(import.meta.dirname, '../../../vite.config.ts');

/** `prices`: a price book, as its file has it. */
export async function startPageServer(prices?: object): Promise<PageServer> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-page-'));
  const pageDirectory = join(directory, 'page');
  await build({ configFile: CONFIG, logLevel: 'error', build: { outDir: pageDirectory } });
  const pricesFile = join(directory, 'prices.json');
  if (prices !== undefined) await writeFile(pricesFile, JSON.stringify(prices));
  const loaded = loadOptions(
    {
      ...{ dataDir: join(directory, 'data'), port: 0, logLevel: 'warn' },
      ...(prices === undefined ? {} : { pricesFile }),
    },
    {},
  );
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  const logger = createLogger(loaded.options.logLevel, false);
  const running = await startAll(loaded.options, logger, { pageDirectory });
  return {
    ...running,
    close: async () => {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface SentView {
  readonly view: string;
  readonly context: Readonly<Record<string, string>>;
  /** Native events without `seq`; `agoMs` before now. */
  readonly events: readonly (Readonly<Record<string, unknown>> & { readonly agoMs: number })[];
}

/** Posts views as beats of now; throws unless every event is accepted. */
export async function sendViews(url: string, views: readonly SentView[]): Promise<void> {
  const nowMs = Date.now();
  const beats = views.map(({ view, context, events }) => ({
    view,
    sentAt: nowMs,
    context,
    events: events.map(({ agoMs, ...event }, seq) => ({ seq, at: nowMs - agoMs, ...event })),
  }));
  const response = await fetch(`${url}/v1/beats?key=dev`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(beats),
  });
  const answer = (await response.json()) as { accepted: number; rejected: unknown[] };
  if (response.status !== 202 || answer.rejected.length > 0) {
    throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  }
}
