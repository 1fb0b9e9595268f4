import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_SECRET_BLOB_BYTES } from '../../shared/protocol/control.ts';
import type { SecretSource } from '../control/sources.ts';
import { ArtifactError } from './errors.ts';

/**
 * Reads a file's bytes anew; `null` when there is no such file.
 * @throws ArtifactError ARTIFACT_TOO_LARGE, ARTIFACT_UNAVAILABLE
 */
export async function readArtifactFile(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new ArtifactError('ARTIFACT_TOO_LARGE', 'a file is too long', { path, maximum: maxBytes });
    }
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof ArtifactError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new ArtifactError('ARTIFACT_UNAVAILABLE', 'a file cannot be read', { path }, error);
  }
}

/** Secret blobs as files of a folder, each under its secret's name as the control protocol has it. */
export function createFileSecrets(directory: string): SecretSource {
  return {
    get: (name) => readArtifactFile(join(directory, name), MAX_SECRET_BLOB_BYTES),
  };
}
