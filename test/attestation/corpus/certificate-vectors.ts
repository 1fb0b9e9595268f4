import { p256, p384 } from '@noble/curves/nist.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import {
  basicConstraints,
  buildCertificate,
  ecdsaValue,
  ECDSA_WITH_SHA256,
  extension,
  publicKeyInfo,
  SIGNS_CERTIFICATES,
  SIGNS_DOCUMENTS,
  type CertificateParts,
} from '../forge/certificate.ts';
import { bitString, boolean, der, octetString, oid, sequence, set, text, unsigned } from '../forge/der.ts';
import type { Role } from '../forge/chain.ts';
import { forgeKey } from '../forge/keys.ts';
import { malleated } from './message-vectors.ts';
import { accept, refuse, type Place, type VectorSource } from './vector.ts';

const LEAF: Place = { field: 'certificate' };
const INSTANCE: Place = { field: 'cabundle', index: 3 };
const REGION: Place = { field: 'cabundle', index: 1 };

type Change = (parts: CertificateParts) => void;

/** A vector whose leaf is wrong. */
function leaf(name: string, rule: string, about: string, code: string, change: Change): VectorSource {
  return refuse(`certificate/${name}`, rule, about, code, LEAF, { chain: { leaf: change } });
}

/** A vector whose instance certificate, the authority of the leaf, is wrong. */
function instance(name: string, rule: string, about: string, code: string, change: Change): VectorSource {
  return refuse(`certificate/${name}`, rule, about, code, INSTANCE, { chain: { instance: change } });
}

function taken(name: string, rule: string, about: string, role: Role, change: Change): VectorSource {
  return accept(`certificate/${name}`, rule, about, { chain: { [role]: change } });
}

/** Sets one part. */
function set1<Key extends keyof CertificateParts>(key: Key, value: CertificateParts[Key]): Change {
  return (parts) => {
    parts[key] = value;
  };
}

const withExtensions = (...extensions: Uint8Array[]): Change => set1('extensions', extensions);
const also =
  (...extensions: Uint8Array[]): Change =>
  (parts) => {
    parts.extensions = [...parts.extensions, ...extensions];
  };

const KEY_USAGE = '551d0f';
const BASIC_CONSTRAINTS = '551d13';
const keyUsage = (value: Uint8Array): Uint8Array => extension(KEY_USAGE, false, value);
const caFlagged = (value: Uint8Array): Uint8Array => extension(BASIC_CONSTRAINTS, true, value);

const utc = (digits: string): Uint8Array => text(0x17, digits);
const generalized = (digits: string): Uint8Array => text(0x18, digits);

const attribute = (value: Uint8Array, type = '550403'): Uint8Array => sequence(oid(type), value);
const plainName = (...parts: Uint8Array[]): Uint8Array => sequence(set(...parts));

/** A certificate with a comment in it that makes it just as long as this. */
function padded(length: number): Change {
  return (parts) => {
    const bare = parts.extensions;
    const withComment = (size: number, fill: number): number => {
      parts.extensions = [...bare, extension('6086480186f842010d', false, new Uint8Array(size).fill(fill))];
      return buildCertificate(parts).length;
    };
    const size = length - withComment(300, 0) + 300;
    // The DER of a signature is some octets longer or shorter from one comment to the next.
    for (let fill = 0; fill < 256; fill += 1) if (withComment(size, fill) === length) return;
    throw new RangeError(`no comment makes a certificate of ${length} bytes`);
  };
}

const point = (role: Role): Uint8Array => forgeKey(role).point;

function offCurve(role: Role): Uint8Array {
  const changed = new Uint8Array(point(role));
  changed[96] = (changed[96] ?? 0) ^ 1;
  return changed;
}

function compressed(role: Role): Uint8Array {
  return p384.getPublicKey(forgeKey(role).secret, true);
}

const P256_KEY = publicKeyInfo(
  p256.getPublicKey(new Uint8Array(32).fill(7), false),
  hexToBytes('301306072a8648ce3d020106082a8648ce3d030107'),
);
const RSA_KEY = sequence(
  hexToBytes('300d06092a864886f70d0101010500'),
  bitString(0, sequence(unsigned(new Uint8Array(128).fill(0xc1)), unsigned(Uint8Array.of(1, 0, 1)))),
);
/** P-384 with its parameters spelt out, which is where a curve of somebody's own would come in. */
const EXPLICIT_CURVE = publicKeyInfo(
  point('leaf'),
  sequence(oid('2a8648ce3d0201'), sequence(unsigned(Uint8Array.of(1)), sequence(oid('2a8648ce3d0101')))),
);

