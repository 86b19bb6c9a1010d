/** Entry of a measured process: makes the subject that its argument names, then answers calls until it is let go. */
import type { SubjectReply, SubjectRequest } from './subject.ts';

/** Methods of a subject that is prepared. `close` ends what it holds. */
export interface SubjectMethods {
  readonly close?: () => Promise<void>;
  readonly [method: string]: ((argument: never) => unknown) | undefined;
}

const SUBJECTS = {
  'decode-objects': async (input: string) =>
    (await import('./subjects/decode.ts')).decodeObjects(input),
  'decode-cursor': async (input: string) =>
    (await import('./subjects/decode.ts')).decodeCursor(input),
  'fold-naive': async (input: string) => (await import('./subjects/fold.ts')).foldNaive(input),
  'fold-partition': async (input: string) =>
    (await import('./subjects/fold.ts')).foldPartition(input),
  'ingest-bare': async () => (await import('./subjects/ingest.ts')).bareRoute(),
  'ingest-route': async () => (await import('./subjects/ingest.ts')).ingestRoute(),
  'log-raw': async (input: never) => (await import('./subjects/log.ts')).rawLmdb(input),
  'log-embedded': async (input: never) => (await import('./subjects/log.ts')).embeddedLog(input),
  store: async (input: never) => (await import('./subjects/store.ts')).storeInserts(input),
  queries: async (input: never) => (await import('./subjects/queries.ts')).queries(input),
  server: async (input: never) => (await import('./subjects/server.ts')).server(input),
} as const;

export type SubjectName = keyof typeof SUBJECTS;

type Make = (input: unknown) => Promise<SubjectMethods>;
let methods: SubjectMethods = {};

async function answer({ method, argument }: SubjectRequest): Promise<unknown> {
  if (method === 'prepare') {
    const make = SUBJECTS[process.argv[2] as SubjectName] as unknown as Make;
    methods = await make(argument);
    return null;
  }
  const call = methods[method] as ((argument: unknown) => unknown) | undefined;
  if (call === undefined && method !== 'close') throw new Error(`no method ${method}`);
  return call?.(argument);
}

process.on('message', (message) => {
  const request = message as SubjectRequest;
  const reply = (rest: Omit<SubjectReply, 'id'>): void => {
    process.send?.({ id: request.id, ...rest });
  };
  answer(request).then(
    (value) => reply({ answer: value ?? null }),
    (error: unknown) =>
      reply({ error: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});
// Profiles are written by an orderly end.
process.on('disconnect', () => process.exit(0));
