import { mkdir, stat, statfs } from 'node:fs/promises';
import { DeployError } from './errors.ts';
import type { HostLayout } from './layout.ts';
import type { ServiceManager } from './service-manager.ts';

/** Bytes that stay free on the disk besides what a deployment needs. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const OTHERS_WRITE = 0o022;

/**
 * Makes the folders of the verb, and asserts that those which the service trusts belong to the caller alone.
 * @throws DeployError DEPLOYMENT_PERMISSIONS
 */
export async function prepareFolders(layout: HostLayout, uid = process.getuid?.() ?? 0): Promise<void> {
  if (layout.root === '/' && uid !== 0) {
    throw new DeployError('DEPLOYMENT_PERMISSIONS', "a deployment is root's to install", { uid });
  }
  await makeFolder(layout.etc, 0o755);
  await makeFolder(layout.deployments, 0o755);
  await makeFolder(layout.own, 0o700);
  await makeFolder(layout.snapshots, 0o700);
  for (const path of [layout.etc, layout.deployments, layout.own, layout.snapshots])
    await assertOwn(path, uid);
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
  } catch (error) {
    throw new DeployError('DEPLOYMENT_PERMISSIONS', 'a folder cannot be made', { path }, error);
  }
}

async function assertOwn(path: string, uid: number): Promise<void> {
  const found = await stat(path);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & OTHERS_WRITE) !== 0) {
    throw new DeployError('DEPLOYMENT_PERMISSIONS', 'a folder has another owner, or others may write to it', {
      path,
      owner: found.uid,
      mode: (found.mode & 0o777).toString(8),
    });
  }
}

/** Asserts that the disk has room for so many bytes. @throws DeployError DEPLOYMENT_DISK_FULL */
export async function assertRoom(
  path: string,
  bytes: number,
  readSpace: (path: string) => Promise<{ readonly bavail: number; readonly bsize: number }> = statfs,
): Promise<void> {
  const { bavail, bsize } = await readSpace(path);
  const free = bavail * bsize;
  if (free < bytes + RESERVE_BYTES) {
    throw new DeployError('DEPLOYMENT_DISK_FULL', 'the disk has no room', {
      path,
      needed: bytes + RESERVE_BYTES,
      free,
    });
  }
}

/** Asserts that systemd knows the unit. @throws DeployError DEPLOYMENT_UNIT_MISSING, SYSTEMCTL_… */
export async function assertUnit(manager: Pick<ServiceManager, 'state'>): Promise<void> {
  const { load } = await manager.state();
  if (load !== 'loaded') {
    throw new DeployError('DEPLOYMENT_UNIT_MISSING', 'the unit of the parent is not installed', { load });
  }
}
