/** The filters that hold, each with a press to take it away. */
import { dimensionTitle, isInterval, valueTitle } from '../figures/tiles.ts';
import { type Filter, sameFilter } from '../state/route.ts';

interface Props {
  readonly filters: readonly Filter[];
  readonly onChange: (filters: readonly Filter[]) => void;
}

export function Chips({ filters, onChange }: Props) {
  if (filters.length === 0) return null;
  const partial = filters.filter(({ dimension }) => !isInterval(dimension));
  return (
    <section class="chips" aria-label="Filters">
      {filters.map((filter) => (
        <button
          key={`${filter.dimension}:${filter.value}`}
          type="button"
          class={isInterval(filter.dimension) ? 'chip' : 'chip chip-partial'}
          title="Take this filter away"
          onClick={() => onChange(filters.filter((each) => !sameFilter(each, filter)))}
        >
          {dimensionTitle(filter.dimension)}: <b>{valueTitle(filter.dimension, filter.value)}</b>
          <span aria-hidden="true"> ×</span>
        </button>
      ))}
      {filters.length > 1 && (
        <button type="button" class="plain" onClick={() => onChange([])}>
          Clear all
        </button>
      )}
      {partial.length > 0 && (
        <p class="chips-note">
          {partial.map(({ dimension }) => dimensionTitle(dimension)).join(', ')}: holds for views.
          Figures of this moment do not carry it and stay unfiltered.
        </p>
      )}
    </section>
  );
}
