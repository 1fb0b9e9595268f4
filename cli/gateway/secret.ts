import type { Stats } from 'node:fs';
import { open, realpath, statfs } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { SecretSource } from '../../client/gateway/index.ts';
import { createOwnSecret } from '../../parent/artifacts/own-secret.ts';
import { UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { describeSystemError } from '../common/system-error.ts';

const MAX_SECRET_BYTES = 64 * 1024;
/** Mode bits that let others read or write, or the group write. */
const EXPOSED = 0o026;
/** Mode bit that lets the group read. */
const GROUP_READABLE = 0o040;
/** Mode bits that let others than the owner write. */
const WRITABLE = 0o022;
/** Type of a file system in memory, by statfs(2). */
const TMPFS = 0x0102_1994;
/** Folder in which Kubernetes keeps the files of a volume, behind links: `..2026_11_29_15_14_35.123456789`. */
const KUBERNETES_FOLDER = /^\.\.\d{4}(?:_\d{2}){5}\.\d{1,10}$/;

export interface SecretPlace {
  /** Folder that paths of the configuration are relative to. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a secret from a file, the environment or AWS Secrets Manager, without a line end after it. A plain file must be its owner's alone;
 * where root owns it, the group may read. A Secret that Kubernetes has mounted may be read by all of its container: that is
 * its mode unless `defaultMode` says otherwise, which Splice's chart does not let through.
 *
 * @throws UsageError when the file cannot be read; CliError KEY_FILE_EXPOSED, GATEWAY_SECRET_MISSING; ArtifactError
 *   ARTIFACT_UNAVAILABLE
 */
export async function readSecret(
  { file, env: name, secret }: SecretSource,
  { folder, env }: SecretPlace,
): Promise<Buffer> {
  const value = await readValue({ file, env: name, secret }, { folder, env });
  let { length } = value;
  while (length > 0 && (value[length - 1] === 0x0a || value[length - 1] === 0x0d)) length -= 1;
  if (length > 0) return value.subarray(0, length);
  throw new CliError('GATEWAY_SECRET_MISSING', 'expected a secret, found nothing', {
    file,
    env: name,
    secret,
  });
}

async function readValue(
  { file, env: name, secret }: SecretSource,
  { folder, env }: SecretPlace,
): Promise<Buffer> {
  if (secret !== undefined) return Buffer.from(await createOwnSecret(secret, undefined)());
  return name === undefined ? await readFile(resolve(folder, file ?? '')) : Buffer.from(env[name] ?? '');
}

async function readFile(path: string): Promise<Buffer> {
  const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1);
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    const bits = stat.uid === 0 ? EXPOSED : EXPOSED | GROUP_READABLE;
    if (stat.isFile() && (stat.mode & bits) !== 0 && !(await isKubernetesSecret(path, stat))) {
      throw new CliError('KEY_FILE_EXPOSED', 'others may read or write the secret; "chmod 600" mends that', {
        path,
        mode: (stat.mode & 0o777).toString(8).padStart(4, '0'),
      });
    }
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0) return buffer.subarray(0, length);
      if (length === buffer.length)
        throw new CliError('GATEWAY_SECRET_MISSING', 'too long for a secret', { file: path });
    }
  } catch (error) {
    buffer.fill(0);
    if (error instanceof CliError) throw error;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}

/** Says whether a file is one of a Secret that Kubernetes has mounted: root's, in memory, behind its links. */
async function isKubernetesSecret(path: string, { uid, mode }: Stats): Promise<boolean> {
  if (uid !== 0 || (mode & WRITABLE) !== 0) return false;
  const folder = dirname(await realpath(path));
  return KUBERNETES_FOLDER.test(basename(folder)) && (await statfs(folder)).type === TMPFS;
}
