import { computeManifestPcr } from '../../../attestation/index.ts';
import {
  digestManifest,
  type Manifest,
  MANIFEST_FORMAT,
  parseManifest,
} from '../../../shared/documents/manifest.ts';
import type { NodeManifest } from '../../quorum/index.ts';
import type { VaultDocument, VaultNode } from '../document.ts';
import { VaultError } from '../errors.ts';
import { roleOfNode } from '../roles.ts';

/** What the KMS stack of a node has made, which its manifest names. */
export interface NodeKeys {
  /** ARN of the KMS key that opens the node. */
  readonly keyArn: string;
  /** Ed25519 public key of the stack's signing function, 64 hex digits; null where the node has none. */
  readonly signingKey: string | null;
}

/** Finds the description of one node. @throws RangeError for a number that the vault has not */
export function findNode({ nodes }: VaultDocument, number: number): VaultNode {
  const node = nodes.find((entry) => entry.node === number);
  if (node === undefined) throw new RangeError(`the vault has no node ${number}`);
  return node;
}

/**
 * Makes the bytes of a node's manifest. The same vault and keys always make the same bytes, so that PCR16 does not change
 * by making it again.
 *
 * @throws VaultError VAULT_KEY_MISPLACED where a key is not of the node's own account and Region, or is another key of the
 *   vault; ManifestError MANIFEST_MALFORMED for an ARN that no manifest can name
 */
export function deriveManifest(
  document: VaultDocument,
  number: number,
  { keyArn, signingKey }: NodeKeys,
): Uint8Array {
  const { account, region = document.region, configurationAuthority, recovery } = findNode(document, number);
  const [, , , keyRegion, keyAccount] = keyArn.split(':');
  const differs = keyAccount !== account ? 'account' : keyRegion !== region ? 'region' : undefined;
  if (differs !== undefined) {
    throw new VaultError('VAULT_KEY_MISPLACED', 'the KMS key is not in the account and Region of its node', {
      role: roleOfNode(number),
      field: differs,
      expected: differs === 'account' ? account : region,
      actual: differs === 'account' ? keyAccount : keyRegion,
    });
  }
  if ((signingKey !== null) !== configurationAuthority.function) {
    throw new VaultError(
      'VAULT_KEY_MISPLACED',
      configurationAuthority.function
        ? 'the function should be an authority, and its stack names no signing key'
        : 'the function is no authority by vault.yaml, and a signing key is given',
      { role: roleOfNode(number), field: 'signingKey' },
    );
  }
  if (signingKey !== null && isNamed(document, signingKey)) {
    throw new VaultError(
      'VAULT_KEY_MISPLACED',
      'the signing key of the function stands in vault.yaml already',
      {
        role: roleOfNode(number),
        field: 'signingKey',
      },
    );
  }
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    namespace: document.namespace,
    environment: document.environment,
    node: number,
    quorum: { size: document.nodes.length, threshold: document.threshold },
    kms: { keyArn, region },
    configurationAuthority: {
      threshold: configurationAuthority.threshold,
      keys: [...configurationAuthority.keys, ...(signingKey === null ? [] : [signingKey])],
    },
    emergencyRecovery: { publicKey: recovery.publicKey },
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  parseManifest(bytes);
  return new Uint8Array(bytes);
}

/**
 * Measures a manifest that somebody has handed over, and asserts that vault.yaml describes the same node: everything but
 * the keys that the node's stack has made.
 *
 * @throws VaultError VAULT_MANIFEST_DIFFERS; ManifestError MANIFEST_MALFORMED
 */
export function readNodeManifest(document: VaultDocument, number: number, bytes: Uint8Array): NodeManifest {
  const manifest = parseManifest(bytes);
  const { configurationAuthority } = findNode(document, number);
  const own = new Set(configurationAuthority.keys);
  const [signingKey = null] = manifest.configurationAuthority.keys.filter((key) => !own.has(key));
  const keys = {
    keyArn: manifest.kms.keyArn,
    signingKey: configurationAuthority.function ? signingKey : null,
  };
  let expected: Uint8Array | undefined;
  try {
    expected = deriveManifest(document, number, keys);
  } catch (error) {
    throw new VaultError(
      'VAULT_MANIFEST_DIFFERS',
      'the manifest is not the one that vault.yaml describes',
      {
        role: roleOfNode(number),
      },
      error,
    );
  }
  if (!Buffer.from(expected).equals(bytes)) {
    throw new VaultError('VAULT_MANIFEST_DIFFERS', 'the manifest is not the one that vault.yaml describes', {
      role: roleOfNode(number),
    });
  }
  return measureManifest(bytes);
}

/** Parses and measures a manifest. @throws ManifestError MANIFEST_MALFORMED */
export function measureManifest(bytes: Uint8Array): NodeManifest {
  return {
    manifest: parseManifest(bytes),
    digest: Buffer.from(digestManifest(bytes)).toString('hex'),
    pcr16: Buffer.from(computeManifestPcr(bytes)).toString('hex'),
  };
}

function isNamed({ infrastructure, nodes, clients }: VaultDocument, key: string): boolean {
  return [
    infrastructure.statementKey,
    ...nodes.flatMap((node) => [
      node.statementKey,
      node.recovery.publicKey,
      ...node.configurationAuthority.keys,
    ]),
    ...clients.map(({ publicKey }) => publicKey),
  ].includes(key);
}
