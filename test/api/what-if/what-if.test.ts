import { describe, expect, it } from 'vitest';
import { errorBounds } from '../../../api/cost/what-if/bootstrap.ts';
import {
  type Block,
  type Cell,
  effectiveBlocks,
  supportOf,
} from '../../../api/cost/what-if/cells.ts';
import { effectOn } from '../../../api/cost/what-if/effect.ts';
import { WHAT_IF_LIMITS } from '../../../api/cost/what-if/limits.ts';
import { answerWhatIf } from '../../../api/cost/what-if/what-if.ts';

/** Views of one outcome, spread over so many blocks; the numerators alternate around their mean. */
function side(views: number, top: number, spread = 20): Block[] {
  return Array.from({ length: spread }, (_, block) => {
    const own = views / spread;
    const tops = [own * top * (block % 2 === 0 ? 0.9 : 1.1)];
    return { block, views: own, tops, bottoms: [own], events: [own] };
  });
}

const cell = (name: string, from: Block[], to: Block[]): Cell => ({ values: [name], from, to });

function sliceOf(cells: readonly Cell[]) {
  const blocks = cells.flatMap(({ from, to }) => [...from, ...to]);
  const sum = (part: (block: Block) => number) => blocks.reduce((all, each) => all + part(each), 0);
  return {
    views: sum(({ views }) => views),
    tops: [sum(({ tops }) => tops[0] ?? 0)],
    bottoms: [sum(({ bottoms }) => bottoms[0] ?? 0)],
    events: [sum(({ events }) => events[0] ?? 0)],
  };
}

describe('support', () => {
  it.each([
    ['too_few_views_to', side(100, 1), side(20, 1)],
    ['too_few_views_from', side(20, 1), side(100, 1)],
    ['too_few_viewers_to', side(100, 1), side(100, 1, 4)],
    ['too_few_viewers_to', side(100, 1), [...side(12, 1, 12), ...side(100, 1, 1)]],
    ['too_few_viewers_from', side(100, 1, 4), side(100, 1)],
  ])('is refused as %s, with both counts', (reason, from, to) => {
    const { supported, refused } = supportOf([cell('x', from, to)], WHAT_IF_LIMITS);
    expect(supported).toEqual([]);
    const count = (blocks: Block[]) => Math.round(blocks.reduce((sum, b) => sum + b.views, 0));
    expect(refused).toEqual([
      { values: ['x'], viewsFrom: count(from), viewsTo: count(to), reason },
    ]);
  });

  it('begins at viewsMin views on each side, and is refused one below', () => {
    const enough = cell('x', side(30, 1, 30), side(30, 1, 30));
    expect(supportOf([enough], WHAT_IF_LIMITS).supported).toHaveLength(1);
    const short = cell('x', side(30, 1, 30), side(29, 1, 29));
    expect(supportOf([short], WHAT_IF_LIMITS).supported).toHaveLength(0);
  });

  it('names the cells with most views to move first, and none without', () => {
    const cells = [
      cell('small', side(40, 1), []),
      cell('none', [], side(500, 1)),
      cell('large', side(60, 1), []),
    ];
    const { refused } = supportOf(cells, WHAT_IF_LIMITS);
    expect(refused.map(({ values }) => values)).toEqual([['large'], ['small']]);
  });

  it('counts blocks of viewers by how even they are', () => {
    expect(effectiveBlocks(side(100, 1, 5))).toBeCloseTo(5, 9);
    const uneven = [...side(10, 1, 10), { ...side(90, 1, 1)[0], block: 11 } as Block];
    expect(effectiveBlocks(uneven)).toBeLessThan(1.3);
    expect(effectiveBlocks([])).toBe(0);
  });
});

