/** What one edge log may bring, and what of it is held at once. Passing a limit is answered, rejected or counted. */
export interface EdgeLimits {
  /** Largest body as sent, bytes. Beyond: 413. */
  readonly edgeBodyBytesMax: number;
  /** Largest body once decompressed, bytes. Beyond: 413. */
  readonly edgeDecompressedBytesMax: number;
  /** Longest line, bytes; at most a third of `recordBytesMax` as well. Beyond: a reject, `line_too_long`. */
  readonly edgeLineBytesMax: number;
  /** Requests in one record of the log. */
  readonly edgeRequestsPerRecordMax: number;
  /** Records of one body that are being filled. Beyond, the oldest goes as it is (`edgeEarlyRecords`). */
  readonly edgeGroupsMax: number;
  /** Bytes of the lines in them. Beyond, the oldest go as they are (`edgeEarlyRecords`). */
  readonly edgeGroupBytesMax: number;
  /** Records of one body that wait for the log. At it, no more of the body is read. */
  readonly edgeAppendsMax: number;
  /** Bytes of them. */
  readonly edgeAppendBytesMax: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

export const edgeLimits: EdgeLimits = {
  edgeBodyBytesMax: 64 * MIB,
  edgeDecompressedBytesMax: 512 * MIB,
  edgeLineBytesMax: 64 * KIB,
  edgeRequestsPerRecordMax: 200,
  edgeGroupsMax: 4_096,
  edgeGroupBytesMax: 8 * MIB,
  edgeAppendsMax: 64,
  edgeAppendBytesMax: 4 * MIB,
};
