import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import { describeName } from './certificate-name.ts';
import { AWS_NITRO_ROOT_G1 } from './nitro-root.ts';
import type { VerifiedDocument } from './verdict.ts';

/** The root under which a document verified. Its holder can sign any document, so a verdict is worth no more than it. */
export interface TrustAnchor {
  /** Subject of the certificate, `CN=…, O=…`: a name that anybody may choose, no proof without the fingerprint. */
  readonly name: string;
  /** SHA-256 of the certificate in lower-case hex: the fingerprint that AWS publishes of its root. */
  readonly sha256: string;
  /** Whether the certificate is AWS's root G1, byte for byte. */
  readonly isAws: boolean;
}

/**
 * Describes the root that a document was verified against, for a person or a record.
 *
 * @throws RangeError for a document without certificates, which the verifier never returns
 *
 * Source: AWS Nitro Enclaves User Guide, "Verifying the root of trust", for the fingerprint.
 */
export function describeTrustAnchor({ certificates }: Pick<VerifiedDocument, 'certificates'>): TrustAnchor {
  const [root] = certificates;
  if (root === undefined)
    throw new RangeError('the document has no certificates: expected a verified document');
  const { der, subject } = root;
  return {
    name: describeName(subject),
    sha256: fingerprintOf(der),
    isAws: equalBytes(der, AWS_NITRO_ROOT_G1),
  };
}

/** Computes the fingerprint of a certificate in DER: SHA-256 in lower-case hex. */
export function fingerprintOf(der: Uint8Array): string {
  return bytesToHex(sha256(der));
}
