/**
 * Sums over the spans of views: how much was played, and how often and how long playback stalled, by what was shown or
 * by the mode of playback.
 *
 * Guarantee: the spans of a view, the unknown one included, are together the view's own figure, so that an overall here
 * is the sum of the same metric there. Names of attributes and columns come from the tables below alone.
 */
import { findViewMetric, type ViewMetric } from '../../schemas/catalogue/metrics.ts';
import type { Page } from './breakdown.ts';
import { allOf, filterConditions, placeConditions, type Scope, timeColumn } from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export const SUBVIEW_TYPES = ['rendition', 'playback_mode'] as const;
export type SubviewType = (typeof SUBVIEW_TYPES)[number];

export const SUBVIEW_METRICS = ['playing_time', 'rebuffer_count', 'rebuffer_duration'] as const;
export type SubviewMetric = (typeof SUBVIEW_METRICS)[number];

/** An attribute of a span: the list of `views` that holds it, and how a value of it is written. */
interface Attribute {
  readonly column: string;
  readonly text: (value: string) => string;
}

const numeric = (value: string): string => `if(${value} = 0, '', toString(${value}))`;
const ofThousandths = (value: string): string => `if(${value} = 0, '', toString(${value} / 1000))`;
const verbatim = (value: string): string => value;

const ATTRIBUTES: Readonly<Record<SubviewType, Readonly<Record<string, Attribute>>>> = {
  rendition: {
    video_source_bitrate: { column: 'rendition_bitrates', text: numeric },
    video_source_width: { column: 'rendition_widths', text: numeric },
    video_source_height: { column: 'rendition_heights', text: numeric },
    video_source_fps: { column: 'rendition_milli_fps', text: ofThousandths },
    video_source_codec: { column: 'rendition_codecs', text: verbatim },
  },
  playback_mode: { playback_mode: { column: 'mode_names', text: verbatim } },
};

/** The list with the part of each span, and the view's whole. */
const AMOUNTS: Readonly<Record<SubviewMetric, readonly [list: string, whole: string]>> = {
  playing_time: ['playing_ms', 'playing_ms'],
  rebuffer_count: ['rebuffer_counts', 'rebuffer_count'],
  rebuffer_duration: ['rebuffer_ms', 'rebuffer_ms'],
};
const PREFIX: Readonly<Record<SubviewType, string>> = {
  rendition: 'rendition',
  playback_mode: 'mode',
};

export function attributesOf(type: SubviewType): string[] {
  return Object.keys(ATTRIBUTES[type]);
}

export interface SpanFilter {
  readonly attribute: string;
  readonly exclude: boolean;
  readonly values: readonly string[];
}

/** What is summed, over which views and which of their spans. */
export interface SpanQuestion {
  readonly metric: SubviewMetric;
  readonly type: SubviewType;
  readonly scope: Scope;
  readonly spans: readonly SpanFilter[];
}

export function viewMetricOf(metric: SubviewMetric): ViewMetric {
  const found = findViewMetric(metric);
  if (found === undefined) throw new Error(`the catalogue has no ${metric}`);
  return found;
}

