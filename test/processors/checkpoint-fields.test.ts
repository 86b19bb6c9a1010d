/** A field that somebody adds to a class of the state and forgets to save fails here first, with its name. */
import type { Type, types } from 'avsc';
import { describe, expect, it } from 'vitest';
import { saveView } from '../../processors/checkpoint-view.ts';
import { ContentTrack } from '../../processors/content-track.ts';
import { EdgeFigures } from '../../processors/edge-figures.ts';
import { FoldCounters } from '../../processors/fold-counters.ts';
import { Holes } from '../../processors/holes.ts';
import { Lane } from '../../processors/lane.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { SpanSums } from '../../processors/span-sums.ts';
import { StateMachine } from '../../processors/states.ts';
import { Subviews } from '../../processors/subviews.ts';
import { TimeLane } from '../../processors/time-lane.ts';
import { TimelineEvent } from '../../processors/timeline-event.ts';
import { Track } from '../../processors/track.ts';
import { View } from '../../processors/view.ts';
import { ViewClock } from '../../processors/view-clock.ts';
import { type ChunkKind, currentChunk } from '../../schemas/checkpoints.ts';

/** Fields of a record of the schema, found by its name anywhere in the items of a kind of chunk. */
function fieldsOf(kind: ChunkKind, name: string): string[] {
  const found = recordsOf(currentChunk(kind).itemType).find((type) => type.branchName === name);
  if (found === undefined) throw new Error(`no record ${name} in ${kind}`);
  return found.fields.map((field) => field.name).sort();
}

function recordsOf(type: Type): types.RecordType[] {
  const {
    itemsType,
    types: branches,
    fields,
  } = type as Partial<types.ArrayType & types.UnwrappedUnionType & types.RecordType>;
  if (fields !== undefined) {
    const record = type as types.RecordType;
    return [record, ...record.fields.flatMap((field) => recordsOf(field.type))];
  }
  if (itemsType !== undefined) return recordsOf(itemsType);
  return branches?.flatMap(recordsOf) ?? [];
}

const NAMESPACE = 'streamgauge.checkpoint.v1';

function viewRecord(name: string): string[] {
  return fieldsOf('views', `${NAMESPACE}.${name}`);
}

function keysOf(object: object, ...leftOut: string[]): string[] {
  return Object.keys(object)
    .filter((key) => !leftOut.includes(key))
    .sort();
}

const view = new View('p\0v', 'p', 'v', 0);
const machine = new StateMachine();

describe('what is saved of a view', () => {
  it('is every field that it has', () => {
    // The key follows from project and id, the head of its rows from those and its day, the dimensions under which requests
    // are held from its combination of them; none is dirty between epochs.
    const followed = ['key', 'rowHead', 'dirty', 'heldTuple', 'saidLast'];
    const parts = viewRecord('View').filter((name) => name !== 'values');
    const hidden = ['lanes', 'timeLanes'];
    const saved = [...parts.filter((name) => !hidden.includes(name)), ...viewRecord('ViewValues')];
    expect(saved.sort()).toEqual(keysOf(view, ...followed));
  });

  it('is every field of its parts', () => {
    const lane = new Lane(true);
    lane.offer(3, 0, 0, 0);
    // Whom it stands beside and whether it is ordered follow from its place.
    expect(viewRecord('Lane')).toEqual(keysOf(lane, 'peer', 'ordered'));
    expect(viewRecord('Run')).toEqual(keysOf(lane.run ?? {}));
    expect(viewRecord('Holes')).toEqual(keysOf(new Holes()));
    expect(viewRecord('Clock')).toEqual(keysOf(new ViewClock()));
    expect(viewRecord('EdgeFigures')).toEqual(keysOf(new EdgeFigures()));
    // Of a held line the bytes are its own, from their start to their end.
    const bounds = ['nameStart', 'nameEnd', 'partsStart', 'partsEnd'];
    expect(viewRecord('HeldEvent')).toEqual(keysOf(new TimelineEvent(), ...bounds));
    expect(viewRecord('MachineValues')).toEqual(keysOf(machine, 'playing'));
    expect(viewRecord('GaugePlace')).toEqual(keysOf(view.gaugePlace));
  });

  it('is all that its parts give to be saved', () => {
    expect(viewRecord('View')).toEqual(keysOf(saveView(view)));
    expect(viewRecord('Machine')).toEqual(keysOf(machine.save()));
    expect(viewRecord('PlayClock')).toEqual(keysOf(machine.playing.save()));
    expect(viewRecord('Track')).toEqual(keysOf(new Track(0).save()));
    expect(viewRecord('TimeLane')).toEqual(keysOf(new TimeLane().save()));
    expect(viewRecord('Subviews')).toEqual(keysOf(new Subviews(new FoldCounters()).save()));
    expect(viewRecord('RenditionSums')).toEqual(keysOf(new SpanSums().save()));
    expect(viewRecord('Content')).toEqual(keysOf(new ContentTrack(0, new FoldCounters()).save()));
  });
});

describe('what is saved of a partition', () => {
  it('is all that its parts give to be saved', () => {
    const saved = new PartitionFold(0).save();
    const counters = fieldsOf('partition', `${NAMESPACE}.Counters`);
    expect(counters).toEqual(keysOf(new FoldCounters()));
    const record = (name: string) => fieldsOf('partition', `${NAMESPACE}.${name}`);
    const names = ['dimensions', 'tupleDimensions'];
    expect(record('Partition')).toEqual([...keysOf(saved), ...names].sort());
    expect(record('Beats')).toEqual(keysOf(saved.beats));
    expect(record('EdgeCounters')).toEqual(keysOf(saved.beats.edge));
    expect(record('Life')).toEqual(keysOf(saved.beats.life));
    expect(record('LastRecord')).toEqual(keysOf(saved.beats.last));
  });
});
