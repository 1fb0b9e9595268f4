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
  accept('cose/untagged', 'P35', 'a COSE_Sign1 without its tag, as the hypervisor writes it', {}),
  accept('cose/tagged', 'P35', 'a COSE_Sign1 with tag 18', { document: prefixed('d2') }),
  accept(
    'cose/malleated-signature',
    'P30',
    'the other signature (r, n - s): as good as the first, never an identifier',
    {
      document: (parts) => {
        parts.alterSignature = malleated;
      },
    },
  ),
  refuse('cose/empty', 'P35', 'no bytes at all', 'CBOR_TRUNCATED', DOCUMENT, {
    document: altered(() => new Uint8Array()),
  }),
  refuse('cose/truncated', 'P35', 'the last byte is missing', 'CBOR_TRUNCATED', DOCUMENT, {
    document: altered((document) => document.subarray(0, -1)),
  }),
  refuse('cose/truncated-head', 'P35', 'the end comes within a length', 'CBOR_TRUNCATED', DOCUMENT, {
    document: altered((document) => document.subarray(0, 8)),
  }),
  refuse('cose/trailing-byte', 'P35', 'a byte after the end', 'CBOR_TRAILING_BYTES', DOCUMENT, {
    document: altered((document) => concatBytes(document, Uint8Array.of(0))),
  }),
  refuse(
    'cose/too-large',
    'P42',
    'a document longer than any payload makes it',
    'DOCUMENT_TOO_LARGE',
    DOCUMENT,
    {
      document: altered((document) => concatBytes(document, new Uint8Array(16_641 - document.length))),
    },
  ),
  refuse(
    'cose/payload-too-large',
    'P18',
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
    'P42',
    'a payload of no bytes',
    'COSE_PAYLOAD_LENGTH',
    { field: 'payload' },
    {
      document: (parts) => {
        parts.encodePayload = () => new Uint8Array();
      },
    },
  ),
  refuse('cose/other-tag', 'P35', 'tag 17, of a COSE_Mac0', 'CBOR_TAG', DOCUMENT, {
    document: prefixed('d1'),
  }),
  refuse('cose/tag-twice', 'P35', 'tag 18 around tag 18', 'CBOR_TAG', DOCUMENT, {
    document: prefixed('d2d2'),
  }),
  refuse('cose/tag-not-minimal', 'P35', 'tag 18 in two bytes', 'CBOR_NON_MINIMAL', DOCUMENT, {
    document: prefixed('d812'),
  }),
  refuse('cose/self-described', 'P35', 'the tag of self-described CBOR', 'CBOR_TAG', DOCUMENT, {
    document: prefixed('d9d9f7'),
  }),
  refuse('cose/three-members', 'P35', 'no signature', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.array(members.slice(0, 3))),
  }),
  refuse('cose/five-members', 'P35', 'a fifth member', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.array([...members, cbor.NULL])),
  }),
  refuse('cose/map', 'P35', 'a map in place of the array', 'COSE_STRUCTURE', DOCUMENT, {
    document: encodes((members) => cbor.map(members.map((member, index) => [cbor.integer(index), member]))),
  }),
  refuse('cose/indefinite-array', 'P35', 'an array of indefinite length', 'CBOR_INDEFINITE', DOCUMENT, {
    document: encodes((members) => concatBytes(Uint8Array.of(0x9f), ...members, Uint8Array.of(0xff))),
  }),
  refuse('cose/array-not-minimal', 'P35', 'the count of members in two bytes', 'CBOR_NON_MINIMAL', DOCUMENT, {
    document: encodes((members) => concatBytes(Uint8Array.of(0x98, 4), ...members)),
  }),
  refuse(
    'cose/payload-length-not-minimal',
    'P35',
    'the length of the payload in four bytes',
    'CBOR_NON_MINIMAL',
    DOCUMENT,
    {
      document: encodes(([header, unprotected, payload, signature]) =>
        cbor.array([header, unprotected, concatBytes(hexToBytes('5a0000'), payload.subarray(1)), signature]),
      ),
    },
  ),
  refuse('cose/payload-indefinite', 'P35', 'the payload in chunks', 'CBOR_INDEFINITE', DOCUMENT, {
    document: encodes(([header, unprotected, payload, signature]) =>
      cbor.array([
        header,
        unprotected,
        concatBytes(Uint8Array.of(0x5f), payload, Uint8Array.of(0xff)),
        signature,
      ]),
    ),
  }),
  refuse(
    'cose/length-of-2-to-the-63',
    'P42',
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
  refuse('cose/payload-tagged', 'P35', 'a tag inside', 'CBOR_TAG', DOCUMENT, {
    document: encodes(([header, unprotected, payload, signature]) =>
      cbor.array([header, unprotected, concatBytes(hexToBytes('d818'), payload), signature]),
    ),
  }),
  refuse(
    'cose/payload-detached',
    'P35',
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
    'P35',
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
    'P35',
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
    'P35',
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
    'P42',
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
    'P18',
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
    'P18',
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
  refuse('cose/header-text', 'P35', 'a protected header that is text', 'COSE_STRUCTURE', PROTECTED, {
    document: encodes(([, unprotected, payload, signature]) =>
      cbor.array([cbor.text('header'), unprotected, payload, signature]),
    ),
  }),
  refuse('cose/header-empty', 'P35', 'a protected header of no bytes', 'CBOR_TRUNCATED', PROTECTED, {
    document: protectedHeader(''),
  }),
  refuse('cose/header-empty-map', 'P35', 'no algorithm at all', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a0'),
  }),
  refuse('cose/header-array', 'P35', 'a protected header that is an array', 'COSE_STRUCTURE', PROTECTED, {
    document: protectedHeader('820122'),
  }),
  refuse('cose/header-duplicate', 'P35', 'the algorithm twice', 'CBOR_DUPLICATE_KEY', PROTECTED, {
    document: protectedHeader('a20138220126'),
  }),
  refuse('cose/header-trailing', 'P35', 'a byte after the header', 'CBOR_TRAILING_BYTES', PROTECTED, {
    document: protectedHeader('a101382200'),
  }),
  refuse('cose/header-not-minimal', 'P35', 'the algorithm in three bytes', 'CBOR_NON_MINIMAL', PROTECTED, {
    document: protectedHeader('a101390022'),
  }),
  refuse('cose/header-indefinite', 'P35', 'a header map of indefinite length', 'CBOR_INDEFINITE', PROTECTED, {
    document: protectedHeader('bf013822ff'),
  }),
  refuse('cose/algorithm-es256', 'P35', 'ES256', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a10126'),
  }),
  refuse('cose/algorithm-es512', 'P35', 'ES512', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a1013823'),
  }),
  refuse('cose/algorithm-text', 'P35', 'the algorithm by its name', 'COSE_ALGORITHM', PROTECTED, {
    document: protectedHeader('a101654553333834'),
  }),
  refuse(
    'cose/algorithm-unprotected',
    'P35',
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
  refuse('cose/critical', 'P35', 'a label that must be understood', 'COSE_CRITICAL', PROTECTED, {
    document: protectedHeader('a2013822028103'),
  }),
  refuse('cose/header-key-id', 'P35', 'a key id beside the algorithm', 'COSE_PROTECTED_HEADER', PROTECTED, {
    document: protectedHeader('a2013822044131'),
  }),
  refuse(
    'cose/unprotected-key-id',
    'P24',
    'a key id that nobody signs',
    'COSE_UNPROTECTED_HEADER',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('a1044131'),
    },
  ),
  refuse(
    'cose/unprotected-algorithm',
    'P24',
    'a second algorithm that nobody signs',
    'COSE_UNPROTECTED_HEADER',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('a10126'),
    },
  ),
  refuse(
    'cose/unprotected-null',
    'P24',
    'an unprotected header that is null',
    'COSE_STRUCTURE',
    { field: 'unprotected' },
    {
      document: unprotectedHeader('f6'),
    },
  ),
  refuse(
    'cose/unprotected-duplicate',
    'P35',
    'the same unprotected label twice',
    'CBOR_DUPLICATE_KEY',
    DOCUMENT,
    {
      document: unprotectedHeader('a204413104f6'),
    },
  ),
  refuse(
    'cose/unprotected-key-of-bytes',
    'P35',
    'an unprotected label that is bytes',
    'CBOR_KEY_TYPE',
    DOCUMENT,
    {
      document: unprotectedHeader('a14131f6'),
    },
  ),
];
