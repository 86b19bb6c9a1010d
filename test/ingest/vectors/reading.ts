/** What the product reads from one payload of a vector file, whatever carries it. */
import {
  type CmcdParsed,
  type CmcdRecord,
  decodeCmcdBody,
  decodeCmcdHeaders,
  decodeCmcdQuery,
  parseCmcd,
  parseCmcdJson,
  readCmcdRecords,
} from '../../../ingest/formats/cmcd.ts';

export type Carrier = 'raw' | 'event' | 'json' | 'query' | 'headers' | 'headers+query';

export interface Reading {
  /** Records that were read, in order; those that cannot be placed in a view are among them. */
  readonly records: readonly CmcdRecord[];
  /** Rejects that ingest would keep of the body. */
  readonly rejected: number;
  /** Keys of values that were dropped. */
  readonly dropped: readonly string[];
}

type Headers = Readonly<Record<string, string>>;

export function readVector(carrier: Carrier, input: unknown): Reading {
  switch (carrier) {
    case 'raw':
      return readOne(input === '' ? undefined : parseCmcd(String(input)));
    case 'query':
      return readOne(decodeCmcdQuery(String(input)));
    case 'headers':
      return readOne(decodeCmcdHeaders(input as Headers));
    case 'headers+query': {
      const { headers, query } = input as { headers: Headers; query: string };
      return readOne(decodeCmcdHeaders(headers) ?? decodeCmcdQuery(query));
    }
    default:
      return readBody(String(input), carrier === 'json' ? 'application/json' : 'application/cmcd');
  }
}

/** Reads an object of keys, as a JSON body would bring it. */
export function readObject(input: object): Reading {
  return readOne(parseCmcdJson(JSON.stringify(input)));
}

function readOne(parsed: CmcdParsed | undefined): Reading {
  if (parsed === undefined) return { records: [], rejected: 0, dropped: [] };
  if (!('record' in parsed)) return { records: [], rejected: 1, dropped: [] };
  return { records: [parsed.record], rejected: 0, dropped: parsed.dropped };
}

function readBody(text: string, contentType: string): Reading {
  const body = Buffer.from(text);
  const { pieces, read } = readCmcdRecords(body, contentType);
  const records: CmcdRecord[] = [];
  const dropped: string[] = [];
  for (const index of pieces.keys()) {
    const found = read(index);
    if (!('record' in found)) continue;
    records.push(found.record);
    dropped.push(...found.dropped);
  }
  const { rejects, malformed } = decodeCmcdBody(body, contentType);
  return { records, rejected: rejects.length + (malformed === undefined ? 0 : 1), dropped };
}
