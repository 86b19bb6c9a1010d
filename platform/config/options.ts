/**
 * The one table of configuration: every option with its variable, flag, type, unit, default and limits.
 *
 * Guarantee: nothing outside this folder reads the environment or knows a default. Result-changing defaults are those
 * of the metrics definition; changing one changes conclusions, so they travel through the log as settings.
 */
import { kafka } from './kafka-options.ts';
import { choice, integer, networks, secret, text, url } from './option-kinds.ts';

const DAY_MS = 86_400_000;
const GIB = 1_073_741_824;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** How a ClickHouse server is reached. Without an address the engine is embedded, and none of it is used. */
const clickhouse = {
  clickhouseUrl: url({
    variable: 'CLICKHOUSE_URL',
    flag: 'clickhouse-url',
    description: 'ClickHouse over HTTP or HTTPS; unset: embedded chDB',
    default: '',
  }),
  clickhouseUser: text({
    variable: 'CLICKHOUSE_USER',
    flag: 'clickhouse-user',
    description: "ClickHouse user; unset: the address's, or default",
    default: '',
    accepts: 'a name without spaces and colons',
    pattern: /^[^\s:]{1,200}$/,
  }),
  clickhousePassword: secret({
    variable: 'CLICKHOUSE_PASSWORD',
    flag: 'clickhouse-password',
    description: "the user's password; unset: the address's, or none",
    default: '',
  }),
  clickhouseCaFile: text({
    variable: 'CLICKHOUSE_CA_FILE',
    flag: 'clickhouse-ca-file',
    description:
      "certificates (PEM) that vouch for ClickHouse's; unset: those that the system trusts",
    default: '',
    accepts: 'a path',
    pattern: /^[^\0]+$/,
  }),
  clickhouseDatabase: text({
    variable: 'CLICKHOUSE_DATABASE',
    flag: 'clickhouse-database',
    description: 'database that the tables live in',
    default: 'streamgauge',
    accepts: 'a name of letters, digits and underscores that begins with no digit',
    pattern: /^[A-Za-z_]\w{0,62}$/,
  }),
  clickhouseCluster: text({
    variable: 'CLICKHOUSE_CLUSTER',
    flag: 'clickhouse-cluster',
    description: 'ClickHouse cluster; unset: one server',
    default: '',
    accepts: 'a name of letters, digits, dots, dashes and underscores',
    pattern: /^[\w.-]{1,100}$/,
  }),
  clickhouseCompression: choice({
    variable: 'CLICKHOUSE_COMPRESSION',
    flag: 'clickhouse-compression',
    description: 'how requests to ClickHouse and its answers travel',
    default: 'gzip',
    words: ['gzip', 'none'],
  }),
  clickhouseWriters: integer({
    variable: 'CLICKHOUSE_WRITERS',
    flag: 'clickhouse-writers',
    description:
      'inserts and statements that a process has under way at once; the embedded engine takes one',
    default: 4,
    min: 1,
    max: 64,
  }),
  clickhouseRequestTimeoutMs: integer({
    variable: 'CLICKHOUSE_REQUEST_TIMEOUT_MS',
    flag: 'clickhouse-request-timeout-ms',
    description: 'silence of ClickHouse after which a request has failed',
    unit: 'ms',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
  }),
};

