import type { AttestationErrorCode } from '../attestation/browser.ts';

const NOT_A_DOCUMENT = 'This file is no attestation document, or it was damaged on its way.';
const BROKEN_ENCODING =
  'The document is written in a way that two programs could read differently. AWS never writes it so: somebody else did.';
const BROKEN_CERTIFICATE =
  'A certificate in the document is not written as certificates are. AWS never writes them so: somebody else did.';
const BROKEN_FIELD = "A field of the document breaks AWS's own rules for it.";
const NOT_FROM_ROOT =
  'The signatures do not lead from the root that you trust to this document: somebody else made it, or it was changed since.';
const WRONG_ROLE =
  'A certificate is used for what it was not issued for: this is how somebody would sign with a stolen or bought one.';
const OTHER_TIME =
  'A certificate in the document is not valid at the time that you chose. They live for hours only.';
const OTHER_IMAGE = 'The enclave runs something other than the image of your pcr.json.';
const BAD_PCR_FILE = 'The pcr.json cannot be used; the document itself was not looked at.';
const OTHER_BINDING = 'The document is genuine perhaps, but it was not made for this question.';

/** Meaning of each refusal for a reader who does not know the formats: one English sentence or two for every code. */
const EXPLANATIONS: Readonly<Record<AttestationErrorCode, string>> = {
  CBOR_BREAK: BROKEN_ENCODING,
  CBOR_DUPLICATE_KEY: 'The document says the same thing twice: two programs could each believe another one.',
  CBOR_FLOAT: BROKEN_ENCODING,
  CBOR_FORBIDDEN_KEY: BROKEN_ENCODING,
  CBOR_INDEFINITE: BROKEN_ENCODING,
  CBOR_KEY_TYPE: BROKEN_ENCODING,
  CBOR_NON_MINIMAL: BROKEN_ENCODING,
  CBOR_RESERVED: NOT_A_DOCUMENT,
  CBOR_SIMPLE_VALUE: BROKEN_ENCODING,
  CBOR_TAG: BROKEN_ENCODING,
  CBOR_TOO_DEEP: 'The file is built to exhaust whoever reads it.',
  CBOR_TOO_LARGE: 'The file is too large for an attestation document.',
  CBOR_TOO_MANY_ITEMS: 'The file is built to exhaust whoever reads it.',
  CBOR_TRAILING_BYTES: 'There is something after the end of the document.',
  CBOR_TRUNCATED: NOT_A_DOCUMENT,
  CBOR_UTF8: BROKEN_ENCODING,
  CBOR_WRONG_TYPE: NOT_A_DOCUMENT,
  COSE_ALGORITHM: 'The document is signed in another way than AWS signs.',
  COSE_CRITICAL: 'The document asks for something that AWS never asks for.',
  COSE_PAYLOAD_LENGTH: BROKEN_FIELD,
  COSE_PROTECTED_HEADER: 'The document asks for something that AWS never asks for.',
  COSE_SIGNATURE: NOT_FROM_ROOT,
  COSE_SIGNATURE_LENGTH: NOT_A_DOCUMENT,
  COSE_STRUCTURE: NOT_A_DOCUMENT,
  COSE_UNPROTECTED_HEADER: 'The document carries something that nobody signed.',
  DOCUMENT_CABUNDLE_LENGTH: BROKEN_FIELD,
  DOCUMENT_DIGEST: BROKEN_FIELD,
  DOCUMENT_ENCODING: 'This file is text, but not a document in hex, base64 or a node’s JSON.',
  DOCUMENT_FIELD_LENGTH: BROKEN_FIELD,
  DOCUMENT_FIELD_MISSING: BROKEN_FIELD,
  DOCUMENT_FIELD_TYPE: BROKEN_FIELD,
  DOCUMENT_FIELD_UNKNOWN: 'The document has a field that attestation documents do not have.',
  DOCUMENT_FROM_FUTURE: 'The document was signed after the time that you chose.',
  DOCUMENT_KIND: "The document is of another kind: one is an enclave's, the other that of a whole instance.",
  DOCUMENT_MODULE_ID: BROKEN_FIELD,
  DOCUMENT_PCR_COUNT: BROKEN_FIELD,
  DOCUMENT_PCR_INDEX: BROKEN_FIELD,
  DOCUMENT_PCR_LENGTH: BROKEN_FIELD,
  DOCUMENT_TIMESTAMP: BROKEN_FIELD,
  DOCUMENT_TOO_LARGE: 'The file is too large for an attestation document.',
  DOCUMENT_TOO_OLD: 'The document is older than you allow: it may be an old answer, kept and shown again.',
  DER_BIT_STRING: BROKEN_CERTIFICATE,
  DER_BIT_STRING_EMPTY: BROKEN_CERTIFICATE,
  DER_BOOLEAN: BROKEN_CERTIFICATE,
  DER_DEFAULT: BROKEN_CERTIFICATE,
  DER_INDEFINITE_LENGTH: BROKEN_CERTIFICATE,
  DER_INTEGER: BROKEN_CERTIFICATE,
  DER_LENGTH: BROKEN_CERTIFICATE,
  DER_OBJECT_IDENTIFIER: BROKEN_CERTIFICATE,
  DER_SET_ORDER: BROKEN_CERTIFICATE,
  DER_TAG: BROKEN_CERTIFICATE,
  DER_TIME: 'A certificate gives a date that does not exist, or in a form that certificates do not have.',
  DER_TRAILING_BYTES: BROKEN_CERTIFICATE,
  DER_TRUNCATED: BROKEN_CERTIFICATE,
  CERTIFICATE_ALGORITHM: 'A certificate is signed in another way than AWS signs.',
  CERTIFICATE_BASIC_CONSTRAINTS: BROKEN_CERTIFICATE,
  CERTIFICATE_CRITICAL_EXTENSION:
    'A certificate says something that must be understood, and that AWS never says.',
  CERTIFICATE_CURVE: 'A certificate holds another kind of key than AWS uses.',
  CERTIFICATE_DATES: 'A certificate ends before it begins.',
  CERTIFICATE_DUPLICATE_EXTENSION: BROKEN_CERTIFICATE,
  CERTIFICATE_ENCODING: 'The root that you chose is not one certificate in PEM or DER.',
  CERTIFICATE_EXPIRED: OTHER_TIME,
  CERTIFICATE_ISSUER:
    'The certificates do not follow from one another: one is missing, or in the wrong place.',
  CERTIFICATE_KEY_USAGE: WRONG_ROLE,
  CERTIFICATE_LEAF_SIGNS: WRONG_ROLE,
  CERTIFICATE_NAME: BROKEN_CERTIFICATE,
  CERTIFICATE_NOT_CA: WRONG_ROLE,
  CERTIFICATE_NOT_YET_VALID: OTHER_TIME,
  CERTIFICATE_PATH_LENGTH: WRONG_ROLE,
  CERTIFICATE_POINT: 'A certificate holds a key in another form than AWS writes.',
  CERTIFICATE_PUBLIC_KEY: 'A certificate holds a key that cannot exist.',
  CERTIFICATE_SERIAL: BROKEN_CERTIFICATE,
  CERTIFICATE_SIGNATURE: NOT_FROM_ROOT,
  CERTIFICATE_UNIQUE_ID: BROKEN_CERTIFICATE,
  CERTIFICATE_VERSION: BROKEN_CERTIFICATE,
  ROOT_MISMATCH:
    "The document does not rest on the root that you trust: AWS's own, unless you chose another.",
  DEBUG_ENCLAVE:
    'The enclave runs in debug mode: whoever runs it can read its memory, secrets included. Its first measurements are zero.',
  NONCE_MISMATCH: OTHER_BINDING,
  PCR_IMAGE_MISSING: 'The document does not say what image runs.',
  PCR_INSTANCE: 'The document names one instance and was measured on another.',
  PCR_MISMATCH: OTHER_IMAGE,
  PCR_MISSING: OTHER_IMAGE,
  PUBLIC_KEY_MISMATCH: OTHER_BINDING,
  USER_DATA_MISMATCH: OTHER_BINDING,
  PCR_FILE_DUPLICATE: BAD_PCR_FILE,
  PCR_FILE_HASH_ALGORITHM: BAD_PCR_FILE,
  PCR_FILE_INCOMPLETE:
    'The pcr.json does not name all of PCR0, PCR1 and PCR2: less would leave out what runs.',
  PCR_FILE_JSON: BAD_PCR_FILE,
  PCR_FILE_STRUCTURE: BAD_PCR_FILE,
  PCR_FILE_UNKNOWN_KEY: BAD_PCR_FILE,
  PCR_FILE_VALUE: BAD_PCR_FILE,
  PCR_FILE_ZERO: 'The pcr.json is that of an enclave in debug mode, whose memory anybody may read.',
};

/** Returns the meaning of a refusal. */
export function explain(code: AttestationErrorCode): string {
  return EXPLANATIONS[code];
}
