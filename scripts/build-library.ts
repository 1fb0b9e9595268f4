import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGrammar } from '../cli/completion/grammar.ts';
import { formatManPage } from '../cli/completion/man-page.ts';
import { nouns } from '../cli/nouns.ts';
import { readVersion } from '../cli/version/commands.ts';

/**
 * Makes what the package holds beside the working copy's own files: libraries and command as JavaScript, and the
 * manual.
 */

const ROOT = join(import.meta.dirname, '..');

// Files of an earlier build would be packed too.
rmSync(join(ROOT, 'dist', 'library'), { recursive: true, force: true });
execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(ROOT, 'tsconfig.library.json')], {
  stdio: 'inherit',
});
mkdirSync(join(ROOT, 'dist', 'man'), { recursive: true });
writeFileSync(
  join(ROOT, 'dist', 'man', 'holdfast.1'),
  formatManPage(await readGrammar(nouns), await readVersion()),
);
