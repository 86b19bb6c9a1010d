/** The tally's events as they go over the wire: native beats, CMCD event mode, nginx's log lines. */
import type { EdgeRequest, TallyBeat, TallyEvent, TallyScript } from './tally-script.ts';

export interface Body {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** Beats of one view in one body. `startAt`: when the view began on its client's clock, ms since 1970. */
export function bodyOf(script: TallyScript, beats: readonly TallyBeat[], startAt: number): Body {
  if (script.speaks === 'native') {
    const said = beats.map((beat) => nativeBeat(script, beat, startAt));
    return { path: '/v1/beats', type: 'application/json', text: JSON.stringify(said) };
  }
  const lines = beats.flat().map((event) => cmcdLine(script, event, startAt));
  return { path: '/v1/cmcd', type: 'application/cmcd', text: lines.join('\n') };
}

export function edgeBody(lines: readonly string[]): Body {
  const text = `${lines.join('\n')}\n`;
  return { path: '/v1/edge/nginx', type: 'application/x-ndjson', text };
}

function nativeBeat({ id }: TallyScript, beat: TallyBeat, startAt: number): object {
  return {
    view: id,
    context: { video_id: `${id}-video`, cdn: 'tally' },
    events: beat.map((event) => ({
      seq: event.seq,
      at: startAt + event.atMs,
      ...nativeWords(event),
    })),
  };
}

function nativeWords({ kind, state, atMs }: TallyEvent): object {
  if (kind === 'state') return { type: 'state', state };
  return kind === 'status' ? { type: 'status', playhead: atMs } : { type: 'no_such_event' };
}

/** Tokens of states in CMCD version 2 (CTA-5004-B). */
const TOKENS = {
  starting: 's',
  playing: 'p',
  rebuffering: 'r',
  paused: 'a',
  ended: 'e',
  quit: 'q',
  failed: 'f',
} as const;

function cmcdLine({ id }: TallyScript, event: TallyEvent, startAt: number): string {
  const { seq, atMs, kind, state } = event;
  const name = kind === 'state' ? 'ps' : 't';
  return (
    `cid="${id}-video",e=${name},pt=${atMs},sid="${id}",sn=${seq},sta=${TOKENS[state]},` +
    `ts=${startAt + atMs},v=2`
  );
}

/** `number` counts the lines of a run, so that no two of them are alike. */
export function edgeLine(
  { id }: TallyScript,
  { bytes, status }: EdgeRequest,
  endAt: number,
  number: number,
): string {
  return JSON.stringify({
    msec: (endAt / 1_000).toFixed(3),
    connection: String(number),
    connection_requests: '1',
    request_method: 'GET',
    host: 'tally.example',
    request_uri: `/segment.mp4?CMCD=${encodeURIComponent(`sid="${id}",v=2`)}`,
    status: String(status),
    body_bytes_sent: String(bytes),
    request_time: '0.010',
  });
}
