/**
 * The chunks of a checkpoint: Avro single-object encoding (C3 01, CRC-64-AVRO fingerprint, body), as the log's records.
 *
 * Every schema version ever written stays registered here, and a reader finds the writer's by fingerprint: it says also
 * which list of the state a chunk holds.
 */
import avro, { type Type } from 'avsc';
import { checkpointV1 } from './avro/checkpoint.v1.ts';
import { checkpointV2 } from './avro/checkpoint.v2.ts';
import { checkpointV3 } from './avro/checkpoint.v3.ts';
import { checkpointV4 } from './avro/checkpoint.v4.ts';
import { fingerprintOf } from './fingerprint.ts';

export const CHUNK_HEADER_BYTES = 10;

export type ChunkKind = keyof typeof checkpointV1;

/** One version of the schema of one kind of chunk. */
export interface ChunkVersion {
  readonly kind: ChunkKind;
  readonly version: number;
  /** Schema of one item. */
  readonly itemType: Type;
  /** Schema of a whole chunk. */
  readonly type: Type;
  /** The ten bytes that begin each chunk of this version. */
  readonly header: Buffer;
}

/** Every schema version this program can read, oldest first. */
export const chunkVersions: readonly ChunkVersion[] = [
  ...versionsOf(1, checkpointV1),
  ...versionsOf(2, checkpointV2),
  ...versionsOf(3, checkpointV3),
  ...versionsOf(4, checkpointV4),
];

const current = new Map(chunkVersions.map((entry) => [entry.kind, entry]));
const byHeader = new Map(chunkVersions.map((entry) => [entry.header.toString('latin1'), entry]));

function versionsOf(
  version: number,
  schemas: Readonly<Partial<Record<ChunkKind, object>>>,
): ChunkVersion[] {
  return (Object.entries(schemas) as [ChunkKind, object][]).map(([kind, schema]) => {
    const type = avro.Type.forSchema(schema as avro.Schema);
    const header = Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintOf(type)]);
    return { kind, version, itemType: itemTypeOf(type), type, header };
  });
}

function itemTypeOf(type: Type): Type {
  const items = (type as avro.types.RecordType).field('items');
  if (items === undefined) throw new Error('a chunk has no field items');
  return (items.type as avro.types.ArrayType).itemsType;
}

/** The version in which chunks of this kind are written. */
export function currentChunk(kind: ChunkKind): ChunkVersion {
  const version = current.get(kind);
  if (version === undefined) throw new Error(`no schema for chunks of ${kind}`);
  return version;
}

/** The version that wrote these bytes; undefined when the fingerprint is unknown. */
export function chunkVersionOf(bytes: Buffer): ChunkVersion | undefined {
  if (bytes.length < CHUNK_HEADER_BYTES) return undefined;
  return byHeader.get(bytes.toString('latin1', 0, CHUNK_HEADER_BYTES));
}
