import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REJECTS } from '../../../ingest/errors.ts';
import { createNativeFormat } from '../../../ingest/formats/native.ts';
import { NATIVE_EVENT_TYPES } from '../../../ingest/formats/native-event.ts';
import type { Part } from '../../../schemas/beat.ts';
import { encodeRecord } from '../../../schemas/records.ts';

const limits = { beatsPerBodyMax: 3, eventsPerBeatMax: 4, stringLengthMax: 8 };
const dimensions = new Set(['cdn', 'country', 'viewer_user_id', 'view_id']);
const decode = createNativeFormat({ limits, dimensions });
const decodeText = (text: string) => decode(Buffer.from(text));
const decodeJson = (value: unknown) => decodeText(JSON.stringify(value));
const AT = 1_767_225_600_000;

function partsOf(fields: object): readonly Part[] {
  const result = decodeJson({ view: 'v', events: [{ seq: 0, at: AT, ...fields }] });
  expect(result.rejects).toEqual([]);
  return result.beats[0]?.events[0]?.parts ?? [];
}

function rejectOf(fields: object): { code: string; message: string } {
  const result = decodeJson({ view: 'v', events: [{ seq: 0, at: AT, type: 'state', ...fields }] });
  expect(result.beats).toEqual([]);
  return result.rejects[0] ?? { code: '', message: '' };
}

