import { p384 } from '@noble/curves/nist.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as cbor from '../forge/cbor.ts';
import type { DocumentParts } from '../forge/document.ts';
import { accept, refuse, type Place, type VectorSource } from './vector.ts';

const DOCUMENT: Place = { field: 'document' };
const PROTECTED: Place = { field: 'protected' };

type Members = [
  protectedHeader: Uint8Array,
  unprotected: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
];

/** Encodes the four members in some other way. */
function encodes(encode: (members: Members) => Uint8Array) {
  return (parts: DocumentParts): void => {
    parts.encodeMessage = (members) => encode(members as Members);
  };
}

function altered(alter: (document: Uint8Array) => Uint8Array) {
  return (parts: DocumentParts): void => {
    parts.alter = alter;
  };
}

function protectedHeader(hex: string) {
  return (parts: DocumentParts): void => {
    parts.protectedHeader = hexToBytes(hex);
  };
}

function unprotectedHeader(hex: string) {
  return (parts: DocumentParts): void => {
    parts.unprotectedHeader = hexToBytes(hex);
  };
}

const prefixed = (hex: string) => altered((document) => concatBytes(hexToBytes(hex), document));

/** The content of a byte string with a two-byte length. */
const content = (item: Uint8Array): Uint8Array => item.subarray(3);

