/** The filters that hold, each with a press to take it away. */
import { dimensionTitle, isInterval, valueTitle } from '../figures/tiles.ts';
import { type Filter, sameFilter } from '../state/filters.ts';

interface Props {
  readonly filters: readonly Filter[];
  /** What a filter of a dimension that only views have does not hold for; undefined where all hold for all. */
  readonly partialNote?: string;
  readonly onChange: (filters: readonly Filter[]) => void;
}

export function Chips({ filters, partialNote, onChange }: Props) {
  if (filters.length === 0) return null;
  const isPartial = ({ dimension }: Filter): boolean =>
    partialNote !== undefined && !isInterval(dimension);
  const partial = filters.filter(isPartial);
  return (
    <section class="chips" aria-label="Filters">
      {filters.map((filter) => (
        <button
          key={`${filter.dimension}:${filter.value}`}
          type="button"
          class={isPartial(filter) ? 'chip chip-partial' : 'chip'}
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
          {partial.map(({ dimension }) => dimensionTitle(dimension)).join(', ')}: holds for views.{' '}
          {partialNote}
        </p>
      )}
    </section>
  );
}
