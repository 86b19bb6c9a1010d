import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cmcdKeys } from '../../../ingest/formats/cmcd-keys.ts';
import {
  type CmcdParsed,
  decodeCmcdHeaders,
  decodeCmcdQuery,
  parseCmcd,
  parseCmcdJson,
  textOfBytes,
} from '../../../ingest/formats/cmcd-record.ts';
import {
  type SfMember,
  serializeDictionary,
  serializeMember,
} from '../../../ingest/formats/structured-fields.ts';

/** The record as text by key, or the code of its refusal. */
function shown(parsed: CmcdParsed | undefined): Record<string, string> | string {
  if (parsed === undefined) return 'none';
  if (!('record' in parsed)) return parsed.code;
  return Object.fromEntries(
    [...parsed.record].map(([key, member]) => [key, serializeMember(member)]),
  );
}

function droppedOf(parsed: CmcdParsed): readonly string[] {
  return 'record' in parsed ? parsed.dropped : [];
}

describe('parseCmcd', () => {
  it('takes an item or a list for every list key, and gives a list', () => {
    for (const [key, spec] of cmcdKeys) {
      if (!spec.list) continue;
      const value = spec.type === 'integer' ? '7' : '"x"';
      expect(shown(parseCmcd(`${key}=${value}`)), key).toEqual({ [key]: `(${value})` });
      expect(shown(parseCmcd(`${key}=(${value})`)), key).toEqual({ [key]: `(${value})` });
      expect(shown(parseCmcd(`${key}=${value};v`)), key).toEqual({ [key]: `(${value};v)` });
    }
  });

  it('takes a list of one for an item, and no list of two', () => {
    expect(shown(parseCmcd('d=(4000),sid=("s"),rc=(1 2)'))).toEqual({ d: '4000', sid: '"s"' });
  });

  it('drops a value of the wrong type alone and names it', () => {
    const parsed = parseCmcd('bs=1,cid=movie,d="4",ot="v",br=("x" 3),sid="s",url=5,su=?0,pr="1"');
    expect(shown(parsed)).toEqual({ sid: '"s"', su: '?0' });
    expect([...droppedOf(parsed)].sort()).toEqual(['br', 'bs', 'cid', 'd', 'ot', 'pr', 'url']);
  });

  it('drops tokens without a meaning, and takes those that libraries miss', () => {
    expect(shown(parseCmcd('sta=z,ot=zz,sf=q,st=x,e=h'))).toEqual({ e: 'h' });
    expect(shown(parseCmcd('sf=e,sta=w,st=ll,e=sk'))).toEqual({
      e: 'sk',
      sf: 'e',
      sta: 'w',
      st: 'll',
    });
  });

  it('takes decimals where the standard has integers', () => {
    expect(shown(parseCmcd('ltc=8092.0,pb=(468.614)'))).toEqual({ ltc: '8092', pb: '(468.614)' });
  });

  it('takes error codes as strings, integers or tokens', () => {
    expect(shown(parseCmcd('ec=27'))).toEqual({ ec: '(27)' });
    expect(shown(parseCmcd('ec=("a" b 3)'))).toEqual({ ec: '("a" b 3)' });
  });

  it('keeps unknown and custom keys as they came', () => {
    expect(shown(parseCmcd('com.example-x=(1;p "a"),zz=:aGk=:,qq'))).toEqual({
      'com.example-x': '(1;p "a")',
      zz: ':aGk=:',
      qq: '?1',
    });
  });

  it('refuses a version beyond 2 whole, with the view that it names', () => {
    expect(parseCmcd('sid="s1",v=3')).toMatchObject({
      code: 'cmcd_version_unknown',
      view: 's1',
    });
    expect(shown(parseCmcd('sid="s1",v=2'))).toEqual({ sid: '"s1"', v: '2' });
    expect(shown(parseCmcd('sid="s1",v=1'))).toEqual({ sid: '"s1"', v: '1' });
  });

  it('refuses a line of which nothing can be read', () => {
    for (const text of ['((((', '', ' ', ',', 'BR=1', 'br="x"', '<html>', '\u0000']) {
      expect(shown(parseCmcd(text)), text).toBe('cmcd_malformed');
    }
  });

  it('reads back every record that is written as the standard says', () => {
    fc.assert(
      fc.property(arbitraryRecord, (record) => {
        const parsed = parseCmcd(serializeDictionary(record));
        expect('record' in parsed && parsed.record).toEqual(record);
        expect(droppedOf(parsed)).toEqual([]);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCmcd(text)));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('br=', 'ec', 'v=', '(', '9', '"', ';v', ',', ' ')),
        (p) => {
          parseCmcd(p.join(''));
        },
      ),
    );
  });
});

