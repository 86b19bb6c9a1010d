/** What is done to a deployment while clients go on, drawn from a seed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../ingest/clients/simulation/random.ts';
import type { Program } from '../processes/program.ts';
import { type Deployment, SESSION_MS } from './deployment.ts';

/** Things that are done, each with what it asks of the program. */
export const DEEDS = [
  /** SIGKILL: its partitions go to others once its session is over. */
  'kill_processor',
  /** SIGTERM: it hands its partitions over, each with a checkpoint. */
  'stop_processor',
  /** SIGSTOP past its session, then SIGCONT: it finds that others own what it had. */
  'freeze_processor',
  /** A processor more: partitions move to it. */
  'add_processor',
  'kill_ingest',
  'kill_api',
  'kill_clickhouse',
  /** Of several brokers, others lead its partitions meanwhile. */
  'restart_broker',
  'freeze_broker',
  'kafka_away',
  /** Records of somebody else's: compressed, in a transaction, and what no program of ours would write. */
  'foreign_records',
] as const;
export type Deed = (typeof DEEDS)[number];

const PROCESSORS_MAX = 3;
const FROZEN_MS = SESSION_MS + 2_000;
/** A broker that is silent for less than requests wait is one that is slow. */
const BROKER_FROZEN_MS = 4_000;
/** Longest pause between two deeds that are drawn. */
const CALM_MS_MAX = 4_000;

export class Disturbances {
  /** How often each was done. */
  readonly done: Record<Deed, number> = Object.fromEntries(
    DEEDS.map((deed) => [deed, 0]),
  ) as Record<Deed, number>;
  readonly #deployment: Deployment;
  readonly #random: Random;
  readonly #processors = new Map<string, Program>();
  #roles: { ingest: Program; api: Program };
  #started = 0;

  private constructor(deployment: Deployment, random: Random) {
    this.#deployment = deployment;
    this.#random = random;
    this.#roles = { ingest: deployment.startRole('ingest'), api: deployment.startRole('api') };
  }

  /** Starts every role, processors as many as there may be. */
  static async begin(deployment: Deployment, random: Random): Promise<Disturbances> {
    const disturbances = new Disturbances(deployment, random);
    const { ingest, api } = disturbances.#roles;
    await Promise.all([ingest.ready, api.ready]);
    await Promise.all(
      Array.from({ length: PROCESSORS_MAX }, () => disturbances.#addProcessor().ready),
    );
    return disturbances;
  }

  /** Does one thing after the other, drawn, for so long. */
  async go(forMs: number, signal: AbortSignal): Promise<void> {
    const endsMs = performance.now() + forMs;
    while (performance.now() < endsMs && !signal.aborted) {
      await this.do(this.#draw(DEEDS));
      await sleep(this.#random.between(0, CALM_MS_MAX));
    }
  }

  /** Does one thing; resolves when everything runs again as far as it must for the next. */
  async do(deed: Deed): Promise<void> {
    this.done[deed]++;
    switch (deed) {
      case 'kill_processor':
        await this.#endProcessor('SIGKILL');
        break;
      case 'stop_processor':
        await this.#endProcessor('SIGTERM');
        break;
      case 'freeze_processor':
        await this.#freezeProcessor();
        break;
      case 'add_processor':
        if (this.#processors.size < PROCESSORS_MAX) await this.#addProcessor().ready;
        break;
      case 'kill_ingest':
      case 'kill_api':
        await this.#again(deed === 'kill_ingest' ? 'ingest' : 'api');
        break;
      case 'kill_clickhouse':
        await this.clickHouseAway(this.#random.between(0, 3_000));
        break;
      case 'restart_broker':
        await this.brokerAway(this.#random.between(0, 3_000));
        break;
      case 'freeze_broker':
        await this.#freezeBroker();
        break;
      case 'foreign_records':
        await this.#deployment.appendForeign();
        break;
      case 'kafka_away':
        await this.kafkaAway(() => sleep(this.#random.between(0, 3_000)));
        break;
    }
  }

  async clickHouseAway(forMs: number): Promise<void> {
    await this.#deployment.killClickHouse();
    await sleep(forMs);
    await this.#deployment.startClickHouse();
  }

  /** Takes all of Kafka away until something has passed. */
  async kafkaAway(passed: () => Promise<unknown>): Promise<void> {
    const { brokers } = this.#deployment.kafka;
    await Promise.all(brokers.map((broker) => broker.kill()));
    await passed();
    await Promise.all(brokers.map((broker) => broker.start()));
  }

  async brokerAway(forMs: number): Promise<void> {
    const broker = this.#draw(this.#deployment.kafka.brokers);
    await (this.#random.chance(0.5) ? broker.kill() : broker.stop());
    await sleep(forMs);
    await broker.start();
  }

  /** Everything runs at the end, whatever was done. */
  async settle(): Promise<void> {
    while (this.#processors.size < PROCESSORS_MAX) await this.#addProcessor().ready;
  }

  /** Ends the processors in order, so that nothing is written any more. Resolves to how each ended. */
  async endProcessors(): Promise<readonly unknown[]> {
    const running = [...this.#processors.values()];
    this.#processors.clear();
    return Promise.all(running.map((program) => program.end('SIGTERM')));
  }

  #draw<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  #addProcessor(): Program {
    const name = `processor-${++this.#started}`;
    const program = this.#deployment.startRole('processor', name);
    this.#processors.set(name, program);
    return program;
  }

  /** One processor at least goes on. */
  async #endProcessor(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#processors.size < 2) await this.#addProcessor().ready;
    const [name, program] = this.#draw([...this.#processors]);
    this.#processors.delete(name);
    await program.end(signal);
  }

  async #freezeProcessor(): Promise<void> {
    const [, program] = this.#draw([...this.#processors]);
    program.suspend();
    await sleep(FROZEN_MS);
    program.resume();
  }

  async #freezeBroker(): Promise<void> {
    const broker = this.#draw(this.#deployment.kafka.brokers);
    broker.freeze();
    await sleep(BROKER_FROZEN_MS);
    broker.thaw();
  }

  async #again(role: 'ingest' | 'api'): Promise<void> {
    await this.#roles[role].end('SIGKILL');
    this.#roles[role] = this.#deployment.startRole(role);
    await this.#roles[role].ready;
  }
}
