import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cmcdLimits, createCmcdCounters, decodeCmcdBody } from '../../../ingest/formats/cmcd.ts';

const CMCD = 'application/cmcd';

function decode(body: string | Buffer, contentType = CMCD) {
  return decodeCmcdBody(Buffer.from(body), contentType);
}

/** Each reject as position, code and bytes. */
function rejects(body: string | Buffer, limits = cmcdLimits) {
  return decodeCmcdBody(Buffer.from(body), CMCD, limits).rejects.map(
    ({ beat, code, bytes }) => [beat, code, bytes.toString('latin1')] as const,
  );
}

function line(sid: string, sn: number): string {
  return `e=t,sid="${sid}",sn=${sn},ts=${1_764_752_400_000 + sn},v=2`;
}

/** Views of a body, each with the numbers of its events. */
function views(body: string | Buffer, contentType = CMCD) {
  return decode(body, contentType).beats.map(
    (beat) => [beat.view, beat.events.map((event) => event.seq)] as const,
  );
}

describe('a body of lines', () => {
  it('gives one beat for each view, in order of appearance, events as on the wire', () => {
    const body = `${[line('b', 1), line('a', 5), line('b', 0), line('a', 6)].join('\n')}\n`;
    expect(views(body)).toEqual([
      ['b', [1, 0]],
      ['a', [5, 6]],
    ]);
    expect(decode(body).beats[0]).toMatchObject({ source: 'cmcd', sentAt: 0, context: [] });
    expect(decode(body).rejects).toEqual([]);
  });

  it('keeps duplicates: what is one report is for the fold to say', () => {
    expect(views(`${line('a', 1)}\n${line('a', 1)}`)).toEqual([['a', [1, 1]]]);
  });

  it('is cut at LF and CRLF; spaces and empty lines mean nothing', () => {
    expect(views(`\r\n ${line('a', 0)} \r\n\r\n\t${line('a', 1)}\n\n`)).toEqual([['a', [0, 1]]]);
    expect(views(`\ufeff${line('a', 0)}`)).toEqual([['a', [0]]]);
  });

  it('is read whatever its content type says', () => {
    for (const type of ['text/cmcd', 'text/plain;charset=UTF-8', '', 'application/json']) {
      expect(views(line('a', 0), type), type).toEqual([['a', [0]]]);
    }
  });

  it('may hold bytes that are no UTF-8, in one line and not in its neighbour', () => {
    const latin = Buffer.concat([Buffer.from('cid="'), Buffer.from([0xfc]), Buffer.from('",')]);
    const body = Buffer.concat([
      Buffer.from(`cid="\u00fc",${line('a', 0)}\n`),
      latin,
      Buffer.from(line('b', 0)),
    ]);
    expect(decode(body).beats.map((beat) => beat.context)).toEqual([
      [{ name: 'video_id', value: '\u00fc' }],
      [{ name: 'video_id', value: '\u00fc' }],
    ]);
  });

  it('takes version 1, without `v` or `e`', () => {
    const { beats } = decode('br=3200,bs,sid="a",ts=5');
    expect(beats[0]?.events[0]).toMatchObject({ name: '', at: 5, seq: -1, lane: 'main' });
  });

  it('without content has neither beats nor a fault', () => {
    for (const body of ['', '\n', ' \r\n\n', '[]']) {
      expect(decode(body)).toEqual({ beats: [], rejects: [] });
    }
  });
});

