import { join } from 'node:path';
import type { DEPLOYMENT_FILE, DeploymentFileName, NONCE_FILE } from '../../shared/deployment/index.ts';

export const UNIT = 'holdfast-parent.service';

/** Places below a host's root. Only {@link HostLayout.parentFile} decides which deployment is in force. */
export interface HostLayout {
  readonly root: string;
  /** Folder of root's, which the service may read. */
  readonly etc: string;
  /** Configuration of the parent; it names every file of one deployment, and is replaced by one rename. */
  readonly parentFile: string;
  /** Settings of this host alone. */
  readonly hostFile: string;
  /** A folder for each deployment that is on the disk, by its id. */
  readonly deployments: string;
  /** Folder of the service: store, log, admission. Its owner is the service's user. */
  readonly state: string;
  /** Folder of the verb: lock, notes, snapshots; readable by root alone. */
  readonly own: string;
  readonly snapshots: string;
}

export function createLayout(root = '/'): HostLayout {
  const etc = join(root, 'etc/holdfast');
  const own = join(root, 'var/lib/holdfast-deploy');
  return {
    root,
    etc,
    parentFile: join(etc, 'parent.yaml'),
    hostFile: join(etc, 'host.yaml'),
    deployments: join(etc, 'deployments'),
    state: join(root, 'var/lib/holdfast'),
    own,
    snapshots: join(own, 'snapshots'),
  };
}

/** Path of a file of one deployment. */
export function deploymentPath(
  layout: HostLayout,
  id: string,
  name: DeploymentFileName | typeof DEPLOYMENT_FILE | typeof NONCE_FILE,
): string {
  return join(layout.deployments, id, name);
}

/** Paths in the service's folder that every deployment's parent.yaml names. */
export function statePaths({ state }: HostLayout) {
  return {
    store: join(state, 'records.sqlite'),
    identity: join(state, 'identity.json'),
    copies: join(state, 'copies'),
    admission: join(state, 'admission'),
    secrets: join(state, 'secrets'),
    log: join(state, 'log'),
  } as const;
}
