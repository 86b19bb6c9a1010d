/**
 * Beat, version 1: what one client delivered at once for one view. Immutable once released; a change is a new file.
 *
 * The order of fields is chosen for the fold's cursor: what it needs to find the view comes first.
 * Numbers that were not said are -1 (sizes: 0), strings that were not said are empty.
 */
export const beatV1 = {
  type: 'record',
  name: 'Beat',
  namespace: 'streamgauge.v1',
  fields: [
    { name: 'project', type: 'string' },
    { name: 'view', type: 'string' },
    {
      name: 'source',
      type: { type: 'enum', name: 'Source', symbols: ['native', 'cmcd', 'epas'] },
    },
    { name: 'trustedClock', type: 'boolean' },
    { name: 'sentAt', type: 'long' },
    {
      name: 'context',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Entry',
          fields: [
            { name: 'name', type: 'string' },
            { name: 'value', type: 'string' },
          ],
        },
      },
    },
    {
      name: 'events',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Event',
          fields: [
            { name: 'seq', type: 'long' },
            { name: 'at', type: 'long' },
            { name: 'lane', type: { type: 'enum', name: 'Lane', symbols: ['main', 'response'] } },
            { name: 'name', type: 'string' },
            {
              name: 'parts',
              type: {
                type: 'array',
                items: [
                  {
                    type: 'record',
                    name: 'State',
                    fields: [
                      {
                        name: 'state',
                        type: {
                          type: 'enum',
                          name: 'PlayerState',
                          symbols: [
                            'preloading',
                            'starting',
                            'playing',
                            'rebuffering',
                            'seeking',
                            'paused',
                            'ended',
                            'failed',
                            'quit',
                          ],
                        },
                      },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Rendition',
                    fields: [
                      { name: 'bitrate', type: 'long' },
                      {
                        name: 'basis',
                        type: { type: 'enum', name: 'Basis', symbols: ['shown', 'selected'] },
                      },
                      { name: 'width', type: 'int' },
                      { name: 'height', type: 'int' },
                      { name: 'milliFps', type: 'int' },
                      { name: 'codec', type: 'string' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'PlaybackMode',
                    fields: [
                      {
                        name: 'mode',
                        type: {
                          type: 'enum',
                          name: 'Mode',
                          symbols: ['inline', 'fullscreen', 'pip', 'background', 'cast'],
                        },
                      },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Status',
                    fields: [
                      { name: 'playhead', type: 'long' },
                      { name: 'buffer', type: 'long' },
                      { name: 'liveLatency', type: 'long' },
                      { name: 'droppedFrames', type: 'long' },
                      { name: 'shownFrames', type: 'long' },
                      { name: 'playerWidth', type: 'int' },
                      { name: 'playerHeight', type: 'int' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Request',
                    fields: [
                      {
                        name: 'kind',
                        type: {
                          type: 'enum',
                          name: 'RequestKind',
                          symbols: ['manifest', 'init', 'segment', 'key', 'other'],
                        },
                      },
                      { name: 'status', type: 'int' },
                      { name: 'bytes', type: 'long' },
                      { name: 'ttfb', type: 'long' },
                      { name: 'ttlb', type: 'long' },
                      { name: 'url', type: 'string' },
                      { name: 'cdn', type: 'string' },
                      { name: 'host', type: 'string' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'PlayerError',
                    fields: [
                      { name: 'code', type: 'string' },
                      { name: 'message', type: 'string' },
                      {
                        name: 'fatal',
                        type: { type: 'enum', name: 'Fatal', symbols: ['no', 'yes', 'unknown'] },
                      },
                      { name: 'business', type: 'boolean' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Timing',
                    fields: [
                      { name: 'pageLoad', type: 'long' },
                      { name: 'playerStartup', type: 'long' },
                      { name: 'drm', type: 'long' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'ContextChange',
                    fields: [{ name: 'entries', type: { type: 'array', items: 'Entry' } }],
                  },
                  {
                    type: 'record',
                    name: 'Ad',
                    fields: [
                      {
                        name: 'what',
                        type: {
                          type: 'enum',
                          name: 'AdEvent',
                          symbols: [
                            'request',
                            'start',
                            'end',
                            'skip',
                            'error',
                            'break_start',
                            'break_end',
                          ],
                        },
                      },
                      { name: 'placement', type: 'string' },
                      { name: 'code', type: 'string' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Custom',
                    fields: [
                      { name: 'name', type: 'string' },
                      { name: 'value', type: 'string' },
                    ],
                  },
                  {
                    type: 'record',
                    name: 'Keys',
                    fields: [{ name: 'entries', type: { type: 'array', items: 'Entry' } }],
                  },
                ],
              },
            },
          ],
        },
      },
    },
  ],
} as const;