describe('rejects', () => {
  it('have their code, position and bytes, and cost no neighbour', () => {
    const body = [
      line('a', 0),
      '((((',
      'e=t,ts=1,v=2',
      'e=t,sid="  ",ts=1',
      'e=t,sid="a",v=2',
      'e=t,sid="a",ts=-4',
      'e=t,sid="a",ts=1,v=3',
      `e=t,sid="${'x'.repeat(129)}",ts=1`,
      line('a', 1),
    ];
    expect(views(body.join('\n'))).toEqual([
      ['a', [0, 1]],
      ['', [-1, -1]],
    ]);
    expect(rejects(body.join('\n'))).toEqual([
      [1, 'cmcd_malformed', body[1]],
      [4, 'missing_ts', body[4]],
      [5, 'missing_ts', body[5]],
      [6, 'cmcd_version_unknown', body[6]],
      [7, 'sid_too_long', body[7]],
    ]);
  });

  it('name their view where they can', () => {
    const body = `e=t,sid=" a ",v=2\ne=t,sid="b",v=3\ne=t,v=2\nsid="${'x'.repeat(129)}"`;
    expect(decode(body).rejects.map((reject) => reject.view)).toEqual(['a', 'b', '', '']);
  });

  it('have the bytes as they came', () => {
    const bytes = Buffer.concat([
      Buffer.from('cid="'),
      Buffer.from([0xfc, 0xff]),
      Buffer.from('"'),
    ]);
    expect(decode(bytes).rejects[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('keep to the limits', () => {
    const limits = { ...cmcdLimits, recordBytesMax: 60, eventsPerBeatMax: 2 };
    const long = `cid="${'x'.repeat(60)}",${line('a', 9)}`;
    const body = [line('a', 0), long, line('a', 1), line('a', 2), line('b', 0)].join('\n');
    expect(rejects(body, limits)).toEqual([
      [1, 'event_too_large', long],
      [3, 'too_many_events', line('a', 2)],
    ]);
    const sid = 'x'.repeat(cmcdLimits.viewCharsMax);
    expect(views(line(` ${sid} `, 0))).toEqual([[sid, [0]]]);
  });

  it('are one for all that follows too many records', () => {
    const limits = { ...cmcdLimits, recordsMax: 2 };
    const body = [line('a', 0), '((', line('a', 1), line('a', 2)];
    expect(rejects(body.join('\n'), limits)).toEqual([
      [1, 'cmcd_malformed', '(('],
      [2, 'too_many_events', `${body[2]}\n${body[3]}`],
    ]);
    expect(rejects('[{"sid":"a","ts":1},{},{"sid":"a","ts":2},{}]', limits)).toEqual([
      [1, 'cmcd_malformed', '{}'],
      [2, 'too_many_events', '{"sid":"a","ts":2},{}]'],
    ]);
  });
});

describe('a body of which nothing can be read', () => {
  it('is malformed, and has no rejects', () => {
    const bodies = ['((((', '<html>\n<p>', '{"a":', '[1,2]', '{}', '\u0000\u0001', 'BR=1\nbr="x"'];
    for (const body of bodies) {
      expect(decode(body), body).toMatchObject({
        beats: [],
        rejects: [],
        malformed: { code: 'malformed' },
      });
    }
    expect(decode('"x"', 'application/json').malformed?.message).toContain('JSON');
  });

  it('is not one of which the records were read and refused', () => {
    for (const body of ['e=t,ts=1', 'sid="a",v=3', `a="${'x'.repeat(20_000)}"`]) {
      expect(decode(body).malformed, body.slice(0, 20)).toBeUndefined();
    }
  });
});

describe('a JSON body', () => {
  const record = (sid: string, sn: number) => JSON.stringify({ sid, sn, ts: 5 + sn, e: 't', v: 2 });

  it('is an object, an array, or objects in lines', () => {
    const [a, b, c] = [record('a', 0), record('b', 0), record('a', 1)];
    const expected = [
      ['a', [0, 1]],
      ['b', [0]],
    ];
    expect(views(record('a', 0))).toEqual([['a', [0]]]);
    expect(views(`[${a},${b},\n ${c}]\n`, 'application/json')).toEqual(expected);
    expect(views(`${a}\n${b}\r\n${c}`)).toEqual(expected);
    expect(views(JSON.stringify(JSON.parse(`[${a},${b},${c}]`), null, 2))).toEqual(expected);
  });

  it('loses one element that is bad, not the others', () => {
    const body = `[${record('a', 0)},{"ts" 1},7,{"ts":1,"x":"],{\\"\u00fc"},${record('a', 1)}`;
    expect(views(body)).toEqual([
      ['a', [0, 1]],
      ['', [-1]],
    ]);
    expect(decode(body).rejects.map(({ code, bytes }) => [code, bytes.toString()])).toEqual([
      ['cmcd_malformed', '{"ts" 1}'],
      ['cmcd_malformed', '7'],
    ]);
  });

  it('gives the same event as the line that says the same', () => {
    const text = 'bg,bl=(5000),br=(1600;v 64;a),cid="c",e=ps,ec=("x"),sid="s",sn=3,sta=r,ts=9,v=2';
    const json = {
      bg: true,
      bl: [5000],
      br: [
        { value: 1600, params: { v: true } },
        { value: 64, params: { a: true } },
      ],
      cid: 'c',
      e: 'ps',
      ec: ['x'],
      sid: 's',
      sn: 3,
      sta: 'r',
      ts: 9,
      v: 2,
    };
    expect(decode(JSON.stringify(json))).toEqual(decode(text));
  });
});

describe('counters', () => {
  it('count events, dropped values and cut keys', () => {
    const counters = createCmcdCounters();
    const limits = { ...cmcdLimits, keysMax: 1 };
    decodeCmcdBody(
      Buffer.from(`br="x",BAD,${line('a', 0)}\nzz=1,${line('a', 1)}\n((`),
      CMCD,
      limits,
      counters,
    );
    expect(counters).toEqual({ events: 2, valuesDropped: 2, keysCut: 1 });
  });
});

describe('any body', () => {
  it('never throws, and every record of it is an event or a reject', () => {
    const pieces = fc.constantFrom(
      line('a', 0),
      line('b', 1),
      '((',
      'e=t',
      '"',
      '{',
      '}',
      '[',
      '\n',
      ',',
    );
    const body = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.array(pieces).map((parts) => Buffer.from(parts.join('\n'))),
      fc.array(pieces).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        const { beats, rejects: refused, malformed } = decodeCmcdBody(bytes, CMCD);
        if (malformed !== undefined) expect([...beats, ...refused]).toEqual([]);
        for (const beat of beats) expect(beat.events.length).toBeGreaterThan(0);
        for (const reject of refused) expect(bytes.includes(reject.bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('of lines is all there: events and rejects together are its lines', () => {
    const each = fc.constantFrom(line('a', 0), line('b', 1), '((', 'e=t', 'sid="a"', 'sid="a",v=3');
    fc.assert(
      fc.property(fc.array(each), (all) => {
        const { beats, rejects: refused } = decode([...all, line('c', 0)].join('\n'));
        const events = beats.reduce((sum, beat) => sum + beat.events.length, 0);
        expect(events + refused.length).toBe(all.length + 1);
      }),
    );
  });

  it('of a mebibyte of junk comes to an end', () => {
    // In quadratic time, or with an exception for each element, none of these would within the runner's limit.
    for (const text of ['(', '\n', 'a\n', '[', '{"a":', '{},', '{a},', ']', '"', 'a;']) {
      const body = Buffer.from(text.repeat((1 << 20) / text.length));
      decodeCmcdBody(body, CMCD);
      decodeCmcdBody(body, 'application/json', { ...cmcdLimits, recordBytesMax: body.length });
    }
  });
});
