import { spawn } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type LocalRelease } from './local-release.ts';
import { artifactOf, ReleaseError } from '../../../admin/artifacts/index.ts';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import { CliError } from '../../common/errors.ts';
import type { Io } from '../../common/command.ts';
import { writeOutput } from '../../common/output-file.ts';

export const REBUILD_FORMAT = 'holdfast-rebuild/1';

const MAX_RECORD_BYTES = 16 * 1024;
const MAX_DEPTH = 2;
const recordSchema = z.looseObject({
  format: z.literal(REBUILD_FORMAT),
  version: z.string(),
  image: z.string(),
});

/** Record that somebody has rebuilt the image of a release from source, byte for byte. */
export interface RebuildRecord {
  readonly format: typeof REBUILD_FORMAT;
  readonly version: string;
  readonly commit: string;
  /** Digest of the image that was rebuilt, hex. */
  readonly image: string;
  /** RFC 3339, UTC. */
  readonly rebuiltAt: string;
}

/** Folder of this working copy; the package as it is installed has no scripts. */
const ROOT = join(import.meta.dirname, '../../..');

/**
 * Rebuilds the image of a release by scripts/verify-build from this working copy, and records that it is the same.
 *
 * @param recordPath where the record goes
 * @throws CliError CLONE_NEEDED, INTERRUPTED; ReleaseError RELEASE_REBUILD_DIFFERS
 */
export async function rebuildRelease(
  { index, folder }: LocalRelease,
  recordPath: string,
  io: Io,
  script = join(ROOT, 'scripts/verify-build'),
): Promise<RebuildRecord> {
  await access(script, constants.X_OK).catch(() => {
    throw new CliError('CLONE_NEEDED', 'a rebuild runs in a working copy of the commit', {
      commit: index.commit,
    });
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(script, [folder], { stdio: ['ignore', 'pipe', 'pipe'], signal: io.signal });
  child.stdout.on('data', (chunk: Buffer) => io.stderr.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => io.stderr.write(chunk));
  child.on('error', () => resolve(-1));
  child.on('close', (code) => resolve(code ?? -1));
  const code = await promise;
  if (io.signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
  if (code !== 0) {
    throw new ReleaseError('RELEASE_REBUILD_DIFFERS', 'the rebuild is not the release, see above', {
      version: index.version,
      commit: index.commit,
    });
  }
  const record: RebuildRecord = {
    format: REBUILD_FORMAT,
    version: index.version,
    commit: index.commit,
    image: artifactOf(index, 'image').sha384,
    rebuiltAt: new Date().toISOString(),
  };
  await writeOutput(recordPath, `${JSON.stringify(record, undefined, 2)}\n`);
  return record;
}

/**
 * Tells whether it is recorded that the image of a release was rebuilt on this machine.
 *
 * @param image digest of the image of that release, hex
 */
export async function isRebuilt(releases: string, version: string, image: string): Promise<boolean> {
  const bytes = await readFile(recordPathOf(releases, version)).catch(() => undefined);
  if (bytes === undefined) return false;
  try {
    const parsed = parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: MAX_DEPTH });
    const { data: record } = recordSchema.safeParse(parsed);
    return record?.version === version && record.image === image;
  } catch (error) {
    if (error instanceof JsonError) return false;
    throw error;
  }
}

/** Path of the record that the image of a release was rebuilt, in the folder of releases. */
export function recordPathOf(releases: string, version: string): string {
  return join(releases, `${version}.rebuilt.json`);
}
