/**
 * A cluster of one node without a Keeper: tables over all shards are the engine's own, and pass rows and queries on to
 * the node itself. What needs a Keeper is taken out of statements: replicas, and orders to all nodes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Nobody listens there: a cluster's node is this engine when it has the port that the engine says it has. */
const PORT = 9_000;

/** Arguments by which the engine knows the cluster. */
export async function clusterArguments(directory: string, cluster: string): Promise<string[]> {
  const replica = `<replica><host>127.0.0.1</host><port>${PORT}</port></replica>`;
  const shard = `<shard><internal_replication>true</internal_replication>${replica}</shard>`;
  const servers = `<remote_servers><${cluster}>${shard}</${cluster}></remote_servers>`;
  await mkdir(directory, { recursive: true });
  const file = join(resolve(directory), 'cluster.xml');
  await writeFile(file, `<clickhouse><tcp_port>${PORT}</tcp_port>${servers}</clickhouse>`);
  return [`--config-file=${file}`];
}

/** The statement as one node without a Keeper can do it. */
export function onOneNode(text: string): string {
  return text
    .replace(/ ON CLUSTER '[^']*'/, '')
    .replace(/\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, ([^)]*))?\)/, '$1($2)')
    .replace(
      /\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/,
      'non_replicated_deduplication_window = $1',
    );
}
