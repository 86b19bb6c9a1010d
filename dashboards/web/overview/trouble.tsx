/** What went wrong, and what to do. */
import type { ApiProblem } from '../api/client.ts';

interface Props {
  readonly problem: ApiProblem;
  /** True: what is shown beside it is an earlier answer. */
  readonly old?: boolean;
}

export function Trouble({ problem, old = false }: Props) {
  return (
    <p class="trouble" role="alert">
      <b>{sentence(problem.message)}</b> {old && 'What you see is the last answer. '}
      <code>{problem.code}</code>
    </p>
  );
}

function sentence(text: string): string {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
