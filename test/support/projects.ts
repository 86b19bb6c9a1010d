/** Projects as a file would say them, for tests: the file is gone before they are used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProjects, type Projects } from '../../platform/projects.ts';

const silent = { info: () => undefined, error: () => undefined };

/** One project, `shop`, with these fields in place of its own. */
export const shop = (fields: object = {}) => ({
  id: 'shop',
  viewerSecret: 'secret',
  writeKeys: [{ key: 'k' }],
  readTokens: [{ id: 't', secret: 's' }],
  ...fields,
});

/** Opens the projects that a file with these would hold. */
export function projectsOf(projects: readonly object[], now: () => number = () => 0): Projects {
  const directory = mkdtempSync(join(tmpdir(), 'streamgauge-projects-'));
  const file = join(directory, 'projects.json');
  try {
    writeFileSync(file, JSON.stringify({ projects }));
    return openProjects({ file, host: '127.0.0.1', logger: silent, now, watchIntervalMs: 0 });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
