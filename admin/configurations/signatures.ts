import { DsseError, type Envelope, verifyEnvelope } from '../../shared/dsse/index.ts';
import { CONFIGURATION_PAYLOAD_TYPE } from '../../shared/documents/configuration.ts';
import type { NodeManifest } from '../../shared/documents/manifest.ts';

/** A signature of an envelope, and whether it is one of that key over these bytes. */
export interface CheckedSignature {
  /** Raw Ed25519 public key, hex. */
  readonly key: string;
  readonly isValid: boolean;
}

/** Each key once. */
export function checkSignatures(envelope: Envelope): CheckedSignature[] {
  const keys = new Set(envelope.signatures.map(({ keyid }) => keyid));
  return [...keys].map((key) => ({ key, isValid: hasSigned(envelope, key) }));
}

function hasSigned(envelope: Envelope, key: string): boolean {
  try {
    verifyEnvelope(envelope, {
      payloadType: CONFIGURATION_PAYLOAD_TYPE,
      keys: [key],
      threshold: 1,
      digests: true,
    });
    return true;
  } catch (error) {
    if (error instanceof DsseError) return false;
    throw error;
  }
}

/** A signature, and whether it counts towards the threshold of a manifest. */
export interface ClassifiedSignature extends CheckedSignature {
  /** In words, for people. */
  readonly verdict: string;
  readonly counts: boolean;
}

/** Each key once, against the authorities of a manifest; any key is one where the manifest is left out. */
export function classifySignatures(
  envelope: Envelope,
  manifest?: Pick<NodeManifest, 'configurationAuthority'>,
): ClassifiedSignature[] {
  const authorities = manifest?.configurationAuthority.keys;
  return checkSignatures(envelope).map(({ key, isValid }) => {
    const isAuthority = authorities?.includes(key) ?? true;
    const verdict = !isValid ? 'DOES NOT VERIFY' : isAuthority ? 'good' : 'NO AUTHORITY of this manifest';
    return { key, isValid, verdict, counts: isValid && isAuthority };
  });
}
