/** What comes to the log besides the beats of players: edge logs and their repeats, rubbish, rejects, settings, forgets. */

import { FOLD_VERSION } from '../../../processors/settings.ts';
import { encodeRecord, type RecordBodies, type RecordKind } from '../../../schemas/records.ts';
import type { Faults } from './faults.ts';
import type { LogModel, RecordNote } from './log-model.ts';
import { PROJECT, type ScriptedView } from './players.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface SenderDeps {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly random: Random;
  readonly log: LogModel;
  readonly isReachable: () => boolean;
}

interface Sending {
  readonly partition: number;
  readonly value: Buffer;
  readonly note?: RecordNote;
  readonly onAccepted?: () => void;
}

/** Sends each record until it is acknowledged, and some of them again after that. */
export class Senders {
  /** Identities of the edge requests that their sender was told were accepted. */
  readonly accepted = new Set<string>();
  readonly #deps: SenderDeps;
  #underWay = 0;

  constructor(deps: SenderDeps, views: readonly ScriptedView[]) {
    this.#deps = deps;
    for (const view of views) this.#sendEdges(view);
    this.#sendRubbish();
    this.#sendSettings();
    this.#sendForgets(views);
  }

  get isDone(): boolean {
    return this.#underWay === 0;
  }

  #sendEdges(view: ScriptedView): void {
    const { counters, random } = this.#deps.faults;
    for (const { atMs, request } of view.edges) {
      const identity = request.identity.toString('hex');
      const body = { project: PROJECT, view: view.id, format: 'cmcd', requests: [request] };
      const sending: Sending = {
        partition: view.partition,
        value: encode('edge', body),
        note: { view: view.id, events: [], identities: [identity] },
        onAccepted: () => this.accepted.add(identity),
      };
      this.#at(atMs, sending);
      if (!random.chance(0.3)) continue;
      counters.edgeRepeats++;
      this.#at(atMs + random.int(0, 20 * this.#deps.faults.plan.unitMs), sending);
    }
  }

  /** Bytes that are no record, a beat that is cut off, and what ingest refused. */
  #sendRubbish(): void {
    const { faults, random } = this.#deps;
    const { partitions, startMs, quietMs } = faults.plan;
    for (let count = random.int(0, 3); count > 0; count--) {
      const value = random.pick([
        random.bytes(random.int(0, 30)),
        this.#cutBeat(),
        this.#rejectRecord(),
      ]);
      this.#at(random.int(startMs, quietMs), { partition: random.int(0, partitions - 1), value });
    }
  }

  #cutBeat(): Buffer {
    const events = [{ seq: 0, at: 0, lane: 'main', name: 'state', parts: [] }] as const;
    const beat = {
      project: PROJECT,
      view: 'cut',
      source: 'native',
      trustedClock: false,
      sentAt: 0,
    };
    const whole = encode('beat', { ...beat, source: 'native', context: [], events });
    return whole.subarray(0, this.#deps.random.int(10, 12));
  }

  #rejectRecord(): Buffer {
    const said = { project: PROJECT, view: '', route: 'native', code: 'body_malformed' };
    return encode('reject', { ...said, message: 'no', bytes: Buffer.from('rubbish') });
  }

  #sendSettings(): void {
    const { partitions, changes } = this.#deps.faults.plan;
    for (const { atMs, values, inLog } of changes) {
      if (!inLog) continue;
      const value = encode('settings', { foldVersion: FOLD_VERSION, values: { ...values } });
      for (let partition = 0; partition < partitions; partition++) {
        this.#at(atMs, { partition, value });
      }
    }
  }

  #sendForgets(views: readonly ScriptedView[]): void {
    const { partitions, forgetsMs } = this.#deps.faults.plan;
    for (const atMs of forgetsMs) {
      const { viewer } = this.#deps.random.pick(views);
      const value = encode('forget', { project: PROJECT, viewer });
      for (let partition = 0; partition < partitions; partition++) {
        this.#at(atMs, { partition, value });
      }
    }
  }

  #at(atMs: number, sending: Sending): void {
    this.#underWay++;
    this.#deps.scheduler.after(atMs - this.#deps.scheduler.nowMs, () => this.#send(sending));
  }

  #send(sending: Sending): void {
    const { faults, isReachable, log, scheduler } = this.#deps;
    let isOver = false;
    const end = (accepted: boolean): void => {
      if (isOver) return;
      isOver = true;
      timeout.cancel();
      if (accepted) this.#accept(sending);
      else scheduler.after(faults.random.int(1, 500), () => this.#send(sending));
    };
    const timeout = scheduler.after(12 * faults.plan.unitMs + 200, () => end(false));
    if (!isReachable()) return;
    const { partition, value, note } = sending;
    log.append(partition, value, note, {
      resolve: () => end(true),
      reject: () => end(false),
    });
  }

  #accept({ onAccepted }: Sending): void {
    this.#underWay--;
    onAccepted?.();
  }
}

function encode<Kind extends RecordKind>(kind: Kind, body: RecordBodies[Kind]): Buffer {
  return encodeRecord(kind, body);
}
