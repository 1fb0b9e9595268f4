import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGrammar } from '../cli/completion/grammar.ts';
import { formatManPage } from '../cli/completion/man-page.ts';
import { nouns } from '../cli/nouns.ts';
import { readVersion } from '../cli/version/commands.ts';
import { buildFunction } from '../deploy/functions/build.ts';

/**
 * Makes what the package holds beside the working copy's own files: libraries and command as JavaScript, and the
 * manual; the templates of stacks, and their functions, which an installed package cannot bundle.
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

for (const template of globSync('deploy/stacks/*.yaml', { cwd: ROOT }))
  cpSync(join(ROOT, template), join(ROOT, 'dist', 'library', template));
const built = join(ROOT, 'dist', 'library', 'deploy', 'functions', 'built');
mkdirSync(built, { recursive: true });
for (const name of ['config-signing', 'populate-secret'] as const)
  writeFileSync(join(built, `${name}.js`), await buildFunction(name));
