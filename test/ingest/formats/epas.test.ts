import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REJECTS } from '../../../ingest/errors.ts';
import { createEpasFormat } from '../../../ingest/formats/epas.ts';
import { type Part, part } from '../../../schemas/beat.ts';
import { clientDimensions } from '../../../schemas/catalogue/dimensions.ts';
import { encodeRecord } from '../../../schemas/records.ts';

const limits = { beatsPerBodyMax: 3, eventsPerBeatMax: 4, stringLengthMax: 64 };
const decode = createEpasFormat({ limits, dimensions: clientDimensions });
const AT = 1_795_325_940_142;

function decodeJson(value: unknown) {
  return decode(Buffer.from(JSON.stringify(value)));
}

function epas(event: string, payload?: object, more: object = {}): object {
  const head = { event, sessionId: 's', timestamp: AT, playhead: -1, duration: -1 };
  return { ...head, ...more, ...(payload === undefined ? {} : { payload }) };
}

function partsOf(...args: Parameters<typeof epas>): readonly Part[] {
  const { beats, rejects } = decodeJson(epas(...args));
  expect(rejects).toEqual([]);
  return beats[0]?.events[0]?.parts ?? [];
}

describe('an EPAS event', () => {
  it.each([
    ['loading', 'starting'],
    ['playing', 'playing'],
    ['paused', 'paused'],
    ['buffering', 'rebuffering'],
    ['seeking', 'seeking'],
  ] as const)('%s is the state %s', (name, state) => {
    expect(partsOf(name)).toEqual([part.state(state)]);
  });

  it('that ends something, or says that all is well, has no state of its own', () => {
    for (const name of ['init', 'loaded', 'buffered', 'seeked', 'heartbeat', 'metadata']) {
      expect(partsOf(name)).toEqual([]);
    }
  });

  it('of a stop is an end by its reason', () => {
    expect(partsOf('stopped', { reason: 'ended' })).toEqual([part.state('ended')]);
    expect(partsOf('stopped', { reason: 'error' })).toEqual([part.state('failed')]);
    expect(partsOf('stopped', { reason: 'aborted' })).toEqual([part.state('quit')]);
    expect(partsOf('stopped')).toEqual([part.state('quit')]);
    const other = partsOf('stopped', { reason: 'constructor' });
    expect(other).toEqual([
      part.state('quit'),
      part.keys([{ name: 'reason', value: 'constructor' }]),
    ]);
  });

  it('of a bitrate gives bit/s of kbit/s, numbers or texts', () => {
    const shown = part.rendition({ bitrate: 868_614, width: 640, height: 360 });
    const payload = { bitrate: 868.614, width: 640, height: 360 };
    expect(partsOf('bitrate_changed', payload)).toEqual([shown]);
    const texts = { bitrate: '868.614', width: '640', height: '360' };
    expect(partsOf('bitrate_changed', texts)).toEqual([shown]);
    expect(partsOf('bitrate_changed', { bitrate: 'high' })).toEqual([]);
  });

  it('of an error is fatal, of a warning not, and neither keeps the query of a URL', () => {
    const payload = { category: 'NET', code: 27, message: 'GET http://u/a.mp4?token=x failed' };
    const error = { code: '27', message: 'GET http://u/a.mp4 failed' };
    const keys = part.keys([{ name: 'category', value: 'NET' }]);
    expect(partsOf('error', payload)).toEqual([part.error({ ...error, fatal: 'yes' }), keys]);
    expect(partsOf('warning', payload)).toEqual([part.error({ ...error, fatal: 'no' }), keys]);
  });

  it('has no query of a URL, relative or inside a text', () => {
    const payload = {
      contentUrl: ' /vod/a.mpd?token=x#y',
      note: 'lost skd://me@h/a?token=x here',
      thumb: ' //me:pw@h/t.jpg?token=x',
    };
    expect(partsOf('metadata', payload).at(-1)).toEqual(
      part.keys([
        { name: 'contentUrl', value: '/vod/a.mpd' },
        { name: 'note', value: 'lost skd://h/a here' },
        { name: 'thumb', value: '//h/t.jpg' },
      ]),
    );
  });

  it('of metadata gives what is a dimension, and keeps the rest', () => {
    const payload = {
      live: false,
      contentId: 'c',
      contentTitle: 'T',
      contentUrl: 'https://me:pw@h/a.M3U8?token=x',
      userId: 'u',
      deviceType: 'web',
      deviceModel: 'm',
      extra: { nested: true },
      drmType: 'wv',
    };
    expect(partsOf('metadata', payload)).toEqual([
      part.context([
        { name: 'source_type', value: 'hls' },
        { name: 'stream_type', value: 'on-demand' },
        { name: 'video_id', value: 'c' },
        { name: 'video_title', value: 'T' },
        { name: 'viewer_device_name', value: 'm' },
        { name: 'viewer_user_id', value: 'u' },
      ]),
      part.keys([
        { name: 'contentUrl', value: 'https://h/a.M3U8' },
        { name: 'deviceType', value: 'web' },
        { name: 'drmType', value: 'wv' },
      ]),
    ]);
    const phone = part.context([{ name: 'viewer_device_category', value: 'phone' }]);
    expect(partsOf('metadata', { deviceType: 'Mobile' })).toEqual([phone]);
  });

  it('has its playhead in ms, whether it is said in s or, whole as the duration, in ms', () => {
    const at = (playhead: number, duration: number) =>
      partsOf('heartbeat', undefined, { playhead, duration });
    expect(at(2.157_676, 60)).toEqual([part.status({ playhead: 2_158 })]);
    expect(at(0, 60)).toEqual([part.status({ playhead: 0 })]);
    expect(at(2_000, 60_000)).toEqual([part.status({ playhead: 2_000 })]);
    expect(at(-1, 60)).toEqual([]);
  });

  it('has no number in a sequence', () => {
    expect(decodeJson(epas('init')).beats).toMatchObject([
      { view: 's', source: 'epas', sentAt: 0, context: [], events: [{ seq: -1, at: AT }] },
    ]);
  });
});

