/**
 * What a process tells Prometheus: counters and gauges that the parts keep as plain numbers, read when somebody asks.
 *
 * Names are `streamgauge_<noun>_<unit>`, counters end in `_total`. Labels are bounded: codes of an error table, partitions,
 * routes as they are declared. Guarantee: reading costs nothing while nobody asks, and each part is read once a scrape.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export { Registry } from 'prom-client';

/** Numbers of one part, under the labels that tell it from its like. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

export interface NumbersToExport {
  /** What comes before each name: `streamgauge_ingest`. */
  readonly prefix: string;
  /** Whose numbers they are, for people. */
  readonly about: string;
  readonly kind: 'counter' | 'gauge';
  /** Names in camelCase, as the part has them. */
  readonly names: readonly string[];
  readonly labelNames?: readonly string[];
  readonly read: () => readonly Sample[];
}

/** A registry of one process; `process` and event-loop figures of Node are in it. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'streamgauge_' });
  return registry;
}

/** Exports each number under its own name. */
export function exportNumbers(registry: Registry, numbers: NumbersToExport): void {
  const { prefix, about, kind, names, labelNames = [] } = numbers;
  const read = oncePerTurn(numbers.read);
  for (const name of names) {
    const words = wordsOf(name);
    const options = {
      name: `${prefix}_${words.join('_')}${kind === 'counter' ? '_total' : ''}`,
      help: `${about}: ${words.join(' ')}.`,
      labelNames: [...labelNames],
      registers: [registry],
    };
    if (kind === 'counter') collected(Counter, options, name, read);
    else collected(Gauge, options, name, read);
  }
}

/** Exports every number of a part that only counts; those that `gauges` names go down again. */
export function exportCounters(
  registry: Registry,
  {
    prefix,
    about,
    gauges = [],
  }: Pick<NumbersToExport, 'prefix' | 'about'> & {
    readonly gauges?: readonly string[];
  },
  counters: object,
): void {
  const read = () => [{ values: counters as Record<string, number> }];
  for (const kind of ['counter', 'gauge'] as const) {
    const names = Object.keys(counters).filter(
      (name) => gauges.includes(name) === (kind === 'gauge'),
    );
    exportNumbers(registry, { prefix, about, kind, names, read });
  }
}

/** Exports a table of counts by code, such as why something was refused. */
export function exportCodes(
  registry: Registry,
  options: { readonly name: string; readonly help: string; readonly label: string },
  read: () => Readonly<Record<string, number>>,
): void {
  const { name, help, label } = options;
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [code, value] of Object.entries(read())) this.inc({ [label]: code }, value);
    },
  });
}

/** A histogram of seconds, from a millisecond to a minute. */
export function secondsHistogram(
  registry: Registry,
  options: { readonly name: string; readonly help: string; readonly labelNames?: string[] },
): Histogram {
  const { name, help, labelNames = [] } = options;
  const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
  return new Histogram({ name, help, labelNames, buckets, registers: [registry] });
}

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

function collected(
  Metric: typeof Counter | typeof Gauge,
  options: MetricOptions,
  name: string,
  read: () => readonly Sample[],
): void {
  new Metric({
    ...options,
    collect() {
      this.reset();
      for (const { labels = {}, values } of read()) this.inc(labels, values[name] ?? 0);
    },
  });
}

/** Every metric of a scrape is collected without a pause between: the part is read in it once. */
function oncePerTurn<Value>(read: () => Value): () => Value {
  let held: { readonly value: Value } | undefined;
  return () => {
    if (held === undefined) {
      held = { value: read() };
      queueMicrotask(() => {
        held = undefined;
      });
    }
    return held.value;
  };
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(' ');
}
