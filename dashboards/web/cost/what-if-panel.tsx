/** What if another CDN had delivered a part: choices on the left, what would change on the right. */
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { readValues, readWhatIf } from '../api/cost.ts';
import { dimensionTitle } from '../figures/tiles.ts';
import { frameOf } from '../state/cost-frame.ts';
import type { CostPage } from '../state/cost-route.ts';
import { usePoll } from '../state/use-poll.ts';
import { WhatIfAnswer } from './what-if-answer.tsx';
import { WhatIfChoices } from './what-if-choices.tsx';
import { leftOut, questionOf, sidesOf } from './what-if-question.ts';

const POLL_MS = 60_000;
/** A slider that moves asks once it rests this long, ms. */
const REST_MS = 250;
const CDNS_MAX = 20;

interface Props {
  readonly api: Api;
  readonly route: CostPage;
  readonly onChange: (change: Partial<CostPage>) => void;
}

export function WhatIfPanel({ api, route, onChange }: Props) {
  const { span } = route;
  const cdns = usePoll(
    `cdns ${span}`,
    (signal) => readValues(api, askOf(api, route, 'cdn'), signal),
    POLL_MS,
  );
  const [share, setShare] = useRested(route.share, (rested) => onChange({ share: rested }));
  const names = (cdns.value ?? []).filter((name) => name !== '');
  const question = questionOf(route, names);
  const polled = usePoll(
    JSON.stringify([span, question]),
    async (signal) =>
      question === undefined
        ? undefined
        : await readWhatIf(api, { ...question, frame: frameOf(span, api.now()) }, signal),
    POLL_MS,
  );
  const without = route.filters.filter(leftOut).map(({ dimension }) => dimensionTitle(dimension));
  return (
    <section class="panel" aria-labelledby="what-if-title">
      <header class="section-head">
        <h2 id="what-if-title">What if</h2>
      </header>
      <p class="definition">
        What a part of the traffic would have met with on another CDN. Views are compared only with
        views alike in what is ticked.
        {without.length > 0 && ` The filter by ${without.join(', ')} does not hold here.`}
      </p>
      {cdns.value !== undefined && names.length < 2 ? (
        <p class="empty">
          {names.length === 0
            ? 'No view that ended in this time names its CDN.'
            : `All views of this time are on ${names[0]}.`}{' '}
          Two CDNs are needed to compare.
        </p>
      ) : (
        <div class="what-if">
          <WhatIfChoices
            {...{ api, route, share, onChange }}
            cdns={names}
            sides={sidesOf(route, names)}
            onShare={setShare}
          />
          <WhatIfAnswer
            polled={polled}
            moving={share !== route.share}
            asked={question !== undefined}
            sides={sidesOf(route, names)}
          />
        </div>
      )}
    </section>
  );
}

const askOf = (api: Api, { span }: CostPage, dimension: string) => ({
  frame: frameOf(span, api.now()),
  filters: [],
  dimension,
  limit: CDNS_MAX,
});

/** A value that moves at once where it is seen, and is told once it rests. */
function useRested(value: number, onRest: (value: number) => void) {
  const [moving, setMoving] = useState(value);
  useEffect(() => setMoving(value), [value]);
  useEffect(() => {
    if (moving === value) return undefined;
    const timer = setTimeout(() => onRest(moving), REST_MS);
    return () => clearTimeout(timer);
    // Only what moves starts the rest anew.
  }, [moving]);
  return [moving, setMoving] as const;
}
