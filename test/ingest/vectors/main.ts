/**
 * Checks the CMCD decoder against a file of vectors: `npx tsx test/ingest/vectors/main.ts FILE`.
 *
 * Prints the agreement and each difference with the rule that decides it. Exit 1 when a difference has none.
 * README.md describes the two kinds of files.
 */
import { readFileSync } from 'node:fs';
import { checkLibrary, type LibraryFile } from './library.ts';
import { checkStandard, type StandardVector } from './standard.ts';
import type { Verdict } from './verdict.ts';

function check(file: string): Verdict[] {
  const content = JSON.parse(readFileSync(file, 'utf8')) as
    | { readonly vectors: readonly StandardVector[] }
    | LibraryFile;
  return 'vectors' in content ? checkStandard(content.vectors) : checkLibrary(content);
}

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Name a file of vectors: npx tsx test/ingest/vectors/main.ts FILE\n');
  process.exit(2);
}
const verdicts = check(file);
const differing = verdicts.filter(({ found }) => found.length > 0);
for (const { id, found, decidedBy } of differing) {
  process.stdout.write(`${id}\n  ${found.join('\n  ')}\n  ${decidedBy || 'UNDECIDED'}\n`);
}
const undecided = differing.filter(({ decidedBy }) => decidedBy === '').length;
process.stdout.write(
  `${verdicts.length} vectors: ${verdicts.length - differing.length} agree, ${differing.length - undecided} differ by a rule, ${undecided} undecided\n`,
);
process.exitCode = undecided === 0 ? 0 : 1;
