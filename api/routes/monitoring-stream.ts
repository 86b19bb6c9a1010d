/** `/data/v1/monitoring/stream`: server-sent events, one message an epoch. */
import Type from 'typebox';
import { projectOf } from '../guards/token.ts';
import { refuseStream } from '../monitoring/errors.ts';
import { createStreamClient } from '../monitoring/stream-client.ts';
import { type StreamCounters, StreamHub } from '../monitoring/stream-hub.ts';
import { eventText, snapshot } from '../monitoring/stream-messages.ts';
import { createStreamReader } from '../monitoring/stream-reader.ts';
import type { Commit, StateCounts } from '../planner/monitoring-stream.ts';
import type { ApiScope } from './deps.ts';
import type { MonitoringDeps } from './monitoring.ts';
import * as schema from './schemas.ts';

/** A client that lost its connection comes back after this, ms. */
const RETRY_MS = 2_000;
const RETRY_AFTER_S = 10;

const DESCRIPTION = `Server-sent events for the token's project. A message has \`event: epoch\`, an \`id\` that
\`Last-Event-ID\` resumes from, and JSON: \`at\` (log time at the epoch's end), \`complete_through\`, and \`totals\`: viewers
in each state, \`current-concurrent-viewers\`, \`current-starting-viewers\`, \`current-rebuffering-percentage\` at that
moment, and \`current-average-bitrate\` of the newest complete window. The first message is the present state, or, with
\`Last-Event-ID\`, what came since; a client that missed too much gets the present state alone. Comments keep silent
connections open. A client that reads too slowly is dropped and may resume; one too many is 503, \`stream_full\`.`;

const CODES = [...schema.STORE_CODES, 'stream_full'] as const;

const SHOWN_MS = 1_767_225_720_000;
const commit: Commit = { partition: 0, epoch: 24, at: SHOWN_MS };
const states: StateCounts = { starting: 2, playing: 205, rebuffering: 3, seeking: 1, paused: 14 };
/** A message, as the stream makes it. */
const shown = snapshot(new Map([[0, commit]]), new Map([[0, states]]), new Map());

const text: object = {
  description: 'Messages, until the client leaves.',
  content: { 'text/event-stream': { schema: Type.String(), example: eventText(shown) } },
};

export function registerMonitoringStream(
  fastify: ApiScope,
  deps: MonitoringDeps,
): Readonly<StreamCounters> {
  const { monitoring } = deps;
  const closing = new AbortController();
  const reader = createStreamReader(deps.runner, closing.signal);
  const hub = new StreamHub({ reader, limits: monitoring, now: deps.now });
  // Before the server waits for its connections: these would never end by themselves.
  fastify.addHook('preClose', async () => {
    closing.abort();
    await hub.close();
  });
  const options = {
    exposeHeadRoute: false,
    schema: {
      tags: ['Monitoring'],
      summary: 'Every epoch as it is committed',
      description: DESCRIPTION,
      querystring: schema.query({}),
      headers: Type.Object({
        'last-event-id': Type.Optional(
          Type.String({ description: 'The `id` of the last message that the client has.' }),
        ),
      }),
      response: { ...schema.answers(undefined, CODES), 200: text },
    },
  };
  fastify.get('/monitoring/stream', options, async (request, reply) => {
    if (!hub.enter()) {
      const detail = `${monitoring.streamClientsMax} clients follow the stream (streamClientsMax); try again later`;
      throw refuseStream('stream_full', {
        detail,
        headers: { 'retry-after': String(RETRY_AFTER_S) },
      });
    }
    const { id } = projectOf(request);
    const drop = (): void => void reply.raw.destroy();
    const client = createStreamClient(id, monitoring.streamBufferBytesMax, drop);
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      hub.leave(client);
      client.body.destroy();
    };
    reply.raw.once('close', leave);
    client.send(`retry: ${RETRY_MS}\n\n`);
    try {
      await hub.join(client, request.headers['last-event-id']);
    } catch (error) {
      leave();
      throw error;
    }
    reply.header('x-accel-buffering', 'no').type('text/event-stream');
    return reply.send(client.body);
  });
  return hub.counters;
}
