/**
 * Combinations of what requests say (who delivered, to where, what, how) and of what is known of their views, each one
 * number with its row bytes. They only save work: which number one has changes no row.
 */
import { RowWriter } from '../../platform/store/row-binary.ts';
import { OTHER, type Tuples, tupleDimensions } from '../tuples.ts';
import type { CellHead } from '../window-cells.ts';
import { type DeliveredRequest, statusClassOf } from './request.ts';

const VIDEO = tupleDimensions.indexOf('video_id');
const COUNTRY = tupleDimensions.indexOf('country');
const ASN = tupleDimensions.indexOf('asn');
const CDN = tupleDimensions.indexOf('cdn');
const KEPT_MAX = 50_000;

type Texts = Pick<
  DeliveredRequest,
  'source' | 'cdn' | 'pop' | 'country' | 'asn' | 'videoId' | 'objectType' | 'protocol' | 'cache'
>;

/** What a request says in texts. */
export interface Said extends Texts {
  readonly status: number;
  /** As a row of `requests` has it, from its source on. */
  readonly rowBytes: Buffer;
  /** How often all was forgotten before it: its numbers are good until the next time. */
  readonly generation: number;
  /** Number of the cell combination by tuple of the view. */
  readonly keys: Map<number, number>;
}

export class SaidKeys {
  readonly #tuples: Tuples;
  #said = new Map<string, Said>();
  #heads: CellHead[] = [];
  #generation = 0;
  readonly #out = new RowWriter(1_024);

  readonly #keptMax: number;

  /** @param keptMax Combinations that are kept from one epoch to the next; beyond, they are made anew. */
  constructor(tuples: Tuples, keptMax = KEPT_MAX) {
    this.#tuples = tuples;
    this.#keptMax = keptMax;
  }

  /** What a request says; `last` is a guess that saves looking it up. */
  saidOf(request: DeliveredRequest, last: Said | undefined): Said {
    const holds = last !== undefined && last.generation === this.#generation;
    if (holds && isSame(request, last)) return last;
    return this.#intern(request);
  }

  /** The combination without those values of which there are many, or without any. */
  lessened(said: Said, all: boolean): Said {
    const other = { pop: OTHER, asn: OTHER, videoId: '' };
    if (!all) return this.#intern({ ...textsOf(said), ...other, status: said.status });
    const none = { cdn: OTHER, country: OTHER, objectType: OTHER, protocol: OTHER };
    return this.#intern({ ...textsOf(said), ...other, ...none, status: -1 });
  }

  /** Number of the cells of requests that say this, of views of a tuple. */
  keyOf(said: Said, tuple: number): number {
    const known = said.keys.get(tuple);
    if (known !== undefined) return known;
    const key = this.#heads.length;
    said.keys.set(tuple, key);
    this.#heads.push(this.#headOf(said, tuple));
    return key;
  }

  /** Row bytes of a combination. */
  readonly headOf = (key: number): CellHead => {
    const head = this.#heads[key];
    if (head === undefined) throw new RangeError(`no combination ${key}`);
    return head;
  };

  /** Between epochs: forgets combinations when there are many, or all when tuples were numbered anew. */
  tidy(renumbered: boolean): void {
    if (!renumbered && this.#heads.length < this.#keptMax && this.#said.size < this.#keptMax)
      return;
    this.#generation++;
    this.#said = new Map();
    this.#heads = [];
  }

  #intern(request: Texts & { readonly status: number }): Said {
    const texts = textsOf(request);
    const status = classCode(request.status);
    const key = `${status}\0${Object.values(texts).join('\0')}`;
    const known = this.#said.get(key);
    if (known !== undefined) return known;
    const generation = this.#generation;
    const rowBytes = this.#rowBytes(texts);
    const said = { ...texts, status, rowBytes, generation, keys: new Map() };
    this.#said.set(key, said);
    return said;
  }

  #rowBytes(texts: Texts): Buffer {
    for (const text of Object.values(texts)) this.#out.string(text);
    return this.#out.take();
  }

  /** What a request says of where it was served counts before what is known of its view. */
  #headOf(said: Said, tuple: number): CellHead {
    const { projectBytes, values: known } = this.#tuples.get(tuple);
    const values = [...known];
    if (said.cdn !== '') values[CDN] = said.cdn;
    if (said.country !== '') values[COUNTRY] = said.country;
    if (said.asn !== '') values[ASN] = said.asn;
    if (values[VIDEO] === '') values[VIDEO] = said.videoId;
    const { source, pop, objectType, status, protocol } = said;
    this.#out.string(source);
    for (const value of values) this.#out.string(value);
    const statusClass = objectType === OTHER ? OTHER : statusClassOf(status * 100);
    for (const value of [pop, objectType, statusClass, protocol]) this.#out.string(value);
    return { projectBytes, valueBytes: this.#out.take() };
  }
}

/** In the order of the columns of `requests`. */
function textsOf(request: Texts): Texts {
  const { source, cdn, pop, country, asn, videoId, objectType, protocol, cache } = request;
  return { source, cdn, pop, country, asn, videoId, objectType, protocol, cache };
}

/** First digit of the status; 0 without an answer, -1 unknown. */
function classCode(status: number): number {
  return status < 0 ? -1 : Math.floor(status / 100);
}

function isSame(request: DeliveredRequest, said: Said): boolean {
  return (
    request.cdn === said.cdn &&
    request.objectType === said.objectType &&
    request.cache === said.cache &&
    request.source === said.source &&
    classCode(request.status) === said.status &&
    request.pop === said.pop &&
    request.country === said.country &&
    request.asn === said.asn &&
    request.videoId === said.videoId &&
    request.protocol === said.protocol
  );
}
