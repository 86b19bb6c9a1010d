/** Parameters of the edge routes, and a line of each format that is taken. */
import Type, { type TSchema } from 'typebox';
import { UNIT_MS } from '../formats/edge-values.ts';

const cdn = Type.Optional(
  Type.String({ maxLength: 64, description: 'Name of the CDN of all lines.' }),
);
const fields = Type.Optional(
  Type.String({
    description: 'Fields of the columns, in order, by comma; without it those of a header line.',
  }),
);
const unit = (standard: string) =>
  Type.Optional(Type.Enum(Object.keys(UNIT_MS), { description: `Unit; ${standard} without it.` }));

export const EDGE_PARAMETERS: Readonly<Record<string, TSchema>> = {
  nginx: Type.Object({ cdn }),
  cloudfront: Type.Object({ fields }),
  akamai: Type.Object({ fields }),
  ndjson: Type.Object({
    map: Type.Optional(
      Type.String({
        description:
          'Where fields stand: OURS:THEIRS by comma, such as time:ts,status:http.status.',
      }),
    ),
    time_unit: unit('found out'),
    duration_unit: unit('ms'),
    cdn,
  }),
};

const CLOUDFRONT = [
  '#Version: 1.0',
  '#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query time-taken',
  '2026-01-01\t00:00:00\tFRA56-P1\t612000\t203.0.113.7\tGET\tcdn.example.com\t/movie-1/seg-1.m4s\t200\t-\tcurl\t-\t0.180',
].join('\n');

export const edgeExamples: Readonly<Record<string, string>> = {
  nginx: JSON.stringify({
    msec: '1767225600.180',
    request_method: 'GET',
    host: 'cdn.example.com',
    request_uri: '/movie-1/seg-1.m4s',
    status: '200',
    body_bytes_sent: '612000',
    request_time: '0.180',
    remote_addr: '203.0.113.7',
  }),
  cloudfront: CLOUDFRONT,
  fastly: JSON.stringify({
    timestamp: '2026-01-01T00:00:00Z',
    host: 'cdn.example.com',
    url: '/movie-1/seg-1.m4s',
    request_method: 'GET',
    response_status: 200,
    response_body_size: 612_000,
  }),
  akamai: JSON.stringify({
    reqTimeSec: '1767225600.000',
    reqHost: 'cdn.example.com',
    reqPath: 'movie-1/seg-1.m4s',
    reqMethod: 'GET',
    statusCode: '200',
    bytes: '612000',
    cliIP: '203.0.113.7',
  }),
  cloudflare: JSON.stringify({
    EdgeStartTimestamp: '2026-01-01T00:00:00Z',
    ClientRequestHost: 'cdn.example.com',
    ClientRequestURI: '/movie-1/seg-1.m4s',
    ClientRequestMethod: 'GET',
    EdgeResponseStatus: 200,
    EdgeResponseBytes: 612_000,
  }),
  ndjson: JSON.stringify({
    time: 1_767_225_600_000,
    host: 'cdn.example.com',
    url: '/movie-1/seg-1.m4s',
    status: 200,
    bytes: 612_000,
  }),
};
