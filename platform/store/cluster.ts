/**
 * A store on a cluster: statements are said to all nodes, inserts go to the shard of their partition of the log.
 *
 * Whoever uses it names tables as on one server. An insert is answered when the shard has it, as one block.
 *
 * Not promised: that a read on a writing connection sees an insert which another replica of the shard has taken. That
 * needs quorum inserts and sequential reads.
 */
import { type ClusterNames, clusterQuery, clusterStatements } from '../../schemas/cluster.ts';
import type {
  CommandOptions,
  InsertOptions,
  OpenStore,
  QueryOptions,
  ResultFormat,
  StoreCounters,
} from './store.ts';

export class ClusterStore implements OpenStore {
  readonly database: string;
  readonly #store: OpenStore;
  readonly #names: ClusterNames;

  constructor(store: OpenStore, cluster: string) {
    this.database = store.database;
    this.#store = store;
    this.#names = { cluster, database: store.database };
  }

  get counters(): Readonly<StoreCounters> {
    return this.#store.counters;
  }

  get readsWaiting(): number {
    return this.#store.readsWaiting;
  }

  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]> {
    return this.#store.query<Row>(clusterQuery(sql, this.#names), options);
  }

  queryBinary(sql: string, options?: QueryOptions): Promise<Buffer> {
    return this.#store.queryBinary(clusterQuery(sql, this.#names), options);
  }

  queryFormat(sql: string, format: ResultFormat, options?: QueryOptions): Promise<Buffer> {
    return this.#store.queryFormat(clusterQuery(sql, this.#names), format, options);
  }

  queryOnWriter<Row>(sql: string, options?: QueryOptions): Promise<Row[]> {
    return this.#store.queryOnWriter<Row>(clusterQuery(sql, this.#names), options);
  }

  async command(sql: string, options?: CommandOptions): Promise<void> {
    for (const statement of clusterStatements(sql, this.#names)) {
      await this.#store.command(statement, options);
    }
  }

  insert(table: string, rows: Uint8Array, options: InsertOptions): Promise<void> {
    return this.#store.insert(table, rows, options);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
