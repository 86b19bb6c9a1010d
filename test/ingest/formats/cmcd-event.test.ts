import { describe, expect, it } from 'vitest';
import { cmcdContext, cmcdEvent, eventTime } from '../../../ingest/formats/cmcd-event.ts';
import { type CmcdRecord, parseCmcd } from '../../../ingest/formats/cmcd-record.ts';
import { type Part, part } from '../../../schemas/beat.ts';
import { encodeRecord } from '../../../schemas/records.ts';

const limits = { keysMax: 64, keyCharsMax: 4_096 };

function record(text: string): CmcdRecord {
  const parsed = parseCmcd(text);
  if (!('record' in parsed)) throw new Error(parsed.message);
  return parsed.record;
}

function event(text: string) {
  const read = record(`sid="s",ts=1764752400000,${text}`);
  return cmcdEvent(read, cmcdContext([read]), limits, { keysCut: 0 });
}

/** The parts of an event without its keys, which have tests of their own. */
function parts(text: string): Part[] {
  return event(text).parts.filter((each) => !('streamgauge.v1.Keys' in each));
}

function keys(text: string): Record<string, string> {
  for (const each of event(text).parts) {
    if (!('streamgauge.v1.Keys' in each)) continue;
    const { entries } = each['streamgauge.v1.Keys'];
    return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
  }
  return {};
}

describe('an event of any name', () => {
  it('fits the log, whatever an object would know by it', () => {
    for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty']) {
      const events = [event(`e=${name}`)];
      const head = { project: 'p', view: 's', source: 'cmcd', trustedClock: false } as const;
      encodeRecord('beat', { ...head, sentAt: 0, context: [], events });
      expect(events).toMatchObject([{ name, parts: [] }]);
    }
  });
});

describe('an event', () => {
  it('has the number, time, lane and name of its record', () => {
    expect(event('e=ps,sn=7')).toMatchObject({
      seq: 7,
      at: 1_764_752_400_000,
      lane: 'main',
      name: 'ps',
    });
    expect(event('e=rr,sn=0')).toMatchObject({ seq: 0, lane: 'response', name: 'rr' });
  });

  it('has no number without `sn`, or with one that cannot be, and no name without `e`', () => {
    expect(event('bl=(0)')).toMatchObject({ seq: -1, name: '', lane: 'main' });
    expect(event('sn=-1').seq).toBe(-1);
    expect(event('sn=1.5').seq).toBe(-1);
  });

  it('takes `ts` as it is, seconds too, and rounds it', () => {
    expect(eventTime(record('ts=1764752400'))).toBe(1_764_752_400);
    expect(eventTime(record('ts=1764752400000.6'))).toBe(1_764_752_400_001);
    expect(eventTime(record('ts=0'))).toBe(0);
    expect(eventTime(record('ts=-1'))).toBeUndefined();
    expect(eventTime(record('sn=1'))).toBeUndefined();
  });
});

describe('states', () => {
  it('are read from `sta`, whatever the event', () => {
    const tokens = {
      d: 'preloading',
      s: 'starting',
      p: 'playing',
      r: 'rebuffering',
      w: 'rebuffering',
      k: 'seeking',
      a: 'paused',
      e: 'ended',
      f: 'failed',
      q: 'quit',
    } as const;
    for (const [token, state] of Object.entries(tokens)) {
      expect(parts(`e=t,sta=${token}`), token).toEqual([part.state(state)]);
    }
    expect(parts('e=t,sta=zz')).toEqual([]);
  });

  it('of a response report are only kept, because they may be half a minute old', () => {
    expect(parts('e=rr,sta=p')).toEqual([part.request({})]);
    expect(keys('e=rr,sta=p')).toEqual({ sta: 'p' });
  });
});

