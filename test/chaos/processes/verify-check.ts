/** `verify` on the command line, which must find nothing. */
import type { Comparison } from './comparison.ts';
import type { Site } from './site.ts';

export async function checkVerify(
  site: Site,
  where: string,
  comparison: Comparison,
): Promise<void> {
  const { code, stdout, stderr } = await site.run('verify');
  const lines = stdout.trim().split('\n');
  const verdict = lines.at(-1)?.replace(/\d+ epochs$/, 'epochs');
  comparison.equal(`verdict of verify ${where}`, 'no differences in epochs', verdict);
  // Its first words say what differs, where something does.
  comparison.equal(`exit code of verify ${where} (${lines[0]} ${stderr})`, 0, code);
}
