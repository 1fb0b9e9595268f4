import type { KeyObject } from 'node:crypto';
import { EifError } from './errors.ts';
import type { EifSigner } from './signature.ts';

/** SEC 1, C.4, as OpenSSL writes it: sequence, version 1, and a private key of 48 bytes. */
const SCALAR_OFFSET = 8;
const SCALAR_BYTES = 48;

/**
 * A signer with a P-384 private key in memory. Its nonces are derived from key and message (RFC 6979), so that the
 * same image gives the same file.
 * @param certificate PEM
 * @throws EifError EIF_SIGNING_KEY when the key is another
 */
export function createLocalSigner(privateKey: KeyObject, certificate: Uint8Array): EifSigner {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyDetails?.namedCurve !== 'secp384r1') {
    throw new EifError('EIF_SIGNING_KEY', 'images are signed with a private key on P-384', {
      expected: 'secp384r1',
      actual: privateKey.asymmetricKeyDetails?.namedCurve ?? privateKey.asymmetricKeyType,
    });
  }
  return {
    certificate,
    async sign(message) {
      // Only who signs needs it.
      const { p384 } = await import('@noble/curves/nist.js');
      const der = privateKey.export({ format: 'der', type: 'sec1' });
      try {
        const scalar = der.subarray(SCALAR_OFFSET, SCALAR_OFFSET + SCALAR_BYTES);
        return p384.sign(message, scalar, { lowS: false });
      } finally {
        der.fill(0);
      }
    },
  };
}
