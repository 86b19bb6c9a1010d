/**
 * The states of EPAS, where its events say less than a state (METRICS "A view", rule 11).
 *
 * `seeked` and `buffered` end something: what follows is what was before, playing or paused. A `buffering` after the end
 * is the player's, which empties itself; EPAS has no numbers that could tell it from a new beginning.
 */
import { SOURCES } from '../schemas/beat.ts';
import type { BeatCursor } from './cursor.ts';
import { isEnd, STATE, type StateMachine } from './states.ts';

const EPAS = SOURCES.indexOf('epas');
const RESUMING = [Buffer.from('seeked'), Buffer.from('buffered')];

/** The state that an event without one brings; `none` when it brings none. */
export function impliedState(cursor: BeatCursor, source: number, machine: StateMachine): number {
  if (source !== EPAS || !RESUMING.some((name) => isNamed(cursor, name))) return STATE.none;
  const resumed = machine.resumed();
  return resumed === machine.state ? STATE.none : resumed;
}

/** A state that is said, and is not to be taken. */
export function isIdleState(source: number, state: number, machine: StateMachine): boolean {
  return source === EPAS && state === STATE.rebuffering && isEnd(machine.state);
}

function isNamed({ bytes, nameStart, nameEnd }: BeatCursor, name: Buffer): boolean {
  if (nameEnd - nameStart !== name.length) return false;
  return bytes.compare(name, 0, name.length, nameStart, nameEnd) === 0;
}