describe('the effect', () => {
  // Poor networks are on `to` mostly, so plain means say that it is worse; in each cell it is better by 10.
  const cells = [
    cell('good', side(800, 50), side(100, 40)),
    cell('poor', side(200, 210), side(400, 200)),
  ];
  const slice = sliceOf(cells);

  it('weighs cells by the views that move', () => {
    const effect = effectOn(0, { slice, supported: cells, share: 1 }, WHAT_IF_LIMITS);
    expect(effect.now).toBeCloseTo((800 * 50 + 100 * 40 + 200 * 210 + 400 * 200) / 1_500, 9);
    expect(effect.delta).toBeCloseTo((-10 * 1_000) / 1_500, 9);
    expect(effect.wouldBe).toBeCloseTo((effect.now ?? 0) + (effect.delta ?? 0), 9);
    expect(effect.low).toBeLessThan(effect.delta ?? 0);
    expect(effect.high).toBeGreaterThan(effect.delta ?? 0);
    expect(effect).toMatchObject({ eventsFrom: 1_000, eventsTo: 500 });
  });

  it('grows with the share, and so does its interval', () => {
    const whole = effectOn(0, { slice, supported: cells, share: 1 }, WHAT_IF_LIMITS);
    const fifth = effectOn(0, { slice, supported: cells, share: 0.2 }, WHAT_IF_LIMITS);
    expect((fifth.delta ?? 0) * 5).toBeCloseTo(whole.delta ?? 0, 9);
    const width = ({ low, high }: typeof whole): number => (high ?? 0) - (low ?? 0);
    expect(width(fifth) * 5).toBeCloseTo(width(whole), 6);
  });

  it('of a ratio moves numerator and denominator apart', () => {
    const halved = (blocks: Block[]): Block[] =>
      blocks.map((block) => ({ ...block, bottoms: [block.views / 2] }));
    const supported = [cell('x', side(100, 4), halved(side(100, 4)))];
    const all = sliceOf(supported);
    const { now, wouldBe } = effectOn(0, { slice: all, supported, share: 0.5 }, WHAT_IF_LIMITS);
    expect(now).toBeCloseTo(800 / 150, 9);
    // Half of 100 views keep their 4 and lose half of their denominators.
    expect(wouldBe).toBeCloseTo(800 / 125, 9);
  });

  it('is not told of what fewer than eventsMin views tell of, on either CDN', () => {
    const rare = (blocks: Block[], events: number): Block[] =>
      blocks.map((block, place) => ({ ...block, events: [place < events ? 1 : 0] }));
    const ask = (from: number, to: number) => {
      const supported = [cell('x', rare(side(100, 4), from), rare(side(100, 5), to))];
      const question = { slice: sliceOf(supported), supported, share: 1 };
      return effectOn(0, question, WHAT_IF_LIMITS);
    };
    expect(ask(10, 10).low).not.toBeNull();
    const nothing = { wouldBe: null, delta: null, low: null, high: null };
    expect(ask(9, 10)).toMatchObject({ ...nothing, now: 4.5, eventsFrom: 9, eventsTo: 10 });
    expect(ask(10, 9)).toMatchObject({ ...nothing, eventsFrom: 10, eventsTo: 9 });
  });

  it('is wider where the other CDN varies more, whichever way views move', () => {
    const calm = side(100, 10);
    const wild = calm.map((block, place) => ({
      ...block,
      tops: [place % 10 === 0 ? 10 * (block.tops[0] ?? 0) : 0],
    }));
    const width = (from: Block[], to: Block[]): number => {
      const supported = [cell('x', from, to)];
      const question = { slice: sliceOf(supported), supported, share: 1 };
      const { low, high } = effectOn(0, question, WHAT_IF_LIMITS);
      return (high ?? Number.NaN) - (low ?? Number.NaN);
    };
    expect(width(calm, wild)).toBeGreaterThan(2 * width(calm, calm));
    expect(width(wild, calm)).toBeGreaterThan(2 * width(calm, calm));
  });
});

describe('the interval', () => {
  /** Few blocks carry most: skewed, so that a sign that is turned shows. */
  const skewed = (views: number, top: number): Block[] =>
    side(views, 0).map((block, place) => ({ ...block, tops: [place < 3 ? views * top : top] }));
  /** How far each block lies from its share of the sum, as sure as the views make their mean. */
  const deviations = (blocks: Block[], weight: number): Float64Array => {
    const views = blocks.reduce((sum, block) => sum + block.views, 0);
    const mean = blocks.reduce((sum, { tops }) => sum + (tops[0] ?? 0), 0) / views;
    const contributions = new Float64Array(WHAT_IF_LIMITS.blocks);
    for (const { block, views: own, tops } of blocks) {
      contributions[block] =
        weight * Math.sqrt(views / (views - 1)) * ((tops[0] ?? 0) - mean * own);
    }
    return contributions;
  };

  it.each([
    [
      'what the moved views would have met, where the other CDN varies more',
      side(100, 5),
      skewed(400, 5),
    ],
    ['what they met, where their own varies more', skewed(100, 5), side(400, 5)],
  ])('is of the mean on the other CDN, and of %s', (_, from, to) => {
    const supported = [cell('x', from, to)];
    const slice = sliceOf(supported);
    const { delta, low, high } = effectOn(0, { slice, supported, share: 1 }, WHAT_IF_LIMITS);
    const [ownSquares, otherSquares] = [deviations(from, 1), deviations(to, 1 / 2)].map((each) =>
      each.reduce((sum, value) => sum + value * value, 0),
    );
    // 100 views move to where 400 were: each of those stands for a quarter, and a root of it where views are drawn anew.
    const contributions = {
      to: deviations(to, 1 / 4),
      from: (ownSquares ?? 0) < (otherSquares ?? 0) ? deviations(to, 1 / 2) : deviations(from, 1),
    };
    const bounds = errorBounds(contributions, WHAT_IF_LIMITS);
    expect(low).toBeCloseTo((delta ?? 0) - (bounds?.high ?? 0) / 500, 9);
    expect(high).toBeCloseTo((delta ?? 0) - (bounds?.low ?? 0) / 500, 9);
  });
});

