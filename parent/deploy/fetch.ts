import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEPLOYMENT_FILE,
  DEPLOYMENT_FILES,
  DeploymentError,
  type Deployment,
  type DeploymentFileName,
  deploymentId,
  MAX_DEPLOYMENT_BYTES,
  NONCE_FILE,
  parseDeployment,
} from '../../shared/deployment/index.ts';
import { DeployError } from './errors.ts';
import { type HostLayout } from './layout.ts';
import type { DeploymentSource } from './source.ts';
import { syncFolder } from '../common/whole-file.ts';

/** Deadline for all files of a deployment, in milliseconds. */
const FETCH_MS = 10 * 60_000;
const INCOMING = '.incoming-';

/** deployment.json as it was fetched. */
export interface FetchedDocument {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly deployment: Deployment;
}

/**
 * Fetches deployment.json, and holds it against the id that its address names.
 * @throws DeployError DEPLOYMENT_MISSING, DEPLOYMENT_DIGEST_MISMATCH, DEPLOYMENT_MALFORMED, DEPLOYMENT_SOURCE_UNAVAILABLE
 */
export async function fetchDocument(source: DeploymentSource): Promise<FetchedDocument> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of await openFile(source, DEPLOYMENT_FILE, AbortSignal.timeout(FETCH_MS))) {
    length += chunk.length;
    if (length > MAX_DEPLOYMENT_BYTES) {
      throw new DeploymentError('DEPLOYMENT_MALFORMED', 'deployment.json is longer than its maximum', {
        maximum: MAX_DEPLOYMENT_BYTES,
      });
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const id = deploymentId(bytes);
  if (source.id !== undefined && source.id !== id) {
    throw new DeployError('DEPLOYMENT_DIGEST_MISMATCH', 'the address names another deployment.json', {
      expected: source.id,
      actual: id,
    });
  }
  return { id, bytes, deployment: parseDeployment(bytes) };
}

/**
 * Fetches the files of a deployment into a folder that appears under the deployment's id only when each is complete, of the
 * digest that deployment.json lists, and on the disk. A folder that is there already is fetched anew where a file of it has
 * another digest.
 * @param onProgress called with the bytes that are done, and those of all files
 * @throws DeployError DEPLOYMENT_MISSING, DEPLOYMENT_FILE_ALTERED, DEPLOYMENT_SOURCE_UNAVAILABLE
 */
export async function fetchFiles(
  source: DeploymentSource,
  { id, bytes, deployment }: FetchedDocument,
  { deployments }: HostLayout,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<void> {
  const folder = join(deployments, id);
  if (await isWhole(folder, bytes, deployment)) return;
  const total = totalBytes(deployment);
  const signal = AbortSignal.timeout(FETCH_MS);
  await mkdir(deployments, { recursive: true, mode: 0o755 });
  await removeLeftovers(deployments);
  const incoming = await mkdtemp(join(deployments, INCOMING));
  try {
    let done = 0;
    for (const name of DEPLOYMENT_FILES) {
      const stream = await openFile(source, name, signal);
      await writeChecked(join(incoming, name), stream, deployment, name, (length) => {
        done += length;
        onProgress(done, total);
      });
    }
    if (deployment.nonce !== null) {
      await writeSynced(join(incoming, NONCE_FILE), Buffer.from(`${deployment.nonce}\n`));
    }
    await writeSynced(join(incoming, DEPLOYMENT_FILE), bytes);
    await chmod(incoming, 0o755);
    await syncFolder(incoming);
    // What lies under this name has another digest, or is not whole: no deployment in force has such files.
    await rm(folder, { recursive: true, force: true });
    await rename(incoming, folder);
    await syncFolder(deployments);
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    throw error;
  }
}

/** Sum of a deployment's files in bytes. */
export function totalBytes({ files }: Deployment): number {
  return DEPLOYMENT_FILES.reduce((sum, name) => sum + files[name].bytes, 0);
}

/** Reads a deployment that is on the disk; undefined where it is not there. @throws DeployError DEPLOYMENT_MALFORMED */
export async function readInstalled(layout: HostLayout, id: string): Promise<FetchedDocument | undefined> {
  const bytes = await readFile(join(layout.deployments, id, DEPLOYMENT_FILE)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  return bytes === undefined || deploymentId(bytes) !== id
    ? undefined
    : { id, bytes, deployment: parseDeployment(bytes) };
}

/** Tells whether all files of a deployment are on the disk with their digests. */
export async function isWhole(folder: string, bytes: Uint8Array, deployment: Deployment): Promise<boolean> {
  const document = await readFile(join(folder, DEPLOYMENT_FILE)).catch(() => undefined);
  if (document === undefined || Buffer.compare(document, bytes) !== 0) return false;
  if (deployment.nonce !== null) {
    const nonce = await readFile(join(folder, NONCE_FILE), 'utf8').catch(() => undefined);
    if (nonce !== `${deployment.nonce}\n`) return false;
  }
  for (const name of DEPLOYMENT_FILES) {
    const digest = await digestOf(join(folder, name)).catch(() => undefined);
    if (digest !== deployment.files[name].sha384) return false;
  }
  return true;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha384');
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Removes what runs that were cut off have left: this run has the lock. */
async function removeLeftovers(deployments: string): Promise<void> {
  for (const name of await readdir(deployments)) {
    if (name.startsWith(INCOMING)) await rm(join(deployments, name), { recursive: true, force: true });
  }
}

async function openFile(
  source: DeploymentSource,
  name: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  const stream = await source.open(name, signal);
  if (stream === null) {
    throw new DeployError('DEPLOYMENT_MISSING', 'the source lacks a file', { file: name });
  }
  return readAll(stream, name);
}

/** Gives the chunks of a stream; one that breaks is a source that does not answer. */
async function* readAll(stream: AsyncIterable<unknown>, name: string): AsyncIterable<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw new DeployError('DEPLOYMENT_SOURCE_UNAVAILABLE', 'a file broke off', { file: name }, error);
  }
}

async function writeChecked(
  path: string,
  stream: AsyncIterable<Buffer>,
  { files }: Deployment,
  name: DeploymentFileName,
  onChunk: (length: number) => void,
): Promise<void> {
  const expected = files[name];
  const hash = createHash('sha384');
  let length = 0;
  await using file = await open(path, 'wx', 0o644);
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > expected.bytes) break;
    hash.update(chunk);
    await file.writeFile(chunk);
    onChunk(chunk.length);
  }
  const actual = hash.digest('hex');
  if (length !== expected.bytes || actual !== expected.sha384) {
    throw new DeployError('DEPLOYMENT_FILE_ALTERED', 'a file is another one than deployment.json lists', {
      file: name,
      expected: expected.sha384,
      ...(length === expected.bytes ? { actual } : { bytes: expected.bytes, found: length }),
    });
  }
  await file.chmod(0o644);
  await file.sync();
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(bytes);
  await file.chmod(0o644);
  await file.sync();
}
