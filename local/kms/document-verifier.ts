import {
  AttestationVerifier,
  PCR_BYTES,
  unsafeParseAttestationDocument,
  type PcrValues,
} from '../../attestation/index.ts';
import type { RecipientVerifier } from './recipient.ts';

/** KMS wants a document that was made for the request. */
const MAX_AGE = 300_000;

/**
 * Verifies recipients as KMS does, under the trust anchor given (a certificate in DER): genuine, valid now, of an
 * enclave that is not in debug mode. Which measurements are good is up to the key policy.
 */
export function createRecipientVerifier(root: Uint8Array): RecipientVerifier {
  const verifier = new AttestationVerifier();
  return (document, now) => {
    const pcrs = ownClaim(document);
    const verified = verifier.verify(document, { root, at: now, maxAgeMs: MAX_AGE, pcrs });
    return { pcrs: verified.pcrs, publicKey: verified.publicKey ?? undefined };
  };
}

/** The verifier does not run without a PCR to expect; here it is the document's own. */
function ownClaim(document: Uint8Array): PcrValues {
  const claimed = unsafeParseAttestationDocument(document).payload.pcrs.get(0);
  // One of another length is refused by the document's own rules before it is compared.
  return new Map([[0, claimed?.length === PCR_BYTES ? claimed : new Uint8Array(PCR_BYTES)]]);
}
