import type { CodeArea } from './area.ts';

/** Codes of encodings, which are read strictly, so that no two programs read the same bytes differently. */
export const ENCODING_CODES: readonly CodeArea[] = [
  {
    title: 'CBOR',
    who: 'whoever reads attestation documents, frames of the vsock, or signatures of an image; often as the cause of another code',
    next: 'Get the bytes again, without an editor or a text channel in between; a program that writes them so is not ours or not AWS.',
    codes: {
      CBOR_BREAK: 'a break outside of an indefinite-length map',
      CBOR_DUPLICATE_KEY: 'a key twice in one map',
      CBOR_FLOAT: 'a floating-point number',
      CBOR_FORBIDDEN_KEY: '__proto__ as a key',
      CBOR_INDEFINITE: 'an indefinite length where none is taken',
      CBOR_KEY_TYPE: 'a key that is neither an integer nor text, or not of the kind that belongs there',
      CBOR_NON_MINIMAL: 'a number or length that is not in its shortest form',
      CBOR_RESERVED: 'a reserved value (RFC 8949, section 3): usually the file is no CBOR at all',
      CBOR_SIMPLE_VALUE: 'undefined, or a simple value that nobody has assigned',
      CBOR_TAG: 'a tag where none is taken',
      CBOR_TOO_DEEP: 'nested deeper than such data ever are',
      CBOR_TOO_LARGE: 'longer than such data ever are',
      CBOR_TOO_MANY_ITEMS: 'more items than such data ever have',
      CBOR_TRAILING_BYTES: 'bytes after the end',
      CBOR_TRUNCATED: 'it ends too early: a download that broke off, or no CBOR at all',
      CBOR_UTF8: 'text that is not UTF-8',
      CBOR_WRONG_TYPE: 'not the map that belongs there',
    },
  },
  {
    title: 'JSON',
    who: 'whoever reads JSON: pcr.json, manifest, configuration, policies, requests; often as the cause of another code',
    next: 'Mend the file at the offset that the details name.',
    codes: {
      JSON_DUPLICATE_KEY: 'a member twice in one object',
      JSON_FORBIDDEN_KEY: '__proto__ as a member',
      JSON_NUMBER: 'a number that a double does not hold exactly',
      JSON_SYNTAX: 'no JSON from there on',
      JSON_TOO_DEEP: 'nested deeper than such a file ever is',
      JSON_TOO_LARGE: 'longer than such a file ever is',
      JSON_TRAILING_BYTES: 'something after the end',
      JSON_TRUNCATED: 'it ends too early',
      JSON_UNICODE: 'bytes that are not UTF-8, or half of a surrogate pair',
    },
  },
  {
    title: 'Signed envelopes (DSSE)',
    who: 'whoever opens a signed envelope; usually as the cause of a code of its content',
    next: 'Have the envelope again from whoever signed last.',
    codes: {
      DSSE_MALFORMED: 'not an envelope of the payload type that was asked for',
      DSSE_UNDER_SIGNED: [
        'fewer valid signatures of different authorities than are needed',
        'Have the other authorities sign the same envelope.',
      ],
    },
  },
];
