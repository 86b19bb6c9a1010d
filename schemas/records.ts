/**
 * The log's records: Avro single-object encoding (C3 01, CRC-64-AVRO fingerprint, body).
 *
 * Every schema version ever written stays registered here, and a reader finds the writer's by fingerprint. An unknown
 * fingerprint is a value (`undefined`), never a throw: it becomes a reject.
 */
import avro, { type Type } from 'avsc';
import { beatV1 } from './avro/beat.v1.ts';
import { edgeRequestsV1, forgetV1, rejectV1, settingsV1, tickV1 } from './avro/others.v1.ts';
import type { Beat, Entry, Part } from './beat.ts';
import { fingerprintOf } from './fingerprint.ts';

export const HEADER_BYTES = 10;

export interface EdgeRequest {
  readonly identity: Buffer;
  readonly endAt: number;
  readonly durationMs: number;
  readonly ttfbMs: number;
  readonly originMs: number;
  readonly status: number;
  readonly bytes: number;
  readonly aborted: boolean;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly protocol: string;
  readonly cdn: string;
  readonly pop: string;
  readonly country: string;
  readonly asn: string;
  readonly cache: string;
  readonly cmcd: readonly Entry[];
}

export interface EdgeRequests {
  readonly project: string;
  readonly view: string;
  readonly format: string;
  readonly requests: readonly EdgeRequest[];
}

export interface Reject {
  readonly project: string;
  readonly view: string;
  readonly route: string;
  readonly code: string;
  readonly message: string;
  readonly bytes: Buffer;
}

export interface Settings {
  readonly foldVersion: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Forget {
  readonly project: string;
  readonly viewer: string;
}

export interface RecordBodies {
  beat: Beat;
  edge: EdgeRequests;
  reject: Reject;
  tick: Record<string, never>;
  settings: Settings;
  forget: Forget;
}

export type RecordKind = keyof RecordBodies;

/** One version of one record's schema. */
export interface RecordVersion {
  readonly kind: RecordKind;
  readonly version: number;
  readonly type: Type;
  /** The ten bytes that begin each record of this version. */
  readonly header: Buffer;
}

const WRITTEN: readonly { kind: RecordKind; version: number; schema: object }[] = [
  { kind: 'beat', version: 1, schema: beatV1 },
  { kind: 'edge', version: 1, schema: edgeRequestsV1 },
  { kind: 'reject', version: 1, schema: rejectV1 },
  { kind: 'tick', version: 1, schema: tickV1 },
  { kind: 'settings', version: 1, schema: settingsV1 },
  { kind: 'forget', version: 1, schema: forgetV1 },
];

/** Every schema version this program can read, oldest first. */
export const recordVersions: readonly RecordVersion[] = WRITTEN.map(({ kind, version, schema }) => {
  const type = avro.Type.forSchema(schema as avro.Schema);
  return {
    kind,
    version,
    type,
    header: Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintOf(type)]),
  };
});

const current = new Map<RecordKind, RecordVersion>(
  recordVersions.map((entry) => [entry.kind, entry]),
);
const byHeader = new Map<string, RecordVersion>(
  recordVersions.map((entry) => [entry.header.toString('latin1'), entry]),
);

/** Type of an event's `parts`, by version of the beat schema. */
const partsTypes = new Map<number, Type>(
  recordVersions
    .filter((entry) => entry.kind === 'beat')
    .map((entry) => [entry.version, partsTypeOf(entry.type)]),
);

function partsTypeOf(beat: Type): Type {
  const events = fieldType(beat, 'events');
  const event = (events as avro.types.ArrayType).itemsType;
  return fieldType(event, 'parts');
}

function fieldType(record: Type, name: string): Type {
  const field = (record as avro.types.RecordType).field(name);
  if (field === undefined) throw new Error(`beat schema has no field ${name}`);
  return field.type;
}

/** Encodes a record in the newest version of its schema. */
export function encodeRecord<Kind extends RecordKind>(
  kind: Kind,
  body: RecordBodies[Kind],
): Buffer {
  const version = current.get(kind);
  if (version === undefined) throw new Error(`no schema for record kind ${kind}`);
  return Buffer.concat([version.header, version.type.toBuffer(body)]);
}

/** The schema version that wrote these bytes; undefined when the header or the fingerprint is unknown. */
export function recordVersionOf(bytes: Buffer): RecordVersion | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  return byHeader.get(bytes.toString('latin1', 0, HEADER_BYTES));
}

/** Decodes a record's body into objects. Throws on bytes that do not match their schema. */
export function decodeBody<Kind extends RecordKind>(
  version: RecordVersion & { kind: Kind },
  bytes: Buffer,
): RecordBodies[Kind] {
  return version.type.fromBuffer(bytes.subarray(HEADER_BYTES)) as RecordBodies[Kind];
}

/** Decodes the `parts` of one event as `view_events` keeps them; undefined for a version this program does not know. */
export function decodeParts(version: number, bytes: Buffer): Part[] | undefined {
  const type = partsTypes.get(version);
  return type === undefined ? undefined : (type.fromBuffer(bytes) as Part[]);
}

const edgeRequestType = edgeTypeOf(current.get('edge'));

function edgeTypeOf(version: RecordVersion | undefined): Type {
  if (version === undefined) throw new Error('no schema for edge requests');
  return (fieldType(version.type, 'requests') as avro.types.ArrayType).itemsType;
}

/** One edge request as `view_events` keeps it. */
export function encodeEdgeRequest(request: EdgeRequest): Buffer {
  return edgeRequestType.toBuffer(request);
}

/** Reads what `encodeEdgeRequest` wrote. */
export function decodeEdgeRequest(bytes: Buffer): EdgeRequest {
  return edgeRequestType.fromBuffer(bytes) as EdgeRequest;
}
