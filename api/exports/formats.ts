/** In which formats views can be had as a file, and which of them a request asks for. */
import type { ResultFormat } from '../../platform/store/store.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

interface FormatSpec {
  /** The engine's name of it. */
  readonly written: ResultFormat;
  readonly contentType: string;
}

export const FORMAT_SPECS: Readonly<Record<ExportFormat, FormatSpec>> = {
  csv: { written: 'CSV', contentType: 'text/csv; charset=utf-8; header=present' },
  ndjson: { written: 'JSONEachRow', contentType: 'application/x-ndjson; charset=utf-8' },
  parquet: { written: 'Parquet', contentType: 'application/vnd.apache.parquet' },
};

/** Media type → format; `list` is the answer that clients of Mux Data read. */
const MEDIA_TYPES: ReadonlyMap<string, ExportFormat | 'list'> = new Map([
  ['application/json', 'list'],
  ['application/*', 'list'],
  ['*/*', 'list'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/vnd.apache.parquet', 'parquet'],
]);

/** The format of an Accept header's most wanted type; undefined for the list, also when it names nothing that we have. */
export function acceptedFormat(accept: string | undefined): ExportFormat | undefined {
  const wanted = (accept ?? '')
    .split(',')
    .map(rangeOf)
    .filter(({ weight }) => weight > 0);
  // The sort is stable: of equal weights the first named wins.
  wanted.sort((a, b) => b.weight - a.weight);
  const found = wanted.map(({ type }) => MEDIA_TYPES.get(type)).find((format) => format);
  return found === 'list' ? undefined : found;
}

function rangeOf(text: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 };
}

/** The name that a download is saved under: whose views, from when to when. */
export function fileName(
  project: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  format: ExportFormat,
): string {
  const time = (ms: number): string =>
    new Date(ms).toISOString().replace('.000Z', 'Z').replaceAll(/[-:]/g, '');
  // A header may hold no quotes or line ends, a file name no slashes.
  const owner = project.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return `views-${owner}-${time(fromMs)}-${time(toMs)}.${format}`;
}
