import type { DerErrorCode } from '../shared/asn1/errors.ts';
import type { CborErrorCode } from '../shared/cbor/index.ts';
import { HoldfastError } from '../shared/errors.ts';

export type CoseErrorCode =
  | 'COSE_ALGORITHM'
  | 'COSE_CRITICAL'
  | 'COSE_PAYLOAD_LENGTH'
  | 'COSE_PROTECTED_HEADER'
  | 'COSE_SIGNATURE'
  | 'COSE_SIGNATURE_LENGTH'
  | 'COSE_STRUCTURE'
  | 'COSE_UNPROTECTED_HEADER';

export type DocumentErrorCode =
  | 'DOCUMENT_CABUNDLE_LENGTH'
  | 'DOCUMENT_DIGEST'
  /** A file of text that is neither hex nor base64. */
  | 'DOCUMENT_ENCODING'
  | 'DOCUMENT_FIELD_LENGTH'
  | 'DOCUMENT_FIELD_MISSING'
  | 'DOCUMENT_FIELD_TYPE'
  | 'DOCUMENT_FIELD_UNKNOWN'
  /** An enclave's document where one of NitroTPM was asked for, or the other way round. */
  | 'DOCUMENT_KIND'
  | 'DOCUMENT_MODULE_ID'
  | 'DOCUMENT_PCR_COUNT'
  | 'DOCUMENT_PCR_INDEX'
  | 'DOCUMENT_PCR_LENGTH'
  /** Not milliseconds since 1970 of a time at which AWS signed such documents. */
  | 'DOCUMENT_TIMESTAMP'
  | 'DOCUMENT_TOO_LARGE';

export type CertificateErrorCode =
  | 'CERTIFICATE_ALGORITHM'
  /** notBefore after notAfter. */
  | 'CERTIFICATE_DATES'
  | 'CERTIFICATE_BASIC_CONSTRAINTS'
  | 'CERTIFICATE_CRITICAL_EXTENSION'
  /** The public key is not one on P-384, by its name. */
  | 'CERTIFICATE_CURVE'
  | 'CERTIFICATE_DUPLICATE_EXTENSION'
  /** A file of text that is not one certificate in PEM. */
  | 'CERTIFICATE_ENCODING'
  | 'CERTIFICATE_EXPIRED'
  /** Its issuer is not the subject of the one before. */
  | 'CERTIFICATE_ISSUER'
  | 'CERTIFICATE_KEY_USAGE'
  /** The leaf is a CA, or may sign certificates. */
  | 'CERTIFICATE_LEAF_SIGNS'
  | 'CERTIFICATE_NAME'
  | 'CERTIFICATE_NOT_CA'
  | 'CERTIFICATE_NOT_YET_VALID'
  | 'CERTIFICATE_PATH_LENGTH'
  /** The public key is not an uncompressed point of 97 bytes. */
  | 'CERTIFICATE_POINT'
  /** The public key is no point of the curve. */
  | 'CERTIFICATE_PUBLIC_KEY'
  | 'CERTIFICATE_SERIAL'
  | 'CERTIFICATE_SIGNATURE'
  | 'CERTIFICATE_UNIQUE_ID'
  | 'CERTIFICATE_VERSION'
  /** The first of the cabundle is not the root that was asked for, byte for byte. */
  | 'ROOT_MISMATCH';

export type DecisionErrorCode =
  | 'DEBUG_ENCLAVE'
  | 'DOCUMENT_FROM_FUTURE'
  | 'DOCUMENT_TOO_OLD'
  | 'NONCE_MISMATCH'
  /** PCR0, PCR1 or PCR2 is missing, and nobody could tell whether the enclave is in debug mode. */
  | 'PCR_IMAGE_MISSING'
  /** PCR4 is not the measurement of the instance that module_id names. */
  | 'PCR_INSTANCE'
  | 'PCR_MISMATCH'
  | 'PCR_MISSING'
  | 'PUBLIC_KEY_MISMATCH'
  | 'USER_DATA_MISMATCH';

export type PcrFileErrorCode =
  | 'PCR_FILE_DUPLICATE'
  | 'PCR_FILE_HASH_ALGORITHM'
  /** PCR0, PCR1 or PCR2 is not named; of a NitroTPM: no PCR that says what was booted. */
  | 'PCR_FILE_INCOMPLETE'
  | 'PCR_FILE_JSON'
  | 'PCR_FILE_STRUCTURE'
  | 'PCR_FILE_UNKNOWN_KEY'
  | 'PCR_FILE_VALUE'
  /** PCR0, PCR1 or PCR2 is zero: measurements of a debug enclave. */
  | 'PCR_FILE_ZERO';

export type AttestationErrorCode =
  | CborErrorCode
  | DerErrorCode
  | CoseErrorCode
  | DocumentErrorCode
  | CertificateErrorCode
  | DecisionErrorCode
  | PcrFileErrorCode;

/** Where something is wrong, and what was expected there: bytes in lower-case hex, times in ISO 8601. */
export type AttestationErrorDetails = {
  /** The field of the attestation document, `protected`, `payload`, `document` or `root`; for pcr.json its key. */
  readonly field?: string;
  /** The place in `cabundle`, or the PCR. */
  readonly index?: number;
  readonly expected?: string | number | null;
  readonly actual?: string | number | null;
  /** The byte where it showed, from the start of that field. */
  readonly offset?: number;
};

/** The one refusal of a document, a certificate or a pcr.json. */
export class AttestationError extends HoldfastError<AttestationErrorCode> {
  declare readonly details: AttestationErrorDetails;

  constructor(
    code: AttestationErrorCode,
    message: string,
    details: AttestationErrorDetails = {},
    cause?: unknown,
  ) {
    super(code, message, { ...details }, cause);
  }
}
