/**
 * Asks a question again and again while the page is seen.
 *
 * Guarantee: the last answer stays until a newer one is there, so that nothing flickers; an answer to an earlier
 * question never replaces that to a later one; a page in the background asks nothing.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../api/client.ts';

export interface Polled<Value> {
  /** The newest answer; undefined before the first. */
  readonly value: Value | undefined;
  /** What went wrong last; undefined once an answer came. */
  readonly problem: ApiProblem | undefined;
  /** True while `value` answers an earlier question than the one asked now. */
  readonly stale: boolean;
}

interface Held<Value> {
  readonly question: string;
  readonly value: Value | undefined;
  readonly problem: ApiProblem | undefined;
}

/** `question` names what `load` asks: a change of it asks at once. `everyMs` null asks once. */
export function usePoll<Value>(
  question: string,
  load: (signal: AbortSignal) => Promise<Value>,
  everyMs: number | null,
): Polled<Value> {
  const [held, setHeld] = useState<Held<Value>>({ question, value: undefined, problem: undefined });
  const newest = useRef(load);
  newest.current = load;

  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;

    async function ask(): Promise<void> {
      clearTimeout(timer);
      if (asking || document.hidden) return;
      asking = true;
      try {
        const value = await newest.current(signal);
        if (!signal.aborted) setHeld({ question, value, problem: undefined });
      } catch (error) {
        if (signal.aborted) return;
        setHeld((before) => ({ ...before, problem: asProblem(error) }));
      } finally {
        asking = false;
      }
      if (everyMs !== null && !signal.aborted) timer = setTimeout(askAgain, everyMs);
    }
    const askAgain = (): void => void ask();

    askAgain();
    document.addEventListener('visibilitychange', askAgain);
    return () => {
      document.removeEventListener('visibilitychange', askAgain);
      clearTimeout(timer);
      leaving.abort();
    };
  }, [question, everyMs]);

  return { value: held.value, problem: held.problem, stale: held.question !== question };
}

function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const title = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ status: 0, code: 'page_failed', title });
}
