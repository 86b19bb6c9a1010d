/** What one made-up player says, event by event: its numbers and its clock are right, whatever the story. */
import { seeded } from '../../support/rows.ts';

export interface RawEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly state?: string;
  readonly bitrate?: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly codec?: string;
  readonly mode?: string;
  readonly playhead?: number;
  readonly liveLatency?: number;
  readonly droppedFrames?: number;
  readonly shownFrames?: number;
  readonly playerWidth?: number;
  readonly playerHeight?: number;
  readonly kind?: string;
  readonly status?: number;
  readonly bytes?: number;
  readonly ttfb?: number;
  readonly ttlb?: number;
  readonly cdn?: string;
  readonly code?: string;
  readonly fatal?: boolean;
  readonly business?: boolean;
  readonly pageLoad?: number;
  readonly playerStartup?: number;
  readonly drm?: number;
  readonly context?: RawContext;
  readonly name?: string;
  readonly value?: string;
}

export type RawContext = Readonly<Record<string, string>>;

/** What an event says, without its place. */
type Said = Omit<RawEvent, 'seq' | 'at' | 'type'>;

/** The dice of one run. */
export class Dice {
  readonly #random: () => number;
  constructor(seed: number) {
    this.#random = seeded(seed);
  }
  whole(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }
  pick<Item>(...items: readonly Item[]): Item {
    return items[this.whole(0, items.length - 1)] as Item;
  }
  chance(share: number): boolean {
    return this.#random() < share;
  }
}

/** What one player says, in ms from its first word. */
export class Script {
  readonly dice: Dice;
  readonly events: RawEvent[] = [];
  context: RawContext;
  readonly live: boolean;
  readonly sized: boolean;
  readonly #requestCdn: string;
  #at = 0;
  #dropped = 0;
  #shown = 0;

  constructor(dice: Dice, context: RawContext) {
    this.dice = dice;
    this.context = context;
    this.live = dice.chance(0.4);
    this.sized = dice.chance(0.8);
    this.#requestCdn = dice.pick('fastly', 'bunny');
  }

  get lengthMs(): number {
    return this.#at;
  }

  /** Some time passes: never none, so that what follows has a moment of its own. */
  wait(fromMs: number, toMs: number): this {
    this.#at += this.dice.whole(fromMs, toMs);
    return this;
  }

  say(type: string, said: Said = {}): this {
    this.events.push({ seq: this.events.length, at: this.#at, type, ...said });
    return this.wait(1, 40);
  }

  state(state: string): this {
    return this.say('state', { state });
  }

  rendition(): this {
    const [width, height, bitrate] = this.dice.pick(
      [640, 360, 800_000],
      [640, 360, 1_200_000],
      [1280, 720, 2_500_000],
      [1920, 1080, 5_300_000],
      [3840, 2160, 14_000_000],
    );
    if (!this.sized) return this.say('rendition', { bitrate });
    return this.say('rendition', { bitrate, width, height, frameRate: 25, codec: 'avc1' });
  }

  player(): this {
    const [playerWidth, playerHeight] = this.dice.pick([854, 480], [1280, 800], [1921, 1080]);
    return this.say('status', { playerWidth, playerHeight });
  }

  status(): this {
    this.#dropped += this.dice.whole(0, 9);
    this.#shown += this.dice.whole(50, 700);
    const latency = this.dice.pick(2_000, 8_000, 30_000, 400_000) + this.dice.whole(0, 900);
    return this.say('status', {
      playhead: this.#at,
      ...(this.live && this.dice.chance(0.7) ? { liveLatency: latency } : {}),
      ...(this.dice.chance(0.6) ? { droppedFrames: this.#dropped, shownFrames: this.#shown } : {}),
    });
  }

  request(): this {
    const { dice } = this;
    const ttfb = dice.whole(3, 700);
    const whole = dice.chance(0.9)
      ? { bytes: dice.whole(900, 4_000_000), ttlb: ttfb + dice.whole(1, 3_000) }
      : {};
    return this.say('request', {
      kind: dice.pick('segment', 'segment', 'segment', 'init', 'manifest', 'key', 'other'),
      status: dice.pick(200, 200, 200, 206, 304, 404, 503, 0),
      ...(dice.chance(0.9) ? { ttfb } : {}),
      ...(dice.chance(0.2) ? { cdn: this.#requestCdn } : {}),
      ...whole,
    });
  }

  /** One ad, which plays to its end or not. */
  ad(kind: string): this {
    const { dice } = this;
    if (dice.chance(0.7)) this.say('ad_break_start', { kind });
    this.say('ad_request', { kind }).wait(50, 900);
    const fate = dice.pick('plays', 'plays', 'skipped', 'fails', 'breaks');
    // One that fails before it began is followed by another, which begins.
    if (fate === 'fails') {
      this.say('ad_error', { kind, code: 'vast_303' }).wait(5, 90);
      this.say('ad_request', { kind }).wait(50, 900);
    }
    this.say('ad_start', { kind }).wait(900, 9_000);
    if (fate === 'breaks') return this.say('ad_error', { kind, code: 'vast_405' });
    this.say(fate === 'skipped' ? 'ad_skip' : 'ad_end', { kind });
    return dice.chance(0.5) ? this.say('ad_break_end', { kind }) : this;
  }
}
