import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Makes what the package holds beside the working copy's own files: libraries and command as JavaScript. */

const ROOT = join(import.meta.dirname, '..');

// What an earlier build has left would be packed with it.
rmSync(join(ROOT, 'dist', 'library'), { recursive: true, force: true });
execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(ROOT, 'tsconfig.library.json')], {
  stdio: 'inherit',
});
