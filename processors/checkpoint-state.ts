/**
 * The whole state of one partition's fold, saved at the end of an epoch and loaded again.
 *
 * Guarantee: a loaded fold gives for all later records the rows, to the byte, that the saved one gives. Equal states are
 * equal bytes: what is only kept to save work, and what nothing refers to any more, is left out.
 */
import { dimensions } from '../schemas/catalogue/dimensions.ts';
import type { ChunkKind } from '../schemas/checkpoints.ts';
import { ChunkWriter, malformed, readChunk } from './checkpoint-chunks.ts';
import { loadView, type SavedView, saveView } from './checkpoint-view.ts';
import type { Deadline } from './deadlines.ts';
import type { ExpiringIds } from './expiring-ids.ts';
import type { ClosedView, SavedWindow } from './intervals.ts';
import { PartitionFold, type SavedPartition } from './partition.ts';
import { type SavedTuple, type TupleLimits, tupleDimensions } from './tuples.ts';
import type { View } from './view.ts';
import type { ViewLife } from './view-life.ts';
import type { SavedGauge } from './viewers-gauge.ts';

export { CheckpointError, type CheckpointErrorCode } from './checkpoint-chunks.ts';

const CHUNK_BYTES_MAX = 8 * 1024 * 1024;

interface SavedHead extends SavedPartition {
  readonly dimensions: readonly string[];
  readonly tupleDimensions: readonly string[];
}

interface SavedId {
  readonly id: string;
  readonly untilMs: number;
}

interface SavedClosed extends SavedId {
  /** Missing in what an older program saved. */
  readonly tuple?: number;
}

/** A deadline, with its view's place among all. */
interface SavedDeadline extends Omit<Deadline<View>, 'subject'> {
  readonly view: number;
}

/**
 * Encodes the state in chunks, each with at most `chunkBytesMax` bytes of body and the rest of its last item. The fold
 * may go on when the last chunk was taken.
 */
export function* encodeState(
  fold: PartitionFold,
  chunkBytesMax = CHUNK_BYTES_MAX,
): Generator<Buffer> {
  const { epoch, nextOffset } = fold;
  const writer = new ChunkWriter(chunkBytesMax);
  const check = (): void => {
    const unmoved = fold.epoch === epoch && fold.nextOffset === nextOffset;
    if (!fold.betweenEpochs || !unmoved) {
      throw new Error(`partition ${fold.partition} is within an epoch: its state cannot be saved`);
    }
  };
  check();
  for (const [kind, items] of listsOf(fold)) {
    for (const item of items) {
      if (!writer.open) writer.begin(kind);
      writer.add(item);
      if (!writer.full) continue;
      yield writer.take();
      check();
    }
    if (!writer.open) continue;
    yield writer.take();
    check();
  }
  writer.begin('end');
  yield writer.take();
}

/** What the state consists of, in the order in which it can be loaded. */
function* listsOf(fold: PartitionFold): Generator<readonly [ChunkKind, Iterable<object>]> {
  const { edge, intervals, life } = fold.beats;
  const places = new Map<View, number>();
  const head: SavedHead = {
    ...fold.save(),
    dimensions: dimensions.map(({ name }) => name),
    tupleDimensions,
  };
  yield ['partition', [head]];
  yield ['tuples', intervals.tuples.saved()];
  yield ['views', savedViews(life.views(), places)];
  yield ['deadlines', savedDeadlines(life.deadlines(), places)];
  yield ['closedIds', savedClosed(life.closedIds.entries())];
  yield ['edgeIdentities', savedIds(edge.identities.entries())];
  yield ['gauges', intervals.gauges.saved()];
  yield ['windows', intervals.windows()];
}

function* savedViews(views: Iterable<View>, places: Map<View, number>): Generator<SavedView> {
  for (const view of views) {
    places.set(view, places.size);
    yield saveView(view);
  }
}

function* savedDeadlines(
  deadlines: Iterable<Deadline<View>>,
  places: ReadonlyMap<View, number>,
): Generator<SavedDeadline> {
  for (const { atMs, order, kind, subject } of deadlines) {
    const view = places.get(subject);
    if (view !== undefined) yield { atMs, order, kind, view };
  }
}

