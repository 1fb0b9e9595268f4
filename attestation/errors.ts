import type { DerErrorCode } from '../shared/asn1/errors.ts';
import type { CborErrorCode } from '../shared/cbor/index.ts';
import { HoldfastError } from '../shared/errors.ts';

/** Refusals of the COSE_Sign1 message. */
export type CoseErrorCode =
  | 'COSE_ALGORITHM'
  | 'COSE_CRITICAL'
  | 'COSE_PAYLOAD_LENGTH'
  | 'COSE_PROTECTED_HEADER'
  | 'COSE_SIGNATURE'
  | 'COSE_SIGNATURE_LENGTH'
  | 'COSE_STRUCTURE'
  | 'COSE_UNPROTECTED_HEADER';

/** Refusals of the payload's fields, and of files that hold no document. */
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
  /** The timestamp is not in milliseconds since 1970, or before AWS signed such documents. */
  | 'DOCUMENT_TIMESTAMP'
  | 'DOCUMENT_TOO_LARGE';

/** Refusals of a certificate, of its place in the chain, or of the root. */
export type CertificateErrorCode =
  | 'CERTIFICATE_ALGORITHM'
  /** notBefore is after notAfter. */
  | 'CERTIFICATE_DATES'
  | 'CERTIFICATE_BASIC_CONSTRAINTS'
  | 'CERTIFICATE_CRITICAL_EXTENSION'
  /** The public key names another curve than P-384. */
  | 'CERTIFICATE_CURVE'
  | 'CERTIFICATE_DUPLICATE_EXTENSION'
  /** A file of text that is not one certificate in PEM. */
  | 'CERTIFICATE_ENCODING'
  | 'CERTIFICATE_EXPIRED'
  /** The issuer's name is not the subject of the certificate before. */
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
  /** The public key is no point on P-384. */
  | 'CERTIFICATE_PUBLIC_KEY'
  | 'CERTIFICATE_SERIAL'
  | 'CERTIFICATE_SIGNATURE'
  | 'CERTIFICATE_UNIQUE_ID'
  | 'CERTIFICATE_VERSION'
  /** The first certificate of the cabundle is not the caller's root, byte for byte. */
  | 'ROOT_MISMATCH';

/** Refusals of a genuine document that is not the one that the caller expects. */
export type DecisionErrorCode =
  | 'DEBUG_ENCLAVE'
  | 'DOCUMENT_FROM_FUTURE'
  | 'DOCUMENT_TOO_OLD'
  | 'NONCE_MISMATCH'
  /** PCR0, PCR1 or PCR2 is missing, without which debug mode cannot be ruled out. */
  | 'PCR_IMAGE_MISSING'
  /** PCR4 is not the measurement of the instance that module_id names. */
  | 'PCR_INSTANCE'
  | 'PCR_MISMATCH'
  | 'PCR_MISSING'
  | 'PUBLIC_KEY_MISMATCH'
  | 'USER_DATA_MISMATCH';

/** Refusals of a pcr.json. */
export type PcrFileErrorCode =
  | 'PCR_FILE_DUPLICATE'
  | 'PCR_FILE_HASH_ALGORITHM'
  /** PCR0, PCR1 or PCR2 is not named; for a NitroTPM, no PCR that measures what was booted. */
  | 'PCR_FILE_INCOMPLETE'
  | 'PCR_FILE_JSON'
  | 'PCR_FILE_STRUCTURE'
  | 'PCR_FILE_UNKNOWN_KEY'
  | 'PCR_FILE_VALUE'
  /** PCR0, PCR1 or PCR2 is zero: measurements of a debug enclave. */
  | 'PCR_FILE_ZERO';

/** Every code of {@link AttestationError}; docs/codes.md explains each of them. */
export type AttestationErrorCode =
  | CborErrorCode
  | DerErrorCode
  | CoseErrorCode
  | DocumentErrorCode
  | CertificateErrorCode
  | DecisionErrorCode
  | PcrFileErrorCode;

/** The place of a fault, and what was expected and found there: bytes in lower-case hex, times in ISO 8601. */
export type AttestationErrorDetails = {
  /** A field of the attestation document, or `protected`, `payload`, `document` or `root`; for a pcr.json the key. */
  readonly field?: string;
  /** Position in `cabundle`, from 0, or the number of a PCR. */
  readonly index?: number;
  readonly expected?: string | number | null;
  /** Null where nothing was found. */
  readonly actual?: string | number | null;
  /** Byte at which the fault showed, from the start of `field`. */
  readonly offset?: number;
};

/**
 * Refusal of a document, a certificate or a pcr.json. `code` is stable, `details` say where the fault is and what was
 * expected; the message is for people and may change.
 */
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
