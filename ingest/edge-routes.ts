/**
 * The routes of edge logs, `POST /v1/edge/FORMAT`: what each takes, and the parameters of its URL.
 *
 * Guarantee: parameters that cannot be used are refused before a byte of the body is read, never guessed.
 */
import { ProblemError } from '../platform/http/problem.ts';
import { refusal } from './errors.ts';
import type { EdgeLineReader } from './formats/edge.ts';
import { createAkamaiReader } from './formats/edge-akamai.ts';
import { readCloudflareLine } from './formats/edge-cloudflare.ts';
import { createCloudfrontReader } from './formats/edge-cloudfront.ts';
import { readFastlyLine } from './formats/edge-fastly.ts';
import { createNdjsonReader, mappingNamesIn } from './formats/edge-ndjson.ts';
import { createNginxReader } from './formats/edge-nginx.ts';
import { type TimeUnit, UNIT_MS } from './formats/edge-values.ts';
import type { EdgeRoute, Parameter } from './routes.ts';

/** Media types that log shippers give to lines, compressed or not. */
const LINE_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/json',
  'text/plain',
  'text/tab-separated-values',
  'application/octet-stream',
  'application/gzip',
  'application/x-gzip',
];

const JSON_ADVICE = 'Send one JSON object in each line.';
const COMBINED_ADVICE = 'Send one JSON object in each line, or the combined log format.';
const COLUMNS_ADVICE = 'Name the fields of the columns, in order, with `?fields=`.';

/** All of them. */
export function edgeRoutes(): readonly EdgeRoute[] {
  return [
    edgeRoute('nginx', COMBINED_ADVICE, nginxReader),
    edgeRoute('cloudfront', COLUMNS_ADVICE, columnsReader(createCloudfrontReader)),
    edgeRoute('fastly', COMBINED_ADVICE, () => readFastlyLine),
    edgeRoute('akamai', `${JSON_ADVICE} ${COLUMNS_ADVICE}`, columnsReader(createAkamaiReader)),
    edgeRoute('cloudflare', JSON_ADVICE, () => readCloudflareLine),
    edgeRoute('ndjson', JSON_ADVICE, ndjsonReader),
  ];
}

/** 202 and the numbers of the lines that were not taken. */
function edgeRoute(format: string, advice: string, readerOf: EdgeRoute['readerOf']): EdgeRoute {
  return {
    path: `/v1/edge/${format}`,
    format,
    types: LINE_TYPES,
    readerOf,
    advice,
    goneStatus: 401,
    overloadedStatus: 503,
    answer: ({ acceptedRequests, preflights, rejected, rejectedTotal }) => ({
      status: 202,
      body: { accepted: acceptedRequests, preflights, rejected, rejectedTotal },
    }),
  };
}

const CDN_LENGTH_MAX = 64;

function cdnOf(parameter: Parameter): string | ProblemError {
  const cdn = parameter('cdn');
  if (cdn.length <= CDN_LENGTH_MAX) return cdn;
  return invalid(`\`cdn\` has more than ${CDN_LENGTH_MAX} characters.`);
}

function nginxReader(parameter: Parameter): EdgeLineReader | ProblemError {
  const cdn = cdnOf(parameter);
  return cdn instanceof ProblemError ? cdn : createNginxReader(cdn);
}

const FIELDS_MAX = 256;

/** A reader of columns, whose order may stand in `?fields=`. */
function columnsReader(
  create: (chosen?: readonly string[]) => EdgeLineReader,
): EdgeRoute['readerOf'] {
  return (parameter) => {
    const text = parameter('fields');
    if (text === '') return create();
    const names = text.split(',', FIELDS_MAX + 1).map((name) => name.trim());
    if (names.length > FIELDS_MAX) return invalid(`\`fields\` has more than ${FIELDS_MAX} names.`);
    if (names.includes('')) return invalid('`fields` has an empty name between two commas.');
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    return twice === undefined ? create(names) : invalid(`\`fields\` has ${twice} twice.`);
  };
}

function ndjsonReader(parameter: Parameter): EdgeLineReader | ProblemError {
  const names = mappingNamesIn(parameter('map'));
  if (typeof names === 'string') return invalid(`${names}.`);
  const timeUnit = unitOf(parameter, 'time_unit', 'auto');
  if (timeUnit instanceof ProblemError) return timeUnit;
  const durationUnit = unitOf(parameter, 'duration_unit', 'ms');
  if (durationUnit instanceof ProblemError) return durationUnit;
  const cdn = cdnOf(parameter);
  return cdn instanceof ProblemError
    ? cdn
    : createNdjsonReader({ names, timeUnit, durationUnit, cdn });
}

function unitOf<Standard extends string>(
  parameter: Parameter,
  name: string,
  standard: Standard,
): TimeUnit | Standard | ProblemError {
  const text = parameter(name);
  if (text === '') return standard;
  if (Object.hasOwn(UNIT_MS, text)) return text as TimeUnit;
  return invalid(`\`${name}\` is none of ${Object.keys(UNIT_MS).join(', ')}.`);
}

function invalid(detail: string): ProblemError {
  return refusal('request_invalid', { detail });
}
