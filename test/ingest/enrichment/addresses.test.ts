import { describe, expect, it } from 'vitest';
import {
  truncatedAddress,
  usableAddress,
  withCoarseAddresses,
} from '../../../ingest/enrichment/addresses.ts';

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8::1', '2001:DB8::1'],
  ])('is read from %j', (text, address) => {
    expect(usableAddress(text)).toBe(address);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '256.1.1.1',
    '1.2.3',
    ':::',
    'a.b.c.d',
    '1'.repeat(200),
    '<script>',
  ])('is not read from %j', (text) => {
    expect(usableAddress(text)).toBe('');
    expect(truncatedAddress(text)).toBe('');
  });

  it.each([
    ['203.0.113.7', '203.0.113.0'],
    ['::ffff:203.0.113.7', '203.0.113.0'],
    ['203.0.113.7:80', '203.0.113.0'],
    ['2001:db8:1234:5678:9abc:def0:1234:5678', '2001:db8:1234::'],
    ['2001:0DB8:00ff:1::1', '2001:db8:ff::'],
    ['2001:db8::1', '2001:db8::'],
    ['2001:db8::5:0:0:0:1', '2001:db8::'],
    ['::1', '::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3::'],
    ['::2:3:4:5:6:7:8', '0:2:3::'],
  ])('%j is stored as its network, %j', (text, network) => {
    expect(truncatedAddress(text)).toBe(network);
    expect(truncatedAddress(network)).toBe(network);
  });
});

describe('addresses in a line that is kept', () => {
  it.each([
    ['{"remote_addr":"203.0.113.7","n":1}', '{"remote_addr":"203.0.113.0","n":1}'],
    ['203.0.113.7 - - [x]', '203.0.113.0 - - [x]'],
    ['{"ip":"2001:db8:1:2::7"}', '{"ip":"2001:db8:1::"}'],
    ['"::ffff:203.0.113.7"', '"::ffff:203.0.113.0"'],
    ['a 203.0.113.7, 198.51.100.9 b', 'a 203.0.113.0, 198.51.100.0 b'],
    [
      '{"time":"2026-01-01T12:34:56+00:00","v":"1.2.3"}',
      '{"time":"2026-01-01T12:34:56+00:00","v":"1.2.3"}',
    ],
    ['caf\u00e9 {"a":1}', 'caf\u00e9 {"a":1}'],
  ])('%j becomes %j', (line, kept) => {
    expect(withCoarseAddresses(Buffer.from(line)).toString()).toBe(kept);
  });
});
