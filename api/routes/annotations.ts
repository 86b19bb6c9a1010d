/** `/data/v1/annotations`: notes on a project's figures, the one thing of the query side that can be written. */
import Type from 'typebox';
import { type Annotations, answered, type Note } from '../annotations.ts';
import { projectOf } from '../guards/token.ts';
import { parseTimeframe } from '../parameters/timeframe.ts';
import type { Page } from '../planner/breakdown.ts';
import { type ApiScope, envelope, type RouteDeps, signalOf } from './deps.ts';
import { withUnit } from './quantities.ts';
import { askPage, pageOf } from './questions.ts';
import * as schema from './schemas.ts';

export interface AnnotationRouteDeps extends RouteDeps {
  readonly annotations: Annotations;
}

const TAGS = ['Annotations'];
const BODY_BYTES_MAX = 65_536;
/** 2106-02-07: the last second that the table can hold. */
const EPOCH_SECONDS_MAX = 4_294_967_295;

const fields = {
  date: Type.Integer({
    minimum: 0,
    maximum: EPOCH_SECONDS_MAX,
    description: withUnit('Moment that the note is about.', 's since 1970'),
  }),
  note: Type.String({ minLength: 1, maxLength: 10_000, description: 'The note.' }),
  sub_property_id: Type.Optional(
    Type.String({ maxLength: 256, description: 'Part of the project that it is about.' }),
  ),
};
const CLOSED = { additionalProperties: false };
const sent = { date: 1_767_225_600, note: 'New encoding ladder', sub_property_id: 'kids' };
const newNote = Type.Object(fields, { ...CLOSED, examples: [sent] });
const changedNote = Type.Partial(Type.Object(fields), {
  ...CLOSED,
  examples: [{ note: 'Rolled back' }],
});

const exampleNote = {
  ...sent,
  id: '3f8c2c1e-6f0e-4a53-9b1f-0d5c8a6f7f42',
  date: '2026-01-01T00:00:00Z',
};
const annotation = Type.Object({
  id: Type.String(),
  date: Type.String({ description: 'ISO 8601.' }),
  note: Type.String(),
  sub_property_id: Type.Union([Type.String(), Type.Null()]),
});
const one = Type.Object(
  { data: annotation },
  { description: 'The annotation.', examples: [{ data: exampleNote }] },
);
const idParams = Type.Object({ id: Type.String({ description: 'Id of the annotation.' }) });

const WRITE_CODES = [...schema.STORE_CODES, ...schema.BODY_CODES];
const answersOf = (
  status: number,
  ok: Type.TSchema,
  codes: Parameters<typeof schema.answers>[1],
) => ({
  [status]: ok,
  ...schema.answers(undefined, codes),
});

export function registerAnnotations(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  registerList(fastify, deps);
  registerCreate(fastify, deps);
  registerOne(fastify, deps);
  registerChange(fastify, deps);
  registerRemove(fastify, deps);
}

function registerList(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'Annotations',
      description: 'Those whose moment lies in the timeframe, newest first.',
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.direction,
        ...schema.paging(deps.limits),
      }),
      response: schema.answers(
        schema.envelopeOf(Type.Array(annotation), 'A page of annotations.', {
          data: [exampleNote],
          rows: 1,
          meta: {},
        }),
        schema.STORE_CODES,
      ),
    },
  };
  fastify.get('/annotations', options, async (request, reply) => {
    const { query } = request;
    const timeframe = parseTimeframe(query['timeframe[]'] ?? [], deps.now());
    const descending = query.order_direction !== 'asc';
    const project = projectOf(request).id;
    const signal = signalOf(reply);
    const ask = (page: Page) =>
      deps.annotations.list(project, { ...page, timeframe, descending }, signal);
    const [rows, first] = await askPage(ask, pageOf(query, deps.limits));
    return envelope(rows.map(answered), timeframe, first?.total_rows ?? 0, {});
  });
}

function registerCreate(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  const options = {
    bodyLimit: BODY_BYTES_MAX,
    schema: {
      tags: TAGS,
      summary: 'Make an annotation',
      description: 'Needs the scope `annotate`.',
      body: newNote,
      response: answersOf(201, one, [...WRITE_CODES, 'annotations_full']),
    },
  };
  fastify.post('/annotations', options, async (request, reply) => {
    const note: Note = { sub_property_id: '', ...request.body };
    const data = await deps.annotations.create(projectOf(request).id, note, signalOf(reply));
    return reply.code(201).send({ data });
  });
}

function registerOne(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One annotation',
      description: 'By its id.',
      params: idParams,
      querystring: schema.query({}),
      response: answersOf(200, one, [...schema.STORE_CODES, 'annotation_not_found']),
    },
  };
  fastify.get('/annotations/:id', options, async (request, reply) => {
    const { id } = request.params;
    return { data: await deps.annotations.find(projectOf(request).id, id, signalOf(reply)) };
  });
}

function registerChange(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  const options = {
    bodyLimit: BODY_BYTES_MAX,
    schema: {
      tags: TAGS,
      summary: 'Change an annotation',
      description: 'What is left out stays. Needs the scope `annotate`.',
      params: idParams,
      body: changedNote,
      response: answersOf(200, one, [...WRITE_CODES, 'annotation_not_found']),
    },
  };
  fastify.patch('/annotations/:id', options, async (request, reply) => {
    const { id } = request.params;
    const project = projectOf(request).id;
    return { data: await deps.annotations.change(project, id, request.body, signalOf(reply)) };
  });
}

function registerRemove(fastify: ApiScope, deps: AnnotationRouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'Delete an annotation',
      description: 'Needs the scope `annotate`.',
      params: idParams,
      response: answersOf(204, Type.Null({ description: 'It is gone.' }), [
        ...schema.STORE_CODES,
        'annotation_not_found',
      ]),
    },
  };
  fastify.delete('/annotations/:id', options, async (request, reply) => {
    await deps.annotations.remove(projectOf(request).id, request.params.id, signalOf(reply));
    return reply.code(204).send();
  });
}