describe('parseCmcdJson', () => {
  it('reads tokens from strings, and lists from arrays', () => {
    const text =
      '{"e":"ps","sid":"s","sta":"p","br":[3000],"bg":true,"pr":1.5,"nor":["a"],"ec":[27]}';
    expect(shown(parseCmcdJson(text))).toEqual({
      e: 'ps',
      sid: '"s"',
      sta: 'p',
      br: '(3000)',
      bg: '?1',
      pr: '1.5',
      nor: '("a")',
      ec: '(27)',
    });
  });

  it('reads items with parameters as the reference library writes them', () => {
    const text = '{"br":[{"value":1600,"params":{"v":true}},{"value":64,"params":{"a":true}}]}';
    expect(shown(parseCmcdJson(text))).toEqual({ br: '(1600;v 64;a)' });
  });

  it('drops a bad value alone and names it', () => {
    const parsed = parseCmcdJson(
      '{"sid":"s","br":null,"bl":[[1]],"ts":1e300,"Bad Key":1,"d":"4","x":{"a":1},"sta":"zz"}',
    );
    expect(shown(parsed)).toEqual({ sid: '"s"' });
    expect([...droppedOf(parsed)].sort()).toEqual(['Bad Key', 'bl', 'br', 'd', 'sta', 'ts', 'x']);
  });

  it('refuses what is no object, and a version beyond 2', () => {
    for (const text of ['[1]', '"x"', '{', '{a}', '{"a":1', 'null', '{}']) {
      expect(shown(parseCmcdJson(text)), text).toBe('cmcd_malformed');
    }
    expect(shown(parseCmcdJson('{"v":3,"sid":"s"}'))).toBe('cmcd_version_unknown');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseCmcdJson(text)));
    const keys = fc.constantFrom(...cmcdKeys.keys(), '__proto__', 'constructor');
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (value) => {
        parseCmcdJson(JSON.stringify(value));
      }),
    );
  });
});

describe('decodeCmcdQuery', () => {
  it('finds the argument among others, with or without the question mark', () => {
    const query = 'a=1&CMCD=br%3D%28320%3Ba+64%3Bv%29%2Csid%3D%22s%22&b=2';
    expect(shown(decodeCmcdQuery(query))).toEqual({ br: '(320;a 64;v)', sid: '"s"' });
    expect(shown(decodeCmcdQuery(`?${query}`))).toEqual({ br: '(320;a 64;v)', sid: '"s"' });
  });

  it('is none without the argument, with an empty one, or in lower case', () => {
    for (const query of ['', '?', 'CMCD=', 'a=1&CMCD=&b', 'cmcd=br%3D1', 'XCMCD=br%3D1', 'CMCD']) {
      expect(decodeCmcdQuery(query), query).toBeUndefined();
    }
  });

  it('reads percent signs that are no UTF-8 as Latin-1', () => {
    expect(shown(decodeCmcdQuery('CMCD=cid%3D%22%FC%22'))).toEqual({ cid: '"\u00fc"' });
    expect(shown(decodeCmcdQuery('CMCD=cid%3D%22%C3%BC%22'))).toEqual({ cid: '"\u00fc"' });
    expect(shown(decodeCmcdQuery('CMCD=cid%3D%22100%%22'))).toEqual({ cid: '"100%"' });
  });
});

describe('decodeCmcdHeaders', () => {
  it('puts the headers together, whatever their case and whichever holds a key', () => {
    const headers = { 'CMCD-Object': 'br=1', 'cmcd-session': ['sid="s"', 'v=2'], host: 'x' };
    expect(shown(decodeCmcdHeaders(headers))).toEqual({ br: '(1)', sid: '"s"', v: '2' });
  });

  it('lets a header that cannot be read cost the others nothing', () => {
    const headers = { 'cmcd-object': 'cid="open', 'cmcd-session': 'sid="s"' };
    expect(shown(decodeCmcdHeaders(headers))).toEqual({ sid: '"s"' });
  });

  it('is none without a CMCD header', () => {
    expect(decodeCmcdHeaders({ host: 'x', 'cmcd-object': '' })).toBeUndefined();
  });

  it('reads UTF-8 and Latin-1, as Node gives them', () => {
    const utf8 = Buffer.from('cid="\u00fc"').toString('latin1');
    expect(shown(decodeCmcdHeaders({ 'cmcd-session': utf8 }))).toEqual({ cid: '"\u00fc"' });
    expect(shown(decodeCmcdHeaders({ 'cmcd-session': 'cid="\u00fc"' }))).toEqual({
      cid: '"\u00fc"',
    });
  });
});

describe('textOfBytes', () => {
  it('reads UTF-8 where it is, else Latin-1', () => {
    expect(textOfBytes(Buffer.from('\u00dcb\u4e2d'))).toBe('\u00dcb\u4e2d');
    expect(textOfBytes(Buffer.from([0xdc, 0x62]))).toBe('\u00dcb');
  });
});

const arbitraryNumber = fc.nat({ max: 100_000_000 });
const arbitraryValueOf: Record<string, fc.Arbitrary<SfMember>> = {};
for (const [key, spec] of cmcdKeys) {
  if (key === 'v') continue;
  const bare =
    spec.type === 'boolean'
      ? fc.boolean()
      : spec.type === 'token'
        ? fc.constantFrom(...(spec.tokens ?? ['ps', 'rr', 'h'])).map((token) => ({ token }))
        : spec.type === 'string' || spec.type === 'code'
          ? fc.string({ unit: 'grapheme', maxLength: 20 })
          : spec.type === 'decimal'
            ? arbitraryNumber.map((value) => value / 1000)
            : arbitraryNumber;
  const params = fc
    .subarray(['v', 'a', 'av', 'tt'], { maxLength: 1 })
    .map((names) => names.map((name) => ({ name, value: true })));
  arbitraryValueOf[key] = spec.list
    ? fc.record({
        items: fc.array(fc.record({ value: bare, params }), { maxLength: 3 }),
        params: fc.constant([]),
      })
    : fc.record({ value: bare, params: fc.constant([]) });
}
const arbitraryRecord = fc
  .record(arbitraryValueOf, { requiredKeys: ['sid'] })
  .map(
    (values) =>
      new Map(Object.entries(values).filter((entry): entry is [string, SfMember] => !!entry[1])),
  );
