/** The files of the deployment as values: compose file, Dockerfile, Prometheus rules, Grafana's provisioning and boards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '../..');
export const BOARDS = 'dashboards/grafana/boards';

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function yamlOf<Value>(path: string): Value {
  return parse(textOf(path), { merge: true }) as Value;
}

export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
}

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | Mount)[];
  readonly restart?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
  };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** A text with the compose file's variables replaced: defaults, and for what has none the values given. */
export function interpolated(text: string, given: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_all, name: string, kind?: string, rest?: string) => {
      const value = given[name] ?? (kind === '-' ? rest : undefined);
      if (value === undefined) throw new Error(`${name} is not set`);
      return value;
    },
  );
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
}

export interface Target {
  readonly datasource: { readonly uid: string };
  readonly expr?: string;
  readonly rawSql?: string;
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly options: readonly { value: string }[];
    }[];
  };
}

export function boards(): Board[] {
  return readdirSync(join(ROOT, BOARDS)).map((name) => JSON.parse(textOf(`${BOARDS}/${name}`)));
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

export function alertRules(): AlertRule[] {
  const { groups } = yamlOf<{ groups: { rules: AlertRule[] }[] }>(
    'dashboards/prometheus/alerts.yml',
  );
  return groups.flatMap(({ rules }) => rules);
}

/** Every PromQL expression, with where it is. */
export function expressions(): [where: string, expression: string][] {
  const ofBoards = boards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).flatMap(({ expr }): [string, string][] =>
        expr === undefined ? [] : [[`${title}: ${panel.title}`, expr]],
      ),
    ),
  );
  const ofRules = alertRules().map(({ alert, expr }): [string, string] => [alert, expr]);
  return [...ofBoards, ...ofRules];
}

/** What a users file of ClickHouse lets a user do. */
export interface ReaderAccess {
  readonly granted: readonly string[];
  /** Filter of each table. */
  readonly filters: ReadonlyMap<string, string>;
}

export const READER_XML = 'platform/deploy/clickhouse/users.d/grafana.xml';
export const READER_SQL = 'platform/deploy/clickhouse/reader.sql';

export function readerOfXml(): ReaderAccess {
  const text = textOf(READER_XML);
  const granted = [...text.matchAll(/GRANT SELECT ON streamgauge\.(\w+)</g)];
  const filters = [...text.matchAll(/<(\w+)><filter>(.*?)<\/filter><\/\1>/g)];
  return {
    granted: granted.map(([, table = '']) => table),
    filters: new Map(filters.map(([, table = '', filter = '']) => [table, filter])),
  };
}

/** The statements of reader.sql, for a project. */
export function readerStatements(project: string): string[] {
  const text = textOf(READER_SQL)
    .replaceAll(/^--.*$/gm, '')
    .replaceAll('PROJECT', project);
  return text
    .replaceAll('READER', 'grafana_reader')
    .replaceAll('PASSWORD', 'secret')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

export function readerOfSql(project: string): ReaderAccess {
  const all = readerStatements(project).join('\n');
  const granted = [...all.matchAll(/GRANT SELECT ON streamgauge\.(\w+) /g)];
  const filters = [...all.matchAll(/ON streamgauge\.(\w+) USING (.*) TO/g)];
  return {
    granted: granted.map(([, table = '']) => table),
    filters: new Map(filters.map(([, table = '', filter = '']) => [table, filter])),
  };
}
