import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import { describeName } from './certificate-name.ts';
import { AWS_NITRO_ROOT_G1 } from './nitro-root.ts';
import type { VerifiedDocument } from './verdict.ts';

/** What a verdict rests on. Whoever issued it could have signed any document: a verdict is worth no more than its root. */
export interface TrustAnchor {
  /** Its subject, `CN=…, O=…`: anybody may choose any name, so it proves nothing without the fingerprint. */
  readonly name: string;
  /** SHA-256 of the certificate, in lower-case hex: what AWS publishes of its own. */
  readonly sha256: string;
  /** Whether it is AWS's root G1, byte for byte. */
  readonly isAws: boolean;
}

/** The root that a document was verified against. */
export function describeTrustAnchor({ certificates }: Pick<VerifiedDocument, 'certificates'>): TrustAnchor {
  const [root] = certificates;
  if (root === undefined) throw new RangeError('a verified document has a root');
  const { der, subject } = root;
  return {
    name: describeName(subject),
    sha256: fingerprintOf(der),
    isAws: equalBytes(der, AWS_NITRO_ROOT_G1),
  };
}

/** SHA-256 of a certificate in DER, in lower-case hex. */
export function fingerprintOf(der: Uint8Array): string {
  return bytesToHex(sha256(der));
}