export function flipped(signature: Uint8Array, at: number): Uint8Array {
  const changed = new Uint8Array(signature);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** (r, n - s), which verifies whenever (r, s) does. */
export function malleated(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(48)).toString('hex')}`);
  const other = (p384.Point.Fn.ORDER - s).toString(16).padStart(96, '0');
  return concatBytes(signature.subarray(0, 48), hexToBytes(other));
}

/** The COSE_Sign1 and the CBOR that it is made of. */
export const messageVectors: VectorSource[] = [
  accept(
    'cose/untagged',
    'strict-cose-and-cbor',
    'a COSE_Sign1 without its tag, as the hypervisor writes it',
    {},
  ),
  accept('cose/tagged', 'strict-cose-and-cbor', 'a COSE_Sign1 with tag 18', { document: prefixed('d2') }),
  accept(
    'cose/malleated-signature',
    'malleable-signature',
    'the other signature (r, n - s): as good as the first, never an identifier',
    {
      document: (parts) => {
        parts.alterSignature = malleated;
      },
    },
  ),
  refuse('cose/empty', 'strict-cose-and-cbor', 'no bytes at all', 'CBOR_TRUNCATED', DOCUMENT, {
    document: altered(() => new Uint8Array()),
  }),
  refuse('cose/truncated', 'strict-cose-and-cbor', 'the last byte is missing', 'CBOR_TRUNCATED', DOCUMENT, {
    document: altered((document) => document.subarray(0, -1)),
  }),
  refuse(
    'cose/truncated-head',
    'strict-cose-and-cbor',
    'the end comes within a length',
    'CBOR_TRUNCATED',
    DOCUMENT,
    {
      document: altered((document) => document.subarray(0, 8)),
    },
  ),
  refuse(
    'cose/trailing-byte',
    'strict-cose-and-cbor',
    'a byte after the end',
    'CBOR_TRAILING_BYTES',
    DOCUMENT,
    {
      document: altered((document) => concatBytes(document, Uint8Array.of(0))),
    },
  ),
  refuse(
    'cose/too-large',
    'length-prefix-allocation',
    'a document longer than any payload makes it',
    'DOCUMENT_TOO_LARGE',
    DOCUMENT,
    {
      document: altered((document) => concatBytes(document, new Uint8Array(16_641 - document.length))),
    },
  ),
  refuse(
    'cose/payload-too-large',
    'document-field-rules',
    'a payload of 16385 bytes',
    'COSE_PAYLOAD_LENGTH',
    { field: 'payload' },
    {
      document: (parts) => {
        parts.encodePayload = (entries) => {
          const payload = cbor.map(entries);
          return concatBytes(payload, new Uint8Array(16_385 - payload.length));
        };
      },
    },
  ),
  refuse(
    'cose/payload-empty',
    'length-prefix-allocation',
    'a payload of no bytes',
    'COSE_PAYLOAD_LENGTH',
    { field: 'payload' },
    {
      document: (parts) => {
        parts.encodePayload = () => new Uint8Array();
      },
    },
  ),
  refuse('cose/other-tag', 'strict-cose-and-cbor', 'tag 17, of a COSE_Mac0', 'CBOR_TAG', DOCUMENT, {
    document: prefixed('d1'),
  }),
  refuse('cose/tag-twice', 'strict-cose-and-cbor', 'tag 18 around tag 18', 'CBOR_TAG', DOCUMENT, {
    document: prefixed('d2d2'),
  }),
  refuse(
    'cose/tag-not-minimal',
    'strict-cose-and-cbor',
    'tag 18 in two bytes',
    'CBOR_NON_MINIMAL',
    DOCUMENT,
    {
      document: prefixed('d812'),
    },
  ),
  refuse(
    'cose/self-described',
    'strict-cose-and-cbor',
    'the tag of self-described CBOR',
    'CBOR_TAG',
    DOCUMENT,
    {
      document: prefixed('d9d9f7'),
    },
  ),
  refuse('cose/three-members', 'strict-cose-and-cbor', 'no signature', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.array(members.slice(0, 3))),
  }),
  refuse('cose/five-members', 'strict-cose-and-cbor', 'a fifth member', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.array([...members, cbor.NULL])),
  }),
  refuse('cose/map', 'strict-cose-and-cbor', 'a map in place of the array', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.map(members.map((member, index) => [cbor.integer(index), member]))),
  }),
  refuse(
    'cose/indefinite-array',
    'strict-cose-and-cbor',
    'an array of indefinite length',
    'CBOR_INDEFINITE',
    DOCUMENT,
    {
      document: encodes((members) => concatBytes(Uint8Array.of(0x9f), ...members, Uint8Array.of(0xff))),
    },
  ),
  refuse(
    'cose/array-not-minimal',
    'strict-cose-and-cbor',
    'the count of members in two bytes',
    'CBOR_NON_MINIMAL',
    DOCUMENT,
    {
      document: encodes((members) => concatBytes(Uint8Array.of(0x98, 4), ...members)),
    },
  ),
  refuse(
    'cose/payload-length-not-minimal',
    'strict-cose-and-cbor',
    'the length of the payload in four bytes',
    'CBOR_NON_MINIMAL',
    DOCUMENT,
    {
      document: encodes(([header, unprotected, payload, signature]) =>
        cbor.array([header, unprotected, concatBytes(hexToBytes('5a0000'), payload.subarray(1)), signature]),
      ),
    },
  ),
  refuse(
    'cose/payload-indefinite',
    'strict-cose-and-cbor',
    'the payload in chunks',
    'CBOR_INDEFINITE',
    DOCUMENT,
    {
      document: encodes(([header, unprotected, payload, signature]) =>
        cbor.array([
          header,
          unprotected,
          concatBytes(Uint8Array.of(0x5f), payload, Uint8Array.of(0xff)),
          signature,
        ]),
      ),
    },
  ),
  refuse(
    'cose/length-of-2-to-the-63',
    'length-prefix-allocation',
    'a payload said to have 2^63 bytes',
    'CBOR_TRUNCATED',
    DOCUMENT,
    {
      document: encodes(([header, unprotected, payload, signature]) =>
        cbor.array([
          header,
          unprotected,
          concatBytes(hexToBytes('5b8000000000000000'), content(payload)),
          signature,
        ]),
      ),
    },
  ),
  refuse('cose/payload-tagged', 'strict-cose-and-cbor', 'a tag inside', 'CBOR_TAG', DOCUMENT, {
    document: encodes(([header, unprotected, payload, signature]) =>
      cbor.array([header, unprotected, concatBytes(hexToBytes('d818'), payload), signature]),
    ),
  }),
  refuse(
    'cose/payload-detached',
    'strict-cose-and-cbor',
    'a payload that is null: detached',
    'COSE_STRUCTURE',
    { field: 'payload' },
    {
      document: encodes(([header, unprotected, , signature]) =>
        cbor.array([header, unprotected, cbor.NULL, signature]),
      ),
    },
  ),
  refuse(
    'cose/signature-null',
    'strict-cose-and-cbor',
    'a signature that is null',
    'COSE_STRUCTURE',
    { field: 'signature' },
    {
      document: encodes(([header, unprotected, payload]) =>
        cbor.array([header, unprotected, payload, cbor.NULL]),
      ),
    },
  ),
  refuse(
    'cose/signature-array',
    'strict-cose-and-cbor',
    'an array of signatures, as COSE_Sign has',
    'COSE_STRUCTURE',
    { field: 'signature' },
    {
      document: encodes(([header, unprotected, payload, signature]) =>
        cbor.array([header, unprotected, payload, cbor.array([signature])]),
      ),
    },
  ),
  refuse(
    'cose/nesting-bomb',
    'strict-cose-and-cbor',
    'arrays in arrays in place of the unprotected header',
    'CBOR_TOO_DEEP',
    DOCUMENT,
    {
      document: encodes(([header, , payload, signature]) =>
        cbor.array([header, new Uint8Array(4000).fill(0x81), payload, signature]),
      ),
    },
  ),
  refuse(
    'cose/many-items',
    'length-prefix-allocation',
    'an unprotected header of a hundred members',
    'CBOR_TOO_MANY_ITEMS',
    DOCUMENT,
    {
      document: encodes(([header, , payload, signature]) => {
        const entries = Array.from({ length: 100 }, (_, index): cbor.Entry => [
          cbor.integer(index),
          cbor.NULL,
        ]);
        return cbor.array([header, cbor.map(entries), payload, signature]);
      }),
    },
  ),
  refuse(
    'cose/signature-95-bytes',
    'document-field-rules',
    'a signature one byte short',
    'COSE_SIGNATURE_LENGTH',
    { field: 'signature' },
    {
      document: (parts) => {
        parts.alterSignature = (signature) => signature.subarray(0, 95);
      },
    },
  ),
  refuse(
    'cose/signature-97-bytes',
    'document-field-rules',
    'a signature with a byte more',
    'COSE_SIGNATURE_LENGTH',
    { field: 'signature' },
    {
      document: (parts) => {
        parts.alterSignature = (signature) => concatBytes(signature, Uint8Array.of(0));
      },
    },
  ),
  refuse(
    'cose/signature-flipped',
    'RFC 9052 4.4',
    'one bit of s changed',
    'COSE_SIGNATURE',
    { field: 'signature' },
    {
      document: (parts) => {
        parts.alterSignature = (signature) => flipped(signature, 95);
      },
    },
  ),
  refuse(
    'cose/signature-zero',
    'RFC 9052 4.4',
    'r and s are zero',
    'COSE_SIGNATURE',
    { field: 'signature' },
    {
      document: (parts) => {
        parts.alterSignature = () => new Uint8Array(96);
      },
    },
  ),
  refuse(
    'cose/signed-by-instance',
    'RFC 9052 4.4',
    'signed by the key above the leaf',
    'COSE_SIGNATURE',
    { field: 'signature' },
    {
      document: (parts) => {
        parts.signer = 'instance';
      },
    },
  ),
  refuse(
    'cose/header-text',
    'strict-cose-and-cbor',
    'a protected header that is text',
    'COSE_STRUCTURE',
    PROTECTED,
    {
      document: encodes(([, unprotected, payload, signature]) =>
        cbor.array([cbor.text('header'), unprotected, payload, signature]),
      ),
    },
  ),
  refuse(
    'cose/header-empty',
    'strict-cose-and-cbor',
    'a protected header of no bytes',
    'CBOR_TRUNCATED',
    PROTECTED,
    {
      document: protectedHeader(''),
    },
  ),
  refuse(
    'cose/header-empty-map',
    'strict-cose-and-cbor',
    'no algorithm at all',
    'COSE_ALGORITHM',
    PROTECTED,
    {
      document: protectedHeader('a0'),
    },
  ),
  refuse(
    'cose/header-array',
    'strict-cose-and-cbor',
    'a protected header that is an array',
    'COSE_STRUCTURE',
    PROTECTED,
    {
      document: protectedHeader('820122'),
    },
  ),
  refuse(
    'cose/header-duplicate',
    'strict-cose-and-cbor',
    'the algorithm twice',
    'CBOR_DUPLICATE_KEY',
    PROTECTED,
    {
      document: protectedHeader('a20138220126'),
    },
  ),
  refuse(
    'cose/header-trailing',
    'strict-cose-and-cbor',
    'a byte after the header',
    'CBOR_TRAILING_BYTES',
    PROTECTED,
    {
      document: protectedHeader('a101382200'),
    },
  ),
  refuse(
    'cose/header-not-minimal',
    'strict-cose-and-cbor',
    'the algorithm in three bytes',
    'CBOR_NON_MINIMAL',
    PROTECTED,
    {
      document: protectedHeader('a101390022'),
    },
  ),
  refuse(
    'cose/header-indefinite',
    'strict-cose-and-cbor',
    'a header map of indefinite length',
    'CBOR_INDEFINITE',
    PROTECTED,
    {
      document: protectedHeader('bf013822ff'),
    },
  ),
  refuse('cose/algorithm-es256', 'strict-cose-and-cbor', 'ES256', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a10126'),
  }),
  refuse('cose/algorithm-es512', 'strict-cose-and-cbor', 'ES512', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a1013823'),
  }),
  refuse(
    'cose/algorithm-text',
    'strict-cose-and-cbor',
    'the algorithm by its name',
    'COSE_ALGORITHM',
    PROTECTED,
    {
      document: protectedHeader('a101654553333834'),
    },
  ),
  refuse(
    'cose/algorithm-unprotected',
    'strict-cose-and-cbor',
    'the algorithm only where nobody signs it',
    'COSE_ALGORITHM',
    PROTECTED,
    {
      document: (parts) => {
        parts.protectedHeader = hexToBytes('a0');
        parts.unprotectedHeader = hexToBytes('a1013822');
      },
    },
  ),
  refuse(
    'cose/critical',
    'strict-cose-and-cbor',
    'a label that must be understood',
    'COSE_CRITICAL',
    PROTECTED,
    {
      document: protectedHeader('a2013822028103'),
    },
  ),
  refuse(
    'cose/header-key-id',
    'strict-cose-and-cbor',
    'a key id beside the algorithm',
    'COSE_PROTECTED_HEADER',
    PROTECTED,
    {
      document: protectedHeader('a2013822044131'),
    },
  ),
  refuse(
    'cose/unprotected-key-id',
    'unprotected-header',
    'a key id that nobody signs',
    'COSE_UNPROTECTED_HEADER',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('a1044131'),
    },
  ),
  refuse(
    'cose/unprotected-algorithm',
    'unprotected-header',
    'a second algorithm that nobody signs',
    'COSE_UNPROTECTED_HEADER',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('a10126'),
    },
  ),
  refuse(
    'cose/unprotected-null',
    'unprotected-header',
    'an unprotected header that is null',
    'COSE_STRUCTURE',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('f6'),
    },
  ),
  refuse(
    'cose/unprotected-duplicate',
    'strict-cose-and-cbor',
    'the same unprotected label twice',
    'CBOR_DUPLICATE_KEY',
    DOCUMENT,
    {
      document: unprotectedHeader('a204413104f6'),
    },
  ),
  refuse(
    'cose/unprotected-key-of-bytes',
    'strict-cose-and-cbor',
    'an unprotected label that is bytes',
    'CBOR_KEY_TYPE',
    DOCUMENT,
    {
      document: unprotectedHeader('a14131f6'),
    },
  ),
];
