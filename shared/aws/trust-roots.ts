import { hash } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { InternalError } from '../errors.ts';

/**
 * SHA-256 fingerprints of the roots of Amazon Trust Services, https://www.amazontrust.com/repository/: Amazon Root CA 1
 * to 4 and Starfield Services Root CA G2. The enclave trusts no other authority for AWS. Certificates of the European
 * Sovereign Cloud are issued under roots of its own, "Amazon Root EU", which public root stores do not have yet: CA 1,
 * 3 and 4 have issued cross certificates for those roots, which the server has to send. The isolated partitions have
 * other roots: `publicRoots` in partitions.ts.
 */
const AMAZON_ROOTS: ReadonlySet<string> = new Set([
  '8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e',
  '1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4',
  '18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4',
  'e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092',
  '568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5',
]);

/** Selects the roots of AWS endpoints, in PEM, from the root store of Node, which is in the measured image. */
export function amazonTrustRoots(): readonly string[] {
  const roots = rootCertificates.filter((pem) => AMAZON_ROOTS.has(fingerprint(pem)));
  if (roots.length !== AMAZON_ROOTS.size)
    throw new InternalError('the root store of this Node lacks roots of Amazon');
  return roots;
}

/** Computes the SHA-256 of the DER without parsing: to parse a hundred certificates takes some 30 ms. */
function fingerprint(pem: string): string {
  return hash('sha256', Buffer.from(pem.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64'));
}