function* savedIds(entries: Iterable<[string, number]>): Generator<SavedId> {
  for (const [id, untilMs] of entries) yield { id, untilMs };
}

function* savedClosed(entries: Iterable<[string, ClosedView]>): Generator<SavedClosed> {
  for (const [id, view] of entries) yield { id, ...view };
}

/** Loads a state from its chunks, given in their order. After an error it is of no use any more. */
export class StateLoader {
  readonly #partition: number;
  readonly #limits: TupleLimits | undefined;
  #chunks = 0;
  #ended = false;
  #fold: PartitionFold | undefined;
  /** Views in the order in which they were saved. */
  readonly #views: View[] = [];
  /** Places of the saved dimensions in this program's lists. */
  #dimensionPlaces: readonly number[] = [];
  #tuplePlaces: readonly number[] = [];

  constructor(partition: number, limits?: TupleLimits) {
    this.#partition = partition;
    this.#limits = limits;
  }

  /** @throws CheckpointError when the chunk cannot be read, or is not the one that comes next. */
  add(bytes: Buffer): void {
    const { kind, chunk, items } = readChunk(bytes);
    if (chunk !== this.#chunks || this.#ended) throw malformed('is not the one that comes next');
    this.#chunks++;
    for (const item of items) this.#take(kind, item);
    if (kind === 'end') this.#ended = true;
  }

  /** The fold, when all chunks were added. */
  finish(): PartitionFold {
    if (this.#fold === undefined || !this.#ended) throw malformed('is missing');
    return this.#fold;
  }

  #take(kind: ChunkKind, item: unknown): void {
    if (kind === 'partition') {
      this.#begin(item as SavedHead);
      return;
    }
    if (this.#fold === undefined) throw malformed('comes before the first');
    this.#restore(this.#fold, kind, item);
  }

  #begin({ dimensions: names, tupleDimensions: tupleNames, ...saved }: SavedHead): void {
    if (saved.partition !== this.#partition) throw malformed('is of another partition');
    this.#fold = PartitionFold.load(saved, this.#limits);
    this.#dimensionPlaces = names.map((name) => dimensions.findIndex((own) => own.name === name));
    this.#tuplePlaces = tupleDimensions.map((name) => tupleNames.indexOf(name));
  }

  #restore({ beats }: PartitionFold, kind: ChunkKind, item: unknown): void {
    const { edge, intervals, life } = beats;
    switch (kind) {
      case 'tuples':
        intervals.tuples.restore(this.#tupleOf(item as SavedTuple));
        break;
      case 'views':
        this.#restoreView(life, item as SavedView);
        break;
      case 'deadlines':
        life.restoreDeadline(this.#deadlineOf(item as SavedDeadline));
        break;
      case 'closedIds':
        restoreClosed(life.closedIds, item as SavedClosed);
        break;
      case 'edgeIdentities':
        restoreId(edge.identities, item as SavedId);
        break;
      case 'gauges':
        intervals.gauges.restore(item as SavedGauge);
        break;
      case 'windows':
        intervals.restoreWindow(item as SavedWindow);
        break;
    }
  }

  #restoreView(life: ViewLife, saved: SavedView): void {
    const dimensionOf = (place: number): number => this.#dimensionPlaces[place] ?? -1;
    const view = loadView(saved, dimensionOf, life.counts);
    life.restoreView(view);
    this.#views.push(view);
  }

  #tupleOf({ project, values }: SavedTuple): SavedTuple {
    return { project, values: this.#tuplePlaces.map((place) => values[place] ?? '') };
  }

  #deadlineOf({ atMs, order, kind, view }: SavedDeadline): Deadline<View> {
    const subject = this.#views[view];
    if (subject === undefined) throw malformed('names a view that is not there');
    return { atMs, order, kind, subject };
  }
}

function restoreClosed(
  ids: ExpiringIds<ClosedView>,
  { id, untilMs, tuple = -1 }: SavedClosed,
): void {
  ids.restore(id, { untilMs, tuple });
}

function restoreId(ids: ExpiringIds, { id, untilMs }: SavedId): void {
  ids.restore(id, untilMs);
}
