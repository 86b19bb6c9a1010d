/**
 * Native beats in Avro: single-object encoding (C3 01, CRC-64-AVRO fingerprint, body) of a schema of
 * `schemas/avro/client-beat.*` → the values that the JSON of the same beats would have.
 *
 * Guarantee: any bytes give values or a reason, never a throw; time and memory are linear in the bytes, whatever counts
 * they claim. Every version ever released is read.
 */
import avro, { type Type } from 'avsc';
import { clientBeatsV1, clientEventTypes } from '../../schemas/avro/client-beat.v1.ts';
import { fingerprintOf } from '../../schemas/fingerprint.ts';
import { isWhole } from '../../schemas/whole-record.ts';
import type { FormatResult } from './format.ts';

const HEADER_BYTES = 10;

const types: ReadonlyMap<string, Type> = new Map(
  [clientBeatsV1].map((schema) => {
    const type = avro.Type.forSchema(schema as avro.Schema);
    const header = Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintOf(type)]);
    return [header.toString('latin1'), type];
  }),
);

/** A beat and its events as the schema's readers give them. */
interface AvroBeat {
  readonly view: string;
  readonly sentAt: number | null;
  readonly context: Readonly<Record<string, string>>;
  readonly events: readonly AvroEvent[];
}

interface AvroEvent {
  readonly seq: number;
  readonly at: number;
  /** Its type's name, with the namespace before it, and its fields. */
  readonly body: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export type AvroBeats =
  | { readonly values: readonly unknown[] }
  | { readonly malformed: NonNullable<FormatResult['malformed']> };

/** Reads a body. */
export function readAvroBeats(body: Buffer): AvroBeats {
  if (body.length === 0) return malformed('body_empty', 'the body is empty; send beats');
  const type = types.get(body.toString('latin1', 0, HEADER_BYTES));
  if (type === undefined) {
    const message =
      'the body does not begin with C3 01 and the fingerprint of a known schema; send single-object encoding of client-beat.v1.avsc';
    return malformed('body_malformed', message);
  }
  const beats = isWhole(type, body, HEADER_BYTES) ? decode(type, body) : undefined;
  if (beats === undefined) return malformed('body_malformed', 'the body does not match its schema');
  return { values: beats.map(beatValue) };
}

function malformed(code: string, message: string): AvroBeats {
  return { malformed: { code, message } };
}

/** Undefined where a number is beyond what is exact, or a branch of a union is none. */
function decode(type: Type, body: Buffer): readonly AvroBeat[] | undefined {
  try {
    const { beats } = type.fromBuffer(body.subarray(HEADER_BYTES)) as { beats: AvroBeat[] };
    return beats;
  } catch {
    return undefined;
  }
}

function beatValue({ view, sentAt, context, events }: AvroBeat): unknown {
  return { view, sentAt, context, events: events.map(eventValue) };
}

/** Fields keep their names; an ad's event is named by what happened. */
function eventValue({ seq, at, body }: AvroEvent): unknown {
  const [name = '', fields = {}] = Object.entries(body)[0] ?? [];
  const type = clientEventTypes[name.slice(name.lastIndexOf('.') + 1)] ?? '';
  const { what, ...others } = fields;
  return { ...others, seq, at, type: type === 'ad' ? `ad_${String(what)}` : type };
}
