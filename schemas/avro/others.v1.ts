/** The log's other records, version 1. Immutable once released; a change is a new file. */

/** Requests that one edge log delivered for one view (or, without a view, for one identity). */
export const edgeRequestsV1 = {
  type: 'record',
  name: 'EdgeRequests',
  namespace: 'streamgauge.v1',
  fields: [
    { name: 'project', type: 'string' },
    { name: 'view', type: 'string' },
    { name: 'format', type: 'string' },
    {
      name: 'requests',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'EdgeRequest',
          fields: [
            { name: 'identity', type: { type: 'fixed', name: 'Identity', size: 8 } },
            { name: 'endAt', type: 'long' },
            { name: 'durationMs', type: 'long' },
            { name: 'ttfbMs', type: 'long' },
            { name: 'originMs', type: 'long' },
            { name: 'status', type: 'int' },
            { name: 'bytes', type: 'long' },
            { name: 'aborted', type: 'boolean' },
            { name: 'method', type: 'string' },
            { name: 'host', type: 'string' },
            { name: 'path', type: 'string' },
            { name: 'protocol', type: 'string' },
            { name: 'cdn', type: 'string' },
            { name: 'pop', type: 'string' },
            { name: 'country', type: 'string' },
            { name: 'asn', type: 'string' },
            { name: 'cache', type: 'string' },
            {
              name: 'cmcd',
              type: {
                type: 'array',
                items: {
                  type: 'record',
                  name: 'EdgeEntry',
                  fields: [
                    { name: 'name', type: 'string' },
                    { name: 'value', type: 'string' },
                  ],
                },
              },
            },
          ],
        },
      },
    },
  ],
} as const;

/** What could not be taken, with the original bytes and the reason. */
export const rejectV1 = {
  type: 'record',
  name: 'Reject',
  namespace: 'streamgauge.v1',
  fields: [
    { name: 'project', type: 'string' },
    { name: 'view', type: 'string' },
    { name: 'route', type: 'string' },
    { name: 'code', type: 'string' },
    { name: 'message', type: 'string' },
    { name: 'bytes', type: 'bytes' },
  ],
} as const;

/** Says only that time went on; written by a partition's owner when nobody else writes. */
export const tickV1 = {
  type: 'record',
  name: 'Tick',
  namespace: 'streamgauge.v1',
  fields: [],
} as const;

/** Announces settings and the fold's version; in force from the next epoch. */
export const settingsV1 = {
  type: 'record',
  name: 'Settings',
  namespace: 'streamgauge.v1',
  fields: [
    { name: 'foldVersion', type: 'int' },
    { name: 'values', type: { type: 'map', values: 'long' } },
  ],
} as const;

/** Asks for a viewer to be forgotten, named as ingest stores them. */
export const forgetV1 = {
  type: 'record',
  name: 'Forget',
  namespace: 'streamgauge.v1',
  fields: [
    { name: 'project', type: 'string' },
    { name: 'viewer', type: 'string' },
  ],
} as const;