describe('the bootstrap', () => {
  const options = { replicates: 2_000, confidence: 0.95 };
  const alternating = Float64Array.from({ length: 64 }, (_, place) => (place % 2 === 0 ? 1 : -1));

  it('gives about two standard errors to both sides of what is even', () => {
    const bounds = errorBounds({ to: alternating, from: alternating }, options);
    const standardError = Math.sqrt(2 * 64);
    expect((bounds?.high ?? 0) / standardError).toBeGreaterThan(1.8);
    expect((bounds?.high ?? 0) / standardError).toBeLessThan(2.2);
    expect((bounds?.low ?? 0) / standardError).toBeLessThan(-1.8);
    expect((bounds?.low ?? 0) / standardError).toBeGreaterThan(-2.2);
  });

  it('reaches farther to the side from which a heavy tail may be missing', () => {
    const heavy = Float64Array.from({ length: 64 }, (_, place) => (place < 4 ? 15 : -1));
    const bounds = errorBounds({ to: heavy, from: new Float64Array(64) }, options);
    expect(-(bounds?.low ?? 0)).toBeGreaterThan(1.3 * (bounds?.high ?? 0));
    const turned = errorBounds({ to: new Float64Array(64), from: heavy }, options);
    expect(turned?.high ?? 0).toBeGreaterThan(-1.3 * (turned?.low ?? 0));
  });

  it('is the same each time, and says nothing where nothing varies', () => {
    const contributions = { to: alternating, from: alternating };
    expect(errorBounds(contributions, options)).toEqual(errorBounds(contributions, options));
    const nothing = new Float64Array(64);
    expect(errorBounds({ to: nothing, from: nothing }, options)).toBeNull();
  });
});

describe('an answer', () => {
  const beyond = { viewsFrom: 0, viewsTo: 0 };
  const good = cell('good', side(100, 5), side(100, 4));
  const bad = cell('bad', side(101, 5), side(10, 4));
  const input = (cells: readonly Cell[]) => ({ slice: sliceOf(cells), cells, beyond, share: 0.3 });

  it('moves views of supported cells alone', () => {
    const even = cell('even', side(100, 5), side(10, 4));
    expect(answerWhatIf(input([good, even]), WHAT_IF_LIMITS)).toMatchObject({
      supportedShare: 0.5,
      movedViews: 30,
      movedCells: [['good']],
      refusedCells: 1,
      refused: [{ values: ['even'], reason: 'too_few_views_to' }],
    });
  });

  it('is refused when supported cells hold less than half of the views to move', () => {
    const answer = answerWhatIf(input([good, bad]), WHAT_IF_LIMITS);
    expect(answer.effects).toBeNull();
    expect(answer.supportedShare).toBeCloseTo(100 / 201, 9);
  });

  it('counts what lies beyond cellsMax as views that cannot move', () => {
    const question = { ...input([good]), beyond: { viewsFrom: 101, viewsTo: 7 } };
    const answer = answerWhatIf(question, WHAT_IF_LIMITS);
    expect(answer).toMatchObject({ effects: null, viewsFrom: 201, viewsTo: 107 });
    expect(answer.refused).toEqual([
      { values: null, viewsFrom: 101, viewsTo: 7, reason: 'beyond_cells_max' },
    ]);
  });

  it('of a slice without views to move is none', () => {
    const answer = answerWhatIf(input([cell('x', [], side(50, 1))]), WHAT_IF_LIMITS);
    expect(answer).toMatchObject({ effects: null, supportedShare: 0, refused: [] });
  });
});
