/** Everything that the deployment's files name exists: in the program, in the tree, or in the image that they name. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { describeOptions, loadOptions } from '../platform/config/config.ts';
import { registerOperators } from '../platform/http/operators.ts';
import { Registry } from '../platform/metrics/registry.ts';
import { parseProjects } from '../platform/projects-file.ts';
import { tables } from '../schemas/tables/tables.ts';
import {
  alertRules,
  boards,
  type Compose,
  interpolated,
  type Mount,
  READER_XML,
  ROOT,
  readerOfSql,
  readerOfXml,
  textOf,
  yamlOf,
} from './support/deployment.ts';

const COMPOSE = 'docker-compose.yml';
const { services, volumes } = yamlOf<Compose>(COMPOSE);
const everyService = Object.entries(services);
const ours = everyService.filter(([, { image }]) => image.startsWith('streamgauge:'));
const roles = ours.filter(([, { restart }]) => restart !== 'no');

/** What .env must hold. */
const REQUIRED = {
  CLICKHOUSE_PASSWORD: 'a',
  GRAFANA_ADMIN_PASSWORD: 'b',
  GRAFANA_CLICKHOUSE_PASSWORD: 'c',
  PROJECTS_DIR: '/projects',
};

/** Variables of the images of others, and of Node, that the file uses. `KAFKA_` and `GF_` stand for their properties. */
const FOREIGN: Readonly<Record<string, RegExp>> = {
  kafka: /^(CLUSTER_ID|KAFKA_[A-Z_]+)$/,
  clickhouse: /^CLICKHOUSE_SKIP_USER_SETUP$/,
  grafana: /^GF_(SECURITY|USERS|ANALYTICS|PLUGINS)_[A-Z_]+$/,
  processor: /^NODE_OPTIONS$/,
};

/** Variables that a file given to an image reads by itself. */
const READ_BY_FILES: Readonly<Record<string, string>> = {
  clickhouse: [READER_XML, READER_XML.replace('grafana', 'streamgauge')].map(textOf).join(),
  grafana: textOf('dashboards/grafana/provisioning/datasources/streamgauge.yml'),
};

const environmentOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => [
      variable,
      interpolated(String(value), REQUIRED),
    ]),
  );

const boundPaths = (name: string): Mount[] =>
  (services[name]?.volumes ?? []).map((volume) => {
    if (typeof volume !== 'string') return volume;
    const [source = '', target = ''] = volume.split(':');
    return { type: source.startsWith('.') ? 'bind' : 'volume', source, target };
  });

const PORT = environmentOf('api').STREAMGAUGE_PORT;

