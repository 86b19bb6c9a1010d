/**
 * Dimension tuples: the combinations of project and interval dimensions that occur, each one whole number. Their row
 * bytes are encoded once.
 */
import { RowWriter } from '../platform/store/row-binary.ts';
import { dimensions } from '../schemas/catalogue/dimensions.ts';
import { NOW_LEAVES_OUT } from '../schemas/tables/tables.ts';

/** What stands for a value that did not fit a limit. */
export const OTHER = '(other)';

const intervalIndexes = dimensions.flatMap(({ interval }, index) => (interval ? [index] : []));
const names = intervalIndexes.map((index) => dimensions[index]?.name ?? '');
const VIDEO = names.indexOf('video_id');
const ASN = names.indexOf('asn');

/** Tuples kept; beyond, new ones come without video_id and asn. */
export const TUPLES_MAX = 1_000_000;

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
  readonly #ids = new Map<string, number>();
  readonly #tuples: Tuple[] = [];
  readonly #out = new RowWriter(1024);

  /** The tuple of a view, from all its dimensions. */
  ofView(project: string, context: readonly string[]): number {
    const values = intervalIndexes.map((index) => context[index] ?? '');
    if (this.#tuples.length >= TUPLES_MAX) {
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

  #replaced({ project, values }: Tuple, indexes: readonly number[], by: string): number {
    return this.#intern(
      project,
      values.map((value, index) => (indexes.includes(index) ? by : value)),
    );
  }

  #intern(project: string, values: readonly string[]): number {
    const key = [project, ...values].join('\0');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#tuples.length;
    this.#ids.set(key, id);
    this.#tuples.push({
      project,
      values,
      projectBytes: this.#encode([project]),
      valueBytes: this.#encode(values),
      nowBytes: this.#encode(values.filter((_, index) => !NOW_LEAVES_OUT.has(names[index] ?? ''))),
      now: -1,
      withoutVideo: -1,
      withoutBoth: -1,
    });
    return id;
  }

  #encode(values: readonly string[]): Buffer {
    for (const value of values) this.#out.string(value);
    return this.#out.take();
  }
}
