/**
 * Whether a record says what a vector expects.
 *
 * The same: a list of one and its item; a token and a text of its letters; a boolean or a list with and without
 * parameters. Everything else must be equal.
 */
import type { CmcdRecord } from '../../../ingest/formats/cmcd.ts';
import {
  isInnerList,
  type SfBare,
  type SfItem,
  type SfMember,
  type SfParam,
  serializeMember,
} from '../../../ingest/formats/structured-fields.ts';

export type Expected = Readonly<Record<string, unknown>>;

export interface Freedom {
  /** Keys that may be there, with any value, or not. */
  readonly may?: readonly string[];
  readonly mustNot?: readonly string[];
}

export interface Difference {
  readonly key: string;
  readonly text: string;
}

/** How a record differs from what is expected of it. */
export function differences(
  record: CmcdRecord,
  expected: Expected,
  { may = [], mustNot = [] }: Freedom = {},
): Difference[] {
  const found: Difference[] = [];
  const add = (key: string, text: string) => found.push({ key, text: `${key}: ${text}` });
  for (const [key, member] of record) {
    const read = serializeMember(member);
    if (mustNot.includes(key)) add(key, `read as ${read}, and must not be there`);
    else if (may.includes(key)) continue;
    else if (!(key in expected)) add(key, `read as ${read}, expected absent`);
    else if (!equals(member, expected[key])) {
      add(key, `read as ${read}, expected ${JSON.stringify(expected[key])}`);
    }
  }
  for (const [key, value] of Object.entries(expected)) {
    if (record.has(key) || may.includes(key)) continue;
    add(key, `absent, expected ${JSON.stringify(value)}`);
  }
  return found;
}

/** An item as it is compared. */
interface Plain {
  readonly value: string;
  readonly params: string;
}

function equals(member: SfMember, expected: unknown): boolean {
  const read = isInnerList(member) ? member.items : [member];
  const wanted = itemsOf(expected);
  return (
    read.length === wanted.length &&
    read.every((item, index) => {
      const { value, params } = plainOf(item);
      const other = wanted[index];
      const paramsCount = typeof item.value !== 'boolean';
      return value === other?.value && (!paramsCount || params === other.params);
    })
  );
}

function itemsOf(expected: unknown): Plain[] {
  const list = isObject(expected) && '$item' in expected ? expected.$item : expected;
  if (Array.isArray(list)) return list.map(expectedItem);
  return [expectedItem(expected)];
}

function expectedItem(value: unknown): Plain {
  if (!isObject(value) || !('$item' in value)) return { value: bareText(value), params: '' };
  const params = Object.entries((value.$params ?? {}) as object);
  return { value: bareText(value.$item), params: paramsText(params) };
}

function plainOf({ value, params }: SfItem): Plain {
  const pairs = params.map((param: SfParam): [string, unknown] => [param.name, param.value]);
  return { value: bareText(value), params: paramsText(pairs) };
}

function paramsText(params: readonly (readonly [string, unknown])[]): string {
  return params.map(([name, value]) => `${name}=${bareText(value)}`).join(';');
}

/** Letters of a token and of a text are the same; a number and a text are not. */
function bareText(value: SfBare | unknown): string {
  if (isObject(value)) return String(value.token ?? value.$token ?? JSON.stringify(value));
  return typeof value === 'string' ? value : `#${String(value)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
