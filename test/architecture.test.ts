/**
 * The shape of the tree, checked on its text: who may import whom, no cycles, no undeclared package, names of files.
 *
 * The checker reads import statements with regular expressions, after comments are gone and strings are replaced by
 * their number, so that code quoted in a test or a template is not taken for code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Text of files by path from the root, with forward slashes. */
type Tree = ReadonlyMap<string, string>;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface Packages {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..');
const FOLDERS_LEFT_OUT = new Set(['node_modules', 'dist', 'data', 'coverage', 'corpus']);
const SOURCE = /\.tsx?$/;

/** What a part of the tree may import besides itself. A new top folder needs a line here. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  platform: ['schemas'],
  ingest: ['schemas', 'platform'],
  processors: ['schemas', 'platform'],
  api: ['schemas', 'platform'],
  dashboards: ['schemas'],
  main: ['schemas', 'platform', 'ingest', 'processors', 'api', 'dashboards'],
  bench: ['schemas', 'platform', 'ingest', 'processors', 'api', 'dashboards', 'main', 'test'],
  test: ['schemas', 'platform', 'ingest', 'processors', 'api', 'dashboards', 'main', 'bench'],
  config: [],
};

function partOf(path: string): string {
  const [folder = '', ...rest] = path.split('/');
  if (rest.length > 0) return folder;
  return folder.endsWith('.config.ts') ? 'config' : folder.replace(SOURCE, '');
}

function readTree(folder: string, prefix = ''): Map<string, string> {
  const tree = new Map<string, string>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = prefix + entry.name;
    if (entry.isDirectory() && !FOLDERS_LEFT_OUT.has(entry.name) && !entry.name.startsWith('.')) {
      for (const file of readTree(join(folder, entry.name), `${path}/`)) tree.set(...file);
    } else if (entry.isFile() && (SOURCE.test(entry.name) || entry.name.endsWith('.md'))) {
      tree.set(path, readFileSync(join(folder, entry.name), 'utf8'));
    }
  }
  return tree;
}

function sources(tree: Tree): [string, string][] {
  return [...tree].filter(([path]) => SOURCE.test(path));
}

const COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const TEMPLATE = '`(?:\\\\[\\s\\S]|[^`\\\\])*`';
const STRING = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
/** A slash begins a regular expression only where a value may stand; its quotes begin no string. */
const REGEXP = String.raw`(?<=[(,=:[!&|?{};]\s*|\breturn\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`;
const TOKEN = new RegExp(`(${COMMENT})|(${TEMPLATE})|(${REGEXP})|(${STRING})`, 'g');

const STATEMENT =
  /\b(?:import|export)\s+(type\s+(?!from\b|,)|)(?:[\w$*{},\s]*?\bfrom\s*)?"#(\d+)"|\bimport\s*\(\s*"#(\d+)"/g;

function importsOf(text: string): Import[] {
  const strings: string[] = [];
  const code = text.replace(TOKEN, (token, comment, template, regexp) => {
    if (comment !== undefined) return ' ';
    if (template !== undefined || regexp !== undefined) return '``';
    return `"#${strings.push(token.slice(1, -1)) - 1}"`;
  });
  return [...code.matchAll(STATEMENT)].map(([, type, fixed, dynamic]) => ({
    specifier: strings[Number(fixed ?? dynamic)] ?? '',
    typeOnly: type !== undefined && type !== '',
  }));
}

/** Path of the file that a relative import names. */
function resolved(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

function wrongDirections(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    const part = partOf(path);
    const allowed = MAY_IMPORT[part];
    if (allowed === undefined) return [`${path}: ${part} is not in the table of this test`];
    return importsOf(text)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => partOf(resolved(path, specifier)))
      .filter((other) => other !== part && !allowed.includes(other))
      .map((other) => `${path}: ${part} must not import ${other}`);
  });
}

