import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/**
 * Makes an empty folder with a short path (a Unix socket's holds 107 bytes), removed after the test file's own hooks
 * (test/setup.ts), or, in a program without the test runner, when the process exits.
 */
export function temporaryFolder(): string {
  if (folders.length === 0) process.once('exit', removeTemporaryFolders);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  folders.push(folder);
  return folder;
}

/** Removes every folder that {@link temporaryFolder} has made in this process, with all that lies in it. */
export function removeTemporaryFolders(): void {
  process.off('exit', removeTemporaryFolders);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
