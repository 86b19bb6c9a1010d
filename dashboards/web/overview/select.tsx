/** A choice out of a list, with its label. Groups are named where there are several. */
import { useId } from 'preact/hooks';

type Choices = readonly (readonly [value: string, title: string])[];

interface Props {
  readonly label: string;
  readonly value: string;
  readonly choices: Choices;
  /** Choices under a heading of their own. */
  readonly more?: { readonly title: string; readonly choices: Choices; readonly first: string };
  /** As large as a heading. */
  readonly big?: boolean;
  readonly onChange: (value: string) => void;
}

export function Select({ label, value, choices, more, big = false, onChange }: Props) {
  const id = useId();
  const options = (list: Choices) =>
    list.map(([each, title]) => (
      <option key={each} value={each} selected={each === value}>
        {title}
      </option>
    ));
  return (
    <span class={big ? 'select select-big' : 'select'}>
      <label for={id} class={big ? 'hidden' : ''}>
        {label}
      </label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {more === undefined ? (
          options(choices)
        ) : (
          <>
            <optgroup label={more.first}>{options(choices)}</optgroup>
            <optgroup label={more.title}>{options(more.choices)}</optgroup>
          </>
        )}
      </select>
    </span>
  );
}
