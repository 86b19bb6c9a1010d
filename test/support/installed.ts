/**
 * What tests bring from registries other than npm's, installed once for this machine.
 *
 * Several test files may ask at the same time: each fills a folder of its own, and the first to rename it wins.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Outside of node_modules, which `npm ci` empties. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'streamgauge');

/**
 * The folder of a name with its version. `fill` is given an empty folder when it is not there yet, and gives the folder
 * that is to be kept: that one, or one in it.
 */
export async function installed(
  name: string,
  fill: (folder: string) => Promise<string>,
): Promise<string> {
  const home = join(CACHE, name);
  if (await exists(home)) return home;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, `${name}-`));
  try {
    await rename(await fill(folder), home).catch(async (error: unknown) => {
      if (!(await exists(home))) throw error;
    });
    return home;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
