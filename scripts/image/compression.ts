import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompress } from 'node:zlib';
import { promisify } from 'node:util';

const LEVEL = 19;
/** Window of 8 MiB, which the kernel must set aside while it unpacks. */
const WINDOW_LOG = 23;
const zstd = promisify(zstdCompress);

function compress(archive: Uint8Array): Promise<Uint8Array> {
  return zstd(archive, {
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
}

/**
 * Packs a ramdisk with the zstd of the pinned Node, on one thread: the same bytes every time. The result is kept in the
 * cache under the digest of its input, because Node's own ramdisk takes most of a minute and hardly ever changes.
 */
export async function packRamdisk(archive: Uint8Array, useCache: boolean): Promise<Uint8Array> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast/ramdisks');
  const digest = createHash('sha256').update(archive).digest('hex');
  const path = join(folder, `${digest}-${process.version}-zstd-${LEVEL}-${WINDOW_LOG}`);
  if (useCache && existsSync(path)) return readFileSync(path);
  const packed = await compress(archive);
  if (useCache) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, packed);
    renameSync(`${path}.${process.pid}`, path);
  }
  return packed;
}
