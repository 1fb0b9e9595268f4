import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import {
  MODULE_ID,
  encodePcrs,
  forgedPcr,
  type DocumentParts,
  type PayloadFields,
} from '../forge/document.ts';
import * as cbor from '../forge/cbor.ts';
import { AT } from '../forge/chain.ts';
import { accept, refuse, type Place, type VectorSource } from './vector.ts';

const PAYLOAD: Place = { field: 'payload' };

/** Some fields in other bytes; undefined leaves a field out. */
function fields(changes: { [key in keyof PayloadFields]: PayloadFields[key] | undefined }) {
  return (parts: DocumentParts): void => {
    for (const [key, value] of Object.entries(changes)) Reflect.set(parts.fields, key, value);
  };
}

function encodes(encode: (entries: cbor.Entry[]) => Uint8Array) {
  return (parts: DocumentParts): void => {
    parts.encodePayload = encode;
  };
}

function pcrs(change: (pcrs: Map<number, Uint8Array>) => void) {
  return (parts: DocumentParts): void => change(parts.pcrs);
}

const hexFields = (field: keyof PayloadFields, hex: string) => fields({ [field]: hexToBytes(hex) });
const ofLength = (length: number): Uint8Array => cbor.bytes(new Uint8Array(length).fill(0x61));

function wrongType(field: keyof PayloadFields, value: Uint8Array, about: string): VectorSource {
  const name = `payload/${field.replaceAll('_', '-')}-type`;
  return refuse(
    name,
    'document-field-rules',
    about,
    'DOCUMENT_FIELD_TYPE',
    { field },
    { document: fields({ [field]: value }) },
  );
}

function missing(field: keyof PayloadFields): VectorSource {
  const name = `payload/${field.replaceAll('_', '-')}-missing`;
  return refuse(
    name,
    'document-field-rules',
    `no ${field}`,
    'DOCUMENT_FIELD_MISSING',
    { field },
    {
      document: fields({ [field]: undefined }),
    },
  );
}

function tooLong(field: keyof PayloadFields): VectorSource {
  const name = `payload/${field.replaceAll('_', '-')}-1025-bytes`;
  return refuse(
    name,
    'document-field-rules',
    `${field} of 1025 bytes`,
    'DOCUMENT_FIELD_LENGTH',
    { field },
    {
      document: fields({ [field]: ofLength(1025) }),
    },
  );
}

function pcrLength(length: number): VectorSource {
  const place = { field: 'pcrs', index: 5 };
  return refuse(
    `pcrs/length-${length}`,
    'document-field-rules',
    `a PCR of ${length} bytes`,
    'DOCUMENT_PCR_LENGTH',
    place,
    {
      document: pcrs((values) => values.set(5, new Uint8Array(length))),
    },
  );
}

/** A PCR map with one more entry whose key has these bytes. */
function pcrKey(hex: string) {
  return (parts: DocumentParts): void => {
    const entries = [...parts.pcrs].map(([index, value]): cbor.Entry => [
      cbor.integer(index),
      cbor.bytes(value),
    ]);
    parts.fields.pcrs = cbor.map([...entries, [hexToBytes(hex), cbor.bytes(new Uint8Array(48))]]);
  };
}

