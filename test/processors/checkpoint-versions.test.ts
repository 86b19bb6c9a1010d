/** A state that an older program saved is read by this one. */
import { describe, expect, it } from 'vitest';
import { loadView, saveView } from '../../processors/checkpoint-view.ts';
import { FoldCounters } from '../../processors/fold-counters.ts';
import { View } from '../../processors/view.ts';
import { chunkVersions } from '../../schemas/checkpoints.ts';

const viewChunks = chunkVersions.filter(({ kind }) => kind === 'views');

describe('a view that was saved', () => {
  it.each(viewChunks.map(({ version }) => version))('in version %i is read', (version) => {
    const type = viewChunks.find((entry) => entry.version === version)?.itemType;
    const view = new View('p\0v', 'p', 'v', 5);
    view.requestCount = 3;
    view.machine.enter(5, 9);
    view.said.holdMode(2);
    const saved = type?.fromBuffer(type.toBuffer(saveView(view)));
    const loaded = loadView(saved, (place) => place, new FoldCounters());
    expect(loaded).toMatchObject({ requestCount: 3, startDelayMs: -1, hopDelayCount: 0 });
    expect(loaded.startDelayAt).toBe(Number.POSITIVE_INFINITY);
    expect(loaded.subviews?.modes?.spans.length ?? 0).toBe(version > 2 ? 1 : 0);
    expect(loaded.machine).toMatchObject({ state: 5, pausedBelow: version > 1 });
  });
});
