/** What would change, each with the range in which the truth is likely to lie. */
import type { ApiProblem } from '../api/client.ts';
import type { WhatIfAnswer as Answer } from '../api/cost.ts';
import { figureText } from '../figures/format.ts';
import { Trouble } from '../overview/trouble.tsx';
import type { Polled } from '../state/use-poll.ts';
import { costEffectOf, type Effect, effectsOf, placeOf, type Verdict } from './effects.ts';
import { type Refusal, refusalOf, refusedOf } from './refused.ts';
import { NoPrices } from './states.tsx';

const WORDS: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  open: 'could be either',
  same: 'the same',
  unknown: 'too few views tell',
};

interface Props {
  readonly polled: Polled<Answer | undefined>;
  /** True: the slider has not come to rest. */
  readonly moving: boolean;
  /** False: nothing would move. */
  readonly asked: boolean;
  readonly sides: { readonly from: string; readonly to: string };
}

export function WhatIfAnswer({ polled, moving, asked, sides }: Props) {
  const { value, problem, stale } = polled;
  const old = moving || stale;
  return (
    <div
      class={old ? 'what-if-answer chart-stale' : 'what-if-answer'}
      aria-busy={old}
      aria-live="polite"
    >
      {!asked && <p class="empty">Nothing moves. Choose two CDNs and a share above 0%.</p>}
      {asked && problem !== undefined && <Refused problem={problem} sides={sides} />}
      {asked && problem === undefined && value !== undefined && (
        <Told answer={value} sides={sides} />
      )}
    </div>
  );
}

function Refused({ problem, sides }: { problem: ApiProblem; sides: Props['sides'] }) {
  if (problem.code !== 'support_too_thin') return <Trouble problem={problem} />;
  const refused = refusedOf(problem.members);
  const share = problem.members.supported_share;
  return (
    <>
      <div class="notice" role="alert">
        <b>This slice is too thin to tell.</b>{' '}
        {typeof share === 'number' && (
          <>
            Only {figureText(share, 'fraction')} of the views on {sides.from} have views alike on{' '}
            {sides.to}.{' '}
          </>
        )}
        Choose a longer time or a wider slice, or untick a likeness that the CDN does not depend on.{' '}
        <code>{problem.code}</code>
      </div>
      <Cells
        open
        refusals={refused.map((cell) => refusalOf(cell, sides))}
        more={Math.max(0, Number(problem.members.refused_cells ?? 0) - refused.length)}
      />
    </>
  );
}

function Told({ answer: { data, meta }, sides }: { answer: Answer; sides: Props['sides'] }) {
  const cost = costEffectOf(data.cost);
  const effects = [...(cost === undefined ? [] : [cost]), ...effectsOf(data)];
  const refusals = data.refused.map((cell) => refusalOf(cell, sides));
  return (
    <>
      {cost === undefined && <NoPrices what="What a move costs or saves" />}
      {data.cost !== null && data.cost.unpriced_after.length > 0 && (
        <p class="notice" role="note">
          <b>A part of what moves has no price on {sides.to}.</b> The cost leaves it out, and looks
          lower than it would be.
        </p>
      )}
      <table class="effects">
        <thead class="hidden">
          <tr>
            {['Figure', 'Change', 'Range', 'Verdict', 'Now and then'].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {effects.map((effect) => (
            <Row key={effect.id} effect={effect} />
          ))}
        </tbody>
      </table>
      <p class="definition">
        {figureText(data.moved.views, 'count')} of {figureText(data.slice.views_from, 'count')}{' '}
        views move from {sides.from}; {figureText(data.supported_share, 'fraction')} of them can be
        compared. Figures are of all {figureText(data.slice.views, 'count')} views
        {typeof meta.confidence === 'number' &&
          `, ranges hold the truth ${figureText(meta.confidence, 'fraction')} of the time`}
        .
      </p>
      <Cells open={false} refusals={refusals} more={data.refused_cells - refusals.length} />
    </>
  );
}

function Row({ effect }: { effect: Effect }) {
  const { id, title, delta, now, wouldBe, range, verdict } = effect;
  return (
    <tr data-effect={id}>
      <th scope="row">{title}</th>
      <td class="number delta">{delta}</td>
      <td class="range">
        <RangeBar effect={effect} />
        <small>{range === '' ? '\u00a0' : range}</small>
      </td>
      <td>
        <span class={`verdict verdict-${verdict}`}>{WORDS[verdict]}</span>
      </td>
      <td class="number then">
        {now === '' ? '–' : now} → {wouldBe === '' ? '–' : wouldBe}
      </td>
    </tr>
  );
}

/** Zero in the middle, the range as a band, the change as a mark. */
function RangeBar({ effect: { drawn, verdict } }: { effect: Effect }) {
  if (drawn === undefined) return <span class="range-bar" aria-hidden="true" />;
  const [low, at, high] = [drawn.low, drawn.delta, drawn.high].map((each) => placeOf(each, drawn));
  // What is exact is drawn from zero.
  const exact = drawn.low === drawn.high;
  const from = exact ? Math.min(50, at ?? 50) : (low ?? 50);
  const to = exact ? Math.max(50, at ?? 50) : (high ?? 50);
  return (
    <span class="range-bar" aria-hidden="true">
      <i class={`reach reach-${verdict}`} style={{ left: `${from}%`, width: `${to - from}%` }} />
      <i class={`delta-mark delta-mark-${verdict}`} style={{ left: `${at}%` }} />
    </span>
  );
}

interface CellsProps {
  readonly open: boolean;
  readonly refusals: readonly Refusal[];
  readonly more: number;
}

function Cells({ open, refusals, more }: CellsProps) {
  if (refusals.length === 0) return null;
  const all = refusals.length + more;
  return (
    <details class="refused" open={open}>
      <summary>
        {open
          ? `Groups that cannot be compared: ${all}`
          : `${all} ${all === 1 ? 'group' : 'groups'} cannot be compared, and would not move`}
      </summary>
      <ul>
        {refusals.map(({ name, views, why }) => (
          <li key={name}>
            <b>{name}</b>: <span>{why}</span> <small>({views})</small>
          </li>
        ))}
        {more > 0 && <li>and {more} smaller ones</li>}
      </ul>
    </details>
  );
}
