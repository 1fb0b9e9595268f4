import { createPublicKey } from 'node:crypto';
import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';

/** Finds a release that nobody could verify, or that only one person can reach. */
export function checkRelease({ release: { publicKey, from } }: VaultDocument): OpenFinding[] {
  const findings: OpenFinding[] = [];
  const at = { path: ['release', 'publicKey'] };
  if (publicKey === null) {
    findings.push({
      ...at,
      code: 'RELEASE_KEY_MISSING',
      severity: 'error',
      text: 'no key is named by which a release is verified: whoever can write to its place could give you another image',
      advice: 'Write the public key of the release (cosign.pub), from another way than the release itself.',
    });
  } else if (!isVerificationKey(publicKey)) {
    findings.push({
      ...at,
      code: 'RELEASE_KEY_UNUSABLE',
      severity: 'error',
      text: 'what stands there is no public key of ECDSA P-256, P-384 or Ed25519',
      advice: 'Copy cosign.pub whole, with its first and last line.',
    });
  }
  if (/^[./]/.test(from)) {
    findings.push({
      code: 'RELEASE_IN_FOLDER',
      severity: 'note',
      path: ['release', 'from'],
      text: `${from} is a folder of one machine: everybody needs a copy of the same release there`,
      advice: 'Name a bucket or a registry that all admins can read.',
    });
  }
  return findings;
}

function isVerificationKey(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    if (asymmetricKeyType === 'ed25519') return true;
    return (
      asymmetricKeyType === 'ec' &&
      ['prime256v1', 'secp384r1'].includes(asymmetricKeyDetails?.namedCurve ?? '')
    );
  } catch {
    return false;
  }
}