/** Each cycle once, by the path that was walked. Imports of types alone leave nothing at run time. */
function cycles(tree: Tree): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  function visit(path: string, walked: readonly string[]): void {
    const start = walked.indexOf(path);
    if (start >= 0) found.push([...walked.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const { specifier, typeOnly } of importsOf(tree.get(path) ?? '')) {
      if (typeOnly || !specifier.startsWith('.')) continue;
      visit(resolved(path, specifier), [...walked, path]);
    }
    done.add(path);
  }
  for (const [path] of sources(tree)) visit(path, []);
  return found;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function undeclaredPackages(tree: Tree, packages: Packages): string[] {
  return sources(tree).flatMap(([path, text]) => {
    const development = /^(test|bench|dashboards\/web)\/|\.config\.ts$/.test(path);
    const declared = { ...packages.dependencies, ...(development ? packages.devDependencies : {}) };
    return importsOf(text)
      .filter(({ specifier }) => !/^(\.|node:)/.test(specifier))
      .map(({ specifier }) => packageOf(specifier))
      .filter((name) => !Object.hasOwn(declared, name))
      .map((name) => `${path}: ${name} is not declared in package.json`);
  });
}

function oddNames(tree: Tree): string[] {
  const folder = /^[a-z0-9]+(-[a-z0-9]+)*$/;
  const file = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.tsx?$/;
  return sources(tree)
    .map(([path]) => path)
    .filter((path) => {
      const names = path.split('/');
      return !file.test(names.pop() ?? '') || !names.every((name) => folder.test(name));
    });
}

/** Paths that exist only where this was written. Put together here, or this file would name them itself. */
const FOREIGN_PATHS = [['..', 'shared'].join('/'), ['', 'work', 'shared'].join('/')];

function foreignPaths(tree: Tree): string[] {
  return [...tree]
    .filter(([, text]) => FOREIGN_PATHS.some((foreign) => text.includes(foreign)))
    .map(([path]) => path);
}

describe('the tree', () => {
  const tree = readTree(ROOT);
  const packages = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Packages;

  it('is read whole', () => {
    expect([...tree.keys()]).toEqual(
      expect.arrayContaining(['schemas/beat.ts', 'test/architecture.test.ts', 'vitest.config.ts']),
    );
  });

  it('imports in one direction', () => expect(wrongDirections(tree)).toEqual([]));
  it('has no import cycles', () => expect(cycles(tree)).toEqual([]));
  it('imports declared packages only', () =>
    expect(undeclaredPackages(tree, packages)).toEqual([]));
  it('names files and folders in kebab-case', () => expect(oddNames(tree)).toEqual([]));
  it('names no path outside itself', () => expect(foreignPaths(tree)).toEqual([]));
});

describe('the checker', () => {
  const treeOf = (files: Record<string, string>): Tree => new Map(Object.entries(files));

  it.each([
    ["import a, { b } from './x.ts';", false],
    ["import {\n  a,\n  b as c,\n} from './x.ts';", false],
    ["import * as a from './x.ts';", false],
    ["import type { A } from './x.ts';", true],
    ["import { type A } from './x.ts';", false],
    ["import type from './x.ts';", false],
    ["import './x.ts';", false],
    ["export * from './x.ts';", false],
    ["export type { A } from './x.ts';", true],
    ["const a = await import('./x.ts');", false],
    ["const quote = /['`]/; import a from './x.ts';", false],
    ["const url = 'http://a'; import a from './x.ts';", false],
  ])('finds the import in %s', (text, typeOnly) => {
    expect(importsOf(text)).toEqual([{ specifier: './x.ts', typeOnly }]);
  });

  it.each([
    "// import a from './x.ts';",
    "/* \n import a from './x.ts';\n */",
    'const code = "import a from \'./x.ts\'";',
    "const code = `\nimport a from './x.ts';\n`;",
    "export const from = './x.ts';",
  ])('finds no import in %s', (text) => {
    expect(importsOf(text)).toEqual([]);
  });

  it.each([
    ['schemas/a.ts', '../platform/b.ts'],
    ['platform/log/a.ts', '../../ingest/b.ts'],
    ['ingest/a.ts', '../processors/b.ts'],
    ['ingest/a.ts', '../api/b.ts'],
    ['processors/a.ts', '../ingest/b.ts'],
    ['api/routes/a.ts', '../../processors/b.ts'],
    ['api/a.ts', '../ingest/b.ts'],
    ['processors/a.ts', '../api/b.ts'],
    ['dashboards/web/a.tsx', '../../platform/b.ts'],
    ['api/a.ts', '../main.ts'],
    ['ingest/a.ts', '../test/b.ts'],
    ['api/a.ts', '../../elsewhere/b.ts'],
  ])('refuses that %s imports %s, its types too', (path, specifier) => {
    expect(wrongDirections(treeOf({ [path]: `import a from '${specifier}';` }))).toHaveLength(1);
    expect(wrongDirections(treeOf({ [path]: `import type a from '${specifier}';` }))).toHaveLength(
      1,
    );
  });

  it.each([
    ['platform/a.ts', '../schemas/b.ts'],
    ['ingest/formats/a.ts', '../../platform/log/b.ts'],
    ['ingest/formats/a.ts', '../errors.ts'],
    ['dashboards/web/a.tsx', '../../schemas/b.ts'],
    ['main.ts', './api/b.ts'],
    ['test/api/a.test.ts', '../../processors/b.ts'],
  ])('allows that %s imports %s', (path, specifier) => {
    expect(wrongDirections(treeOf({ [path]: `import a from '${specifier}';` }))).toEqual([]);
  });

  it('refuses a top folder that no rule speaks of', () => {
    expect(wrongDirections(treeOf({ 'lib/a.ts': '' }))).toHaveLength(1);
  });

  it('finds a cycle once, and none where a link is a type', () => {
    const files = {
      'api/a.ts': "import './b.ts';",
      'api/b.ts': "export { c } from './c.ts';",
      'api/c.ts': "import { a } from './a.ts';",
    };
    expect(cycles(treeOf(files))).toEqual(['api/a.ts -> api/b.ts -> api/c.ts -> api/a.ts']);
    const typed = { ...files, 'api/c.ts': "import type { A } from './a.ts';" };
    expect(cycles(treeOf(typed))).toEqual([]);
  });

  it('knows which packages a file may import', () => {
    const packages = {
      dependencies: { '@a/b': '1', kafkajs: '1' },
      devDependencies: { vitest: '1' },
    };
    const text = "import '@a/b/c'; import 'kafkajs'; import 'node:fs'; import './d.ts';";
    expect(undeclaredPackages(treeOf({ 'api/a.ts': text }), packages)).toEqual([]);
    const files = ['api/a.ts', 'test/a.test.ts', 'vitest.config.ts'];
    const tree = treeOf(Object.fromEntries(files.map((file) => [file, "import 'vitest/config';"])));
    expect(undeclaredPackages(tree, packages)).toEqual([
      'api/a.ts: vitest is not declared in package.json',
    ]);
    expect(undeclaredPackages(treeOf({ 'test/a.ts': "import '@a/c';" }), packages)).toHaveLength(1);
  });

  it('tells kebab-case from other cases', () => {
    const good = [
      'api/a-b.ts',
      'schemas/avro/beat.v1.ts',
      'schemas/0001-a.ts',
      'test/a.e2e.test.ts',
    ];
    const bad = ['api/aB.ts', 'api/a_b.ts', 'api/Page.tsx', 'apiRoutes/a.ts', 'api/-a.ts'];
    const tree = treeOf(Object.fromEntries([...good, ...bad].map((path) => [path, ''])));
    expect(oddNames(tree)).toEqual(bad);
  });

  it.each(FOREIGN_PATHS)('finds the path %s in code and pages', (foreign) => {
    const tree = treeOf({ 'api/a.ts': `// see ${foreign}/x`, 'docs/a.md': foreign, 'b.md': 'no' });
    expect(foreignPaths(tree)).toEqual(['api/a.ts', 'docs/a.md']);
  });
});
