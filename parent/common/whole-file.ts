import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts the names in a folder on the disk. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

/** Writes a file that appears under its name only when it is complete and on the disk. */
export async function writeWhole(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const partial = `${path}.new`;
  await rm(partial, { force: true });
  {
    // A link that somebody left under the name is not followed.
    await using file = await open(partial, 'wx', mode);
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  }
  await rename(partial, path);
  await syncFolder(dirname(path));
}

/**
 * Reads a file that another user may have made: no link is followed, nothing but a plain file is read, and no more than
 * `maximum` bytes. Undefined where there is no such file.
 */
export async function readForeignFile(path: string, maximum: number): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size > maximum) return undefined;
    const buffer = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP')) {
      return undefined;
    }
    throw error;
  }
}