/** The payload: its CBOR, its fields, and the rules for each. */
export const payloadVectors: VectorSource[] = [
  accept(
    'payload/indefinite-map',
    'strict-cose-and-cbor',
    'a payload of indefinite length, as AWS signs them since 2025',
    {
      document: encodes(cbor.indefiniteMap),
    },
  ),
  accept(
    'payload/optional-absent',
    'absent-null-empty',
    'public_key, user_data and nonce are absent, not null',
    {
      document: fields({ public_key: undefined, user_data: undefined, nonce: undefined }),
    },
  ),
  accept('payload/optional-empty', 'user-data-length', 'user_data and nonce are there and empty', {
    document: fields({ user_data: ofLength(0), nonce: ofLength(0) }),
    options: { userData: '', nonce: '' },
  }),
  accept(
    'payload/optional-1024-bytes',
    'user-data-length',
    'public_key, user_data and nonce of 1024 bytes each',
    {
      document: fields({ public_key: ofLength(1024), user_data: ofLength(1024), nonce: ofLength(1024) }),
    },
  ),
  accept(
    'payload/user-data-513-bytes',
    'user-data-length',
    'user_data over the 512 bytes that one of the pages allows',
    {
      document: fields({ user_data: ofLength(513) }),
    },
  ),
  accept('payload/public-key-1-byte', 'document-field-rules', 'the shortest public_key', {
    document: fields({ public_key: ofLength(1) }),
  }),
  accept('payload/fields-in-other-order', 'strict-cose-and-cbor', 'the order of the keys says nothing', {
    document: encodes((entries) => cbor.map(entries.reverse())),
  }),
  accept('payload/module-id-of-other-form', 'document-field-rules', 'a module_id that names no instance', {
    document: fields({ module_id: cbor.text('module') }),
  }),
  accept('payload/module-id-128-characters', 'document-field-rules', 'the longest module_id', {
    document: fields({ module_id: cbor.text('m'.repeat(128)) }),
  }),

  refuse(
    'payload/trailing-byte',
    'strict-cose-and-cbor',
    'a byte after the map',
    'CBOR_TRAILING_BYTES',
    PAYLOAD,
    {
      document: encodes((entries) => concatBytes(cbor.map(entries), Uint8Array.of(0))),
    },
  ),
  refuse(
    'payload/truncated',
    'strict-cose-and-cbor',
    'the map says one entry more',
    'CBOR_TRUNCATED',
    PAYLOAD,
    {
      document: encodes((entries) => concatBytes(cbor.head(5, entries.length + 1), ...entries.flat())),
    },
  ),
  refuse(
    'payload/missing-break',
    'strict-cose-and-cbor',
    'an indefinite map without its break',
    'CBOR_TRUNCATED',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.indefiniteMap(entries).subarray(0, -1)),
    },
  ),
  refuse(
    'payload/break-in-definite-map',
    'strict-cose-and-cbor',
    'a break in a map of definite length',
    'CBOR_BREAK',
    PAYLOAD,
    {
      document: encodes((entries) =>
        concatBytes(cbor.head(5, entries.length + 1), ...entries.flat(), hexToBytes('ffff')),
      ),
    },
  ),
  refuse(
    'payload/break-for-a-value',
    'strict-cose-and-cbor',
    'a key and a break in place of its value',
    'CBOR_BREAK',
    PAYLOAD,
    {
      document: encodes((entries) =>
        concatBytes(Uint8Array.of(0xbf), ...entries.flat(), cbor.text('x'), hexToBytes('ff')),
      ),
    },
  ),
  refuse(
    'payload/duplicate-key',
    'strict-cose-and-cbor',
    'the same field twice',
    'CBOR_DUPLICATE_KEY',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.map([...entries, [cbor.text('nonce'), cbor.NULL]])),
    },
  ),
  refuse(
    'payload/duplicate-key-indefinite',
    'strict-cose-and-cbor',
    'the same field twice, in an indefinite map',
    'CBOR_DUPLICATE_KEY',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.indefiniteMap([...entries, [cbor.text('nonce'), cbor.NULL]])),
    },
  ),
  refuse(
    'payload/array',
    'strict-cose-and-cbor',
    'an array in place of the map',
    'DOCUMENT_FIELD_TYPE',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.array(entries.map(([, value]) => value))),
    },
  ),
  refuse(
    'payload/unknown-field',
    'document-field-rules',
    'a field that documents do not have',
    'DOCUMENT_FIELD_UNKNOWN',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.map([...entries, [cbor.text('role'), cbor.NULL]])),
    },
  ),
  refuse(
    'payload/integer-key',
    'document-field-rules',
    'a field whose name is a number',
    'DOCUMENT_FIELD_UNKNOWN',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.map([...entries, [cbor.integer(1), cbor.NULL]])),
    },
  ),
  refuse(
    'payload/key-of-bytes',
    'strict-cose-and-cbor',
    'a field whose name is bytes',
    'CBOR_KEY_TYPE',
    PAYLOAD,
    {
      document: encodes((entries) => cbor.map([...entries, [hexToBytes('4131'), cbor.NULL]])),
    },
  ),
  refuse(
    'payload/key-indefinite',
    'strict-cose-and-cbor',
    'a field whose name comes in chunks',
    'CBOR_INDEFINITE',
    PAYLOAD,
    {
      document: encodes((entries) =>
        cbor.map([...entries.slice(1), [hexToBytes('7f696d6f64756c655f6964ff'), cbor.text(MODULE_ID)]]),
      ),
    },
  ),
  refuse(
    'payload/key-not-minimal',
    'strict-cose-and-cbor',
    'the length of a name in two bytes',
    'CBOR_NON_MINIMAL',
    PAYLOAD,
    {
      document: encodes((entries) =>
        cbor.map([...entries.slice(0, -1), [hexToBytes('78056e6f6e6365'), cbor.NULL]]),
      ),
    },
  ),
  refuse(
    'payload/nesting-bomb',
    'strict-cose-and-cbor',
    'arrays in arrays in place of user_data',
    'CBOR_TOO_DEEP',
    PAYLOAD,
    {
      document: fields({ user_data: new Uint8Array(9000).fill(0x81) }),
    },
  ),
  refuse(
    'payload/many-items',
    'length-prefix-allocation',
    'a cabundle of a thousand numbers',
    'CBOR_TOO_MANY_ITEMS',
    PAYLOAD,
    {
      document: fields({ cabundle: cbor.array(Array.from({ length: 1000 }, () => cbor.integer(0))) }),
    },
  ),
  refuse('payload/tag-inside', 'strict-cose-and-cbor', 'a timestamp tagged as one', 'CBOR_TAG', PAYLOAD, {
    document: fields({ timestamp: concatBytes(Uint8Array.of(0xc1), cbor.integer(AT)) }),
  }),
  refuse(
    'payload/timestamp-float',
    'strict-cose-and-cbor',
    'a timestamp in floating point',
    'CBOR_FLOAT',
    PAYLOAD,
    {
      document: hexFields('timestamp', 'fb4278bc1c8f300000'),
    },
  ),
  refuse(
    'payload/nonce-undefined',
    'absent-null-empty',
    'a nonce that is undefined',
    'CBOR_SIMPLE_VALUE',
    PAYLOAD,
    {
      document: hexFields('nonce', 'f7'),
    },
  ),
  refuse(
    'payload/nonce-reserved',
    'strict-cose-and-cbor',
    'a length that CBOR reserves',
    'CBOR_RESERVED',
    PAYLOAD,
    {
      document: hexFields('nonce', '5c'),
    },
  ),
  refuse(
    'payload/nonce-indefinite',
    'strict-cose-and-cbor',
    'a nonce in chunks',
    'CBOR_INDEFINITE',
    PAYLOAD,
    {
      document: hexFields('nonce', '5f41314132ff'),
    },
  ),
  refuse(
    'payload/nonce-not-minimal',
    'strict-cose-and-cbor',
    'the length of the nonce in two bytes',
    'CBOR_NON_MINIMAL',
    PAYLOAD,
    {
      document: hexFields('nonce', '580131'),
    },
  ),
  refuse(
    'payload/digest-indefinite',
    'strict-cose-and-cbor',
    'a digest in chunks',
    'CBOR_INDEFINITE',
    PAYLOAD,
    {
      document: hexFields('digest', '7f66534841333834ff'),
    },
  ),
  refuse(
    'payload/cabundle-indefinite',
    'strict-cose-and-cbor',
    'a cabundle of indefinite length',
    'CBOR_INDEFINITE',
    PAYLOAD,
    {
      document: (parts) => {
        parts.fields.cabundle = concatBytes(
          Uint8Array.of(0x9f),
          ...parts.cabundle.map((certificate) => cbor.bytes(certificate)),
          Uint8Array.of(0xff),
        );
      },
    },
  ),
  refuse(
    'payload/module-id-bad-utf8',
    'strict-cose-and-cbor',
    'a module_id that is not UTF-8',
    'CBOR_UTF8',
    PAYLOAD,
    {
      document: hexFields('module_id', '62c328'),
    },
  ),
  refuse(
    'payload/module-id-surrogate',
    'strict-cose-and-cbor',
    'a module_id with half a surrogate pair',
    'CBOR_UTF8',
    PAYLOAD,
    {
      document: hexFields('module_id', '63eda080'),
    },
  ),

  ...(['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'] as const).map(missing),
  wrongType('module_id', cbor.integer(1), 'a module_id that is a number'),
  wrongType('digest', cbor.bytes(new TextEncoder().encode('SHA384')), 'a digest that is bytes'),
  wrongType('timestamp', cbor.text('2026-01-15'), 'a timestamp that is text'),
  wrongType('pcrs', cbor.array([]), 'PCRs that are an array'),
  wrongType('certificate', cbor.text('certificate'), 'a certificate that is text'),
  wrongType('cabundle', cbor.map([]), 'a cabundle that is a map'),
  wrongType('public_key', cbor.text('key'), 'a public_key that is text'),
  wrongType('user_data', cbor.integer(0), 'user_data that is a number'),
  wrongType('nonce', hexToBytes('f4'), 'a nonce that is false'),
  refuse(
    'payload/cabundle-null-member',
    'document-field-rules',
    'a cabundle with null in it',
    'DOCUMENT_FIELD_TYPE',
    { field: 'cabundle', index: 4 },
    {
      document: (parts) => {
        parts.fields.cabundle = cbor.array([...parts.cabundle.map(cbor.bytes), cbor.NULL]);
      },
    },
  ),

  refuse(
    'payload/module-id-empty',
    'document-field-rules',
    'an empty module_id',
    'DOCUMENT_MODULE_ID',
    { field: 'module_id' },
    {
      document: fields({ module_id: cbor.text('') }),
    },
  ),
  refuse(
    'payload/module-id-129-characters',
    'document-field-rules',
    'a module_id that is too long',
    'DOCUMENT_MODULE_ID',
    { field: 'module_id' },
    {
      document: fields({ module_id: cbor.text('m'.repeat(129)) }),
    },
  ),
  refuse(
    'payload/module-id-control',
    'document-field-rules',
    'a module_id that would clear a terminal',
    'DOCUMENT_MODULE_ID',
    { field: 'module_id' },
    {
      document: fields({ module_id: cbor.text(`${MODULE_ID}\u001b[2J`) }),
    },
  ),
  refuse(
    'payload/digest-sha256',
    'document-field-rules',
    'another digest',
    'DOCUMENT_DIGEST',
    { field: 'digest' },
    {
      document: fields({ digest: cbor.text('SHA256') }),
    },
  ),
  refuse(
    'payload/digest-lower-case',
    'document-field-rules',
    'the digest in lower case',
    'DOCUMENT_DIGEST',
    { field: 'digest' },
    {
      document: fields({ digest: cbor.text('sha384') }),
    },
  ),
  refuse(
    'payload/timestamp-zero',
    'document-field-rules',
    'no time',
    'DOCUMENT_TIMESTAMP',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(0) }),
    },
  ),
  refuse(
    'payload/timestamp-negative',
    'document-field-rules',
    'a time before 1970',
    'DOCUMENT_TIMESTAMP',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(-1) }),
    },
  ),
  refuse(
    'payload/timestamp-seconds',
    'timestamp-unit',
    'a time in seconds',
    'DOCUMENT_TIMESTAMP',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(AT / 1000) }),
    },
  ),
  refuse(
    'payload/timestamp-microseconds',
    'timestamp-unit',
    'a time in microseconds',
    'DOCUMENT_TIMESTAMP',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(AT * 1000) }),
    },
  ),
  refuse(
    'payload/timestamp-2-to-the-64',
    'document-field-rules',
    'a time of 2^64 - 1',
    'DOCUMENT_TIMESTAMP',
    { field: 'timestamp' },
    {
      document: hexFields('timestamp', '1bffffffffffffffff'),
    },
  ),
  refuse(
    'payload/certificate-empty',
    'document-field-rules',
    'an empty certificate',
    'DOCUMENT_FIELD_LENGTH',
    { field: 'certificate' },
    {
      document: fields({ certificate: cbor.bytes(new Uint8Array()) }),
    },
  ),
  refuse(
    'payload/cabundle-empty',
    'document-field-rules',
    'no authority at all',
    'DOCUMENT_CABUNDLE_LENGTH',
    { field: 'cabundle' },
    {
      document: fields({ cabundle: cbor.array([]) }),
    },
  ),
  refuse(
    'payload/cabundle-17',
    'length-prefix-allocation',
    'more authorities than any chain has',
    'DOCUMENT_CABUNDLE_LENGTH',
    { field: 'cabundle' },
    {
      document: (parts) => {
        const [first, ...others] = parts.cabundle;
        const copies = Array.from({ length: 14 }, () => first ?? new Uint8Array());
        parts.cabundle = [...copies, ...others];
      },
    },
  ),
  refuse(
    'payload/cabundle-empty-member',
    'document-field-rules',
    'an authority of no bytes',
    'DOCUMENT_FIELD_LENGTH',
    { field: 'cabundle', index: 1 },
    {
      document: (parts) => {
        parts.cabundle[1] = new Uint8Array();
      },
    },
  ),
  refuse(
    'payload/public-key-empty',
    'document-field-rules',
    'an empty public_key',
    'DOCUMENT_FIELD_LENGTH',
    { field: 'public_key' },
    {
      document: fields({ public_key: ofLength(0) }),
    },
  ),
  tooLong('public_key'),
  tooLong('user_data'),
  tooLong('nonce'),

  accept('pcrs/sparse', 'sparse-pcrs', 'only PCRs 0, 1, 2, 3, 4 and 8', {
    document: pcrs((values) => {
      for (const index of [5, 6, 7, 9, 10, 11, 12, 13, 14, 15]) values.delete(index);
    }),
  }),
  accept('pcrs/all-32', 'document-field-rules', 'all 32 PCRs', {
    document: pcrs((values) => {
      for (let index = 16; index < 32; index += 1) values.set(index, forgedPcr(`PCR${index}`));
    }),
  }),
  accept('pcrs/descending', 'sparse-pcrs', 'the PCRs in descending order', {
    document: (parts) => {
      parts.fields.pcrs = encodePcrs(new Map([...parts.pcrs].reverse()));
    },
  }),
  refuse(
    'pcrs/none',
    'document-field-rules',
    'no PCR at all',
    'DOCUMENT_PCR_COUNT',
    { field: 'pcrs' },
    {
      document: fields({ pcrs: cbor.map([]) }),
    },
  ),
  refuse(
    'pcrs/33',
    'document-field-rules',
    '33 PCRs',
    'DOCUMENT_PCR_COUNT',
    { field: 'pcrs' },
    {
      document: pcrs((values) => {
        for (let index = 16; index < 33; index += 1) values.set(index, forgedPcr(`PCR${index}`));
      }),
    },
  ),
  refuse(
    'pcrs/index-32',
    'document-field-rules',
    'PCR32',
    'DOCUMENT_PCR_INDEX',
    { field: 'pcrs', index: 32 },
    {
      document: pcrs((values) => values.set(32, new Uint8Array(48))),
    },
  ),
  refuse(
    'pcrs/index-negative',
    'document-field-rules',
    'PCR-1',
    'DOCUMENT_PCR_INDEX',
    { field: 'pcrs', index: -1 },
    {
      document: pcrs((values) => values.set(-1, new Uint8Array(48))),
    },
  ),
  refuse(
    'pcrs/index-text',
    'document-field-rules',
    'a PCR whose number is text',
    'DOCUMENT_FIELD_TYPE',
    { field: 'pcrs' },
    {
      document: pcrKey('623136'),
    },
  ),
  refuse(
    'pcrs/index-2-to-the-64',
    'document-field-rules',
    'a PCR whose number has 64 bits',
    'DOCUMENT_FIELD_TYPE',
    { field: 'pcrs' },
    {
      document: pcrKey('1bffffffffffffffff'),
    },
  ),
  refuse(
    'pcrs/duplicate',
    'strict-cose-and-cbor',
    'PCR0 twice: which one counts?',
    'CBOR_DUPLICATE_KEY',
    PAYLOAD,
    {
      document: pcrKey('00'),
    },
  ),
  refuse(
    'pcrs/index-not-minimal',
    'strict-cose-and-cbor',
    'PCR0 again, its number in two bytes',
    'CBOR_NON_MINIMAL',
    PAYLOAD,
    {
      document: pcrKey('1800'),
    },
  ),
  refuse(
    'pcrs/indefinite',
    'strict-cose-and-cbor',
    'a map of PCRs of indefinite length',
    'CBOR_INDEFINITE',
    PAYLOAD,
    {
      document: (parts) => {
        const entries = [...parts.pcrs].map(([index, value]): cbor.Entry => [
          cbor.integer(index),
          cbor.bytes(value),
        ]);
        parts.fields.pcrs = cbor.indefiniteMap(entries);
      },
    },
  ),
  refuse(
    'pcrs/text',
    'document-field-rules',
    'a PCR in hex',
    'DOCUMENT_FIELD_TYPE',
    { field: 'pcrs', index: 0 },
    {
      document: fields({ pcrs: cbor.map([[cbor.integer(0), cbor.text('00'.repeat(48))]]) }),
    },
  ),
  ...[0, 32, 47, 49, 64].map(pcrLength),
];
