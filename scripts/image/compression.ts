import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { promisify } from 'node:util';

const LEVEL = 19;
/** 8 MiB: what the kernel must set aside while it unpacks. */
const WINDOW_LOG = 23;
const zstd = promisify(zstdCompress);
const deflate = promisify(gzip);

/** zstd packs to three quarters of what gzip does; kernels before 5.9 unpack gzip alone. */
export type Compression = 'gzip' | 'zstd';

export function isCompression(name: string): name is Compression {
  return name === 'gzip' || name === 'zstd';
}

function compress(archive: Uint8Array, compression: Compression): Promise<Uint8Array> {
  if (compression === 'gzip') return deflate(archive, { level: constants.Z_BEST_COMPRESSION });
  return zstd(archive, {
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
}

/**
 * Packs a ramdisk with the zstd or zlib of the pinned Node, on one thread: the same bytes every time. The result is kept in the
 * cache under the digest of its input, because Node's own ramdisk takes most of a minute and hardly ever changes.
 */
export async function packRamdisk(
  archive: Uint8Array,
  compression: Compression,
  useCache: boolean,
): Promise<Uint8Array> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast/ramdisks');
  const digest = createHash('sha256').update(archive).digest('hex');
  const path = join(folder, `${digest}-${process.version}-${compression}-${LEVEL}-${WINDOW_LOG}`);
  if (useCache && existsSync(path)) return readFileSync(path);
  const packed = await compress(archive, compression);
  if (useCache) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, packed);
    renameSync(`${path}.${process.pid}`, path);
  }
  return packed;
}