describe('the compose file', () => {
  it('runs the production shape', () => {
    const replicas = everyService.map(([name, { deploy }]) => [name, deploy?.replicas ?? 1]);
    expect(Object.fromEntries(replicas)).toEqual({
      ...{ kafka: 1, clickhouse: 1, topics: 1, migrate: 1, ingest: 2, processor: 2, api: 1 },
      ...{ prometheus: 1, grafana: 1 },
    });
  });

  it.each(everyService.map(([name]) => name))('gives %s only variables that are read', (name) => {
    const known = new Set(describeOptions().map(({ variable }) => variable));
    const isOurs = ours.some(([other]) => other === name);
    const unknown = Object.keys(services[name]?.environment ?? {}).filter(
      (variable) =>
        !(isOurs && known.has(variable)) &&
        FOREIGN[name]?.test(variable) !== true &&
        READ_BY_FILES[name]?.includes(variable) !== true,
    );
    expect(unknown).toEqual([]);
  });

  it.each(ours.map(([name]) => name))('gives %s values that the program takes', (name) => {
    const loaded = loadOptions({}, environmentOf(name));
    expect(loaded).toMatchObject({ ok: true, options: { host: '0.0.0.0', port: 8080 } });
  });

  it('starts commands that the program has', async () => {
    const help = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', 'main.ts', '--help'],
      { cwd: ROOT },
    );
    for (const [name, { command }] of ours) {
      expect(command, name).toHaveLength(1);
      expect(help.stdout).toMatch(new RegExp(`^  ${command?.[0]} `, 'm'));
    }
  });

  it('starts roles after the topic and the tables are there', () => {
    const done = { condition: 'service_completed_successfully' };
    for (const [, { depends_on }] of roles)
      expect(depends_on).toEqual({ topics: done, migrate: done });
    expect(services.topics?.depends_on).toEqual({ kafka: { condition: 'service_healthy' } });
    expect(services.migrate?.depends_on).toEqual({
      clickhouse: { condition: 'service_healthy' },
    });
  });

  it('has no default for a secret, and none in plain text', () => {
    const text = textOf(COMPOSE);
    const secrets = [...text.matchAll(/^\s+(\w*(?:PASSWORD|SECRET|TOKEN)\w*): (.*)$/gm)];
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const [, name, value] of secrets) expect(value, name).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    expect(() => interpolated(text, {})).toThrow('is not set');
  });

  it('names a version of every image, as a variable with a pinned default', () => {
    for (const [name, { image, build }] of everyService) {
      if (build === undefined)
        expect(image, name).toMatch(/:\$\{[A-Z_]+VERSION:-v?\d+\.\d+[\d.]*\}$/);
    }
    expect(textOf('Dockerfile')).toMatch(/^ARG NODE_VERSION=\d+\.\d+\.\d+$/m);
  });

  it('limits every service, and lets it come back and be looked at', () => {
    for (const [name, service] of everyService) {
      expect(Object.keys(service.deploy?.resources?.limits ?? {}), name).toEqual([
        'cpus',
        'memory',
      ]);
      if (service.restart === 'no') continue;
      expect(service.restart, name).toBe('unless-stopped');
      expect(service.healthcheck?.test[0], name).toBe('CMD');
    }
  });

  it('publishes ports on loopback unless told otherwise', () => {
    const published = everyService.flatMap(([, { ports = [] }]) => ports);
    expect(published).toHaveLength(4);
    for (const port of published) expect(interpolated(port, REQUIRED)).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts what is in the tree, and volumes that it declares', () => {
    for (const [name] of everyService) {
      for (const { type, source } of boundPaths(name)) {
        if (type === 'volume') expect(Object.keys(volumes), name).toContain(source);
        else if (!source.startsWith('${'))
          expect(existsSync(join(ROOT, source)), source).toBe(true);
      }
    }
    const used = everyService.flatMap(([name]) => boundPaths(name).map(({ source }) => source));
    expect(Object.keys(volumes).filter((volume) => !used.includes(volume))).toEqual([]);
  });

  it('reads the projects where it mounts them', () => {
    for (const [name] of ours) {
      const { target } = boundPaths(name).find(({ source }) => source.includes('PROJECTS_DIR'))!;
      expect(environmentOf(name).STREAMGAUGE_PROJECTS_FILE).toBe(`${target}/projects.json`);
    }
  });
});

describe('ports and routes', () => {
  it('are those of the program, everywhere', async () => {
    for (const [name, { ports = [] }] of roles) {
      for (const port of ports) expect(port.split(':').at(-1), name).toBe(PORT);
    }
    expect(/^EXPOSE (\d+)$/m.exec(textOf('Dockerfile'))?.[1]).toBe(PORT);
    const probes = roles.map(([name, { healthcheck }]) => {
      const url = /http:\/\/127\.0\.0\.1:(\d+)(\/\w+)/.exec(healthcheck?.test.join(' ') ?? '');
      expect(url?.[1], name).toBe(PORT);
      return url?.[2] ?? '';
    });
    const server = fastify();
    registerOperators(server, { checks: [], registry: new Registry() });
    for (const path of [...probes, ...scrapes().map(({ metrics_path }) => metrics_path)]) {
      expect((await server.inject(path)).statusCode, path).toBe(200);
    }
    await server.close();
  });

  it('are those at which the engines listen', () => {
    const { KAFKA_BROKERS, CLICKHOUSE_URL } = environmentOf('processor');
    const kafka = environmentOf('kafka');
    expect(kafka.KAFKA_ADVERTISED_LISTENERS).toBe(`PLAINTEXT://${KAFKA_BROKERS}`);
    expect(kafka.KAFKA_LISTENERS).toContain(`PLAINTEXT://:${KAFKA_BROKERS?.split(':')[1]}`);
    expect(CLICKHOUSE_URL).toBe('http://clickhouse:8123');
    expect(services.clickhouse?.healthcheck?.test).toContain('http://127.0.0.1:8123/ping');
  });

  it('are asked by Prometheus for every role', () => {
    expect(scrapes().map(({ job_name }) => job_name)).toEqual(roles.map(([name]) => name));
    for (const { job_name, dns_sd_configs } of scrapes()) {
      expect(dns_sd_configs).toMatchObject([{ names: [job_name], port: Number(PORT) }]);
    }
  });
});