describe('native beat', () => {
  it.each([
    ['status', 'droppedFrames'],
    ['request', 'bytes'],
  ])('of a %s with the largest numbers of JavaScript can be written', (type, field) => {
    for (const value of [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER, 1e300]) {
      const event = { seq: 0, at: AT, type, buffer: 1, [field]: value };
      const [beat] = decodeJson({ view: 'v', events: [event] }).beats;
      if (beat === undefined) throw new Error('the beat was not taken');
      encodeRecord('beat', { ...beat, project: 'p', trustedClock: false });
    }
  });

  it('has no query of a URL in the message of an error', () => {
    const message = 'no https://me:pw@cdn.example/a.m3u8?token=secret (skd://key?t=secret)';
    const limits = { beatsPerBodyMax: 1, eventsPerBeatMax: 1, stringLengthMax: 100 };
    const event = { seq: 0, at: AT, type: 'error', message };
    const body = Buffer.from(JSON.stringify({ view: 'v', events: [event] }));
    const { beats } = createNativeFormat({ limits, dimensions })(body);
    expect(beats[0]?.events[0]?.parts).toMatchObject([
      { 'streamgauge.v1.PlayerError': { message: 'no https://cdn.example/a.m3u8 (skd://key' } },
    ]);
  });

  it('reads the beat that the contract shows', () => {
    const result = decodeJson({
      view: 'b1946ac9',
      sentAt: AT + 123,
      context: { viewer_id: 'me', cdn: 'fastly' },
      events: [
        { seq: 0, at: AT, type: 'state', state: 'starting' },
        { seq: 1, at: AT + 0.6, type: 'rendition', bitrate: 2_500_000, width: 1280, height: 720 },
      ],
    });
    expect(result.rejects).toEqual([]);
    expect(result.beats).toMatchObject([
      {
        view: 'b1946ac9',
        source: 'native',
        sentAt: AT + 123,
        position: 0,
        context: [
          { name: 'cdn', value: 'fastly' },
          { name: 'viewer_user_id', value: 'me' },
        ],
        events: [
          { seq: 0, at: AT, lane: 'main', name: 'state' },
          { seq: 1, at: AT + 1, lane: 'main', name: 'rendition' },
        ],
      },
    ]);
  });

  it('reads every event type', () => {
    const rendition = { bitrate: 1, width: 2, height: 3, frameRate: 29.97, codec: 'avc1' };
    expect(partsOf({ type: 'rendition', ...rendition })).toEqual([
      {
        'streamgauge.v1.Rendition': {
          bitrate: 1,
          basis: 'shown',
          width: 2,
          height: 3,
          milliFps: 29_970,
          codec: 'avc1',
        },
      },
    ]);
    expect(partsOf({ type: 'playback_mode', mode: 'pip' })).toEqual([
      { 'streamgauge.v1.PlaybackMode': { mode: 'pip' } },
    ]);
    expect(partsOf({ type: 'status', playhead: 1.5, buffer: -0 })).toMatchObject([
      { 'streamgauge.v1.Status': { playhead: 2, buffer: 0, liveLatency: -1, playerWidth: 0 } },
    ]);
    expect(partsOf({ type: 'error', code: 7, fatal: true, business: true })).toEqual([
      { 'streamgauge.v1.PlayerError': { code: '7', message: '', fatal: 'yes', business: true } },
    ]);
    expect(partsOf({ type: 'timing', drm: 12 })).toEqual([
      { 'streamgauge.v1.Timing': { pageLoad: -1, playerStartup: -1, drm: 12 } },
    ]);
    expect(partsOf({ type: 'context', context: { cdn: 'b', nonsense: 1 } })).toEqual([
      { 'streamgauge.v1.ContextChange': { entries: [{ name: 'cdn', value: 'b' }] } },
    ]);
    expect(partsOf({ type: 'ad_break_start', kind: 'midroll', code: 'x' })).toEqual([
      { 'streamgauge.v1.Ad': { what: 'break_start', placement: 'midroll', code: 'x' } },
    ]);
    expect(partsOf({ type: 'custom', name: 'a', value: false })).toEqual([
      { 'streamgauge.v1.Custom': { name: 'a', value: 'false' } },
    ]);
  });

  it('takes a request without its query, fragment and user info', () => {
    const wide = createNativeFormat({ limits: { ...limits, stringLengthMax: 99 }, dimensions });
    const urls = ['https://u:p@h/seg?token=1#x', '/seg?a', 'h/a@b', '//u@h/'];
    const events = urls.map((url, seq) => ({ seq, at: AT, type: 'request', url }));
    const result = wide(Buffer.from(JSON.stringify({ view: 'v', events })));
    const parts = result.beats[0]?.events.flatMap((event) => event.parts);
    expect(JSON.stringify(parts)).not.toMatch(/token|u:p|u@/);
    expect(parts?.[0]).toMatchObject({ 'streamgauge.v1.Request': { url: 'https://h/seg' } });
    expect(parts?.[2]).toMatchObject({ 'streamgauge.v1.Request': { url: 'h/a@b', status: -1 } });
  });

  it('drops only the value that is wrong when the event still says something', () => {
    const rendition = { type: 'rendition', bitrate: 'x', height: 720, width: -1 };
    expect(partsOf(rendition)).toMatchObject([
      { 'streamgauge.v1.Rendition': { bitrate: -1, height: 720, width: 0 } },
    ]);
    expect(partsOf({ type: 'rendition', bitrate: 1e11, width: 1 })).toMatchObject([
      { 'streamgauge.v1.Rendition': { bitrate: -1 } },
    ]);
    expect(partsOf({ type: 'request', kind: 'movie', bytes: 5 })).toMatchObject([
      { 'streamgauge.v1.Request': { kind: 'other', bytes: 5 } },
    ]);
    expect(partsOf({ type: 'error', fatal: 'sort of' })).toMatchObject([
      { 'streamgauge.v1.PlayerError': { fatal: 'unknown' } },
    ]);
    expect(partsOf({ type: 'error' })).toMatchObject([
      { 'streamgauge.v1.PlayerError': { fatal: 'no' } },
    ]);
    expect(partsOf({ type: 'ad_error', kind: 'sideroll' })).toMatchObject([
      { 'streamgauge.v1.Ad': { placement: '' } },
    ]);
  });

  it.each([
    [{ seq: -1 }, 'seq_invalid', 'whole number'],
    [{ seq: 1.5 }, 'seq_invalid', '1.5'],
    [{ seq: '1' }, 'seq_invalid', '"1"'],
    [{ seq: 2 ** 31 + 1 }, 'seq_invalid', '2147483648'],
    [{ at: null }, 'at_invalid', 'null'],
    [{ at: 0 }, 'at_invalid', 'ms since 1970'],
    [{ at: 2 ** 43 }, 'at_invalid', 'ms since 1970'],
    [{ type: 'stat' }, 'event_type_unknown', 'did you mean state?'],
    [{ type: 'ad_breakstart' }, 'event_type_unknown', 'did you mean ad_break_start?'],
    [{ type: {} }, 'event_type_unknown', 'an object'],
    [{ state: 'plaing' }, 'state_unknown', 'did you mean playing?'],
    [{ state: ['playing'] }, 'state_unknown', 'an array'],
    [{ type: 'rendition', bitrate: 'x' }, 'field_invalid', 'bitrate was "x"'],
    [{ type: 'status' }, 'field_invalid', 'none was said'],
    [{ type: 'playback_mode', mode: 'tv' }, 'field_invalid', 'fullscreen'],
    [{ type: 'context', context: [] }, 'field_invalid', 'an array'],
    [{ type: 'custom', value: 1 }, 'field_invalid', 'name'],
  ])('rejects the event %j as %s', (fields, code, words) => {
    const reject = rejectOf(fields);
    expect(reject.code).toBe(code);
    expect(reject.message).toContain(words);
  });

  it.each([
    [5, 'beat_not_object'],
    [null, 'beat_not_object'],
    [{ events: [{}] }, 'view_missing'],
    [{ view: 7, events: [{}] }, 'view_missing'],
    [{ view: '', events: [{}] }, 'view_missing'],
    [{ view: 'v'.repeat(129), events: [{}] }, 'view_too_long'],
    [{ view: 'v' }, 'events_missing'],
    [{ view: 'v', events: {} }, 'events_missing'],
    [{ view: 'v', events: [] }, 'events_missing'],
  ])('rejects the whole beat %j as %s and takes the one beside it', (wrong, code) => {
    const good = { view: 'g', events: [{ seq: 0, at: AT, type: 'state', state: 'ended' }] };
    const result = decodeJson([wrong, good]);
    expect(result.rejects).toMatchObject([{ code, beat: 0, view: '' }]);
    expect(result.rejects[0]).not.toHaveProperty('event');
    expect(result.rejects[0]?.bytes.toString()).toBe(JSON.stringify(wrong));
    expect(result.beats).toMatchObject([{ view: 'g', position: 1 }]);
  });

  it('never lets one bad event cost the good ones beside it', () => {
    const good = (seq: number) => ({ seq, at: AT, type: 'state', state: 'playing' });
    const result = decodeJson({ view: 'v', events: [good(0), null, good(2)] });
    expect(result.beats[0]?.events.map((event) => event.seq)).toEqual([0, 2]);
    expect(result.rejects).toMatchObject([{ code: 'event_not_object', beat: 0, event: 1 }]);
  });

  it('takes the first events of a beat that has too many and says where to go on', () => {
    const events = Array.from({ length: 6 }, (_, seq) => ({ seq, at: AT, type: 'error' }));
    const result = decodeJson({ view: 'v', events });
    expect(result.beats[0]?.events).toHaveLength(4);
    expect(result.rejects).toMatchObject([{ code: 'too_many_events', event: 4, view: 'v' }]);
    expect(result.rejects[0]?.message).toContain('6 events');
    expect(`[${result.rejects[0]?.bytes}]`).toBe(JSON.stringify(events.slice(4)));
  });

  it('takes the first beats of a body that has too many', () => {
    const one = { view: 'v', events: [{ seq: 0, at: AT, type: 'error' }] };
    const result = decodeJson([one, one, one, one, one]);
    expect(result.beats).toHaveLength(3);
    expect(result.rejects).toMatchObject([{ code: 'too_many_beats', beat: 3 }]);
  });

  it.each([
    ['', 'body_empty'],
    ['  \n', 'body_empty'],
    ['{"view":', 'body_malformed'],
    ['"text"', 'body_malformed'],
    ['null', 'body_malformed'],
    ['NaN', 'body_malformed'],
  ])('says of the body %j that it is %s', (text, code) => {
    expect(decodeText(text).malformed?.code).toBe(code);
  });

  it('keeps the bytes of a reject as they came, duplicate keys and huge numbers included', () => {
    const event = '{ "seq": 1e999, "a\\"": "\\\\", "seq":1e999, "x":[{}, "]"] }';
    const result = decodeText(`\ufeff{"events": [], "view":"v", "\\u0065vents" :[ ${event} ]}`);
    expect(result.rejects.map((reject) => reject.bytes.toString())).toEqual([event]);
    expect(result.rejects[0]?.code).toBe('seq_invalid');
  });

  it('survives nesting deeper than any stack', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const result = decodeText(
      `{"view":"v","events":[${deep},{"seq":0,"at":${deep},"type":"state"}]}`,
    );
    expect(result.rejects.map((reject) => reject.code)).toEqual(['event_not_object', 'at_invalid']);
    expect(result.rejects[0]?.bytes).toHaveLength(deep.length);
  });

  it('treats __proto__ and constructor as unknown fields', () => {
    const text = `{"view":"v","__proto__":{"polluted":1},"context":{"__proto__":{"cdn":"x"},"constructor":"y"},
      "events":[{"seq":0,"at":${AT},"type":"state","__proto__":{"state":"playing"}},
                {"seq":1,"at":${AT},"type":"__proto__"},{"seq":2,"at":${AT},"type":"constructor"},
                {"seq":3,"at":${AT},"type":"state","state":"ended"}]}`;
    const result = decodeText(text);
    expect(result.rejects.map((reject) => reject.code)).toEqual([
      'state_unknown',
      'event_type_unknown',
      'event_type_unknown',
    ]);
    expect(result.beats[0]?.context).toEqual([]);
    expect(result.notes?.context_unknown).toBe(2);
    expect({}).not.toHaveProperty('polluted');
  });

  it('cuts texts at a code point and replaces lone surrogates', () => {
    const parts = partsOf({ type: 'custom', name: 'seven77\u{1f600}', value: 'a\ud800b' });
    expect(parts).toEqual([{ 'streamgauge.v1.Custom': { name: 'seven77', value: 'a\ufffdb' } }]);
  });

  it('keeps the known dimensions of a context, sorted, as texts, and counts the others', () => {
    const context = {
      country: 1,
      cdn: true,
      viewer_id: 'a',
      viewer_user_id: 'b',
      view_id: 'no',
      x: 1,
    };
    const events = [{ seq: 0, at: AT, type: 'error' }];
    const result = decodeJson({ view: 'v', context, events });
    expect(result.beats[0]?.context).toEqual([
      { name: 'cdn', value: 'true' },
      { name: 'country', value: '1' },
      { name: 'viewer_user_id', value: 'b' },
    ]);
    expect(result.notes).toMatchObject({ context_unknown: 2, value_dropped: 0 });
    const bad = decodeJson({
      view: 'v',
      context: { cdn: {}, country: null },
      sentAt: 'now',
      events,
    });
    expect(bad.beats[0]).toMatchObject({ context: [], sentAt: 0 });
    expect(bad.notes).toMatchObject({ value_dropped: 2 });
  });

  it('gives a result that the log can hold for any JSON', () => {
    const field = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom('playing', 'v', 0, AT));
    const names = [
      'seq',
      'at',
      'type',
      'state',
      'bitrate',
      'context',
      'name',
      'value',
      'code',
      'url',
    ];
    const event = fc.record(
      Object.fromEntries([
        ...names.map((name) => [name, field]),
        ['seq', fc.oneof(fc.nat(), field)],
        ['at', fc.oneof(fc.constant(AT), field)],
        ['type', fc.oneof(fc.constantFrom(...NATIVE_EVENT_TYPES), field)],
      ]),
      { requiredKeys: [] },
    );
    const one = fc.record({
      view: fc.oneof(fc.string(), field),
      context: fc.oneof(fc.dictionary(fc.constantFrom(...dimensions), field), field),
      events: fc.oneof(fc.array(event), field),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), one, fc.array(one)), (value) => {
        const result = decodeJson(value);
        for (const reject of result.rejects) {
          expect(Object.keys(REJECTS)).toContain(reject.code);
          if (reject.code !== 'too_many_events' && reject.code !== 'too_many_beats') {
            expect(() => JSON.parse(reject.bytes.toString())).not.toThrow();
          }
        }
        for (const { position: _, ...rest } of result.beats) {
          encodeRecord('beat', { ...rest, project: 'p', trustedClock: false });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives a result for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decode(Buffer.from(bytes))));
  });
});
