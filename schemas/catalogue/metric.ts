/** What an entry of the catalogue of view metrics says. */

export type Unit = 'ms' | 'bit/s' | 'fraction' | 'count' | 'score' | 'per minute';
export type Measure =
  | '5th'
  | '25th'
  | 'median'
  | '75th'
  | '90th'
  | '95th'
  | '99th'
  | 'avg'
  | 'count'
  | 'sum'
  | 'ratio';

export interface ViewMetric {
  readonly id: string;
  readonly title: string;
  readonly definition: string;
  readonly unit: Unit;
  /** Direction that is good for the viewer; none where more is neither. */
  readonly good: 'low' | 'high' | 'none';
  readonly defaultMeasure: Measure;
  /** Value of one view in stored units, or null. */
  readonly value: string;
  /**
   * Where `value` is null for all views that do not meet a condition: the condition, and the value of those that do. A
   * store that knows it reads less.
   */
  readonly only?: { readonly when: string; readonly value: string };
  /** What a stored unit is divided by for the answer: 1000 for thousandths, 10⁶ for ppm. */
  readonly scale: number;
  /** For `ratio`: sums over the views that take part; the result is numerator / denominator × factor. */
  readonly ratio?: {
    readonly numerator: string;
    readonly denominator: string;
    readonly factor: number;
  };
  /** Counts distinct values instead of views. */
  readonly distinct?: boolean;
  /** Which time of a view places it: its end, or its start. */
  readonly bucketedBy: 'end' | 'start';
  /** True: a view counts from its first row on, before it has closed. */
  readonly countsOpenViews: boolean;
}
