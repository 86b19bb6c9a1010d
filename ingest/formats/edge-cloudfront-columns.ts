/**
 * Orders of the columns of CloudFront's logs, and the names of its CMCD columns.
 *
 * Real-time: docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/real-time-logs.html; the record has the fields
 * that the operator chose, always in this order. Standard: …/DeveloperGuide/standard-logs-reference.html.
 */

const COMMON = `time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem cs-bytes
  x-edge-location x-edge-request-id x-host-header time-taken cs-protocol-version c-ip-version cs-user-agent cs-referer
  cs-cookie cs-uri-query x-edge-response-result-type x-forwarded-for ssl-protocol ssl-cipher x-edge-result-type
  fle-encrypted-fields fle-status sc-content-type sc-content-len sc-range-start sc-range-end c-port
  x-edge-detailed-result-type c-country cs-accept-encoding cs-accept cache-behavior-path-pattern cs-headers
  cs-header-names cs-headers-count primary-distribution-id primary-distribution-dns-name origin-fbl origin-lbl asn`;

/** CloudFront's name of a CMCD column → the key. */
export const CMCD_COLUMNS: Readonly<Record<string, string>> = {
  'cmcd-encoded-bitrate': 'br',
  'cmcd-buffer-length': 'bl',
  'cmcd-buffer-starvation': 'bs',
  'cmcd-content-id': 'cid',
  'cmcd-object-duration': 'd',
  'cmcd-deadline': 'dl',
  'cmcd-measured-throughput': 'mtp',
  'cmcd-next-object-request': 'nor',
  'cmcd-next-range-request': 'nrr',
  'cmcd-object-type': 'ot',
  'cmcd-playback-rate': 'pr',
  'cmcd-requested-maximum-throughput': 'rtp',
  'cmcd-streaming-format': 'sf',
  'cmcd-session-id': 'sid',
  'cmcd-stream-type': 'st',
  'cmcd-startup': 'su',
  'cmcd-top-bitrate': 'tb',
  'cmcd-version': 'v',
};

/** Fields that came later stand at the end, so that a record without them is a beginning of this. */
const LATER = ['r-host', 'sr-reason', 'x-edge-mqcs', 'distribution-tenant-id', 'connection-id'];
const SINCE_CMCD = [...COMMON.split(/\s+/), ...Object.keys(CMCD_COLUMNS)];

/** All fields of a real-time record. `s-ip`, which stands third, came after CMCD. */
export const REALTIME_COLUMNS = ['timestamp', 'c-ip', 's-ip', ...SINCE_CMCD, ...LATER];
/** All fields of the time before it. */
export const REALTIME_COLUMNS_BEFORE_S_IP = ['timestamp', 'c-ip', ...SINCE_CMCD];
/** Fewest columns of a record with all fields. */
export const REALTIME_COLUMNS_MIN = REALTIME_COLUMNS_BEFORE_S_IP.length;

/** A standard log without its `#Fields` line. */
export const STANDARD_COLUMNS =
  `date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status
  cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol
  cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status
  fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len
  sc-range-start sc-range-end`.split(/\s+/);
