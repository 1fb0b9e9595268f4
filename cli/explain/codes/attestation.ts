import type { CodeArea } from './area.ts';

const WHO = 'whoever verifies an attestation document: `attestation verify`, the page, the client, the gate';

export const ATTESTATION_CODES: readonly CodeArea[] = [
  {
    title: 'Attestation: the verdict',
    who: WHO,
    next: 'Trust nothing that this enclave says until you know why.',
    codes: {
      CERTIFICATE_ENCODING: [
        'the file given as root is text, but not one certificate in PEM',
        'Give one certificate, in PEM or DER.',
      ],
      DEBUG_ENCLAVE: [
        'PCR0, PCR1 and PCR2 are zero: the enclave runs in debug mode, and its parent can read its memory',
        'Start the enclave without --debug-mode. --allow-debug shows such a document, which proves nothing.',
      ],
      DOCUMENT_ENCODING: [
        'the file is text that is neither hex nor base64',
        'Give the document as it came: binary, hex, base64, or the JSON in which a node answers.',
      ],
      DOCUMENT_FROM_FUTURE: [
        'it was signed later than the time of the verdict',
        'Set the clock of this machine, or correct --at; --clock-skew allows for more difference.',
      ],
      DOCUMENT_TOO_OLD: [
        'it is older than --max-age allows: it may be an old answer, shown again',
        'Ask the enclave for a new document, with a nonce.',
      ],
      NONCE_MISMATCH: [
        'it does not carry the nonce that was asked for: it was made for another question',
        'Ask anew with a fresh nonce, and give that one.',
      ],
      PCR_IMAGE_MISSING: 'PCR0, PCR1 or PCR2 is not in the document: nobody can tell what runs',
      PCR_INSTANCE: 'PCR4 is not the measurement of the instance that module_id names',
      PCR_MISMATCH: [
        'a PCR has another value than pcr.json says: another image, manifest or role runs',
        'Compare both by "holdfast pcrs diff"; if the image was to change, have its new pcr.json from whoever built it.',
      ],
      PCR_MISSING: ['a PCR that pcr.json names is not in the document', 'Compare as for PCR_MISMATCH.'],
      PUBLIC_KEY_MISMATCH: 'it carries another public key than the one expected',
      ROOT_MISMATCH: [
        "it does not rest on the trust anchor: AWS's root, or the one that --root named",
        "A document of a stand-in needs --root with the stand-in's root; one of AWS needs no --root.",
      ],
      USER_DATA_MISMATCH: 'it carries other user data than expected',
    },
  },
  {
    title: 'Attestation: the document itself',
    who: WHO,
    next: 'Get the document again, as bytes; if it comes the same way, somebody other than AWS wrote it.',
    codes: {
      COSE_ALGORITHM: 'it is not signed by ES384, the one algorithm that AWS uses',
      COSE_CRITICAL: 'the header asks for extensions that must be understood, and AWS asks for none',
      COSE_PAYLOAD_LENGTH: 'the payload is empty or over 16 KiB',
      COSE_PROTECTED_HEADER: 'the protected header says more than the algorithm',
      COSE_SIGNATURE: "the signature is not one of the leaf certificate's key over this document",
      COSE_SIGNATURE_LENGTH: 'the signature is not 96 bytes long',
      COSE_STRUCTURE: 'not a COSE_Sign1: an array of four, with tag 18 or without',
      COSE_UNPROTECTED_HEADER: 'the unprotected header is not empty: nobody signs what stands there',
      DOCUMENT_CABUNDLE_LENGTH: 'the cabundle has no certificate or too many, or one is empty or too long',
      DOCUMENT_DIGEST: 'digest is not SHA384',
      DOCUMENT_FIELD_LENGTH: 'public_key, user_data or nonce is longer than AWS allows',
      DOCUMENT_FIELD_MISSING: 'a field that every document has is not there',
      DOCUMENT_FIELD_TYPE: 'a field is of another type than it must be',
      DOCUMENT_FIELD_UNKNOWN: 'a field that no attestation document has',
      DOCUMENT_KIND: [
        "an enclave's document where a NitroTPM's was asked for, or the other way round",
        "Give --nitrotpm for the document of an instance's NitroTPM, and not for an enclave's.",
      ],
      DOCUMENT_MODULE_ID: 'module_id is empty, too long, or not of printable characters',
      DOCUMENT_PCR_COUNT: 'no PCR at all, or more than 32',
      DOCUMENT_PCR_INDEX: 'a PCR outside of 0 to 31',
      DOCUMENT_PCR_LENGTH: 'a PCR that is not 48 bytes long',
      DOCUMENT_TIMESTAMP: 'timestamp is not milliseconds of a time at which AWS signed such documents',
      DOCUMENT_TOO_LARGE: 'more bytes than any document has',
    },
  },
  {
    title: 'pcr.json',
    who: 'whoever reads a pcr.json, before any document is looked at',
    next: 'Take the pcr.json again from the build of the image, or from whoever answers for it.',
    codes: {
      PCR_FILE_DUPLICATE: 'it names a PCR twice, in whatever spelling',
      PCR_FILE_HASH_ALGORITHM: 'HashAlgorithm is not SHA-384',
      PCR_FILE_INCOMPLETE: 'it does not name all of PCR0, PCR1 and PCR2: less would leave out what runs',
      PCR_FILE_JSON: 'not JSON, or a member twice',
      PCR_FILE_STRUCTURE: 'no object of measurements',
      PCR_FILE_UNKNOWN_KEY: 'a key that is no PCR from 0 to 31',
      PCR_FILE_VALUE: 'a value that is not 96 hex digits',
      PCR_FILE_ZERO: [
        'PCR0, PCR1 or PCR2 is zero: measurements of an enclave in debug mode',
        'Use the measurements that the build printed, not those of a debug enclave.',
      ],
    },
  },
];
