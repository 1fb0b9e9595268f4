import type { NodeManifest } from './plan.ts';

/**
 * Describes what several nodes have in common, in sentences: whoever controls that controls all of them, so that they
 * count as one fault.
 */
export function describeSharedFaults(manifests: readonly NodeManifest[]): readonly string[] {
  const account = ({ manifest }: NodeManifest) => manifest.kms.keyArn.split(':')[4] ?? '';
  const authorities = ({ manifest: { configurationAuthority } }: NodeManifest) =>
    `${configurationAuthority.threshold} of ${configurationAuthority.keys.toSorted().join(' ')}`;
  return [
    ...findShared(manifests, account).map(
      ({ nodes, value }) =>
        `nodes ${nodes} have their keys in one AWS account, ${value}: its admin decides for all of them`,
    ),
    ...findShared(manifests, ({ manifest }) => manifest.emergencyRecovery.publicKey).map(
      ({ nodes }) => `nodes ${nodes} have one recovery key: whoever holds it can recover all of them`,
    ),
    ...findShared(manifests, authorities).map(
      ({ nodes }) => `nodes ${nodes} have the same configuration authorities: those decide for all of them`,
    ),
  ];
}

function findShared(manifests: readonly NodeManifest[], valueOf: (manifest: NodeManifest) => string) {
  const groups = Map.groupBy(manifests, valueOf);
  return [...groups]
    .filter(([, members]) => members.length > 1)
    .map(([value, members]) => ({ value, nodes: members.map(({ manifest }) => manifest.node).join(', ') }));
}
