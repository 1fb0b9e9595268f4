import { openConfiguration } from '../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../shared/documents/errors.ts';
import type { NodeManifest } from '../../shared/documents/manifest.ts';
import { AdminError } from '../errors.ts';
import { encodeEnvelope } from './envelope.ts';
import type { ConfigurationFile } from './file.ts';
import { classifySignatures } from './signatures.ts';

/** The node that a configuration has to fit: its manifest, and the SHA-384 of the manifest's bytes. */
export interface ConfiguredNode {
  readonly manifest: NodeManifest;
  readonly digest: Uint8Array;
}

/** @throws ConfigurationError CONFIGURATION_OTHER_MANIFEST */
export function assertNamesManifest({ configuration }: ConfigurationFile, { digest }: ConfiguredNode): void {
  const expected = Buffer.from(digest).toString('hex');
  if (configuration.manifest === expected) return;
  throw new ConfigurationError('CONFIGURATION_OTHER_MANIFEST', 'the configuration is for another manifest', {
    expected,
    actual: configuration.manifest,
  });
}

/**
 * Assures that whoever is about to sign may configure the node.
 *
 * @param publicKey raw Ed25519 public key, hex
 * @throws AdminError KEY_NOT_AUTHORITY
 */
export function assertAuthority(publicKey: string, { configurationAuthority: { keys } }: NodeManifest): void {
  if (keys.includes(publicKey)) return;
  throw new AdminError('KEY_NOT_AUTHORITY', 'the manifest does not name this key', {
    key: publicKey,
    authorities: keys,
  });
}

/**
 * Verifies a configuration as the node itself does, with a refusal that says who has signed.
 *
 * @returns the authorities that have signed, raw Ed25519 public keys in hex
 * @throws ConfigurationError
 */
export function verifyConfiguration(file: ConfigurationFile, node: ConfiguredNode): readonly string[] {
  const { threshold } = node.manifest.configurationAuthority;
  const envelope = file.isPlain ? encodeEnvelope(file.envelope) : file.bytes;
  try {
    return openConfiguration(Buffer.from(envelope), node).signers;
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.code !== 'CONFIGURATION_UNDER_SIGNED') throw error;
    const signatures = classifySignatures(file.envelope, node.manifest);
    throw new ConfigurationError(error.code, error.message, {
      expected: threshold,
      actual: signatures.filter(({ counts }) => counts).length,
      signatures: signatures.map(({ key, verdict }) => `${key}: ${verdict}`),
    });
  }
}
