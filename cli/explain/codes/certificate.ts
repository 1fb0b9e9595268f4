import type { CodeArea } from './area.ts';

const WHO = 'whoever verifies an attestation document, about a certificate in its cabundle or its leaf';

export const CERTIFICATE_CODES: readonly CodeArea[] = [
  {
    title: 'Certificates of an attestation document',
    who: WHO,
    next: 'Get the document again; if it comes the same way, somebody other than AWS issued this chain.',
    codes: {
      CERTIFICATE_ALGORITHM: 'it is not signed by ecdsa-with-SHA384',
      CERTIFICATE_BASIC_CONSTRAINTS: 'basic constraints are missing or malformed',
      CERTIFICATE_CRITICAL_EXTENSION: 'a critical extension that AWS does not use',
      CERTIFICATE_CURVE: 'its key is not on P-384',
      CERTIFICATE_DATES: 'it ends before it begins',
      CERTIFICATE_DUPLICATE_EXTENSION: 'an extension twice',
      CERTIFICATE_EXPIRED: [
        'it was over at the time of the verdict: leaf certificates live three hours',
        'Ask for a new document; for one that was kept as a record give --at document.',
      ],
      CERTIFICATE_ISSUER: 'its issuer is not the subject of the one before: one is missing, or out of place',
      CERTIFICATE_KEY_USAGE: 'its key usage does not fit its place in the chain',
      CERTIFICATE_LEAF_SIGNS: 'the leaf may sign certificates',
      CERTIFICATE_NAME: 'a name is missing or malformed',
      CERTIFICATE_NOT_CA: 'it is no authority, and another certificate stands below it',
      CERTIFICATE_NOT_YET_VALID: [
        'it begins after the time of the verdict',
        'Set the clock of this machine, or correct --at.',
      ],
      CERTIFICATE_PATH_LENGTH: 'more certificates stand below it than it allows',
      CERTIFICATE_POINT: 'its key is not an uncompressed point',
      CERTIFICATE_PUBLIC_KEY: 'its key is no point of the curve',
      CERTIFICATE_SERIAL: 'its serial number is not one of RFC 5280',
      CERTIFICATE_SIGNATURE: 'its issuer did not sign it',
      CERTIFICATE_UNIQUE_ID: 'it has a unique identifier, which RFC 5280 forbids',
      CERTIFICATE_VERSION: 'it is not of version 3',
    },
  },
  {
    title: 'DER and BER',
    who: WHO,
    next: 'Get the document again; if it comes the same way, somebody other than AWS wrote this certificate.',
    codes: {
      BER_MALFORMED: [
        "KMS's envelope is not one BER element that fills it: it was cut or altered",
        'Find out who answers in place of KMS, and use nothing of that answer.',
      ],
      DER_BIT_STRING: 'a bit string with unused bits that are set, or where none may be',
      DER_BIT_STRING_EMPTY: 'a bit string without even the octet that counts its unused bits',
      DER_BOOLEAN: 'a boolean other than 00 and FF',
      DER_DEFAULT: 'a value spelt out that equals its default',
      DER_INDEFINITE_LENGTH: 'an indefinite length, which DER does not have',
      DER_INTEGER: 'an integer that is not in its shortest form, or too long',
      DER_LENGTH: 'a length that is not in its shortest form, or too long',
      DER_OBJECT_IDENTIFIER: 'a malformed object identifier',
      DER_SET_ORDER: 'the members of a set out of order',
      DER_TAG: 'something else than belongs there',
      DER_TIME: 'a date that does not exist, or in a form that certificates do not have',
      DER_TRAILING_BYTES: 'bytes after the end',
      DER_TRUNCATED: 'it ends too early',
    },
  },
];