/** Where the server listens, where data and engines are. */
const places = {
  host: text({
    variable: 'STREAMGAUGE_HOST',
    flag: 'host',
    description: 'address to listen on',
    default: '127.0.0.1',
    accepts: 'a host name or an IP address',
    pattern: /^[A-Za-z0-9._:%-]{1,253}$/,
  }),
  port: integer({
    variable: 'STREAMGAUGE_PORT',
    flag: 'port',
    description: 'port to listen on; 0 takes a free one',
    default: 8080,
    min: 0,
    max: 65_535,
  }),
  allowedHosts: text({
    variable: 'STREAMGAUGE_ALLOWED_HOSTS',
    flag: 'allowed-hosts',
    description: 'host names, by comma, under which the api may be asked besides its own address',
    default: '',
    accepts: 'host names separated by commas',
    pattern: /^[A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*$/,
  }),
  dataDir: text({
    variable: 'STREAMGAUGE_DATA_DIR',
    flag: 'data-dir',
    description: "directory of the embedded engines' data",
    default: './data',
    accepts: 'a path',
    pattern: /^[^\0]+$/,
  }),
  projectsFile: text({
    variable: 'STREAMGAUGE_PROJECTS_FILE',
    flag: 'projects-file',
    description:
      'projects, write keys and read tokens (JSON, reloaded on change); unset: project default',
    default: '',
    accepts: 'a path',
    pattern: /^[^\0]+$/,
  }),
  pricesFile: text({
    variable: 'STREAMGAUGE_PRICES_FILE',
    flag: 'prices-file',
    description:
      'price book of projects that name none (JSON, reloaded on change); unset: they have no costs',
    default: '',
    accepts: 'a path',
    pattern: /^[^\0]+$/,
  }),
  fastlyServiceIds: text({
    variable: 'STREAMGAUGE_FASTLY_SERVICE_IDS',
    flag: 'fastly-service-ids',
    description: 'Fastly services, by comma, that may stream logs to this host; * lets any try',
    default: '',
    accepts: 'service ids separated by commas, or *',
    pattern: /^(?:\*|[A-Za-z0-9]{1,64}(?:,[A-Za-z0-9]{1,64}){0,99})$/,
  }),
  ...clickhouse,
  logLevel: choice({
    variable: 'STREAMGAUGE_LOG_LEVEL',
    flag: 'log-level',
    description: 'least severe message that is printed',
    default: 'info',
    words: LOG_LEVELS,
  }),
};

function geoFile(variable: string, flag: string, what: string) {
  return text({
    variable,
    flag,
    description: `${what} by address (MaxMind's .mmdb format, reloaded on change); unset: unknown`,
    default: '',
    accepts: 'a path',
    pattern: /^[^\0]+$/,
  });
}

/** How what a client does not say of itself is found out. */
const enrichment = {
  trustedProxies: networks({
    variable: 'STREAMGAUGE_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    description:
      'addresses and networks of the proxies before this program: only theirs is X-Forwarded-For believed; unset: none',
    default: [],
  }),
  geoCityFile: geoFile(
    'STREAMGAUGE_GEO_CITY_FILE',
    'geo-city-file',
    'database of countries, or of cities for regions too,',
  ),
  geoAsnFile: geoFile(
    'STREAMGAUGE_GEO_ASN_FILE',
    'geo-asn-file',
    'database of networks (autonomous systems)',
  ),
};

/** The log: its topic and how long it reaches back. */
const log = {
  topic: text({
    variable: 'STREAMGAUGE_TOPIC',
    flag: 'topic',
    description: 'topic of the log, with its generation',
    default: 'qos.telemetry.v1',
    accepts: 'a name of letters, digits, dots, dashes and underscores',
    pattern: /^[\w.-]{1,200}$/,
  }),
  partitions: integer({
    variable: 'STREAMGAUGE_PARTITIONS',
    flag: 'partitions',
    description: 'partitions of the topic, fixed when it is made',
    default: 4,
    defaultWithKafka: 12,
    min: 1,
    max: 1_024,
  }),
  logRetentionMs: integer({
    variable: 'STREAMGAUGE_LOG_RETENTION_MS',
    flag: 'log-retention-ms',
    description: 'age after which the log forgets records',
    unit: 'ms',
    default: 30 * DAY_MS,
    min: 60_000,
    max: 3_650 * DAY_MS,
  }),
  logRetentionBytes: integer({
    variable: 'STREAMGAUGE_LOG_RETENTION_BYTES',
    flag: 'log-retention-bytes',
    description: 'size above which the embedded log forgets its oldest records',
    unit: 'bytes',
    default: 20 * GIB,
    min: 16 * 1_048_576,
    max: 1_048_576 * GIB,
  }),
};

/** Age after which a table forgets rows, by the day they belong to. */
function ttlDays(table: string, what: string, standard: number) {
  return integer({
    variable: `STREAMGAUGE_${table.toUpperCase()}_TTL_DAYS`,
    flag: `${table.replaceAll('_', '-')}-ttl-days`,
    description: `age after which ${what} are removed from the store; 0 keeps them`,
    unit: 'days',
    default: standard,
    min: 0,
    max: 36_500,
  });
}

/** How long the store keeps what, and how often state is saved. */
const store = {
  viewsTtlDays: ttlDays('views', 'views', 400),
  viewEventsTtlDays: ttlDays('view_events', 'timelines of views', 30),
  playbackTtlDays: ttlDays('playback', '5 s figures', 400),
  deliveryTtlDays: ttlDays('delivery', '5 s figures of delivery', 400),
  requestsTtlDays: ttlDays('requests', 'single requests', 62),
  rejectedTtlDays: ttlDays('rejected', 'rejects', 14),
  checkpointMs: integer({
    variable: 'STREAMGAUGE_CHECKPOINT_MS',
    flag: 'checkpoint-ms',
    description: 'time after which the state of a partition is saved',
    unit: 'ms',
    default: 60_000,
    min: 100,
    max: 3_600_000,
  }),
  lagMsMax: integer({
    variable: 'STREAMGAUGE_LAG_MS_MAX',
    flag: 'lag-ms-max',
    description: 'lag of a partition behind the log at which /readyz says not_ready',
    unit: 'ms',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
  }),
  checkpointEventsMax: integer({
    variable: 'STREAMGAUGE_CHECKPOINT_EVENTS_MAX',
    flag: 'checkpoint-events-max',
    description: 'events after which it is saved earlier',
    unit: 'events',
    default: 1_000_000,
    min: 1_000,
    max: 1_000_000_000,
  }),
  rejectedBytesMax: integer({
    variable: 'STREAMGAUGE_REJECTED_BYTES_MAX',
    flag: 'rejected-bytes-max',
    description:
      'size, before compression, above which the store forgets its oldest rejects; 0 sets no limit',
    unit: 'bytes',
    default: GIB,
    min: 0,
    max: 1_048_576 * GIB,
  }),
};

/** A result-changing duration in ms. */
function resultMs(
  variable: string,
  flag: string,
  description: string,
  limits: { default: number; defaultWithKafka?: number; min: number; max: number },
) {
  return integer({ variable, flag, description, unit: 'ms', changesResults: true, ...limits });
}

/** What changes the fold's conclusions. */
const fold = {
  epochMs: resultMs('STREAMGAUGE_EPOCH_MS', 'epoch-ms', 'length of an epoch, in log time', {
    default: 2_000,
    defaultWithKafka: 5_000,
    min: 100,
    max: 60_000,
  }),
  reorderMs: resultMs(
    'STREAMGAUGE_REORDER_MS',
    'reorder-ms',
    'longest wait for a missing sequence number, in log time',
    { default: 5_000, min: 0, max: 60_000 },
  ),
  viewTimeoutMs: resultMs(
    'STREAMGAUGE_VIEW_TIMEOUT_MS',
    'view-timeout-ms',
    'silence after which a view has ended',
    { default: 120_000, min: 1_000, max: DAY_MS },
  ),
  pausedTimeoutMs: resultMs(
    'STREAMGAUGE_PAUSED_TIMEOUT_MS',
    'paused-timeout-ms',
    'silence after which a paused view has ended',
    { default: 3_600_000, min: 1_000, max: DAY_MS },
  ),
  gapMs: resultMs(
    'STREAMGAUGE_GAP_MS',
    'gap-ms',
    'longest time between two events that counts to the state held; the rest is unknown',
    { default: 60_000, min: 1_000, max: DAY_MS },
  ),
  reopenMs: resultMs(
    'STREAMGAUGE_REOPEN_MS',
    'reopen-ms',
    'time for which a closed view can be reopened',
    { default: 1_800_000, min: 0, max: DAY_MS },
  ),
  edgeDedupMs: resultMs(
    'STREAMGAUGE_EDGE_DEDUP_MS',
    'edge-dedup-ms',
    'time for which edge requests are remembered to drop repeats',
    { default: 900_000, min: 0, max: DAY_MS },
  ),
  epochRecordsMax: integer({
    variable: 'STREAMGAUGE_EPOCH_RECORDS_MAX',
    flag: 'epoch-records-max',
    description: 'records after which an epoch ends early',
    unit: 'records',
    changesResults: true,
    default: 10_000,
    min: 100,
    max: 1_000_000,
  }),
};

/** Declares one limit of ingest. */
function limit(
  name: string,
  unit: string | undefined,
  description: string,
  values: { default: number; min: number; max: number },
) {
  const variable = `STREAMGAUGE_${name.replaceAll('-', '_').toUpperCase()}`;
  return integer({
    variable,
    flag: name,
    description,
    ...(unit === undefined ? {} : { unit }),
    ...values,
  });
}

/** Limits of what a request may bring. Passing one is counted and answered, never silent. */
export const INGEST_LIMITS = {
  bodyBytesMax: limit('body-bytes-max', 'bytes', 'largest request body as sent', {
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
  }),
  decompressedBytesMax: limit(
    'decompressed-bytes-max',
    'bytes',
    'largest request body after decompression',
    { default: 8_388_608, min: 1_024, max: 268_435_456 },
  ),
  beatsPerBodyMax: limit('beats-per-body-max', 'beats', 'most beats taken from one body', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  eventsPerBeatMax: limit('events-per-beat-max', 'events', 'most events taken from one beat', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  stringLengthMax: limit(
    'string-length-max',
    'characters',
    'length at which texts of an event or a context are cut',
    { default: 1_024, min: 64, max: 16_384 },
  ),
  recordBytesMax: limit(
    'record-bytes-max',
    'bytes',
    'largest record written to the log; larger beats are split by events',
    { default: 900_000, min: 4_096, max: 67_108_864 },
  ),
  rejectBytesMax: limit(
    'reject-bytes-max',
    'bytes',
    'original bytes kept of what could not be taken',
    { default: 65_536, min: 0, max: 524_288 },
  ),
  rejectRecordsMax: limit(
    'reject-records-max',
    'records',
    'reject records written for one body; one more sums up the rest',
    { default: 100, min: 1, max: 10_000 },
  ),
  rejectedListMax: limit(
    'rejected-list-max',
    'entries',
    'entries of the list of rejects in one answer',
    { default: 100, min: 0, max: 10_000 },
  ),
  requestsInFlightMax: limit(
    'requests-in-flight-max',
    'requests',
    'requests that ingest works on at once; more are asked to come back',
    { default: 1_000, min: 1, max: 100_000 },
  ),
  bytesInFlightMax: limit(
    'bytes-in-flight-max',
    'bytes',
    'bytes of bodies that ingest holds at once; more are asked to come back',
    { default: 268_435_456, min: 1_048_576, max: 64 * GIB },
  ),
  keyRequestsPerSecondMax: limit(
    'key-requests-per-second-max',
    'requests/s',
    'requests a second of one write key that names no rate of its own, bursts of as many; 0 sets no limit',
    { default: 0, min: 0, max: 1_000_000 },
  ),
  addressRequestsPerSecondMax: limit(
    'address-requests-per-second-max',
    'requests/s',
    'requests a second of one address (IPv6: one /64), bursts of as many; 0 sets no limit',
    { default: 0, min: 0, max: 1_000_000 },
  ),
};

export const OPTIONS = {
  ...places,
  ...enrichment,
  ...kafka,
  ...log,
  ...store,
  ...fold,
  ...INGEST_LIMITS,
};
