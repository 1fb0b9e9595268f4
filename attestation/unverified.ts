import { parseCertificate, type Certificate } from './certificate.ts';
import { parseCoseSign1, type CoseSign1 } from './cose-sign1.ts';
import { parseAttestationPayload, type AttestationPayload } from './document.ts';
import { AttestationError } from './errors.ts';
import { locate } from './location.ts';

/** What a document says, with nothing verified: anybody could have written it. */
export interface UnverifiedDocument {
  readonly message: CoseSign1;
  readonly payload: AttestationPayload;
  /** From the root to the leaf; in place of a certificate that cannot be read, why not. */
  readonly certificates: readonly (Certificate | AttestationError)[];
}

/**
 * Takes a document apart for people to look at. It does not verify, nor apply any rule of `verifyAttestationDocument`
 * beyond syntax.
 *
 * @throws AttestationError for what is no attestation document at all
 */
export function unsafeParseAttestationDocument(document: Uint8Array): UnverifiedDocument {
  const message = parseCoseSign1(new Uint8Array(document));
  const payload = parseAttestationPayload(message.payload);
  const certificates = payload.cabundle.map((der, index) => tryParse(der, { field: 'cabundle', index }));
  certificates.push(tryParse(payload.certificate, { field: 'certificate' }));
  return { message, payload, certificates };
}

function tryParse(der: Uint8Array, place: { field: string; index?: number }): Certificate | AttestationError {
  try {
    return locate(place, () => parseCertificate(der));
  } catch (error) {
    if (error instanceof AttestationError) return error;
    throw error;
  }
}
