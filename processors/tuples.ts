/**
 * Dimension tuples: the combinations of project and interval dimensions that occur, each one whole number. Their row
 * bytes are encoded once.
 *
 * A number is good until the sweep at the end of an epoch, which lets go of those that nothing refers to and numbers the
 * others anew. When it comes is a fact of the log, so that a replay numbers the same.
 */
import { RowWriter } from '../platform/store/row-binary.ts';
import { dimensions } from '../schemas/catalogue/dimensions.ts';
import { NOW_LEAVES_OUT } from '../schemas/tables/tables.ts';
import { FoldCounters } from './fold-counters.ts';

/** What stands for a value that did not fit a limit. */
export const OTHER = '(other)';

const intervalIndexes = dimensions.flatMap(({ interval }, index) => (interval ? [index] : []));
const names = intervalIndexes.map((index) => dimensions[index]?.name ?? '');
const VIDEO = names.indexOf('video_id');
const ASN = names.indexOf('asn');

export interface TupleLimits {
  /** Tuples kept; beyond, new ones come without video_id and asn, and beyond twice as many without any value. */
  readonly tuplesMax: number;
  /** Those that nothing refers to are let go at the end of an epoch that has so many. */
  readonly sweepFrom: number;
}

export const tupleLimits: TupleLimits = { tuplesMax: 1_000_000, sweepFrom: 100_000 };

export interface SavedTuple {
  readonly project: string;
  /** In the order of `tupleDimensions`. */
  readonly values: readonly string[];
}

/** Names of the dimensions of a tuple, in the order of its values. */
export const tupleDimensions: readonly string[] = names;

interface Tuple {
  readonly project: string;
  readonly values: readonly string[];
  /** Row bytes of the project, of the interval dimensions, and of those that `viewers_now` has. */
  readonly projectBytes: Buffer;
  readonly valueBytes: Buffer;
  readonly nowBytes: Buffer;
  /** The tuple that `viewers_now` knows, and those with video_id, and asn too, as `(other)`; -1 until asked for. */
  now: number;
  withoutVideo: number;
  withoutBoth: number;
}

export class Tuples {
  readonly #limits: TupleLimits;
  readonly #counters: FoldCounters;
  #ids = new Map<string, number>();
  #tuples: Tuple[] = [];
  readonly #out = new RowWriter(1024);
  /** Number of tuples at which the next sweep is due. */
  sweepAt: number;

  constructor(limits = tupleLimits, counters = new FoldCounters()) {
    this.#limits = limits;
    this.#counters = counters;
    this.sweepAt = limits.sweepFrom;
  }

  get size(): number {
    return this.#tuples.length;
  }

  get sweepDue(): boolean {
    return this.#tuples.length >= this.sweepAt;
  }

  /** All tuples, in the order of their numbers. */
  saved(): Iterable<SavedTuple> {
    return this.#tuples;
  }

  /** Puts back the next tuple that `saved` gave. */
  restore({ project, values }: SavedTuple): void {
    this.#push(keyOf(project, values), project, values);
  }

  /** Lets go of every tuple that is not marked in `used`. Returns the new number of each that is left, by its old one. */
  sweep(used: Uint8Array): Int32Array {
    const before = this.#tuples;
    const numbers = new Int32Array(before.length).fill(-1);
    this.#ids = new Map();
    this.#tuples = [];
    before.forEach((tuple, id) => {
      if (used[id] !== 1) return;
      numbers[id] = this.#tuples.length;
      // What a tuple becomes without some values may be gone: it is looked up again.
      this.#add(keyOf(tuple.project, tuple.values), {
        ...tuple,
        now: -1,
        withoutVideo: -1,
        withoutBoth: -1,
      });
    });
    this.sweepAt = Math.max(this.#limits.sweepFrom, 2 * this.#tuples.length);
    return numbers;
  }

  /** The tuple of a view, from all its dimensions. */
  ofView(project: string, context: readonly string[]): number {
    const values = intervalIndexes.map((index) => context[index] ?? '');
    if (this.#tuples.length >= this.#limits.tuplesMax) {
      this.#counters.tuplesLimited++;
      values[VIDEO] = OTHER;
      values[ASN] = OTHER;
    }
    return this.#intern(project, values);
  }

  get(id: number): Tuple {
    const tuple = this.#tuples[id];
    if (tuple === undefined) throw new RangeError(`no tuple ${id}`);
    return tuple;
  }

  nowOf(id: number): number {
    const tuple = this.get(id);
    if (tuple.now < 0) tuple.now = this.#replaced(tuple, [VIDEO, ASN], '');
    return tuple.now;
  }

  withoutVideo(id: number): number {
    const tuple = this.get(id);
    if (tuple.withoutVideo < 0) tuple.withoutVideo = this.#replaced(tuple, [VIDEO], OTHER);
    return tuple.withoutVideo;
  }

  withoutBoth(id: number): number {
    const tuple = this.get(id);
    if (tuple.withoutBoth < 0) tuple.withoutBoth = this.#replaced(tuple, [VIDEO, ASN], OTHER);
    return tuple.withoutBoth;
  }

  /** The tuple of which only the project is known. */
  withoutAll(id: number): number {
    const { project, values } = this.get(id);
    const others = values.map(() => OTHER);
    const key = keyOf(project, others);
    return this.#ids.get(key) ?? this.#push(key, project, others);
  }

  #replaced({ project, values }: Tuple, indexes: readonly number[], by: string): number {
    return this.#intern(
      project,
      values.map((value, index) => (indexes.includes(index) ? by : value)),
    );
  }

  #intern(project: string, values: readonly string[]): number {
    const key = keyOf(project, values);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#tuples.length < 2 * this.#limits.tuplesMax) return this.#push(key, project, values);
    const others = values.map(() => OTHER);
    const rest = keyOf(project, others);
    return this.#ids.get(rest) ?? this.#push(rest, project, others);
  }

  #push(key: string, project: string, values: readonly string[]): number {
    return this.#add(key, {
      project,
      values,
      projectBytes: this.#encode([project]),
      valueBytes: this.#encode(values),
      nowBytes: this.#encode(values.filter((_, index) => !NOW_LEAVES_OUT.has(names[index] ?? ''))),
      now: -1,
      withoutVideo: -1,
      withoutBoth: -1,
    });
  }

  #add(key: string, tuple: Tuple): number {
    const id = this.#tuples.length;
    this.#ids.set(key, id);
    this.#tuples.push(tuple);
    return id;
  }

  #encode(values: readonly string[]): Buffer {
    for (const value of values) this.#out.string(value);
    return this.#out.take();
  }
}

function keyOf(project: string, values: readonly string[]): string {
  return [project, ...values].join('\0');
}