interface Scrape {
  readonly job_name: string;
  readonly metrics_path: string;
  readonly dns_sd_configs: readonly object[];
}

function scrapes(): Scrape[] {
  return yamlOf<{ scrape_configs: Scrape[] }>('dashboards/prometheus/prometheus.yml')
    .scrape_configs;
}

describe('the image', () => {
  const dockerfile = textOf('Dockerfile');
  const [build = '', final = ''] = dockerfile.split(/^FROM /m).slice(1);
  const copied = [...build.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  const packages = JSON.parse(textOf('package.json')) as {
    scripts: Record<string, string>;
    bin: { streamgauge: string };
  };

  it('copies what is in the tree and is not kept from the builder', () => {
    const sent = textOf('.dockerignore').split('\n');
    for (const path of copied) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(sent).toContain(`!${path}`);
    }
    expect(sent).toContain('*');
  });

  it('copies everything that is compiled', () => {
    const { include } = JSON.parse(textOf('tsconfig.build.json')) as { include: string[] };
    expect(copied).toEqual(expect.arrayContaining([...include, 'vite.config.ts', 'dashboards']));
  });

  it('is built by a script of the package, and starts what it builds', () => {
    const run = [...build.matchAll(/npm run (\S+)/g)].map(([, script = '']) => script);
    expect(run).toEqual(['build']);
    expect(packages.scripts).toHaveProperty('build');
    expect(final).toContain(
      `ENTRYPOINT ["node", "--enable-source-maps", "${packages.bin.streamgauge}"]`,
    );
  });

  it('runs as a user who owns nothing in it', () => {
    expect(/^USER (\S+)$/m.exec(final)?.[1]).toBe('node');
    expect(final).not.toMatch(/--chown/);
    expect(final.indexOf('USER node')).toBeGreaterThan(final.lastIndexOf('COPY'));
  });
});

describe('direct readers of ClickHouse', () => {
  /** Who asked to be forgotten is nobody's figure. */
  const readable = tables
    .filter(({ columns }) => columns.some(({ name }) => name === 'project'))
    .map(({ name }) => name)
    .filter((name) => name !== 'forgotten')
    .sort();

  it.each([
    ['users.d', readerOfXml()],
    ['reader.sql', readerOfSql('default')],
  ])('%s grants tables that tell projects apart, each with a filter', (_name, reader) => {
    expect([...reader.granted].sort()).toEqual(readable);
    expect([...reader.filters.keys()].sort()).toEqual(readable);
    expect(new Set(reader.filters.values())).toEqual(new Set(["project = 'default'"]));
  });

  it('have a password that compose gives, and so has the program', () => {
    const given = services.clickhouse?.environment ?? {};
    const files = boundPaths('clickhouse').filter(({ source }) => source.endsWith('.xml'));
    const asked = files.flatMap(({ source }) => [...textOf(source).matchAll(/from_env="(\w+)"/g)]);
    expect(asked.map(([, name]) => name)).toHaveLength(2);
    for (const [, name = ''] of asked) expect(given).toHaveProperty(name);
    expect(given.STREAMGAUGE_WRITER_PASSWORD).toBe(services.api?.environment?.CLICKHOUSE_PASSWORD);
    expect(textOf(files[0]?.source ?? '')).toContain('<default remove="remove"/>');
  });
});

