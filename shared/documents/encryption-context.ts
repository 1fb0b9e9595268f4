import type { Manifest } from './manifest.ts';

/**
 * The Encryptor Master Password by its one name: the purpose in its encryption context, the secret that an enclave asks
 * its parent for, and the record that keeps one of the enclave's own making.
 */
export const PASSWORD_SECRET = 'encryptor-master-password';

/** What a secret under the node's KMS key is for. */
export type SecretPurpose = typeof PASSWORD_SECRET;

/**
 * The KMS encryption context of a node's secret. It comes from the measured manifest alone, so that a blob of another
 * node, environment or purpose does not decrypt here; the key policy names the same pairs.
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
