/**
 * Asks the query API.
 *
 * Guarantee: every failure is an `ApiProblem` that says what to do; only an aborted request rejects with the abort.
 */
import type { Answer, Problem } from './answers.ts';

/** Values of a parameter; a list is sent as `name[]`. */
export type Query = Readonly<Record<string, string | number | readonly string[]>>;

export interface Api {
  get<Data, More extends object = object>(
    path: string,
    query: Query,
    signal: AbortSignal,
  ): Promise<Answer<Data, More>>;
  /** Body of a route that has no envelope. */
  read<Body>(path: string, signal: AbortSignal): Promise<Body>;
  /** Address of a route, for what is not a fetch. */
  url(path: string, query?: Query): string;
  /** Best estimate of the server's clock, ms since 1970: ages do not depend on the viewer's. */
  now(): number;
}

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor({ status, code, title, detail }: Problem) {
    super(detail ?? title);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
  }
}

/** A question without an answer is given up after this, ms: longer than the server thinks about any. */
const ANSWER_MS_MAX = 30_000;

const UNREACHABLE: Problem = {
  status: 0,
  code: 'unreachable',
  title: 'The server does not answer',
  detail: 'The server does not answer. Is it still running? The page goes on trying.',
};

/** Where the page is. Credentials written into its address stay out: browsers refuse to fetch such addresses. */
export interface PageAddress {
  readonly origin: string;
  readonly pathname: string;
}

export function createApi({ origin, pathname }: PageAddress): Api {
  const base = new URL(pathname, origin);
  let aheadMs = 0;

  function url(path: string, query: Query = {}): string {
    const target = new URL(path, base);
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value))
        for (const each of value) target.searchParams.append(`${name}[]`, each);
      else target.searchParams.set(name, String(value));
    }
    return target.href;
  }

  async function ask<Body>(address: string, signal: AbortSignal): Promise<Body> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const response = await fetch(address, { signal: within }).catch((error: unknown) => {
      throw signal.aborted ? error : new ApiProblem(UNREACHABLE);
    });
    const serverMs = Date.parse(response.headers.get('date') ?? '');
    // The header has whole seconds: half of one is the best guess.
    if (!Number.isNaN(serverMs)) aheadMs = serverMs + 500 - Date.now();
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as Body;
  }

  return {
    get: (path, query, signal) => ask(url(path, query), signal),
    read: (path, signal) => ask(url(path), signal),
    url,
    now: () => Date.now() + aheadMs,
  };
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const { status } = response;
  const unknown = { status, code: `http_${status}`, title: `The server answered ${status}` };
  const body: unknown = await response.json().catch(() => undefined);
  return new ApiProblem(
    typeof body === 'object' && body !== null ? { ...unknown, ...body } : unknown,
  );
}