/** Spans in which something happened: `g0`, `g1`, … are what they are grouped by, `q_amount` is what is summed. */
function selectSpans(
  { metric, type, scope, spans }: SpanQuestion,
  groups: readonly string[],
  binder: Binder,
  moreColumns: readonly string[] = [],
): string {
  const attributes = ATTRIBUTES[type];
  const [list, whole] = AMOUNTS[metric];
  const amounts = `${PREFIX[type]}_${list}`;
  const names = Object.keys(attributes);
  const viewColumns = groups.flatMap((group, index) =>
    group in attributes ? [] : [`toString(${group}) AS g${index}`],
  );
  const lists = Object.entries(attributes).map(([name, { column, text }]) => {
    const texts = `arrayMap(value -> toString(${text('value')}), ${column})`;
    return `arrayConcat(${texts}, ['']) AS q_list_${name}`;
  });
  const columns = [
    ...viewColumns,
    ...moreColumns,
    ...lists,
    `arrayConcat(${amounts}, [${whole} - arraySum(${amounts})]) AS q_amounts`,
  ];
  const conditions = [
    ...placeConditions(scope, viewMetricOf(metric), binder),
    ...filterConditions(scope, binder),
  ];
  const inner = `SELECT ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}`;
  const outer = groups.map((group, index) =>
    group in attributes ? `q_${group} AS g${index}` : `g${index}`,
  );
  const joined = [...names.map((name) => `q_list_${name} AS q_${name}`), 'q_amounts AS q_amount'];
  const which = ['q_amount != 0', ...spans.map((filter) => spanCondition(filter, binder))];
  const kept = moreColumns.map((column) => column.split(' AS ').at(-1) ?? '');
  return `SELECT ${[...outer, ...kept, 'q_amount'].join(', ')} FROM (${inner})
ARRAY JOIN ${joined.join(', ')} WHERE ${allOf(which)}`;
}

function spanCondition({ attribute, exclude, values }: SpanFilter, binder: Binder): string {
  return `${exclude ? 'NOT ' : ''}has(${binder.bind('Array(String)', values)}, q_${attribute})`;
}

export interface SpanTotalRow {
  readonly value: number;
}

export function planSpanTotal(question: SpanQuestion): Statement {
  const binder = createBinder();
  const spans = selectSpans(question, [], binder);
  const sql = `SELECT sum(q_amount) AS value FROM (${spans}) ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface SpanRow {
  /** Values of what is grouped by, in its order. */
  readonly fields: readonly string[];
  readonly value: number;
  readonly total_rows: number;
}

export interface SpanOrder {
  readonly by: 'value' | 'fields';
  readonly descending: boolean;
  /** Only values of the first group that contain it. */
  readonly containing?: string;
}

const LARGEST_FIRST: SpanOrder = { by: 'value', descending: true };

const fieldsOf = (groups: readonly string[]): string =>
  `array(${groups.map((_, index) => `g${index}`).join(', ')}) AS fields`;

export function planSpanBreakdown(
  question: SpanQuestion,
  groups: readonly string[],
  page: Page,
  { by, descending, containing }: SpanOrder = LARGEST_FIRST,
): Statement {
  const binder = createBinder();
  const spans = selectSpans(question, groups, binder);
  const found =
    containing === undefined ? '1' : `position(g0, ${binder.bind('String', containing)}) > 0`;
  const limit = binder.bind('Int64', page.limit);
  const offset = binder.bind('Int64', (page.page - 1) * page.limit);
  const last = by === 'value' ? ', fields ASC' : '';
  const sql = `SELECT fields, value, count() OVER () AS total_rows FROM (
SELECT ${fieldsOf(groups)}, sum(q_amount) AS value FROM (${spans}) WHERE ${found} GROUP BY fields)
ORDER BY ${by} ${descending ? 'DESC' : 'ASC'}${last} LIMIT ${limit} OFFSET ${offset} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface SpanSeriesRow {
  /** Begin of the bucket, ms since 1970. */
  readonly bucket: number;
  readonly fields: readonly string[];
  readonly value: number;
}

/** The largest values of each bucket. */
export function planSpanSeries(
  question: SpanQuestion,
  groups: readonly string[],
  sizeMs: number,
  valuesMax: number,
): Statement {
  const binder = createBinder();
  const time = `toUnixTimestamp64Milli(${timeColumn(viewMetricOf(question.metric))})`;
  const bucket = `intDiv(${time}, ${sizeMs}) * ${sizeMs} AS q_bucket`;
  const spans = selectSpans(question, groups, binder, [bucket]);
  const limit = binder.bind('Int64', valuesMax);
  const sql = `SELECT q_bucket AS bucket, ${fieldsOf(groups)}, sum(q_amount) AS value FROM (${spans})
GROUP BY bucket, fields ORDER BY bucket ASC, value DESC, fields ASC LIMIT ${limit} BY bucket ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
