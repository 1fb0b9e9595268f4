import {
  createFileSecrets,
  createSqliteStore,
  type ParentOptions,
  readArtifactFile,
} from '../../parent/index.ts';
import { MAX_CONFIGURATION_BYTES, MAX_MANIFEST_BYTES } from '../../shared/protocol/control.ts';
import { PARENT_CID } from '../../shared/transport/transport.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import type { Site } from './site.ts';
import type { World } from './world.ts';

/** What the real parent is started with for one node: its files, its store, and a way to the local AWS alone. */
export function siteParentOptions(world: World, site: Site, enclaveCid: number): ParentOptions {
  const { region } = site.manifest.kms;
  return {
    transport: createUnixTransport({ directory: world.socketDirectory, cid: PARENT_CID }),
    enclaveCid,
    manifest: () => readArtifactFile(site.manifestPath, MAX_MANIFEST_BYTES),
    configuration: () => readArtifactFile(site.configurationPath, MAX_CONFIGURATION_BYTES),
    secrets: createFileSecrets(site.secretsDirectory),
    credentials: () => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = site.parentCredentials();
      return Promise.resolve({
        accessKeyId,
        secretAccessKey,
        sessionToken: sessionToken ?? null,
        expiration: expiration?.getTime() ?? null,
      });
    },
    store: createSqliteStore(site.storePath),
    egress: {
      targets: [
        {
          host: `kms.${region}.amazonaws.com`,
          port: 443,
          connectTo: { address: '127.0.0.1', port: world.aws.port },
        },
      ],
    },
    ingress: { port: 0 },
    status: { port: 0 },
  };
}
