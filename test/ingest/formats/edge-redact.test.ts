import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactedLine } from '../../../ingest/formats/edge-redact.ts';
import { HOSTILE } from './edge-reading.ts';

const redacted = (text: string) => redactedLine(Buffer.from(text)).toString();

describe('a line that is kept although it could not be read', () => {
  it.each([
    ['203.0.113.7 - -', '203.0.113.0 - -'],
    ['"c":"203.0.113.7"', '"c":"203.0.113.0"'],
    ['x\t203.0.113.7\t198.51.100.255', 'x\t203.0.113.0\t198.51.100.0'],
    ['2001:db8:85a3:1:2:8a2e:370:7334 -', '2001:db8:85a3:: -'],
    ['2001:0db8:85a3::7334\t', '2001:db8:85a3::\t'],
    ['"2001:db8::1"', '"2001:db8::"'],
    ['::1 - -', ':: - -'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.0'],
    ['from 203.0.113.7.', 'from 203.0.113.0.'],
    ['from:2001:db8::7: bad', 'from- bad'],
    ['from:2001:db8:0:2:3:4:5:6', 'from-'],
    ['ip6:2001:db8:85a3:1:2:8a2e:370:7334', 'ip-'],
    ['2001:db8:85a3:1:2:8a2e:370:7334:443 -', '- -'],
  ])('has no whole address: %s', (line, kept) => {
    expect(redacted(line)).toBe(kept);
  });

  it.each([
    ['/a.ts?token=secret&x=1', '/a.ts?token=-&x=1'],
    ['/hdnts=exp=1~acl=*~hmac=secret/a', '/hdnts=-~acl=*~hmac=-'],
    ['Policy=secret&Signature=secret&Key-Pair-Id=secret', 'Policy=-&Signature=-&Key-Pair-Id=-'],
    ['/a%3Ftoken%3Dsecret x', '/a%3Ftoken%3D- x'],
    ['token%253Dsecret\t', 'token%253D-\t'],
    ['/a?url=/b?token=secret', '/a?url=/b?token=-'],
    ['/a?x=1%26sig=secret', '/a?x=1%26sig=-'],
    ['/a?x=1%2526sig%253Dsecret', '/a?x=1%2526sig%253D-'],
    [`"/a?x=1\\u0026sig=secret\\u0026y=2"`, `"/a?x=1\\u0026sig=-\\u0026y=2"`],
    [`"/a?token=begin\\/secret"`, '"/a?token=-"'],
    [`"/a?token\\u003dsecret"`, `"/a?token\\u003d-"`],
    [`/${'a'.repeat(70)}_token=secret`, `/${'a'.repeat(70)}_token=-`],
    ['"/v/eyJhbGci.eyJzdWIi.secret/a.ts"', '"/v/-/a.ts"'],
  ])('has no token: %s', (line, kept) => {
    expect(redacted(line)).toBe(kept);
    expect(redacted(line)).not.toContain('secret');
  });

  it.each([
    '[22/Nov/2026:05:43:04 +0000] "GET /a.ts?CMCD=br%3D469%2Csid%3D%22v%22 HTTP/1.1" 200',
    '{"EdgeEndTimestamp":"2026-11-22T05:43:04.236Z","a":[1.5,{"b":null}]}',
    'abc:def:1 bad:cafe 1.2.3 1.2.3.4.5',
    '/a.b.c/eyJ.x/?x=1&design=2',
  ])('keeps everything else: %s', (line) => {
    expect(redacted(line)).toBe(line);
  });

  it('keeps bytes that are no text, and never throws', () => {
    const bytes = Buffer.from([0xff, 0, 0xfe, 0x80, 0xc3]);
    expect(redactedLine(bytes)).toEqual(bytes);
    for (const [, line] of HOSTILE) redactedLine(line);
    redactedLine(Buffer.alloc(60_000, 'eyJ'));
    redactedLine(Buffer.alloc(60_000, 'a.'));
    redactedLine(Buffer.alloc(60_000, '1.'));
    redactedLine(Buffer.alloc(60_000, 'f:'));
    redactedLine(Buffer.alloc(60_000, 'token='));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
        redactedLine(Buffer.from(array));
      }),
    );
  });
});
