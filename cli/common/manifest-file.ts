import { computeManifestPcr } from '../../attestation/index.ts';
import { digestManifest, type Manifest, parseManifest } from '../../shared/documents/manifest.ts';
import { type Io, readInput } from './command.ts';
import { inFile } from './in-file.ts';

/** Manifest on a disk: parsed by the enclave's own rules, and measured as the enclave does. */
export interface ManifestFile {
  readonly manifest: Manifest;
  /** SHA-384 of the manifest's bytes, hex: the digest that configurations name. */
  readonly digest: string;
  /** PCR16, hex. */
  readonly pcr16: string;
}

/**
 * Reads a manifest.
 * @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE; ManifestError MANIFEST_MALFORMED
 */
export async function readManifestFile(path: string, io: Io): Promise<ManifestFile> {
  const bytes = await readInput(path, io);
  return {
    manifest: inFile(path, () => parseManifest(bytes)),
    digest: Buffer.from(digestManifest(bytes)).toString('hex'),
    pcr16: Buffer.from(computeManifestPcr(bytes)).toString('hex'),
  };
}

/** Names a node in one line that tells it from all others. */
export function nameNode({ namespace, environment, node, quorum }: Manifest): string {
  return `${namespace}/${environment}, node ${node} of ${quorum.size}`;
}

export function describeManifest({ manifest, digest, pcr16 }: ManifestFile): string {
  const { quorum, kms, configurationAuthority, emergencyRecovery } = manifest;
  const { keys, threshold } = configurationAuthority;
  return [
    nameNode(manifest),
    `  quorum       ${quorum.threshold} of ${quorum.size} nodes sign`,
    `  KMS key      ${kms.keyArn}`,
    `  authorities  ${threshold} of ${keys.length} must sign a configuration:`,
    ...keys.map((key) => `               ${key}`),
    `  recovery     ${emergencyRecovery.publicKey}`,
    `  SHA-384      ${digest}`,
    `  PCR16        ${pcr16}`,
  ].join('\n');
}