const p384KeyInfo = (...rest: Uint8Array[]): Uint8Array =>
  sequence(hexToBytes('301006072a8648ce3d020106052b81040022'), ...rest);

const half = (value: number): Uint8Array => new Uint8Array(48).fill(value);

function signatureOf(encode: (r: Uint8Array, s: Uint8Array) => Uint8Array): Change {
  return set1('encodeSignature', (signature) =>
    bitString(0, encode(unsigned(signature.subarray(0, 48)), unsigned(signature.subarray(48)))),
  );
}

/** One certificate by itself: its DER and its fields. */
export const certificateVectors: VectorSource[] = [
  taken(
    'generalized-time-2050',
    'non-canonical-der',
    'notAfter in 2050, as GeneralizedTime',
    'leaf',
    (parts) => {
      parts.notAfter = generalized('20500101000000Z');
    },
  ),
  taken(
    'utc-time-2049',
    'non-canonical-der',
    'notAfter at the end of 2049, as UTCTime',
    'leaf',
    set1('notAfter', utc('491231235959Z')),
  ),
  taken(
    'utc-time-1950',
    'non-canonical-der',
    'notBefore in 1950, the first year of UTCTime',
    'root',
    set1('notBefore', utc('500101000000Z')),
  ),
  taken(
    'leap-day',
    'impossible-dates',
    'notBefore on 29 February 2024',
    'root',
    set1('notBefore', utc('240229000000Z')),
  ),
  taken(
    'serial-20-octets',
    'RFC 5280 4.1.2.2',
    'the longest serial number',
    'leaf',
    set1('serial', unsigned(new Uint8Array(20).fill(0xfe))),
  ),
  taken(
    'unknown-extension',
    'RFC 5280 4.2',
    'an unknown extension that is not critical',
    'leaf',
    also(extension('2a0304', false, Uint8Array.of(0xff))),
  ),
  taken(
    'no-basic-constraints',
    'certificate-authority-rules',
    'a leaf without basic constraints',
    'leaf',
    withExtensions(SIGNS_DOCUMENTS),
  ),
  taken(
    'leaf-key-usage-digital-signature',
    'certificate-authority-rules',
    'a leaf that may do nothing but sign',
    'leaf',
    withExtensions(basicConstraints(false), keyUsage(bitString(7, Uint8Array.of(0x80)))),
  ),
  taken(
    'ca-key-usage-sign-only',
    'certificate-authority-rules',
    'an authority that may do nothing but sign certificates',
    'instance',
    withExtensions(basicConstraints(true, 0), keyUsage(bitString(2, Uint8Array.of(0x04)))),
  ),
  taken(
    'no-path-length',
    'certificate-authority-rules',
    'an authority without a path length',
    'zone',
    withExtensions(basicConstraints(true), SIGNS_CERTIFICATES),
  ),
  taken(
    'path-length-127',
    'path-length-oversize',
    'the longest path length',
    'region',
    withExtensions(basicConstraints(true, 127), SIGNS_CERTIFICATES),
  ),
  taken(
    'malleated-signature',
    'malleable-signature',
    'the other signature of an authority',
    'zone',
    set1('alterSignature', malleated),
  ),
  taken(
    'empty-leaf-subject',
    'RFC 5280 4.1.2.6',
    'a leaf without a name',
    'leaf',
    set1('subject', sequence()),
  ),

  taken('leaf-1024-bytes', 'document-field-rules', 'a leaf of 1024 bytes', 'leaf', padded(1024)),
  taken('ca-1024-bytes', 'document-field-rules', 'an authority of 1024 bytes', 'instance', padded(1024)),
  leaf(
    'leaf-1025-bytes',
    'document-field-rules',
    'a leaf of 1025 bytes',
    'DOCUMENT_FIELD_LENGTH',
    padded(1025),
  ),
  instance(
    'ca-1025-bytes',
    'document-field-rules',
    'an authority of 1025 bytes',
    'DOCUMENT_FIELD_LENGTH',
    padded(1025),
  ),

  leaf(
    'empty-sequence',
    'non-canonical-der',
    'a certificate of nothing',
    'DER_TRUNCATED',
    set1('alter', () => sequence()),
  ),
  leaf(
    'not-a-sequence',
    'non-canonical-der',
    'a set in place of the certificate',
    'DER_TAG',
    set1('alter', (bytes) => concatBytes(Uint8Array.of(0x31), bytes.subarray(1))),
  ),
  leaf(
    'trailing-byte',
    'non-canonical-der',
    'a byte after the certificate',
    'DER_TRAILING_BYTES',
    set1('alter', (bytes) => concatBytes(bytes, Uint8Array.of(0))),
  ),
  leaf(
    'tag-alone',
    'non-canonical-der',
    'a tag and nothing else',
    'DER_TRUNCATED',
    set1('alter', () => Uint8Array.of(0x30)),
  ),
  leaf(
    'truncated',
    'non-canonical-der',
    'the last byte is missing',
    'DER_TRUNCATED',
    set1('alter', (bytes) => bytes.subarray(0, -1)),
  ),
  leaf(
    'trailing-element',
    'non-canonical-der',
    'an element after the signature',
    'DER_TRAILING_BYTES',
    set1('alter', (bytes) => sequence(bytes.subarray(4), der(0x05))),
  ),
  leaf(
    'signed-trailing-element',
    'non-canonical-der',
    'an element after the extensions',
    'DER_TRAILING_BYTES',
    set1('signedTail', der(0x05)),
  ),
  leaf(
    'indefinite-length',
    'non-canonical-der',
    'BER: an indefinite length',
    'DER_INDEFINITE_LENGTH',
    set1('alter', (bytes) => concatBytes(hexToBytes('3080'), bytes.subarray(4), hexToBytes('0000'))),
  ),
  leaf(
    'length-padded',
    'non-canonical-der',
    'BER: a length with a leading zero',
    'DER_LENGTH',
    set1('alter', (bytes) => concatBytes(hexToBytes('308300'), bytes.subarray(2))),
  ),
  leaf(
    'length-long-form',
    'non-canonical-der',
    'BER: a short length in long form',
    'DER_LENGTH',
    set1('version', hexToBytes('a08103020102')),
  ),
  leaf(
    'length-five-octets',
    'length-prefix-allocation',
    'a length of five octets',
    'DER_LENGTH',
    set1('alter', (bytes) => concatBytes(hexToBytes('3085ffffffffff'), bytes.subarray(4))),
  ),
  leaf(
    'length-beyond-input',
    'length-prefix-allocation',
    'a serial number longer than the certificate',
    'DER_TRUNCATED',
    set1('serial', hexToBytes('0282ffff5a')),
  ),

  leaf(
    'version-1',
    'RFC 5280 4.1.2.1',
    'no version: version 1',
    'CERTIFICATE_VERSION',
    set1('version', new Uint8Array()),
  ),
  leaf(
    'version-2',
    'RFC 5280 4.1.2.1',
    'version 2',
    'CERTIFICATE_VERSION',
    set1('version', der(0xa0, der(0x02, Uint8Array.of(1)))),
  ),
  leaf(
    'version-trailing',
    'non-canonical-der',
    'an element after the version',
    'DER_TRAILING_BYTES',
    set1('version', der(0xa0, der(0x02, Uint8Array.of(2)), der(0x05))),
  ),
  leaf(
    'serial-padded',
    'non-canonical-der',
    'a serial number with a needless zero',
    'DER_INTEGER',
    set1('serial', hexToBytes('02020001')),
  ),
  leaf(
    'serial-padded-negative',
    'non-canonical-der',
    'a serial number with needless ones',
    'DER_INTEGER',
    set1('serial', hexToBytes('0202ff80')),
  ),
  leaf(
    'serial-empty',
    'non-canonical-der',
    'a serial number of no octets',
    'DER_INTEGER',
    set1('serial', hexToBytes('0200')),
  ),
  leaf(
    'serial-negative',
    'RFC 5280 4.1.2.2',
    'a negative serial number',
    'CERTIFICATE_SERIAL',
    set1('serial', hexToBytes('0201ff')),
  ),
  leaf(
    'serial-zero',
    'RFC 5280 4.1.2.2',
    'the serial number zero',
    'CERTIFICATE_SERIAL',
    set1('serial', hexToBytes('020100')),
  ),
  leaf(
    'serial-21-octets',
    'RFC 5280 4.1.2.2',
    'a serial number of 21 octets',
    'CERTIFICATE_SERIAL',
    set1('serial', unsigned(new Uint8Array(21).fill(0x7e))),
  ),
  leaf(
    'unique-ids',
    'RFC 5280 4.1.2.8',
    'unique identifiers',
    'CERTIFICATE_UNIQUE_ID',
    set1('uniqueIds', der(0x81, Uint8Array.of(0, 1))),
  ),
  leaf(
    'subject-unique-id',
    'RFC 5280 4.1.2.8',
    'a unique identifier of the subject',
    'CERTIFICATE_UNIQUE_ID',
    set1('uniqueIds', der(0x82, Uint8Array.of(0, 1))),
  ),

  leaf(
    'algorithm-sha256',
    'certificate-algorithm',
    'ecdsa-with-SHA256 in both places',
    'CERTIFICATE_ALGORITHM',
    (parts) => {
      parts.signedAlgorithm = ECDSA_WITH_SHA256;
      parts.algorithm = ECDSA_WITH_SHA256;
    },
  ),
  leaf(
    'algorithm-signed-sha256',
    'certificate-algorithm',
    'ecdsa-with-SHA256 inside, SHA384 outside',
    'CERTIFICATE_ALGORITHM',
    set1('signedAlgorithm', ECDSA_WITH_SHA256),
  ),
  leaf(
    'algorithm-outer-sha256',
    'certificate-algorithm',
    'ecdsa-with-SHA256 outside, SHA384 inside',
    'CERTIFICATE_ALGORITHM',
    set1('algorithm', ECDSA_WITH_SHA256),
  ),
  leaf(
    'algorithm-null-parameters',
    'certificate-algorithm',
    'parameters that are NULL, not absent',
    'CERTIFICATE_ALGORITHM',
    (parts) => {
      parts.signedAlgorithm = hexToBytes('300c06082a8648ce3d0403030500');
      parts.algorithm = parts.signedAlgorithm;
    },
  ),
  instance(
    'ca-algorithm-sha256',
    'certificate-algorithm',
    'an authority with ecdsa-with-SHA256',
    'CERTIFICATE_ALGORITHM',
    (parts) => {
      parts.signedAlgorithm = ECDSA_WITH_SHA256;
      parts.algorithm = ECDSA_WITH_SHA256;
    },
  ),

  leaf(
    'issuer-no-string',
    'RFC 5280 4.1.2.4',
    'a name with a number in it',
    'CERTIFICATE_NAME',
    set1('issuer', plainName(attribute(unsigned(Uint8Array.of(1))))),
  ),
  taken(
    'subject-utf8',
    'RFC 5280 4.1.2.4',
    'a name that is not ASCII',
    'leaf',
    set1('subject', plainName(attribute(text(0x0c, 'Zürich')))),
  ),
  taken(
    'subject-ia5',
    'RFC 5280 4.1.2.4',
    'a name with an at sign, in a string that has it',
    'leaf',
    set1('subject', plainName(attribute(text(0x16, 'a@b')))),
  ),
  leaf(
    'subject-bad-utf8',
    'RFC 5280 4.1.2.4',
    'a name that is not UTF-8',
    'CERTIFICATE_NAME',
    set1('subject', plainName(attribute(der(0x0c, Uint8Array.of(0xc3, 0x28))))),
  ),
  leaf(
    'subject-not-printable',
    'RFC 5280 4.1.2.4',
    'a name with an at sign, in a string that has none',
    'CERTIFICATE_NAME',
    set1('subject', plainName(attribute(text(0x13, 'a@b')))),
  ),
  leaf(
    'subject-ia5-high',
    'RFC 5280 4.1.2.4',
    'a name with an octet over 127, in a string of ASCII',
    'CERTIFICATE_NAME',
    set1('subject', plainName(attribute(der(0x16, Uint8Array.of(0xe4))))),
  ),
  leaf(
    'subject-bmp-odd',
    'RFC 5280 4.1.2.4',
    'a name with half a letter',
    'CERTIFICATE_NAME',
    set1('subject', plainName(attribute(der(0x1e, Uint8Array.of(0, 0x61, 0))))),
  ),
  leaf(
    'subject-universal-odd',
    'RFC 5280 4.1.2.4',
    'a name with three quarters of a letter',
    'CERTIFICATE_NAME',
    set1('subject', plainName(attribute(der(0x1c, Uint8Array.of(0, 0, 0x61))))),
  ),
  leaf(
    'subject-empty-set',
    'RFC 5280 4.1.2.4',
    'a name with an empty part',
    'CERTIFICATE_NAME',
    set1('subject', sequence(set())),
  ),
  leaf(
    'subject-set-order',
    'non-canonical-der',
    'a set of two parts in the wrong order',
    'DER_SET_ORDER',
    set1('subject', plainName(attribute(text(0x0c, 'b')), attribute(text(0x0c, 'a')))),
  ),
  leaf(
    'subject-set-duplicate',
    'non-canonical-der',
    'a set with the same part twice',
    'DER_SET_ORDER',
    set1('subject', plainName(attribute(text(0x0c, 'a')), attribute(text(0x0c, 'a')))),
  ),
  leaf(
    'subject-trailing',
    'non-canonical-der',
    'a part of a name with something after its value',
    'DER_TRAILING_BYTES',
    set1('subject', plainName(sequence(oid('550403'), text(0x0c, 'a'), der(0x05)))),
  ),
  leaf(
    'subject-padded-arc',
    'non-canonical-der',
    'an object identifier with a padded arc',
    'DER_OBJECT_IDENTIFIER',
    set1('subject', plainName(attribute(text(0x0c, 'a'), '55048003'))),
  ),
  leaf(
    'subject-unfinished-arc',
    'non-canonical-der',
    'an object identifier that does not end',
    'DER_OBJECT_IDENTIFIER',
    set1('subject', plainName(attribute(text(0x0c, 'a'), '550483'))),
  ),
  leaf(
    'subject-empty-oid',
    'non-canonical-der',
    'an object identifier of no octets',
    'DER_OBJECT_IDENTIFIER',
    set1('subject', plainName(attribute(text(0x0c, 'a'), ''))),
  ),
  leaf(
    'subject-high-tag',
    'non-canonical-der',
    'a tag in long form',
    'DER_TAG',
    set1('subject', hexToBytes('3f1000')),
  ),

  leaf('month-13', 'impossible-dates', 'the 13th month', 'DER_TIME', set1('notAfter', utc('271301000000Z'))),
  leaf('month-0', 'impossible-dates', 'the month zero', 'DER_TIME', set1('notBefore', utc('250001000000Z'))),
  leaf('31-june', 'impossible-dates', '31 June', 'DER_TIME', set1('notAfter', utc('270631000000Z'))),
  leaf(
    '29-february',
    'impossible-dates',
    '29 February of a common year',
    'DER_TIME',
    set1('notBefore', utc('250229000000Z')),
  ),
  leaf('hour-24', 'impossible-dates', 'the hour 24', 'DER_TIME', set1('notAfter', utc('270101240000Z'))),
  leaf('second-60', 'impossible-dates', 'the second 60', 'DER_TIME', set1('notAfter', utc('270101000060Z'))),
  leaf(
    'time-without-seconds',
    'non-canonical-der',
    'a time without seconds',
    'DER_TIME',
    set1('notAfter', utc('2701010000Z')),
  ),
  leaf(
    'time-with-offset',
    'non-canonical-der',
    'a time with an offset',
    'DER_TIME',
    set1('notAfter', utc('270101000000+0000')),
  ),
  leaf(
    'time-without-zone',
    'non-canonical-der',
    'a time without Z',
    'DER_TIME',
    set1('notAfter', utc('270101000000')),
  ),
  leaf(
    'generalized-time-2049',
    'non-canonical-der',
    'GeneralizedTime before 2050',
    'DER_TIME',
    set1('notAfter', generalized('20491231235959Z')),
  ),
  leaf(
    'generalized-time-fraction',
    'non-canonical-der',
    'GeneralizedTime with a fraction',
    'DER_TIME',
    set1('notAfter', generalized('20500101000000.5Z')),
  ),
  leaf(
    'time-of-another-type',
    'non-canonical-der',
    'a time that is text',
    'DER_TAG',
    set1('notAfter', text(0x0c, '270101000000Z')),
  ),
  leaf('validity-trailing', 'non-canonical-der', 'a third time', 'DER_TRAILING_BYTES', (parts) => {
    parts.notAfter = concatBytes(parts.notAfter, parts.notAfter);
  }),
  leaf(
    'ends-before-it-begins',
    'impossible-dates',
    'notAfter before notBefore',
    'CERTIFICATE_DATES',
    (parts) => {
      [parts.notBefore, parts.notAfter] = [parts.notAfter, parts.notBefore];
    },
  ),

  leaf(
    'key-p256',
    'strict-cose-and-cbor',
    'a key on P-256',
    'CERTIFICATE_CURVE',
    set1('publicKeyInfo', P256_KEY),
  ),
  leaf('key-rsa', 'strict-cose-and-cbor', 'an RSA key', 'CERTIFICATE_CURVE', set1('publicKeyInfo', RSA_KEY)),
  leaf(
    'key-explicit-curve',
    'strict-cose-and-cbor',
    'a curve with its parameters spelt out',
    'CERTIFICATE_CURVE',
    set1('publicKeyInfo', EXPLICIT_CURVE),
  ),
  leaf(
    'key-compressed',
    'strict-cose-and-cbor',
    'a compressed point',
    'CERTIFICATE_POINT',
    set1('publicKeyInfo', publicKeyInfo(compressed('leaf'))),
  ),
  leaf(
    'key-hybrid',
    'strict-cose-and-cbor',
    'a point in hybrid form',
    'CERTIFICATE_POINT',
    set1('publicKeyInfo', publicKeyInfo(concatBytes(Uint8Array.of(6), point('leaf').subarray(1)))),
  ),
  leaf(
    'key-98-bytes',
    'strict-cose-and-cbor',
    'a point with a byte more',
    'CERTIFICATE_POINT',
    set1('publicKeyInfo', publicKeyInfo(concatBytes(point('leaf'), Uint8Array.of(0)))),
  ),
  leaf(
    'key-unused-bits',
    'strict-cose-and-cbor',
    'a point whose last bit does not count',
    'CERTIFICATE_POINT',
    set1(
      'publicKeyInfo',
      p384KeyInfo(bitString(1, concatBytes(point('leaf').subarray(0, 96), Uint8Array.of(0)))),
    ),
  ),
  leaf(
    'key-unused-bits-8',
    'non-canonical-der',
    'a point whose last octet does not count',
    'DER_BIT_STRING',
    set1(
      'publicKeyInfo',
      p384KeyInfo(bitString(8, concatBytes(point('leaf').subarray(0, 96), Uint8Array.of(0)))),
    ),
  ),
  leaf(
    'key-brainpool-384',
    'strict-cose-and-cbor',
    'a key on another curve of 384 bits',
    'CERTIFICATE_CURVE',
    set1(
      'publicKeyInfo',
      publicKeyInfo(point('leaf'), sequence(oid('2a8648ce3d0201'), oid('2b240303020801010b'))),
    ),
  ),
  leaf(
    'key-bit-string-empty',
    'empty-bit-string',
    'a key that is a BIT STRING of no octets at all',
    'DER_BIT_STRING_EMPTY',
    set1('publicKeyInfo', p384KeyInfo(der(0x03))),
  ),
  leaf(
    'key-trailing',
    'non-canonical-der',
    'an element after the key',
    'DER_TRAILING_BYTES',
    set1('publicKeyInfo', p384KeyInfo(bitString(0, point('leaf')), der(0x05))),
  ),
  leaf(
    'key-off-curve',
    'strict-cose-and-cbor',
    'a leaf whose key is no point of the curve',
    'CERTIFICATE_PUBLIC_KEY',
    set1('publicKeyInfo', publicKeyInfo(offCurve('leaf'))),
  ),
  instance(
    'ca-key-off-curve',
    'strict-cose-and-cbor',
    'an authority whose key is no point of the curve',
    'CERTIFICATE_PUBLIC_KEY',
    set1('publicKeyInfo', publicKeyInfo(offCurve('instance'))),
  ),
  leaf(
    'key-infinity',
    'strict-cose-and-cbor',
    'a key of zeros',
    'CERTIFICATE_PUBLIC_KEY',
    set1('publicKeyInfo', publicKeyInfo(concatBytes(Uint8Array.of(4), new Uint8Array(96)))),
  ),
  instance(
    'ca-key-p256',
    'strict-cose-and-cbor',
    'an authority with a key on P-256',
    'CERTIFICATE_CURVE',
    set1('publicKeyInfo', P256_KEY),
  ),

  leaf(
    'extensions-empty',
    'RFC 5280 4.1.2.9',
    'an empty list of extensions',
    'DER_TRUNCATED',
    withExtensions(),
  ),
  leaf(
    'extensions-trailing',
    'non-canonical-der',
    'an element after the list of extensions',
    'DER_TRAILING_BYTES',
    (parts) => {
      parts.extensionsField = der(0xa3, sequence(...parts.extensions), der(0x05));
    },
  ),
  leaf(
    'extension-trailing',
    'non-canonical-der',
    'an element after the value of an extension',
    'DER_TRAILING_BYTES',
    also(sequence(oid('2a0304'), octetString(Uint8Array.of(5, 0)), der(0x05))),
  ),
  leaf(
    'extension-duplicate',
    'RFC 5280 4.2',
    'the same extension twice',
    'CERTIFICATE_DUPLICATE_EXTENSION',
    also(SIGNS_DOCUMENTS),
  ),
  leaf(
    'extension-duplicate-unknown',
    'RFC 5280 4.2',
    'an unknown extension twice',
    'CERTIFICATE_DUPLICATE_EXTENSION',
    also(extension('2a0304', false, Uint8Array.of(5, 0)), extension('2a0304', false, Uint8Array.of(5, 0))),
  ),
  leaf(
    'critical-unknown',
    'RFC 5280 4.2',
    'an unknown extension that is critical',
    'CERTIFICATE_CRITICAL_EXTENSION',
    also(extension('2a0304', true, Uint8Array.of(5, 0))),
  ),
  leaf(
    'critical-extended-key-usage',
    'RFC 5280 4.2.1.12',
    'a critical extended key usage',
    'CERTIFICATE_CRITICAL_EXTENSION',
    also(extension('551d25', true, sequence(oid('2b06010505070301')))),
  ),
  instance(
    'ca-critical-name-constraints',
    'RFC 5280 4.2.1.10',
    'critical name constraints',
    'CERTIFICATE_CRITICAL_EXTENSION',
    also(extension('551d1e', true, sequence())),
  ),
  leaf(
    'critical-false',
    'non-canonical-der',
    'critical FALSE spelt out',
    'DER_DEFAULT',
    also(sequence(oid('2a0304'), boolean(0), octetString(Uint8Array.of(5, 0)))),
  ),
  leaf(
    'critical-one',
    'non-canonical-der',
    'critical with the octet 01',
    'DER_BOOLEAN',
    also(sequence(oid('2a0304'), boolean(1), octetString(Uint8Array.of(5, 0)))),
  ),
  leaf(
    'critical-two-octets',
    'non-canonical-der',
    'critical with two octets',
    'DER_BOOLEAN',
    also(sequence(oid('2a0304'), der(0x01, Uint8Array.of(0, 0)), octetString(Uint8Array.of(5, 0)))),
  ),
  leaf(
    'ca-false',
    'non-canonical-der',
    'CA FALSE spelt out',
    'DER_DEFAULT',
    withExtensions(caFlagged(sequence(boolean(0))), SIGNS_DOCUMENTS),
  ),
  leaf(
    'leaf-path-length',
    'certificate-authority-rules',
    'a path length without CA',
    'CERTIFICATE_BASIC_CONSTRAINTS',
    withExtensions(basicConstraints(false, 0), SIGNS_DOCUMENTS),
  ),
  leaf(
    'basic-constraints-trailing',
    'non-canonical-der',
    'something after the basic constraints',
    'DER_TRAILING_BYTES',
    withExtensions(caFlagged(concatBytes(sequence(), der(0x05))), SIGNS_DOCUMENTS),
  ),
  instance(
    'basic-constraints-third',
    'non-canonical-der',
    'a third member of the basic constraints',
    'DER_TRAILING_BYTES',
    withExtensions(
      caFlagged(sequence(boolean(0xff), unsigned(Uint8Array.of(0)), der(0x05))),
      SIGNS_CERTIFICATES,
    ),
  ),
  refuse(
    'certificate/path-length-128',
    'path-length-oversize',
    'a path length of 128',
    'CERTIFICATE_BASIC_CONSTRAINTS',
    REGION,
    {
      chain: { region: withExtensions(basicConstraints(true, 128), SIGNS_CERTIFICATES) },
    },
  ),
  refuse(
    'certificate/path-length-negative',
    'path-length-oversize',
    'a path length of -1',
    'CERTIFICATE_BASIC_CONSTRAINTS',
    REGION,
    {
      chain: {
        region: withExtensions(caFlagged(sequence(boolean(0xff), hexToBytes('0201ff'))), SIGNS_CERTIFICATES),
      },
    },
  ),
  refuse(
    'certificate/path-length-huge',
    'path-length-oversize',
    'a path length of 2^64 + 2',
    'CERTIFICATE_BASIC_CONSTRAINTS',
    REGION,
    {
      chain: {
        region: withExtensions(
          caFlagged(sequence(boolean(0xff), hexToBytes('0209010000000000000002'))),
          SIGNS_CERTIFICATES,
        ),
      },
    },
  ),
  refuse(
    'certificate/path-length-padded',
    'path-length-oversize',
    'a path length with a needless zero',
    'DER_INTEGER',
    REGION,
    {
      chain: {
        region: withExtensions(
          caFlagged(sequence(boolean(0xff), hexToBytes('02020002'))),
          SIGNS_CERTIFICATES,
        ),
      },
    },
  ),

  leaf(
    'key-usage-unused-bits-set',
    'non-canonical-der',
    'unused bits that are set',
    'DER_BIT_STRING',
    withExtensions(basicConstraints(false), keyUsage(bitString(7, Uint8Array.of(0x81)))),
  ),
  leaf(
    'key-usage-trailing-zeros',
    'non-canonical-der',
    'named bits with trailing zeros',
    'DER_BIT_STRING',
    withExtensions(basicConstraints(false), keyUsage(bitString(0, Uint8Array.of(0x80)))),
  ),
  leaf(
    'key-usage-no-octets',
    'empty-bit-string',
    'a key usage that is a BIT STRING of no octets at all',
    'DER_BIT_STRING_EMPTY',
    withExtensions(basicConstraints(false), keyUsage(der(0x03))),
  ),
  leaf(
    'key-usage-no-bits',
    'certificate-authority-rules',
    'a key that may be used for nothing',
    'CERTIFICATE_KEY_USAGE',
    withExtensions(basicConstraints(false), keyUsage(bitString(0, new Uint8Array()))),
  ),
  leaf(
    'key-usage-unused-bits-of-none',
    'non-canonical-der',
    'unused bits of no octet',
    'DER_BIT_STRING',
    withExtensions(basicConstraints(false), keyUsage(bitString(1, new Uint8Array()))),
  ),
  leaf(
    'key-usage-trailing',
    'non-canonical-der',
    'something after the key usage',
    'DER_TRAILING_BYTES',
    withExtensions(
      basicConstraints(false),
      keyUsage(concatBytes(bitString(6, Uint8Array.of(0xc0)), der(0x05))),
    ),
  ),

  leaf(
    'signature-empty',
    'empty-bit-string',
    'a signature that is a BIT STRING of no octets at all',
    'DER_BIT_STRING_EMPTY',
    set1('encodeSignature', () => der(0x03)),
  ),
  leaf(
    'signature-nothing',
    'empty-bit-string',
    'a signature of no octets',
    'DER_TRUNCATED',
    set1('encodeSignature', () => bitString(0, new Uint8Array())),
  ),
  leaf(
    'signature-unused-bits',
    'non-canonical-der',
    'a signature whose last bit does not count',
    'DER_BIT_STRING',
    set1('encodeSignature', (signature) => {
      const value = ecdsaValue(signature);
      const last = value.at(-1) ?? 0;
      return bitString(1, concatBytes(value.subarray(0, -1), Uint8Array.of(last & 0xfe)));
    }),
  ),
  leaf(
    'signature-raw',
    'RFC 5758 3.2',
    'r and s one after the other, as COSE has them',
    'DER_TAG',
    set1('encodeSignature', (signature) => bitString(0, signature.with(0, 0x04))),
  ),
  leaf(
    'signature-trailing',
    'non-canonical-der',
    'a byte after the signature',
    'DER_TRAILING_BYTES',
    set1('encodeSignature', (signature) =>
      bitString(0, concatBytes(ecdsaValue(signature), Uint8Array.of(0))),
    ),
  ),
  leaf(
    'signature-three-numbers',
    'non-canonical-der',
    'a third number',
    'DER_TRAILING_BYTES',
    signatureOf((r, s) => sequence(r, s, unsigned(Uint8Array.of(1)))),
  ),
  leaf(
    'signature-one-number',
    'non-canonical-der',
    'r alone',
    'DER_TRUNCATED',
    signatureOf((r) => sequence(r)),
  ),
  leaf(
    'signature-negative',
    'non-canonical-der',
    'a negative s',
    'DER_INTEGER',
    signatureOf((r) => sequence(r, der(0x02, half(0x80)))),
  ),
  leaf(
    'signature-49-octets',
    'non-canonical-der',
    'an s of 49 octets',
    'DER_INTEGER',
    signatureOf((r) => sequence(r, der(0x02, concatBytes(Uint8Array.of(1), half(1))))),
  ),
  leaf(
    'signature-padded',
    'non-canonical-der',
    'an s with a needless zero',
    'DER_INTEGER',
    signatureOf((r) => sequence(r, der(0x02, concatBytes(Uint8Array.of(0), half(0x01))))),
  ),
  leaf(
    'signature-zero',
    'RFC 5758 3.2',
    'r and s are zero',
    'CERTIFICATE_SIGNATURE',
    set1('alterSignature', () => new Uint8Array(96)),
  ),
  leaf(
    'signature-of-the-order',
    'RFC 5758 3.2',
    's is the order of the curve',
    'CERTIFICATE_SIGNATURE',
    set1('alterSignature', (signature) =>
      concatBytes(signature.subarray(0, 48), hexToBytes(p384.Point.Fn.ORDER.toString(16))),
    ),
  ),
];
