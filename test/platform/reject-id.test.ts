/** Names of rejects. */
import { expect, it } from 'vitest';
import { parseRejectId, rejectIdText } from '../../platform/control/reject-id.ts';

it.each([
  ['0-0', { partition: 0, offset: 0, event: -1 }],
  ['3-1204', { partition: 3, offset: 1_204, event: -1 }],
  ['65535-999999999999999-7', { partition: 65_535, offset: 999_999_999_999_999, event: 7 }],
])('%s is read and written the same', (text, id) => {
  expect(parseRejectId(text)).toEqual(id);
  expect(rejectIdText(id)).toBe(text);
});

it.each(['', '3', '3-', '-3-4', '3-4-', '3-4--1', '65536-1', '3-4-5-6', ' 3-4', '3-4\n', '1e3-4'])(
  '%j is none',
  (text) => {
    expect(parseRejectId(text)).toBeUndefined();
  },
);
