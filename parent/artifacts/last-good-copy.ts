import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretSource } from '../control/sources.ts';
import { errorCode } from '../../shared/errors.ts';
import type { Log } from '../common/log.ts';
import { readArtifactFile } from './files.ts';
import type { ArtifactSource } from './source.ts';

export interface LastGoodCopyOptions {
  /** Folder of the copies; made when missing, readable by its owner alone. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly log: Log;
}

/**
 * Keeps the bytes that a source gave last, and gives these while the source is not to be had, so that a node starts
 * again while AWS is down. The bytes are public or ciphertext; the enclave itself decides whether they are current.
 */
export function withLastGoodCopy(
  source: ArtifactSource,
  name: string,
  options: LastGoodCopyOptions,
): ArtifactSource {
  const { directory, maxBytes, log } = options;
  const path = join(directory, name);
  return async (signal) => {
    let bytes: Uint8Array | null;
    try {
      bytes = await source(signal);
    } catch (error) {
      const copy = await readArtifactFile(path, maxBytes);
      if (copy === null) throw error;
      log('warn', 'artifact.last-good-copy', { name, code: errorCode(error) });
      return copy;
    }
    if (bytes !== null) {
      await keep(directory, path, bytes).catch((error: unknown) => {
        log('error', 'artifact.not-kept', { name, code: errorCode(error) });
      });
    }
    return bytes;
  };
}

/** Wraps all secrets of a source in {@link withLastGoodCopy}, each with a copy in the file `secret-NAME`. */
export function withLastGoodSecrets(source: SecretSource, options: LastGoodCopyOptions): SecretSource {
  return {
    get: (name, signal) =>
      withLastGoodCopy((inner) => source.get(name, inner), `secret-${name}`, options)(signal),
  };
}

async function keep(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  {
    await using file = await open(temporary, 'w', 0o600);
    await file.writeFile(bytes);
    await file.sync();
  }
  await rename(temporary, path);
}
