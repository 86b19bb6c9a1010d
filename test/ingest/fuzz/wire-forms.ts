/** Every form in which ingest takes data, with a generator of bodies that are good, and some values that are odd. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro, { type Type } from 'avsc';
import fc from 'fast-check';
import { cmcdKeys } from '../../../ingest/formats/cmcd-keys.ts';
import { NATIVE_EVENT_TYPES } from '../../../ingest/formats/native-event.ts';
import { clientBeatsV1 } from '../../../schemas/avro/client-beat.v1.ts';
import { AD_EVENTS, PLAYBACK_MODES, PLAYER_STATES, REQUEST_KINDS } from '../../../schemas/beat.ts';
import { fingerprintOf } from '../../../schemas/fingerprint.ts';
import { CORPUS, cmcdLines, readRecordings } from '../../support/corpus.ts';
import { CONVERSIONS, type NginxLine } from '../edge-conversions.ts';

export interface WireForm {
  readonly name: string;
  readonly url: string;
  readonly type: string;
  readonly good: fc.Arbitrary<Buffer>;
}

const AT = 1_795_326_184_236;
const MOST = Number.MAX_SAFE_INTEGER;

const anyWord = fc.constantFrom(
  ...PLAYER_STATES,
  ...PLAYBACK_MODES,
  ...REQUEST_KINDS,
  ...AD_EVENTS,
  ...['', 'a', 'v-1', 'preroll', 'a\0b', '\ud800', '🎬', '__proto__', 'x'.repeat(3_000)],
  ...['https://u:p@h.example/a/b.m3u8?token=t#f', '/a.ts?x=1', '203.0.113.77', '2001:db8::77'],
);
const anyNumber = fc.oneof(
  fc.integer({ min: 0, max: 90_000 }),
  fc.constantFrom(-1, 0, -0, 0.5, 2 ** 31, 2 ** 32, 1e10, 1e15, 2 ** 43, MOST - 1, MOST, 1e300),
);
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: anyNumber },
  { weight: 4, arbitrary: anyWord },
  fc.boolean(),
  fc.constantFrom(null, [], {}, [[1]], { value: 1 }),
);
const anyTime = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: AT, max: AT + 90_000 }) },
  anyNumber,
);
const jsonOf = (value: unknown) => Buffer.from(JSON.stringify(value));

const AD_FIELDS = ['kind', 'code'];
/** A map, because a type may have any name. */
const EVENT_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    state: ['state'],
    rendition: ['bitrate', 'width', 'height', 'frameRate', 'codec'],
    playback_mode: ['mode'],
    status: [
      ...['playhead', 'buffer', 'liveLatency', 'droppedFrames', 'shownFrames'],
      ...['playerWidth', 'playerHeight'],
    ],
    request: ['kind', 'status', 'bytes', 'ttfb', 'ttlb', 'url', 'cdn', 'host'],
    error: ['code', 'message', 'fatal', 'business'],
    timing: ['pageLoad', 'playerStartup', 'drm'],
    custom: ['name', 'value'],
  }),
);
const DIMENSIONS = ['cdn', 'country', 'video_id', 'viewer_user_id', 'viewer_id', 'view_id', 'none'];
const anyContext = fc.dictionary(fc.constantFrom(...DIMENSIONS), anyValue, { maxKeys: 4 });

const anyType = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...NATIVE_EVENT_TYPES) },
  { weight: 9, arbitrary: fc.constantFrom(...EVENT_FIELDS.keys()) },
  anyWord,
);
const nativeEvent = anyType.chain((type) =>
  fc
    .record({
      fields: fc.dictionary(fc.constantFrom(...(EVENT_FIELDS.get(type) ?? AD_FIELDS)), anyValue),
      seq: fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, anyNumber),
      at: anyTime,
      context: anyContext,
    })
    .map(({ fields, ...rest }) => ({ ...fields, ...rest, type })),
);
const nativeBeat = fc.record(
  {
    view: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('v0', 'v1', 'v2') }, anyWord),
    sentAt: anyTime,
    context: anyContext,
    events: fc.array(nativeEvent, { maxLength: 6 }),
  },
  { requiredKeys: ['view', 'events'] },
);

export const BEATS: WireForm = {
  name: 'native JSON',
  url: '/v1/beats?key=dev',
  type: 'application/json',
  good: fc.oneof(nativeBeat, fc.array(nativeBeat, { maxLength: 4 })).map(jsonOf),
};

const avroType = avro.Type.forSchema(clientBeatsV1 as avro.Schema);
const avroHeader = Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintOf(avroType)]);

/** Any value that a schema can write. */
function anyOf(type: Type): fc.Arbitrary<unknown> {
  if (type instanceof avro.types.RecordType) {
    return fc.record(
      Object.fromEntries(type.fields.map((field) => [field.name, anyOf(field.type)])),
    );
  }
  if (type instanceof avro.types.ArrayType)
    return fc.array(anyOf(type.itemsType), { maxLength: 4 });
  if (type instanceof avro.types.MapType) return fc.dictionary(anyWord, anyOf(type.valuesType));
  if (type instanceof avro.types.UnwrappedUnionType) return fc.oneof(...type.types.map(anyOf));
  if (type instanceof avro.types.WrappedUnionType) {
    return fc.oneof(
      ...type.types.map((branch) =>
        anyOf(branch).map((value) => ({ [branch.branchName ?? '']: value })),
      ),
    );
  }
  if (type.typeName === 'long') return fc.oneof(anyTime, anyNumber).map(asLong);
  if (type.typeName === 'double') return anyNumber;
  if (type.typeName === 'boolean') return fc.boolean();
  return type.typeName === 'null' ? fc.constant(null) : anyWord;
}

