/**
 * Statements for one server, said for a cluster.
 *
 * A table of the log's partitions is two: `NAME_local`, replicated within each shard, and `NAME` over all shards, by
 * which it is read and written. Rows go to the shard of their partition of the log, so an epoch's rows of a table are one
 * block on one shard, and the rows that replace each other are on one. A table that has no partitions is whole on every
 * node. Migrations are written for one server; nothing else says what they are on a cluster.
 */

export interface ClusterNames {
  readonly cluster: string;
  readonly database: string;
}

/** Tables that are whole on every node. */
const WHOLE: ReadonlySet<string> = new Set(['schema_migrations', 'annotations', 'evictions']);

const CREATE =
  /^\s*CREATE TABLE IF NOT EXISTS (\w+)(\s*\([\s\S]*\)\s*)ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?([\s\S]*)$/;
const ALTER = /^\s*ALTER TABLE (\w+)\s+([\s\S]*)$/;
const DELETE = /^\s*DELETE FROM (\w+)\s+(WHERE [\s\S]*)$/;
const TRUNCATE = /^\s*TRUNCATE TABLE (\w+)([\s\S]*)$/;
const OPTIMIZE = /^\s*OPTIMIZE TABLE (\w+)([\s\S]*)$/;
const KILL = /^\s*KILL QUERY (WHERE [\s\S]*)$/;

/** An alteration of columns: what is read over all shards has the same ones. */
const OF_COLUMNS = /^(?:ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b/;
const NOT_OF_COLUMNS =
  /(?:^|,\s*)(?:(?:ADD|DROP|MATERIALIZE) (?:INDEX|PARTITION|PROJECTION)|MODIFY (?:SETTING|TTL)|REMOVE TTL|DELETE WHERE|UPDATE)\b/;

/** The name of a table as it is on one shard. */
export function localName(table: string): string {
  return WHOLE.has(table) ? table : `${table}_local`;
}

/**
 * The statements that do on a cluster what `sql` does on one server, in their order.
 * @throws TypeError for a statement that it does not know: said to one node, it would be done there only.
 */
export function clusterStatements(sql: string, names: ClusterNames): string[] {
  const created = CREATE.exec(sql);
  if (created !== null) return createStatements(created, names);
  const [, altered, alteration = ''] = ALTER.exec(sql) ?? [];
  if (altered !== undefined) return alterStatements(altered, alteration, names);
  const on = onCluster(names);
  const [, deleted, where] = DELETE.exec(sql) ?? [];
  if (deleted !== undefined) return [`DELETE FROM ${localName(deleted)} ${on} ${where}`];
  const [, truncated, how] = TRUNCATE.exec(sql) ?? [];
  if (truncated !== undefined) return [`TRUNCATE TABLE ${localName(truncated)} ${on}${how}`];
  const [, optimized, final] = OPTIMIZE.exec(sql) ?? [];
  if (optimized !== undefined) return [`OPTIMIZE TABLE ${localName(optimized)} ${on}${final}`];
  const [, which] = KILL.exec(sql) ?? [];
  if (which !== undefined) return [`KILL QUERY ${on} ${which}`];
  throw new TypeError(`this statement has no form for a cluster: ${sql.trim().slice(0, 80)}`);
}

/** What is under way is asked of every node; what a query reads of the tables is the same on each. */
export function clusterQuery(sql: string, { cluster }: ClusterNames): string {
  return sql.replace(
    /\bsystem\.(processes|mutations)\b/g,
    (table) => `clusterAllReplicas('${cluster}', ${table})`,
  );
}

function onCluster({ cluster }: ClusterNames): string {
  return `ON CLUSTER '${cluster}'`;
}

function createStatements(created: RegExpExecArray, names: ClusterNames): string[] {
  const [, table = '', columns = '', engine = '', argument = '', rest = ''] = created;
  const on = onCluster(names);
  const place = WHOLE.has(table)
    ? `'/clickhouse/tables/all/{database}/${table}', '{shard}-{replica}'`
    : `'/clickhouse/tables/{shard}/{database}/${localName(table)}', '{replica}'`;
  const replicated = `Replicated${engine}(${place}${argument === '' ? '' : `, ${argument}`})`;
  const local = `CREATE TABLE IF NOT EXISTS ${localName(table)} ${on}${columns}ENGINE = ${replicated}${replicatedSettings(rest)}`;
  if (WHOLE.has(table)) return [local];
  const { cluster, database } = names;
  const distributed = `Distributed('${cluster}', '${database}', '${localName(table)}', _partition)`;
  return [
    local,
    `CREATE TABLE IF NOT EXISTS ${table} ${on} AS ${database}.${localName(table)} ENGINE = ${distributed}`,
  ];
}

/** Replicated tables know names of inserts under another setting, and forget them by age too. */
function replicatedSettings(rest: string): string {
  return rest.replace(
    /\bnon_replicated_deduplication_window = (\d+)/,
    'replicated_deduplication_window = $1, replicated_deduplication_window_seconds = 604800',
  );
}

function alterStatements(table: string, alteration: string, names: ClusterNames): string[] {
  const on = onCluster(names);
  const local = `ALTER TABLE ${localName(table)} ${on} ${alteration}`;
  if (!OF_COLUMNS.test(alteration)) return [local];
  if (NOT_OF_COLUMNS.test(alteration)) {
    throw new TypeError(`an alteration of columns stands alone: ALTER TABLE ${table}`);
  }
  // First where the rows are: what is read over all shards must be there.
  return WHOLE.has(table) ? [local] : [local, `ALTER TABLE ${table} ${on} ${alteration}`];
}
