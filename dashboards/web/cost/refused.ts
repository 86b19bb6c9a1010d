/** Cells that a what-if cannot compare, in words; from an answer, or from the problem that refuses all. */
import { valueTitle } from '../figures/tiles.ts';

const REASONS: Readonly<Record<string, string>> = {
  too_few_views_from: 'too few views on FROM',
  too_few_views_to: 'too few views on TO',
  too_few_viewers_from: 'too few viewers on FROM',
  too_few_viewers_to: 'too few viewers on TO',
  beyond_cells_max: 'too many cells',
};

interface RefusedCell {
  readonly cell: Readonly<Record<string, string>> | null;
  readonly views_from: number;
  readonly views_to: number;
  readonly reason: string;
}

export interface Refusal {
  readonly name: string;
  readonly views: string;
  readonly why: string;
}

export function refusalOf(
  { cell, views_from, views_to, reason }: RefusedCell,
  { from, to }: { readonly from: string; readonly to: string },
): Refusal {
  const values = Object.entries(cell ?? {}).map(([name, value]) => {
    const title = valueTitle(name, value);
    return name === 'asn' && value !== '' ? `AS ${title}` : title;
  });
  const why = (REASONS[reason] ?? reason).replace('FROM', from).replace('TO', to);
  return {
    name: cell === null ? 'all smaller ones' : values.join(' · '),
    views: `${views_from} on ${from}, ${views_to} on ${to}`,
    why,
  };
}

/** Those that a problem names; what is not such a cell is left out. */
export function refusedOf(members: Readonly<Record<string, unknown>>): readonly RefusedCell[] {
  const { refused } = members;
  return Array.isArray(refused) ? refused.filter(isCell) : [];
}

function isCell(value: unknown): value is RefusedCell {
  if (typeof value !== 'object' || value === null) return false;
  const { cell, views_from, views_to, reason }: Partial<Record<string, unknown>> = { ...value };
  const numbers = typeof views_from === 'number' && typeof views_to === 'number';
  return numbers && typeof reason === 'string' && (cell === null || typeof cell === 'object');
}
