/** The players as a page gets them: files of their npm releases, none of them changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

const PACKAGES = join(import.meta.dirname, '../../../node_modules');

/** Scripts that set a global, by the name they are served under. */
export async function readLibraries(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['hls.js', await textOf('hls.js/dist/hls.min.js')],
    ['dash.js', await textOf('dashjs/dist/modern/umd/dash.all.min.js')],
    ['shaka.debug.js', await textOf('shaka-player/dist/shaka-player.compiled.debug.js')],
    ['shaka.js', await textOf('shaka-player/dist/shaka-player.compiled.js')],
    ['eyevinn.js', await bundleOf('@eyevinn/player-analytics-client-sdk-web', 'EyevinnAnalytics')],
  ]);
}

const textOf = (path: string): Promise<string> => readFile(join(PACKAGES, path), 'utf8');

/** A package that names others, which only a bundler can give to a page: as its integrators do. */
async function bundleOf(name: string, global: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: join(PACKAGES, name, 'dist/module.js'), name: global, formats: ['iife'] },
    },
  });
  const [output] = [built].flat();
  if (output === undefined || !('output' in output)) throw new Error(`${name} was not bundled`);
  return output.output[0].code;
}