describe('an EPAS body', () => {
  it('is a beat for each session, an array or not', () => {
    const other = epas('playing', undefined, { sessionId: 't' });
    const { beats } = decodeJson([epas('init'), other, epas('loading')]);
    expect(beats.map(({ view, events }) => [view, events.length])).toEqual([
      ['s', 2],
      ['t', 1],
    ]);
  });

  it('tells of the session of its first event, and whether that began it', () => {
    expect(decodeJson(epas('init')).session).toEqual({ id: 's', begins: true });
    expect(decodeJson([epas('playing'), epas('init')]).session).toEqual({ id: 's', begins: false });
    const nameless = epas('init', undefined, { sessionId: undefined });
    expect(decodeJson(nameless)).toMatchObject({ session: { id: '' }, beats: [{ view: '' }] });
  });

  it('loses one event that is bad, with its bytes, and none beside it', () => {
    const bad = [
      epas('dozing'),
      epas('playing', undefined, { timestamp: 'now' }),
      epas('playing', undefined, { sessionId: 'x'.repeat(129) }),
    ];
    const { beats, rejects } = decodeJson([...bad, epas('playing')]);
    expect(beats).toMatchObject([{ view: 's', events: [{ name: 'playing' }] }]);
    expect(rejects.map(({ code, beat, bytes }) => [code, beat, JSON.parse(String(bytes))])).toEqual(
      [
        ['event_type_unknown', 0, bad[0]],
        ['at_invalid', 1, bad[1]],
        ['view_too_long', 2, bad[2]],
      ],
    );
    const many = decodeJson(Array.from({ length: 9 }, () => epas('playing')));
    expect(many.beats[0]?.events).toHaveLength(4);
    expect(many.rejects).toMatchObject([{ code: 'too_many_events', beat: 4 }]);
  });

  it('that is no JSON is malformed', () => {
    for (const text of ['', '{', '7', '"s"']) {
      expect(decode(Buffer.from(text)).malformed?.code).toMatch(/^body_/);
    }
  });

  it('gives what the log can hold, whatever it says', () => {
    const value = fc.jsonValue();
    const event = fc.record({
      event: fc.constantFrom('metadata', 'bitrate_changed', 'error', 'stopped', 'heartbeat'),
      sessionId: fc.oneof(fc.string(), value),
      timestamp: fc.oneof(fc.integer(), value),
      playhead: fc.oneof(fc.double(), value),
      duration: value,
      payload: fc.oneof(value, fc.dictionary(fc.string(), value)),
    });
    fc.assert(
      fc.property(fc.oneof(event, fc.array(fc.oneof(event, value))), (body) => {
        const { beats, rejects } = decodeJson(body);
        for (const one of beats) {
          encodeRecord('beat', { project: 'p', trustedClock: false, ...one });
        }
        for (const { code } of rejects) expect(REJECTS).toHaveProperty(code);
      }),
      { numRuns: 300 },
    );
  });
});