describe('renditions', () => {
  function bits(list: string): number | undefined {
    for (const each of parts(`e=t,br=${list}`)) {
      if ('streamgauge.v1.Rendition' in each) return each['streamgauge.v1.Rendition'].bitrate;
    }
    return undefined;
  }

  it('are what is shown, then what is selected', () => {
    expect(parts('e=bc,br=(3000),pb=(1500)')).toEqual([
      part.rendition({ bitrate: 1_500_000, basis: 'shown' }),
      part.rendition({ bitrate: 3_000_000, basis: 'selected' }),
    ]);
  });

  it('add one video and one audio; muxed stands alone', () => {
    expect(bits('(1600;v 64;a)')).toBe(1_664_000);
    expect(bits('(64;a 1600;v 900;v 32;a)')).toBe(1_664_000);
    expect(bits('(1664;av 1600;v 64;a)')).toBe(1_664_000);
    expect(bits('(1600;ot=v 64;ot=a)')).toBe(1_664_000);
    expect(bits('(64;a 10;c 5;tt)')).toBe(64_000);
    expect(bits('(1600;v 99)')).toBe(1_600_000);
  });

  it('without types are one value, the largest', () => {
    expect(bits('1600')).toBe(1_600_000);
    expect(bits('(468.614)')).toBe(468_614);
    expect(bits('(64 1600)')).toBe(1_600_000);
  });

  it('are none for a bitrate that is none', () => {
    for (const list of ['(0)', '(-5)', '()', '(10;c)', '(10000001)']) {
      expect(bits(list), list).toBeUndefined();
    }
    expect(keys('e=t,br=(0)')).toEqual({ br: '(0)' });
  });

  it('of a response report are what is shown: `br` is there the requested object', () => {
    expect(parts('e=rr,br=(3000),pb=(1500)')).toEqual([
      part.rendition({ bitrate: 1_500_000, basis: 'shown' }),
      part.request({}),
    ]);
    expect(keys('e=rr,br=(3000)')).toEqual({ br: '(3000)' });
  });
});

describe('status', () => {
  it('has playhead, the least media buffer, latency and dropped frames', () => {
    expect(parts('e=t,pt=632782,bl=(4900;v 6900;a 0;tt),ltc=8092.4,dfa=32')).toEqual([
      part.status({ playhead: 632_782, buffer: 4_900, liveLatency: 8_092, droppedFrames: 32 }),
    ]);
    expect(parts('e=t,bl=0')).toEqual([part.status({ buffer: 0 })]);
  });

  it('has nothing negative; the key stays to be seen', () => {
    expect(parts('e=t,pt=-1,bl=(-100),ltc=-3,dfa=-2')).toEqual([]);
    expect(keys('e=t,pt=-1,bl=(-100),ltc=-3,dfa=-2')).toEqual({
      pt: '-1',
      bl: '(-100)',
      ltc: '-3',
      dfa: '-2',
    });
  });

  it('of a response report is the latency alone', () => {
    expect(parts('e=rr,pt=1,bl=(4900),ltc=6147,dfa=3')).toEqual([
      part.status({ liveLatency: 6_147 }),
      part.request({}),
    ]);
    expect(keys('e=rr,pt=1,bl=(4900),dfa=3')).toEqual({ pt: '1', bl: '(4900)', dfa: '3' });
  });
});

describe('errors', () => {
  it('are the error events, with their codes', () => {
    const error = (code: string) => [part.error({ code, fatal: 'unknown' })];
    expect(parts('e=e,ec=("A" "B")')).toEqual(error('A,B'));
    expect(parts('e=e,ec=27')).toEqual(error('27'));
    expect(parts('e=e,ec=CODE')).toEqual(error('CODE'));
    expect(parts('e=e')).toEqual(error(''));
  });

  it('are not the code that sticks to every later event', () => {
    expect(parts('e=t,ec=27')).toEqual([]);
    expect(keys('e=t,ec=27')).toEqual({ ec: '(27)' });
    expect(parts('e=rr,ec=27')).toEqual([part.request({})]);
  });
});

describe('modes and ads', () => {
  it('come from their own events only', () => {
    expect(parts('e=b,bg')).toEqual([part.playbackMode('background')]);
    expect(parts('e=b')).toEqual([part.playbackMode('inline')]);
    expect(parts('e=b,bg=?0')).toEqual([part.playbackMode('inline')]);
    expect(parts('e=pe')).toEqual([part.playbackMode('fullscreen')]);
    expect(parts('e=pc')).toEqual([part.playbackMode('inline')]);
    expect(parts('e=t,bg')).toEqual([]);
    expect(keys('e=t,bg')).toEqual({ bg: '?1' });
    expect(parts('e=m')).toEqual([]);
  });

  it('know the five ad events', () => {
    const ads = {
      as: 'start',
      ae: 'end',
      abs: 'break_start',
      abe: 'break_end',
      sk: 'skip',
    } as const;
    for (const [token, what] of Object.entries(ads)) {
      expect(parts(`e=${token}`), token).toEqual([part.ad({ what, placement: '', code: '' })]);
    }
  });
});

