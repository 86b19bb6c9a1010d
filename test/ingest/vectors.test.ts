import { describe, expect, it } from 'vitest';
import { checkLibrary } from './vectors/library.ts';
import { checkStandard } from './vectors/standard.ts';

const AT = 1_764_752_400_000;

function verdictOf(vector: Omit<Parameters<typeof checkStandard>[0][number], 'id'>) {
  return checkStandard([{ id: 'own', ...vector }])[0]?.found;
}

describe('a vector with the records that must be read', () => {
  it('agrees whether a list of one is said as a list or as an item', () => {
    const input = `br=(700;v),e=t,sid="k",ts=${AT},v=2`;
    const br = { $item: 700, $params: { v: true } };
    const record = { e: { $token: 't' }, sid: 'k', ts: AT, v: 2 };
    expect(verdictOf({ carrier: 'event', input, expect: [{ ...record, br }] })).toEqual([]);
    expect(verdictOf({ carrier: 'event', input, expect: [{ ...record, br: [br] }] })).toEqual([]);
  });

  it('differs where a parameter, a number or a record is another', () => {
    const one = (expected: object) =>
      verdictOf({ carrier: 'raw', input: 'br=(700;v)', expect: [{ ...expected }] });
    expect(one({ br: [700] })).toHaveLength(1);
    expect(one({ br: '700' })).toHaveLength(1);
    expect(one({ br: [{ $item: 701, $params: { v: true } }] })).toHaveLength(1);
    expect(verdictOf({ carrier: 'raw', input: 'br=(700;v)', expect: [] })).toHaveLength(1);
  });

  it('counts rejects, and takes any of the readings that are accepted', () => {
    const input = `e=t,sid="k",ts=${AT},v=9`;
    expect(verdictOf({ carrier: 'event', input, expect: [], rejected: 1 })).toEqual([]);
    expect(verdictOf({ carrier: 'event', input, expect: [], rejected: 0 })).toHaveLength(1);
    const raw = { carrier: 'raw', input: 'su,d="x"', expect: [{}], expect_any: [[{ su: true }]] };
    expect(verdictOf({ ...raw, carrier: 'raw' })).toEqual([]);
    expect(verdictOf({ ...raw, carrier: 'raw', must_not: ['su'] })).not.toEqual([]);
  });

  it('lets the headers win over the query, even when they cannot be read', () => {
    const query = 'CMCD=sid%3D%22q%22';
    const both = (object: string) => ({ headers: { 'CMCD-Object': object }, query });
    const carrier = 'headers+query';
    expect(verdictOf({ carrier, input: both('d=40'), expect: [{ d: 40 }] })).toEqual([]);
    expect(verdictOf({ carrier, input: both('((('), expect: [] })).toEqual([]);
  });
});

describe('an answer of another implementation', () => {
  const none = { decode: [], encode: [], validate: [], real: [] };

  it('agrees, differs by a rule, or stays undecided', () => {
    const [same, dropped, open] = checkLibrary({
      ...none,
      decode: [
        { fn: 'decodeX', input: 'd=4,zz', output: { d: 4, zz: true } },
        { fn: 'decodeX', input: 'd="4",su', output: { d: '4', su: true } },
        { fn: 'decodeX', input: 'd=4', output: { d: 5 } },
      ],
    });
    expect(same).toMatchObject({ found: [] });
    expect(dropped?.decidedBy).toContain('section 6');
    expect(open).toMatchObject({ decidedBy: '' });
    expect(open?.found).toHaveLength(1);
  });

  it('is written again byte for byte, or differs', () => {
    const [same, other] = checkLibrary({
      ...none,
      encode: [
        { fn: 'x', input: {}, output: 'br=(1;v 2;a),su' },
        { fn: 'x', input: {}, output: 'br=(1;v  2;a),su' },
      ],
    });
    expect(same?.found).toEqual([]);
    expect(other?.found).toHaveLength(1);
  });
});
