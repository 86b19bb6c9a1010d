/** A beat as objects: what ingest builds and writes. The fold never sees these; it reads the bytes in place. */

export const SOURCES = ['native', 'cmcd', 'epas'] as const;
export type Source = (typeof SOURCES)[number];

/** Player states in CMCD v2 order; the index is the code in the log. */
export const PLAYER_STATES = [
  'preloading',
  'starting',
  'playing',
  'rebuffering',
  'seeking',
  'paused',
  'ended',
  'failed',
  'quit',
] as const;
export type PlayerState = (typeof PLAYER_STATES)[number];

export const PLAYBACK_MODES = ['inline', 'fullscreen', 'pip', 'background', 'cast'] as const;
export type PlaybackMode = (typeof PLAYBACK_MODES)[number];

export const REQUEST_KINDS = ['manifest', 'init', 'segment', 'key', 'other'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

export const AD_EVENTS = [
  'request',
  'start',
  'end',
  'skip',
  'error',
  'break_start',
  'break_end',
] as const;
export type AdEvent = (typeof AD_EVENTS)[number];

export const FATALITIES = ['no', 'yes', 'unknown'] as const;
export type Fatality = (typeof FATALITIES)[number];

export interface Entry {
  readonly name: string;
  readonly value: string;
}

/**
 * Begins the name of a context entry that ingest found out and nobody said, such as `~country`. Whatever is said wins over
 * it, in whatever order the two come. No dimension has such a name, so no client can say one.
 */
export const FOUND_OUT = '~';

export interface StatePart {
  readonly state: PlayerState;
}

/** What is shown or selected. bitrate in bit/s, -1 unknown; width and height in pixels, 0 unknown. */
export interface RenditionPart {
  readonly bitrate: number;
  /** shown: what is on screen (native, CMCD `pb`); selected: what the player last chose (CMCD `br`). */
  readonly basis: 'shown' | 'selected';
  readonly width: number;
  readonly height: number;
  /** Frames per 1000 s, 0 unknown. */
  readonly milliFps: number;
  readonly codec: string;
}

export interface PlaybackModePart {
  readonly mode: PlaybackMode;
}

/** Times in ms, sizes in device pixels; -1 (sizes 0) is unknown. Frames count since the view began. */
export interface StatusPart {
  readonly playhead: number;
  readonly buffer: number;
  readonly liveLatency: number;
  readonly droppedFrames: number;
  readonly shownFrames: number;
  readonly playerWidth: number;
  readonly playerHeight: number;
}

/** status: HTTP, 0 no answer, -1 not said. ttfb, ttlb in ms from the request's start, -1 unknown. url without query. */
export interface RequestPart {
  readonly kind: RequestKind;
  readonly status: number;
  readonly bytes: number;
  readonly ttfb: number;
  readonly ttlb: number;
  readonly url: string;
  readonly cdn: string;
  readonly host: string;
}

export interface ErrorPart {
  readonly code: string;
  readonly message: string;
  readonly fatal: Fatality;
  readonly business: boolean;
}

/** Times in ms, -1 unknown. */
export interface TimingPart {
  readonly pageLoad: number;
  readonly playerStartup: number;
  readonly drm: number;
}

export interface AdPart {
  readonly what: AdEvent;
  readonly placement: string;
  readonly code: string;
}

/** One piece of an event, in avsc's shape for a union of named records. */
export type Part =
  | { readonly 'streamgauge.v1.State': StatePart }
  | { readonly 'streamgauge.v1.Rendition': RenditionPart }
  | { readonly 'streamgauge.v1.PlaybackMode': PlaybackModePart }
  | { readonly 'streamgauge.v1.Status': StatusPart }
  | { readonly 'streamgauge.v1.Request': RequestPart }
  | { readonly 'streamgauge.v1.PlayerError': ErrorPart }
  | { readonly 'streamgauge.v1.Timing': TimingPart }
  | { readonly 'streamgauge.v1.ContextChange': { readonly entries: readonly Entry[] } }
  | { readonly 'streamgauge.v1.Ad': AdPart }
  | { readonly 'streamgauge.v1.Custom': Entry }
  | { readonly 'streamgauge.v1.Keys': { readonly entries: readonly Entry[] } };

export const part = {
  state: (state: PlayerState): Part => ({ 'streamgauge.v1.State': { state } }),
  rendition: (value: Partial<RenditionPart>): Part => ({
    'streamgauge.v1.Rendition': {
      bitrate: -1,
      basis: 'shown',
      width: 0,
      height: 0,
      milliFps: 0,
      codec: '',
      ...value,
    },
  }),
  playbackMode: (mode: PlaybackMode): Part => ({ 'streamgauge.v1.PlaybackMode': { mode } }),
  status: (value: Partial<StatusPart>): Part => ({
    'streamgauge.v1.Status': {
      playhead: -1,
      buffer: -1,
      liveLatency: -1,
      droppedFrames: -1,
      shownFrames: -1,
      playerWidth: 0,
      playerHeight: 0,
      ...value,
    },
  }),
  request: (value: Partial<RequestPart>): Part => ({
    'streamgauge.v1.Request': {
      kind: 'other',
      status: -1,
      bytes: -1,
      ttfb: -1,
      ttlb: -1,
      url: '',
      cdn: '',
      host: '',
      ...value,
    },
  }),
  error: (value: Partial<ErrorPart>): Part => ({
    'streamgauge.v1.PlayerError': { code: '', message: '', fatal: 'no', business: false, ...value },
  }),
  timing: (value: Partial<TimingPart>): Part => ({
    'streamgauge.v1.Timing': { pageLoad: -1, playerStartup: -1, drm: -1, ...value },
  }),
  context: (entries: readonly Entry[]): Part => ({ 'streamgauge.v1.ContextChange': { entries } }),
  ad: (value: AdPart): Part => ({ 'streamgauge.v1.Ad': value }),
  custom: (value: Entry): Part => ({ 'streamgauge.v1.Custom': value }),
  keys: (entries: readonly Entry[]): Part => ({ 'streamgauge.v1.Keys': { entries } }),
} as const;

/**
 * Name of an event that ingest refused and whose number and time it keeps: the report came, so its place in the
 * sequence is no gap. It has no parts and is not listed.
 */
export const REFUSED_EVENT = '(refused)';

/** One report of a client. */
export interface BeatEvent {
  /** Sequence number in its lane, from 0; -1 when the source has none. */
  readonly seq: number;
  /** Client's clock, ms since 1970. For a response: when its request began. */
  readonly at: number;
  /** response: a report about a request (CMCD `e=rr`), which never changes a state; main: all else. */
  readonly lane: 'main' | 'response';
  /** The event's name on the wire: native type, CMCD `e` token. */
  readonly name: string;
  readonly parts: readonly Part[];
}

/** What one client delivered at once for one view. */
export interface Beat {
  readonly project: string;
  readonly view: string;
  readonly source: Source;
  /** The key that sent it has a clock that needs no correction. */
  readonly trustedClock: boolean;
  /** Client's clock when it sent, ms since 1970; 0 when not said. */
  readonly sentAt: number;
  /** Dimensions said by this delivery, sorted by name, so that equal contexts are equal bytes. */
  readonly context: readonly Entry[];
  readonly events: readonly BeatEvent[];
}
