import { createHash } from 'node:crypto';
import { ReleaseError } from './errors.ts';
import type { ReleaseDestination, ReleaseFile } from './source.ts';

/**
 * Copies a verified release, and reads it back from where it was copied to.
 *
 * @param files all files of the release, its index last
 * @returns names of the files that were not there before
 * @throws ReleaseError RELEASE_MIRROR_DIFFERS, and those of the destination
 */
export async function mirrorRelease(
  destination: ReleaseDestination,
  version: string,
  files: readonly ReleaseFile[],
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<readonly string[]> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  // Writing is the one half, reading it back the other.
  const written = await destination.write(version, files, signal, (done) => onProgress(done, 2 * total));
  let done = total;
  for (const { name, size, sha256 } of files) {
    const digest = createHash('sha256');
    let length = 0;
    const { chunks } = await destination.read(version, name, 0, signal);
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > size) break;
      digest.update(chunk);
    }
    if (length !== size || digest.digest('hex') !== sha256) {
      throw new ReleaseError('RELEASE_MIRROR_DIFFERS', 'what was written is not what is read', {
        location: destination.location,
        version,
        file: name,
      });
    }
    done += size;
    onProgress(done, 2 * total);
  }
  return written;
}
