import { parseCertificate, type Certificate } from './certificate.ts';
import { parseCoseSign1, type CoseSign1 } from './cose-sign1.ts';
import { parseAttestationPayload, type AttestationPayload } from './document.ts';
import { AttestationError } from './errors.ts';
import { locate } from './location.ts';

/** A document of which nothing is verified: anybody could have written it. */
export interface UnverifiedDocument {
  readonly message: CoseSign1;
  readonly payload: AttestationPayload;
  /** Certificates from the root to the leaf; the refusal in place of one that cannot be parsed. */
  readonly certificates: readonly (Certificate | AttestationError)[];
}

/**
 * Parses a document for people to look at. **Nothing is verified**: only the syntax is checked, and anybody can write a
 * document that says anything.
 *
 * @param document binary COSE_Sign1, tagged or not, at most 16,640 bytes
 * @throws AttestationError `DOCUMENT_TOO_LARGE`, `CBOR_…`, `COSE_STRUCTURE`, `DOCUMENT_FIELD_…`, `DOCUMENT_KIND`,
 * `DOCUMENT_TIMESTAMP` for bytes that are no attestation document
 *
 * Source: AWS Nitro Enclaves User Guide, "Verifying the root of trust"; RFC 9052 section 4.2.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { decodeDocumentFile, unsafeParseAttestationDocument } from '@holdfast-nodes/holdfast/attestation';
 *
 * const document = decodeDocumentFile(await readFile('document.hex'));
 * const { payload, certificates } = unsafeParseAttestationDocument(document);
 * console.log(payload.kind, payload.moduleId); // enclave i-0123456789abcdef0-enc0123456789abcdef
 * console.log(certificates.length === payload.cabundle.length + 1); // true
 * ```
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