describe('the program’s user of ClickHouse', () => {
  /** Everybody sees these, as far as they have a right on what is in them. */
  const open = ['databases', 'tables'];

  it('is granted the tables of the server that the program reads, and making its own', () => {
    const sources = readdirSync(join(ROOT, 'platform/store')).map((name) =>
      textOf(`platform/store/${name}`),
    );
    const read = sources.flatMap((text) => [...text.matchAll(/FROM system\.(\w+)/g)]);
    const needed = new Set(
      read.map(([, table = '']) => table).filter((table) => !open.includes(table)),
    );
    const users = textOf(READER_XML.replace('grafana', 'streamgauge'));
    const granted = [...users.matchAll(/GRANT SELECT ON system\.(\w+)</g)].map(
      ([, table]) => table,
    );
    expect(granted).toEqual(expect.arrayContaining([...needed]));
    expect(users).toContain('GRANT TABLE ENGINE ON *');
  });
});

describe('Grafana', () => {
  interface Source {
    readonly uid: string;
    readonly url?: string;
    readonly jsonData?: Readonly<Record<string, string | number>>;
    readonly secureJsonData?: { readonly password: string };
  }
  const { datasources } = yamlOf<{ datasources: Source[] }>(
    'dashboards/grafana/provisioning/datasources/streamgauge.yml',
  );

  it('reads sources that are there, as a user who may only read', () => {
    const [prometheus, clickhouse] = datasources;
    expect(prometheus?.url).toBe('http://prometheus:9090');
    expect(clickhouse?.jsonData).toMatchObject({
      host: 'clickhouse',
      port: 8123,
      protocol: 'http',
    });
    expect(textOf(READER_XML)).toContain(`<${clickhouse?.jsonData?.username}>`);
    const password = clickhouse?.secureJsonData?.password.slice(1) ?? '';
    const given = services.grafana?.environment?.[password];
    expect(given).toBe(services.clickhouse?.environment?.GRAFANA_READER_PASSWORD);
  });

  it('finds its dashboards where compose mounts them', () => {
    const { providers } = yamlOf<{ providers: { options: { path: string } }[] }>(
      'dashboards/grafana/provisioning/dashboards/streamgauge.yml',
    );
    const targets = boundPaths('grafana').map(({ target }) => target);
    for (const { options } of providers) expect(targets).toContain(options.path);
  });

  it('shows panels of those sources, each under its own number', () => {
    const uids = datasources.map(({ uid }) => uid);
    expect(boards().map(({ uid }) => uid)).toEqual(['streamgauge-pipeline', 'streamgauge-qos']);
    for (const { panels } of boards()) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const { type, title, description, targets = [] } of panels) {
        if (type === 'row') continue;
        expect(description, title).toMatch(/\.$/);
        expect(targets.length, title).toBeGreaterThan(0);
        for (const { datasource } of targets) expect(uids).toContain(datasource.uid);
      }
    }
  });
});

describe('alerts', () => {
  it('have a name of their own, a severity, and a sentence', () => {
    const rules = alertRules();
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^Streamgauge[A-Z]/);
      expect(labels.severity).toMatch(/^(critical|warning)$/);
      expect(annotations.summary).not.toBe('');
    }
  });

  it('are each explained to the operator', () => {
    const page = textOf('docs/operations.md');
    for (const { alert } of alertRules()) expect(page).toContain(alert.replace('Streamgauge', ''));
  });

  it('lie beside the configuration that names them', () => {
    const config = yamlOf<{ rule_files: string[] }>('dashboards/prometheus/prometheus.yml');
    const targets = boundPaths('prometheus').map(({ target }) => target);
    for (const file of config.rule_files) expect(targets).toContain(`/etc/prometheus/${file}`);
  });
});

describe('the example of projects', () => {
  const example = textOf('docs/examples/projects.example.json');

  it('is refused until secrets are put in', () => {
    expect(parseProjects(example)).toMatchObject({ ok: false });
  });

  it('is taken with them', () => {
    let filled = 0;
    const text = example
      .replaceAll(/"(\w*Hash)": ""/g, (_all, name) => `"${name}": "${String(filled++).repeat(64)}"`)
      .replace('"viewerSecret": ""', '"viewerSecret": "x"');
    expect(filled).toBe(3);
    expect(parseProjects(text)).toMatchObject({ ok: true });
  });
});
