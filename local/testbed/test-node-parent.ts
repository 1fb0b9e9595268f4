import {
  createFileSecrets,
  createSqliteStore,
  type ParentOptions,
  readArtifactFile,
} from '../../parent/index.ts';
import { MAX_CONFIGURATION_BYTES, MAX_MANIFEST_BYTES } from '../../shared/protocol/control.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import type { InfrastructureAdmin } from './people.ts';
import type { TestNode } from './test-node.ts';

/** Fields of a test node that its parent needs. */
export type ParentFiles = Pick<
  TestNode,
  'manifest' | 'manifestPath' | 'configurationPath' | 'secretsDirectory' | 'storePath'
> & { readonly infrastructure: Pick<InfrastructureAdmin, 'parentCredentials'> };

/** Options of the real parent of one node: its files, its store, and a way to the local AWS alone. */
export function testNodeParentOptions(
  {
    aws,
    host,
  }: { readonly aws: { readonly port: number }; readonly host: { readonly socketDirectory: string } },
  testNode: ParentFiles,
  enclaveCid: number,
): ParentOptions {
  const { region } = testNode.manifest.kms;
  return {
    transport: createUnixTransport({ directory: host.socketDirectory, cid: PARENT_CID }),
    enclaveCid,
    manifest: () => readArtifactFile(testNode.manifestPath, MAX_MANIFEST_BYTES),
    configuration: () => readArtifactFile(testNode.configurationPath, MAX_CONFIGURATION_BYTES),
    secrets: createFileSecrets(testNode.secretsDirectory),
    credentials: () => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } =
        testNode.infrastructure.parentCredentials();
      return Promise.resolve({
        accessKeyId,
        secretAccessKey,
        sessionToken: sessionToken ?? null,
        expiration: expiration?.getTime() ?? null,
      });
    },
    store: createSqliteStore(testNode.storePath),
    egress: {
      targets: [
        {
          host: `kms.${region}.amazonaws.com`,
          port: 443,
          connectTo: { address: '127.0.0.1', port: aws.port },
        },
      ],
    },
    ingress: { port: 0 },
    status: { port: 0 },
  };
}
