/** The pure parts by themselves, many times: what they give can be written, and says where it comes from. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { truncatedAddress, withCoarseAddresses } from '../../../ingest/enrichment/addresses.ts';
import { NO_HINTS } from '../../../ingest/enrichment/client-hints.ts';
import { matches } from '../../../ingest/enrichment/rules.ts';
import { readUserAgent } from '../../../ingest/enrichment/user-agent.ts';
import { REJECTS } from '../../../ingest/errors.ts';
import type { EdgeLineReader } from '../../../ingest/formats/edge.ts';
import { createAkamaiReader } from '../../../ingest/formats/edge-akamai.ts';
import { readCloudflareLine } from '../../../ingest/formats/edge-cloudflare.ts';
import { createCloudfrontReader } from '../../../ingest/formats/edge-cloudfront.ts';
import { readFastlyLine } from '../../../ingest/formats/edge-fastly.ts';
import { createNdjsonReader } from '../../../ingest/formats/edge-ndjson.ts';
import { readNginxLine } from '../../../ingest/formats/edge-nginx.ts';
import { redactedLine } from '../../../ingest/formats/edge-redact.ts';
import type { FormatResult } from '../../../ingest/formats/format.ts';
import { parseDictionary, serializeDictionary } from '../../../ingest/formats/structured-fields.ts';
import { beatsRoute, cmcdRoute, epasRoute } from '../../../ingest/routes.ts';
import { ingestLimits } from '../../../platform/config/config.ts';
import { clientDimensions } from '../../../schemas/catalogue/dimensions.ts';
import { encodeRecord } from '../../../schemas/records.ts';
import { harmed } from './harm.ts';
import { RUNS_TIMEOUT_MS, runs } from './runs.ts';
import { BEAT_FORMS, CMCD, EDGE_FORMS, type WireForm } from './wire-forms.ts';

const limits = { ...ingestLimits(), beatsPerBodyMax: 3, eventsPerBeatMax: 3, stringLengthMax: 100 };
const deps = { limits, dimensions: clientDimensions };
const ROUTES = [beatsRoute(deps), cmcdRoute(deps), epasRoute(deps)];

function decodeAs({ url, type }: WireForm, body: Buffer): FormatResult {
  const route = ROUTES.find(({ path }) => url.startsWith(path));
  if (route === undefined) throw new Error(`no route of ${url}`);
  return route.decode(body, type);
}

describe('a decoder of beats', () => {
  it.each(BEAT_FORMS.map((form) => [form.name, form] as const))(
    'gives beats that can be written and rejects that were in the body: %s',
    (_, form) => {
      fc.assert(
        fc.property(fc.oneof(form.good, harmed(form.good)), (body) => {
          const { beats, rejects, malformed } = decodeAs(form, body);
          for (const beat of beats)
            encodeRecord('beat', { ...beat, project: 'p', trustedClock: false });
          for (const { code, bytes, message } of rejects) {
            expect(Object.keys(REJECTS)).toContain(code);
            if (form.type !== 'application/avro') expect(body.includes(bytes)).toBe(true);
            expect(message.length).toBeLessThan(1_000);
          }
          if (malformed !== undefined) expect([beats, rejects]).toEqual([[], []]);
        }),
        runs(300),
      );
    },
    RUNS_TIMEOUT_MS,
  );
});

const READERS: readonly (() => EdgeLineReader)[] = [
  () => readNginxLine,
  () => createCloudfrontReader(),
  () => readFastlyLine,
  () => createAkamaiReader(['reqTimeSec', 'statusCode', 'bytes']),
  () => readCloudflareLine,
  () => createNdjsonReader({ names: new Map(), timeUnit: 'auto', durationUnit: 's', cdn: '' }),
];

describe('a reader of an edge log', () => {
  it(
    'takes lines of its own and of every other format, and what it gives can be written',
    () => {
      const anyLine = fc.oneof(...EDGE_FORMS.map(({ good }) => harmed(good)));
      fc.assert(
        fc.property(anyLine, fc.constantFrom(...READERS), (body, readerOf) => {
          const read = readerOf();
          const scope = { stringLengthMax: 100, note: () => undefined };
          for (const line of body.toString('latin1').split('\n')) {
            const result = read(Buffer.from(line, 'latin1'), scope);
            if (result.kind === 'request') {
              const { view, request } = result;
              encodeRecord('edge', { project: 'p', view, format: 'f', requests: [request] });
              for (const text of [request.path, request.host, request.cdn, request.pop, view]) {
                expect(text).not.toMatch(/\p{Surrogate}/u);
                expect(text.length).toBeLessThanOrEqual(128);
              }
            } else if (result.kind === 'reject') {
              expect(Object.keys(REJECTS)).toContain(result.code);
              expect(result.message.length).toBeLessThan(1_000);
            }
          }
        }),
        runs(1_500),
      );
    },
    RUNS_TIMEOUT_MS,
  );
});

describe('a text that is kept', () => {
  it('is hidden once: hidden again it is the same', () => {
    const anyLine = fc.oneof(...EDGE_FORMS.map(({ good }) => harmed(good)));
    fc.assert(
      fc.property(anyLine, (line) => {
        const kept = redactedLine(line);
        expect(redactedLine(kept).equals(kept)).toBe(true);
        expect(withCoarseAddresses(kept).equals(kept)).toBe(true);
      }),
      runs(300),
    );
  });

  it('of an address is its network, and is an address of it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const coarse = truncatedAddress(address);
        expect(coarse).toMatch(/(?:\.0|::)$/);
        expect(truncatedAddress(coarse)).toBe(coarse);
      }),
      runs(500),
    );
  });
});

describe('structured fields', () => {
  it('that were read, written and read again are the same', () => {
    fc.assert(
      fc.property(fc.oneof(CMCD.good, harmed(CMCD.good)), (body) => {
        const { members } = parseDictionary(body.toString('latin1'));
        const again = parseDictionary(serializeDictionary(members));
        expect(again.dropped).toEqual([]);
        expect(again.members).toEqual(members);
      }),
      runs(300),
    );
  });
});

describe('a rule', () => {
  it('matches what the pattern says, as an expression would that may go back', () => {
    const anyText = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const anyPattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 7 });
    fc.assert(
      fc.property(anyText, anyPattern, (text, pattern) => {
        const source = pattern.replaceAll('.', '\\.').replace(/\*+/g, '.*');
        expect(matches(text, pattern)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      runs(2_000),
    );
  });
});

describe('a user agent', () => {
  it('of any words gives texts of a bounded length', () => {
    const words = [
      'Mozilla/5.0',
      '(Linux; Android 14; K)',
      'Chrome/156',
      'HbbTV/1.5 (;',
      'Tizen',
      'TV',
    ];
    const anyWord = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 30 }));
    const anyAgent = fc.array(anyWord, { maxLength: 40 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(anyAgent, fc.string({ maxLength: 600 }), (agent, hint) => {
        const hints = {
          ...NO_HINTS,
          brands: hint,
          platform: hint,
          platformVersion: hint,
          model: hint,
        };
        for (const facts of [readUserAgent(agent), readUserAgent(agent, hints)])
          for (const fact of Object.values(facts)) expect(fact.length).toBeLessThanOrEqual(600);
      }),
      runs(800),
    );
  });
});
