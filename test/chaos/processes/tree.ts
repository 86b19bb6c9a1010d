/** A folder as it is, to be compared with itself later. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** LMDB's table of who reads: its bytes change whenever somebody looks. */
const LOCK_FILE = 'lock.mdb';

/** Path → what is there: folders, links, and files with a hash of their bytes. */
export async function treeOf(path: string, below = ''): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const found = await lstat(path);
  if (found.isSymbolicLink()) return { [below]: `link to ${await readlink(path)}` };
  if (!found.isDirectory()) {
    const isLock = path.endsWith(LOCK_FILE);
    tree[below] = isLock ? 'lock' : hashOf(await readFile(path));
    return tree;
  }
  tree[below] = 'folder';
  for (const name of await readdir(path)) {
    Object.assign(tree, await treeOf(join(path, name), `${below}/${name}`));
  }
  return tree;
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
