import {
  AttestationVerifier,
  PCR_BYTES,
  unsafeParseAttestationDocument,
  type PcrValues,
} from '../../attestation/index.ts';
import type { RecipientVerifier } from './model/recipient.ts';

/** Maximum age of a document in milliseconds: KMS wants one that was made for the request. */
const MAX_AGE = 300_000;

/**
 * Creates a verifier of recipients as KMS has it, under a trust anchor (a certificate in DER): the document is genuine,
 * valid now, and of an enclave that is not in debug mode. The key policy decides which measurements are good.
 */
export function createRecipientVerifier(root: Uint8Array): RecipientVerifier {
  const verifier = new AttestationVerifier();
  return (document, now) => {
    const pcrs = ownClaim(document);
    const verified = verifier.verify(document, { root, at: now, maxAgeMs: MAX_AGE, pcrs });
    return { pcrs: verified.pcrs, publicKey: verified.publicKey ?? undefined };
  };
}

/** Reads PCR0 of the document itself as the expected value: the verifier does not run without a PCR to expect. */
function ownClaim(document: Uint8Array): PcrValues {
  const claimed = unsafeParseAttestationDocument(document).payload.pcrs.get(0);
  // A PCR of another length is refused by the document's own rules before the comparison.
  return new Map([[0, claimed?.length === PCR_BYTES ? claimed : new Uint8Array(PCR_BYTES)]]);
}
