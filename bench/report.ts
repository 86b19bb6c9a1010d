/** A result as a person reads it: aligned on a terminal, Markdown in the documentation. Both say the same. */
import type { BenchResult, StageResult, VariantResult } from './result.ts';

const HEAD = ['variant', 'unit', 'a CPU-second', 'min – max', 'a second', 'ratio'] as const;
const LARGE = 10_000;

/** Text for a terminal. */
export function toText({ stages, quick }: BenchResult): string {
  const blocks = stages.map((stage) => {
    const table = aligned([[...HEAD], ...stage.variants.map(cells)]);
    const lines = [stage.title, ...(stage.variants.length === 0 ? [] : table)];
    const facts = Object.entries(stage.facts).map(([name, value]) => `  ${name} ${value}`);
    const warnings = stage.warnings.map((line) => `  WARNING: ${line}`);
    const notes = stage.notes.map((line) => `  ${line}`);
    return [...lines, ...baselineLine(stage, '  '), ...facts, ...warnings, ...notes].join('\n');
  });
  const warning = quick ? ['A quick run: its figures mean nothing.'] : [];
  return `${[...blocks, ...warning].join('\n\n')}\n`;
}

/** The page of the documentation. */
export function toMarkdown({ at, machine, seed, stages }: BenchResult): string {
  const { cpu, cores, memoryGib, node, platform } = machine;
  const head = [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write-docs`; do not edit. Run it on your own machine: the ratios travel, the figures do not.',
    '',
    `${at.slice(0, 10)}, ${cpu}, ${cores} cores, ${memoryGib} GiB, ${platform}, Node ${node}, seed ${seed}.`,
    '',
    'CPU time is that of the whole measured process, all threads. Each variant runs in a process of its own; variants take turns; median of the repetitions, with the least and the most. A ratio is median over median of the named baseline in the same run. What is measured is compiled as it is for production.',
  ];
  return `${[...head, ...stages.flatMap(section)].join('\n')}\n`;
}

function section(stage: StageResult): string[] {
  const facts = Object.entries(stage.facts).map(([name, value]) => `| ${name} | ${value} |`);
  const table = facts.length === 0 ? [] : ['', '| figure | value |', '|---|---:|', ...facts];
  return [
    '',
    `## ${stage.title}`,
    '',
    ...variantTable(stage.variants),
    ...['', ...baselineLine(stage, '')],
    ...table,
    ...stage.warnings.flatMap((line) => ['', `**Warning:** ${line}`]),
    ...stage.notes.flatMap((line) => ['', line]),
  ].filter((line, index, all) => line !== '' || all[index - 1] !== '');
}

/** A stage that compares nothing has only figures. */
function variantTable(variants: readonly VariantResult[]): string[] {
  if (variants.length === 0) return [];
  return [
    `| ${HEAD.join(' | ')} |`,
    '|---|---|---:|---:|---:|---:|',
    ...variants.map((variant) => `| ${cells(variant).join(' | ')} |`),
  ];
}

function baselineLine({ baseline, variants }: StageResult, indent: string): string[] {
  if (variants.length === 0) return [];
  const repetitions = variants[0]?.repetitions ?? 0;
  const repeated = `${repetitions} ${repetitions === 1 ? 'repetition' : 'repetitions'}`;
  return [`${indent}${baseline === null ? '' : `Baseline: ${baseline}. `}${repeated}.`];
}

function cells({ name, unit, perCpuSecond, perSecond, ratio }: VariantResult): string[] {
  const { median, min, max } = perCpuSecond;
  return [
    name,
    unit,
    rounded(median),
    `${rounded(min)} – ${rounded(max)}`,
    rounded(perSecond),
    ratio === null ? '—' : ratio.toFixed(2),
  ];
}

/** Three digits say all that a shared machine can. */
export function rounded(value: number): string {
  if (value >= 1_000_000) return `${(value / 1_000_000).toPrecision(3)} M`;
  if (value >= LARGE) return `${Math.round(value / 1_000)} k`;
  return String(Math.round(value));
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${padded.join('  ')}`.trimEnd();
  });
}
