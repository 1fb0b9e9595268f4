import type { Manifest } from './manifest.ts';

/**
 * The one name of the Encryptor Master Password: as the purpose in its encryption context, as the secret that an
 * enclave asks its parent for, and as the record of a password that the enclave has generated.
 */
export const PASSWORD_SECRET = 'encryptor-master-password';

/** The purpose of a secret under the node's KMS key. */
export type SecretPurpose = typeof PASSWORD_SECRET;

/**
 * Makes the KMS encryption context of a node's secret from the measured manifest alone, so that a blob of another
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
