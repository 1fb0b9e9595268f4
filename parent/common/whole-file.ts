import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts the names in a folder on the disk. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

/** Writes a file that appears under its name only when it is complete and on the disk. */
export async function writeWhole(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const partial = `${path}.new`;
  {
    await using file = await open(partial, 'w', mode);
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  }
  await rename(partial, path);
  await syncFolder(dirname(path));
}