function asLong(value: number): number {
  return Math.max(1 - MOST, Math.min(MOST - 1, Math.round(value)));
}

const AVRO: WireForm = {
  name: 'native Avro',
  url: '/v1/beats?key=dev',
  type: 'application/avro',
  good: anyOf(avroType).map((value) => Buffer.concat([avroHeader, avroType.toBuffer(value)])),
};

const recordings = readRecordings();
const recordedLines = recordings.flatMap((recording) => cmcdLines(recording).slice(0, 20));
const recordedEpas = recordings.flatMap(({ posts }) =>
  posts.filter(({ method, url }) => method === 'POST' && url === '/epas').slice(0, 20),
);

const cmcdTexts = fc.oneof(
  anyNumber.map(String),
  anyWord.map((word) => JSON.stringify(word)),
  fc.constantFrom('p', 'v', 'm', 'rr', 'e', 'as', '(1 2;v 3;a)', '("a" b 5)', '?0', ':YTtyZD01:'),
);
const cmcdKey = fc.constantFrom(...cmcdKeys.keys(), 'com.example-k', 'zz');
const cmcdLine = fc.oneof(
  fc.constantFrom(...recordedLines),
  fc
    .array(fc.tuple(cmcdKey, cmcdTexts), { minLength: 1, maxLength: 12 })
    .map((pairs) => `${pairs.map(([key, text]) => `${key}=${text}`).join(',')},ts=${AT}`),
);
const cmcdObject = fc.dictionary(
  cmcdKey,
  fc.oneof(anyValue, fc.array(anyValue, { maxLength: 3 })),
  { minKeys: 1, maxKeys: 10 },
);

export const CMCD: WireForm = {
  name: 'CMCD dictionaries',
  url: '/v1/cmcd?key=dev',
  type: 'application/cmcd',
  good: fc
    .array(cmcdLine, { minLength: 1, maxLength: 8 })
    .map((lines) => Buffer.from(lines.join('\n'))),
};
const CMCD_JSON: WireForm = {
  name: 'CMCD as JSON',
  url: '/v1/cmcd?key=dev',
  type: 'application/json',
  good: fc.oneof(
    cmcdObject.map((object) => jsonOf({ ...object, ts: AT })),
    fc.array(cmcdObject, { maxLength: 5 }).map(jsonOf),
    fc
      .array(cmcdObject, { maxLength: 5 })
      .map((objects) => Buffer.from(objects.map((object) => JSON.stringify(object)).join('\n'))),
  ),
};

const epasEvent = fc.record(
  {
    event: fc.oneof(
      fc.constantFrom('init', 'metadata', 'heartbeat', 'error', 'bitrate_changed', 'stopped'),
      anyWord,
    ),
    sessionId: fc.oneof({ weight: 5, arbitrary: fc.constantFrom('s1', 's2') }, anyValue),
    timestamp: anyTime,
    playhead: anyValue,
    duration: anyValue,
    payload: fc.dictionary(
      fc.constantFrom(
        'userId',
        'contentUrl',
        'contentId',
        'message',
        'code',
        'bitrate',
        'live',
        'x',
      ),
      anyValue,
    ),
  },
  { requiredKeys: ['event', 'timestamp'] },
);
export const EPAS: WireForm = {
  name: 'EPAS',
  url: '/v1/epas?key=dev',
  type: 'application/json',
  good: fc.oneof(
    fc.constantFrom(...recordedEpas).map(({ body }) => Buffer.from(body)),
    fc.oneof(epasEvent, fc.array(epasEvent, { maxLength: 5 })).map(jsonOf),
  ),
};

const recordedRequests = readdirSync(CORPUS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readFileSync(join(CORPUS, name, 'access.ndjson'), 'utf8')
      .split('\n', 20)
      .filter(Boolean),
  )
  .map((line) => JSON.parse(line) as NginxLine);

function edgeForm(
  name: string,
  url: string,
  head: readonly string[],
  lineOf: (line: NginxLine) => string,
) {
  const good = fc
    .array(fc.constantFrom(...recordedRequests), { minLength: 1, maxLength: 6 })
    .map((lines) => Buffer.from([...head, ...lines.map(lineOf)].join('\n')));
  return { name, url, type: 'text/plain', good };
}

/** CMCD as a player or an edge writes it into a URL. */
const cmcdQuery = cmcdLine.map((line) => encodeURIComponent(line.replaceAll('\ud800', '')));
const NGINX_CMCD: WireForm = {
  name: 'nginx with odd CMCD',
  url: '/v1/edge/nginx?key=dev',
  type: 'application/x-ndjson',
  good: fc
    .tuple(fc.constantFrom(...recordedRequests), cmcdQuery, cmcdLine, fc.boolean(), anyValue)
    .map(([line, query, header, inQuery, value]) =>
      jsonOf({
        ...line,
        body_bytes_sent: value,
        ...(inQuery
          ? { request_uri: `/a/b.m4s?x=1&CMCD=${query}` }
          : { http_cmcd_session: header }),
      }),
    ),
};

export const EDGE_FORMS: readonly WireForm[] = [
  edgeForm('nginx, JSON', '/v1/edge/nginx?key=dev', [], (line) => JSON.stringify(line)),
  NGINX_CMCD,
  ...Object.entries(CONVERSIONS).map(([name, { url, head = [], lineOf }]) =>
    edgeForm(name, url, head, lineOf),
  ),
];

export const BEAT_FORMS: readonly WireForm[] = [BEATS, AVRO, CMCD, CMCD_JSON, EPAS];
export const WIRE_FORMS: readonly WireForm[] = [...BEAT_FORMS, ...EDGE_FORMS];
