/** The native beat as the reference shows it. The events are those that `formats/native-event.ts` decodes. */
import Type, { type TSchema } from 'typebox';
import { PLAYBACK_MODES, PLAYER_STATES, REQUEST_KINDS } from '../../schemas/beat.ts';
import { NATIVE_EVENT_TYPES } from '../formats/native-event.ts';

const ms = (description: string) =>
  Type.Optional(Type.Number({ description: `${description}, ms.` }));
const count = (description: string) => Type.Optional(Type.Integer({ description, minimum: 0 }));
const text = (description: string) => Type.Optional(Type.String({ description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

/** Fields of each type of event; an ad's are the same for all of them. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, TSchema>>>> = {
  state: { state: Type.Enum([...PLAYER_STATES]) },
  rendition: {
    bitrate: count('What is shown from now on, bit/s.'),
    width: count('Pixels.'),
    height: count('Pixels.'),
    frameRate: Type.Optional(Type.Number({ description: 'Frames a second.' })),
    codec: text('Such as avc1.64001f.'),
  },
  playback_mode: { mode: Type.Enum([...PLAYBACK_MODES]) },
  status: {
    playhead: ms('Position in the content'),
    buffer: ms('Played without another request'),
    liveLatency: ms('Behind the live edge'),
    droppedFrames: count('Since the view began.'),
    shownFrames: count('Since the view began.'),
    playerWidth: count('Device pixels.'),
    playerHeight: count('Device pixels.'),
  },
  request: {
    kind: Type.Optional(Type.Enum([...REQUEST_KINDS])),
    status: Type.Optional(Type.Integer({ description: 'HTTP status; 0 without an answer.' })),
    bytes: count('Of the body.'),
    ttfb: ms("First byte, from the request's start"),
    ttlb: ms("Last byte, from the request's start"),
    url: text('Stored without query.'),
    cdn: text('Who served it.'),
    host: text('Where it went.'),
  },
  error: {
    code: text('Becomes player_error_code.'),
    message: text('For the timeline.'),
    fatal: flag('Playback ended by it.'),
    business: flag('Meant by the publisher, such as no right to watch.'),
  },
  timing: {
    pageLoad: ms('Of the page'),
    playerStartup: ms('Of the player'),
    drm: ms('Of licences'),
  },
  context: {
    context: Type.Record(Type.String(), Type.String(), { description: 'Dimensions that changed.' }),
  },
  custom: { name: text('Any name.'), value: Type.Optional(Type.Unknown()) },
};
const AD_FIELDS = {
  kind: Type.Optional(Type.Enum(['preroll', 'midroll', 'postroll'])),
  code: text('Of an error.'),
};

function eventSchema(type: string): TSchema {
  return Type.Object(
    {
      seq: Type.Integer({ minimum: 0, description: 'Counts from 0 in each view.' }),
      at: Type.Number({ description: "The client's clock, ms since 1970." }),
      type: Type.Literal(type),
      ...(FIELDS[type] ?? AD_FIELDS),
    },
    { title: type },
  );
}

export const beatSchema = Type.Object({
  view: Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'The same in all beats of a view.',
  }),
  sentAt: ms("The client's clock when it was sent"),
  context: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Any dimension; needed once.' }),
  ),
  events: Type.Array(Type.Union(NATIVE_EVENT_TYPES.map(eventSchema)), { minItems: 1 }),
});

export const beatExample = {
  view: 'b1946ac9-2d6c-4f8f-9f0a-1f6d3f6e0c11',
  sentAt: 1_767_225_600_123,
  context: { video_id: 'movie-1', stream_type: 'on-demand', player_name: 'hls.js' },
  events: [
    { seq: 0, at: 1_767_225_599_000, type: 'state', state: 'starting' },
    {
      seq: 1,
      at: 1_767_225_599_400,
      type: 'rendition',
      bitrate: 2_500_000,
      width: 1280,
      height: 720,
    },
    { seq: 2, at: 1_767_225_599_800, type: 'state', state: 'playing' },
    {
      seq: 3,
      at: 1_767_225_600_100,
      type: 'request',
      kind: 'segment',
      status: 200,
      bytes: 612_000,
      ttfb: 41,
      ttlb: 180,
    },
  ],
};
