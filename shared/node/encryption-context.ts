import type { Manifest } from './manifest.ts';

/** What a secret under the node's KMS key is for. */
export type SecretPurpose = 'encryptor-master-password';

/**
 * The KMS encryption context of a node's secret. It comes from the measured manifest alone, so that a blob of another
 * node, environment or purpose does not decrypt here (P07, P08); the key policy names the same pairs.
 */
export function encryptionContext(
  { namespace, environment, node }: Pick<Manifest, 'namespace' | 'environment' | 'node'>,
  purpose: SecretPurpose,
): Record<string, string> {
  return {
    'holdfast:namespace': namespace,
    'holdfast:environment': environment,
    'holdfast:node': String(node),
    'holdfast:purpose': purpose,
  };
}
