import { readFileSync } from 'node:fs';
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNativeFormat } from '../../../ingest/formats/native.ts';
import { NATIVE_EVENT_TYPES } from '../../../ingest/formats/native-event.ts';
import { clientBeatsV1 } from '../../../schemas/avro/client-beat.v1.ts';
import { fingerprintOf } from '../../../schemas/fingerprint.ts';

const limits = { beatsPerBodyMax: 3, eventsPerBeatMax: 20, stringLengthMax: 64 };
const dimensions = new Set(['cdn', 'video_id']);
const decode = createNativeFormat({ limits, dimensions });
const AT = 1_767_225_600_000;
const AVRO = 'application/avro';

const type = avro.Type.forSchema(clientBeatsV1 as avro.Schema);
const header = Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintOf(type)]);

/** An event of the schema, beside the JSON event that says the same. */
type Pair = readonly [name: string, fields: object, json: object];

const PAIRS: readonly Pair[] = [
  ['State', { state: 'playing' }, { type: 'state', state: 'playing' }],
  [
    'Rendition',
    { bitrate: 900_000, width: 640, height: null, frameRate: 29.97, codec: 'avc1' },
    { type: 'rendition', bitrate: 900_000, width: 640, frameRate: 29.97, codec: 'avc1' },
  ],
  ['PlaybackMode', { mode: 'pip' }, { type: 'playback_mode', mode: 'pip' }],
  ['Status', { playhead: 12, liveLatency: 7 }, { type: 'status', playhead: 12, liveLatency: 7 }],
  [
    'Request',
    { kind: 'segment', status: 200, bytes: 5, url: 'http://a/b?c' },
    { type: 'request', kind: 'segment', status: 200, bytes: 5, url: 'http://a/b?c' },
  ],
  ['Error', { code: 'x', fatal: true }, { type: 'error', code: 'x', fatal: true }],
  ['Timing', { pageLoad: 3 }, { type: 'timing', pageLoad: 3 }],
  ['Context', { context: { cdn: 'c' } }, { type: 'context', context: { cdn: 'c' } }],
  ['Ad', { what: 'break_start', kind: 'midroll' }, { type: 'ad_break_start', kind: 'midroll' }],
  ['Custom', { name: 'n', value: 'v' }, { type: 'custom', name: 'n', value: 'v' }],
];

function avroBeat(view: string, events: readonly Pair[]): object {
  return {
    view,
    sentAt: AT + 9,
    context: { video_id: 'm' },
    events: events.map(([name, fields], seq) => ({
      seq,
      at: AT + seq,
      body: { [`streamgauge.client.v1.${name}`]: fields },
    })),
  };
}

function jsonBeat(view: string, events: readonly Pair[]): object {
  return {
    view,
    sentAt: AT + 9,
    context: { video_id: 'm' },
    events: events.map(([, , json], seq) => ({ seq, at: AT + seq, ...json })),
  };
}

function encode(beats: readonly object[]): Buffer {
  return Buffer.concat([header, type.toBuffer({ beats })]);
}

describe('a beat in Avro', () => {
  it('says what the JSON beat says, for every event', () => {
    const result = decode(encode([avroBeat('v', PAIRS), avroBeat('w', PAIRS)]), AVRO);
    const json = [jsonBeat('v', PAIRS), jsonBeat('w', PAIRS)];
    expect(result).toEqual(decode(Buffer.from(JSON.stringify(json))));
    expect(result.rejects).toEqual([]);
    expect(decode(encode([avroBeat('v', PAIRS)]), 'avro/binary').beats).toHaveLength(1);
  });

  it('has a schema in which every event type can be said', () => {
    const said = PAIRS.map(([, , json]) => (json as { type: string }).type);
    const types = NATIVE_EVENT_TYPES.filter((name) => !name.startsWith('ad_'));
    expect(said).toEqual(expect.arrayContaining(types));
  });

  it('has a published schema, which never changes', () => {
    const file = new URL('../../../docs/client-beat.v1.avsc', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(clientBeatsV1);
    expect(header.toString('hex')).toBe('c3014a154bb98afa3cad');
  });

  it('loses one event that is bad, kept as JSON, and none beside it', () => {
    const bad: Pair = ['State', { state: 'dozing' }, {}];
    const good: Pair = ['State', { state: 'paused' }, {}];
    const { beats, rejects } = decode(encode([avroBeat('v', [good, bad])]), AVRO);
    expect(beats[0]?.events.map(({ name }) => name)).toEqual(['state', '(refused)']);
    expect(rejects).toMatchObject([{ code: 'state_unknown', view: 'v', beat: 0, event: 1 }]);
    expect(JSON.parse(String(rejects[0]?.bytes))).toMatchObject({ seq: 1, state: 'dozing' });
  });
});

describe('bytes that are no beat', () => {
  const malformed = (body: Buffer) => decode(body, AVRO).malformed?.code;

  it('are refused: nothing, an unknown schema, a part, or more than a whole', () => {
    const whole = encode([avroBeat('v', PAIRS)]);
    expect(malformed(Buffer.alloc(0))).toBe('body_empty');
    expect(malformed(Buffer.from('{"view":"v"}'))).toBe('body_malformed');
    expect(malformed(Buffer.concat([whole, Buffer.from([0])]))).toBe('body_malformed');
    for (let end = 10; end < whole.length; end++) {
      expect(malformed(whole.subarray(0, end))).toBe('body_malformed');
    }
  });

  it('cost nothing however large the counts that they claim', () => {
    const counts = [[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x80], Array(10).fill(0xff)];
    for (const count of counts) {
      expect(malformed(Buffer.concat([header, Buffer.from(count)]))).toBe('body_malformed');
    }
  });

  it('never throw, whatever is wrong with them', () => {
    const whole = encode([avroBeat('v', PAIRS)]);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.uint8Array(), (at, byte, tail) => {
        const body = Buffer.concat([whole, Buffer.from(tail)]);
        body[at] = byte;
        const { beats, rejects, malformed: reason } = decode(body, AVRO);
        expect(beats.length + rejects.length > 0 || reason !== undefined || byte === 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
