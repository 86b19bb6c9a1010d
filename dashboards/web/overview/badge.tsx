/** How a view stands: live, or how it ended. */
import { words } from '../figures/format.ts';

const GOOD: ReadonlySet<string> = new Set(['ended', 'quit']);
const BAD: ReadonlySet<string> = new Set(['failed', 'dropped', 'exit_before_start']);

export function Badge({ live, outcome }: { live: boolean; outcome: string }) {
  const tone = live ? 'live' : BAD.has(outcome) ? 'bad' : GOOD.has(outcome) ? 'good' : 'plain';
  return (
    <span class={`badge badge-${tone}`}>
      {live && <span class="hidden">live, </span>}
      {words(outcome)}
    </span>
  );
}
