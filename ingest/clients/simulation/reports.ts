/**
 * How a viewer reports, whichever format it speaks. Both forms say the same; what one has no words for it leaves out.
 *
 * Times are ms since the simulation's start; on the wire they are the viewer's clock, `startAtMs` later.
 */
import type { PlayerState } from '../../../schemas/beat.ts';
import type { Asset, Rung } from './assets.ts';
import type { Exchange } from './exchange.ts';
import type { Device } from './population.ts';

/** Something to be sent, in the order in which it arises. */
export interface SimulationItem {
  /** When the client has it ready, ms since the simulation's start. */
  readonly atMs: number;
  /** native: one beat; cmcd: lines of event mode; edge: lines of an access log. */
  readonly kind: 'native' | 'cmcd' | 'edge';
  /** Items of one origin (a viewer, an edge) must arrive in their order. */
  readonly origin: number;
  readonly payload: string;
  /** Events, records or lines in it. */
  readonly reports: number;
}

export type Emit = (item: SimulationItem) => void;

/** What the player can say of itself at any moment. */
export interface PlayerView {
  readonly state: PlayerState;
  /** Rendition on screen; undefined before the first. */
  readonly shown: Rung | undefined;
  readonly bufferMs: number;
  readonly playheadMs: number;
  /** How far behind the live picture it is, ms; -1 for VOD and before it has a place. */
  liveLatencyMs(nowMs: number): number;
  /** Frames dropped and shown since the view began. */
  readonly frames: { readonly dropped: number; readonly shown: number };
  readonly size: readonly [number, number];
}

/** Who the viewer is. */
export interface Viewer {
  readonly id: string;
  /** Viewer's id in the project's words. */
  readonly userId: string;
  /** Place among the viewers of one moment. */
  readonly origin: number;
  readonly asset: Asset;
  readonly device: Device;
  /** Dimensions that the player says at its start. */
  readonly context: Readonly<Record<string, string>>;
}

export interface PlayerFault {
  readonly code: string;
  readonly message: string;
  readonly fatal: boolean;
  readonly business: boolean;
}

export type AdMoment = 'request' | 'start' | 'end' | 'skip' | 'error' | 'break_start' | 'break_end';

export interface Reports {
  /** Reports made until now, those about requests included. */
  readonly count: number;
  state(nowMs: number): void;
  rendition(rung: Rung, nowMs: number): void;
  /** What playing begins with: how far behind live it is. */
  latency(nowMs: number): void;
  /** The heartbeat: where the playhead is, how much is buffered, which frames were dropped. */
  progress(nowMs: number): void;
  request(exchange: Exchange, nowMs: number): void;
  /** False when the format leaves it unsaid. */
  error(fault: PlayerFault, nowMs: number): boolean;
  timing(pageLoadMs: number, playerStartupMs: number, nowMs: number): void;
  /** The player goes to another CDN. */
  cdn(name: string, nowMs: number): void;
  fullscreen(nowMs: number): void;
  ad(moment: AdMoment, nowMs: number): void;
  /** Hands over all that was reported since the last time. */
  flush(nowMs: number): void;
}
