import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminError } from '../errors.ts';
import { ReleaseError } from './errors.ts';
import type { Artifact } from './release-index.ts';
import type { ReleaseSource } from './source.ts';

/** File that grows while it is fetched, and keeps what it has when that ends early. */
export interface ResumableFile {
  /** Bytes that are there already. */
  readonly size: number;
  /** Reads what is there, from its beginning. */
  read(): AsyncIterable<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
  /** Forgets everything, and begins anew. */
  truncate(): Promise<void>;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Told of the bytes of this file that are there. */
  readonly onProgress?: (bytes: number) => void;
  /** Milliseconds between attempts, by the attempt's number from 1; one second more each time when left out. */
  readonly pauseMs?: (attempt: number) => number;
}

/** Attempts in a row that bring nothing, after which a download is given up; what came stays for the next run. */
const MAX_ATTEMPTS = 5;

/**
 * Fetches an artifact into a file that may hold a part of it, and again from where the connection broke. Never takes more
 * bytes than the signed index names.
 *
 * @throws ReleaseError RELEASE_ARTIFACT_TRUNCATED, RELEASE_ARTIFACT_OVERSIZE, RELEASE_ARTIFACT_DIFFERS (nothing of it
 *   stays), and those of the source
 */
export async function downloadArtifact(
  source: ReleaseSource,
  version: string,
  artifact: Pick<Artifact, 'name' | 'size' | 'sha256' | 'sha384'>,
  file: ResumableFile,
  { signal, onProgress = () => {}, pauseMs = (attempt) => attempt * 1000 }: DownloadOptions,
): Promise<void> {
  const { name, size } = artifact;
  if (file.size > size) await file.truncate();
  let digests = await digestPresent(file);
  for (let fruitless = 0; file.size < size;) {
    const before = file.size;
    try {
      const { offset, chunks } = await source.read(version, name, before, signal);
      if (offset !== before) {
        await file.truncate();
        digests = createDigests();
      }
      for await (const chunk of chunks) {
        if (file.size + chunk.length > size) {
          await file.truncate();
          throw new ReleaseError('RELEASE_ARTIFACT_OVERSIZE', 'more bytes came than the index names', {
            file: name,
            expected: size,
          });
        }
        await file.append(chunk);
        update(digests, chunk);
        onProgress(file.size);
      }
    } catch (error) {
      if (signal.aborted) throw new AdminError('INTERRUPTED', 'interrupted', { file: name });
      if (!isTransient(error)) throw error;
    }
    if (file.size >= size) break;
    fruitless = file.size > before ? 1 : fruitless + 1;
    if (fruitless >= MAX_ATTEMPTS) {
      throw new ReleaseError('RELEASE_ARTIFACT_TRUNCATED', 'the artifact ended early each time', {
        file: name,
        expected: size,
        actual: file.size,
      });
    }
    await pause(pauseMs(fruitless), signal);
  }
  const [sha256, sha384] = digests.map((digest) => digest.digest('hex'));
  if (sha256 === artifact.sha256 && sha384 === artifact.sha384) return;
  await file.truncate();
  throw new ReleaseError('RELEASE_ARTIFACT_DIFFERS', 'the artifact is not the one that the index names', {
    file: name,
    expected: artifact.sha256,
    actual: sha256,
  });
}

/** Fetches a small file whole, without an index that would name its length. @throws ReleaseError RELEASE_ARTIFACT_OVERSIZE */
export async function downloadSmallFile(
  source: ReleaseSource,
  version: string,
  name: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const { chunks } = await source.read(version, name, 0, signal);
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new ReleaseError('RELEASE_ARTIFACT_OVERSIZE', 'the file is longer than its maximum', {
        file: name,
        expected: maxBytes,
      });
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** Digests that an index names, in its order. */
function createDigests(): readonly Hash[] {
  return [createHash('sha256'), createHash('sha384')];
}

function update(digests: readonly Hash[], bytes: Uint8Array): void {
  for (const digest of digests) digest.update(bytes);
}

async function digestPresent(file: ResumableFile): Promise<readonly Hash[]> {
  const digests = createDigests();
  if (file.size > 0) for await (const chunk of file.read()) update(digests, chunk);
  return digests;
}

/** True where the same request may succeed a moment later. */
function isTransient(error: unknown): boolean {
  if (error instanceof ReleaseError) return error.code === 'RELEASE_SOURCE_UNREACHABLE';
  return error instanceof AdminError && error.code === 'AWS_UNREACHABLE';
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw new AdminError('INTERRUPTED', 'interrupted');
  });
}
