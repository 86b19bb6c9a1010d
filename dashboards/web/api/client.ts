/**
 * Asks the query API.
 *
 * Guarantee: every failure is an `ApiProblem` that says what to do; only an aborted request rejects with the abort.
 */
import type { paths } from './schema.d.ts';

/** Paths of the OpenAPI document that can be read. */
export type GetPath = {
  [Path in keyof paths]: paths[Path] extends { get: object } ? Path : never;
}[keyof paths];

type Operation<Path extends GetPath> = paths[Path] extends { get: infer Get } ? Get : never;

/** What the document says that a path answers. */
export type AnswerOf<Path extends GetPath> =
  Operation<Path> extends {
    responses: { 200: { content: { 'application/json': infer Body } } };
  }
    ? Body
    : never;

/** Its parameters; a list is sent as its name, again and again. */
export type QueryOf<Path extends GetPath> =
  Operation<Path> extends { parameters: { query?: infer Query extends object } } ? Query : object;

/** The values that stand in a path. */
export type PlacesOf<Path extends GetPath> =
  Operation<Path> extends { parameters: { path: infer Places extends object } } ? Places : object;

export interface Api {
  get<Path extends GetPath>(
    path: Path,
    ask: { readonly places: PlacesOf<Path>; readonly query: QueryOf<Path> },
    signal: AbortSignal,
  ): Promise<AnswerOf<Path>>;
  /** Body of a route that has no envelope. */
  read<Body>(path: string, signal: AbortSignal): Promise<Body>;
  /** Address of a route, for what is not a fetch. */
  url(path: string): string;
  /** Best estimate of the server's clock, ms since 1970: ages do not depend on the viewer's. */
  now(): number;
}

/** Problem details (RFC 9457) with a stable code. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
}

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** All that the problem says: some codes tell more. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(problem: Problem) {
    const { status, code, title, detail } = problem;
    super(detail ?? title);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
    this.members = { ...problem };
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

  const url = (path: string): string => new URL(path, base).href;

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
    get: (path, { places, query }, signal) => ask(url(target(path, places, query)), signal),
    read: (path, signal) => ask(url(path), signal),
    url,
    now: () => Date.now() + aheadMs,
  };
}

/** A path of the document, below where the page is, with its values and its query. */
export function target(path: string, places: object, query: object): string {
  const values = new Map(Object.entries(places).map(([name, value]) => [name, String(value)]));
  const filled = path.slice(1).replace(/\{(\w+)\}/g, (_, name: string) => {
    return encodeURIComponent(values.get(name) ?? '');
  });
  const pairs = Object.entries(query).flatMap(([name, value]: [string, unknown]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return pairs.length === 0 ? filled : `${filled}?${new URLSearchParams(pairs)}`;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const { status } = response;
  const unknown = { status, code: `http_${status}`, title: `The server answered ${status}` };
  const body: unknown = await response.json().catch(() => undefined);
  return new ApiProblem(
    typeof body === 'object' && body !== null ? { ...unknown, ...body } : unknown,
  );
}
