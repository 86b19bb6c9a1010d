/** What a what-if is about: two CDNs, a share, what makes views alike, and a slice. */
import { useId } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { readValues } from '../api/cost.ts';
import { dimensionTitle, valueTitle } from '../figures/tiles.ts';
import { Select } from '../overview/select.tsx';
import { frameOf } from '../state/cost-frame.ts';
import { type CostPage, MATCHES, type Match, SLICES } from '../state/cost-route.ts';
import { usePoll } from '../state/use-poll.ts';

const VALUES_MAX = 60;

const MATCH_TITLES: Readonly<Record<Match, string>> = {
  country: 'Country',
  asn: 'Network',
  viewer_device_category: 'Device',
  stream_type: 'Live or on demand',
};

interface Props {
  readonly api: Api;
  readonly route: CostPage;
  readonly cdns: readonly string[];
  readonly sides: { readonly from: string; readonly to: string };
  /** As the slider stands, which may be ahead of the route. */
  readonly share: number;
  readonly onShare: (share: number) => void;
  readonly onChange: (change: Partial<CostPage>) => void;
}

export function WhatIfChoices({ api, route, cdns, sides, share, onShare, onChange }: Props) {
  const id = useId();
  const { from, to } = sides;
  const named = (own: string) => [...new Set([...cdns, ...(own === '' ? [] : [own])])];
  const choices = (own: string) => named(own).map((name) => [name, name] as const);
  return (
    <div class="what-if-choices">
      <div class="sides">
        <Select
          label="From"
          value={from}
          choices={choices(from)}
          onChange={(name) => onChange({ from: name, to: name === to ? from : to })}
        />
        <Select
          label="to"
          value={to}
          choices={choices(to)}
          onChange={(name) => onChange({ to: name, from: name === from ? to : from })}
        />
        <button type="button" onClick={() => onChange({ from: to, to: from })}>
          Swap
        </button>
      </div>
      <div class="share">
        <label for={id}>Share that moves</label>
        <output for={id}>{share}%</output>
        <input
          id={id}
          type="range"
          min={0}
          max={100}
          step={1}
          value={share}
          aria-valuetext={`${share} percent of the views on ${from}`}
          onInput={({ currentTarget }) => onShare(Number(currentTarget.value))}
        />
      </div>
      <fieldset class="matches">
        <legend>Views alike in</legend>
        {MATCHES.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={route.match.includes(name)}
              disabled={route.match.length === 1 && route.match.includes(name)}
              onChange={() => onChange({ match: toggled(route.match, name) })}
            />
            {MATCH_TITLES[name]}
          </label>
        ))}
      </fieldset>
      <Slice api={api} route={route} onChange={onChange} />
    </div>
  );
}

const toggled = (match: readonly Match[], name: Match): readonly Match[] =>
  MATCHES.filter((each) => (each === name ? !match.includes(name) : match.includes(each)));

function Slice({ api, route, onChange }: Pick<Props, 'api' | 'route' | 'onChange'>) {
  const { span, slice } = route;
  const dimension = slice?.dimension ?? '';
  const { value } = usePoll(
    `slices ${span} ${dimension}`,
    async (signal) => (dimension === '' ? [] : await readSlices(api, { span, dimension }, signal)),
    null,
  );
  const values = [...new Set([...(slice === undefined ? [] : [slice.value]), ...(value ?? [])])];
  const title = (name: string): string => (name === 'asn' ? 'Network' : dimensionTitle(name));
  const choose = async (name: string): Promise<void> => {
    if (name === '') return onChange({ slice: undefined });
    const [first = ''] = await readSlices(
      api,
      { span, dimension: name },
      new AbortController().signal,
    );
    onChange({ slice: { dimension: name, value: first } });
  };
  return (
    <div class="slice">
      <Select
        label="Only"
        value={dimension}
        choices={[['', 'no slice: all'], ...SLICES.map((name) => [name, title(name)] as const)]}
        onChange={(name) => void choose(name).catch(() => undefined)}
      />
      {slice !== undefined && (
        <Select
          label="is"
          value={slice.value}
          choices={values.map((each) => [each, valueTitle(dimension, each)] as const)}
          onChange={(each) => onChange({ slice: { dimension, value: each } })}
        />
      )}
    </div>
  );
}

const readSlices = (
  api: Api,
  { span, dimension }: Pick<CostPage, 'span'> & { readonly dimension: string },
  signal: AbortSignal,
): Promise<readonly string[]> =>
  readValues(
    api,
    { frame: frameOf(span, api.now()), filters: [], dimension, limit: VALUES_MAX },
    signal,
  );