describe('context', () => {
  it('is named as the dimensions are, and sorted', () => {
    expect(cmcdContext([record('st=l,sf=h,cid="c",cdn="x"')])).toEqual([
      { name: 'cdn', value: 'x' },
      { name: 'source_type', value: 'hls' },
      { name: 'stream_type', value: 'live' },
      { name: 'video_id', value: 'c' },
    ]);
  });

  it('reads every format and stream type', () => {
    const value = (text: string) => cmcdContext([record(text)])[0]?.value;
    expect(['d', 'h', 's', 'e', 'o'].map((sf) => value(`sf=${sf}`))).toEqual([
      'dash',
      'hls',
      'smooth',
      'other',
      'other',
    ]);
    expect(['v', 'l', 'll'].map((st) => value(`st=${st}`))).toEqual(['on-demand', 'live', 'live']);
  });

  it('lets the last record that says something win', () => {
    const records = [record('cid="a",st=v'), record('cid="b",st=l'), record('cid="",sn=1')];
    expect(cmcdContext(records)).toEqual([
      { name: 'stream_type', value: 'live' },
      { name: 'video_id', value: 'b' },
    ]);
  });

  it('leaves with an event what the context does not repeat', () => {
    const ad = record('sid="s",ts=1,e=as,cid="ad",st=ll');
    const movie = record('sid="s",ts=2,e=abe,cid="movie",st=ll');
    const context = cmcdContext([ad, movie]);
    const said = [ad, movie].map(
      (each) => cmcdEvent(each, context, limits, { keysCut: 0 }).parts[1],
    );
    expect(said).toEqual([
      part.keys([
        { name: 'cid', value: '"ad"' },
        { name: 'st', value: 'll' },
      ]),
      part.keys([{ name: 'st', value: 'll' }]),
    ]);
  });
});

describe('keys', () => {
  it('are all that no part carries, sorted, in structured-field notation', () => {
    const { parts: all } = event(
      'v=2,zz,e=ps,sta=p,sn=1,mtp=(5400;v),com.example-x="q\\"",br=(1669),cid="c",msd=905,pr=1.05',
    );
    expect(all.at(-1)).toEqual(
      part.keys([
        { name: 'com.example-x', value: '"q\\""' },
        { name: 'msd', value: '905' },
        { name: 'mtp', value: '(5400;v)' },
        { name: 'pr', value: '1.05' },
        { name: 'v', value: '2' },
        { name: 'zz', value: '?1' },
      ]),
    );
  });

  it('hold no query of a URL', () => {
    expect(
      keys('e=t,nor=("a.m4s?t=1";r="0-9" "https://u:p@h/b#c" "..%2fd%3Ft=1"),url="x?t=1"'),
    ).toEqual({ nor: '("a.m4s";r="0-9" "https://h/b" "..%2fd")', url: '"x"' });
  });

  it('are cut where they are too many or too long, and counted', () => {
    const counters = { keysCut: 0 };
    const read = record('sid="s",ts=1,a=1,b=2,c=3,d1="long enough to be cut",e1=5');
    const some = cmcdEvent(read, [], { keysMax: 3, keyCharsMax: 4_096 }, counters);
    expect(some.parts).toMatchObject([
      { 'streamgauge.v1.Keys': { entries: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] } },
    ]);
    expect(counters.keysCut).toBe(2);
    const short = cmcdEvent(read, [], { keysMax: 64, keyCharsMax: 9 }, counters);
    expect(short.parts).toMatchObject([
      {
        'streamgauge.v1.Keys': {
          entries: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'e1' }],
        },
      },
    ]);
    expect(counters.keysCut).toBe(3);
  });
});
