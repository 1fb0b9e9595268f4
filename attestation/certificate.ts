import { hexToBytes } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import { readExtensions, type CertificateExtensions } from './certificate-extensions.ts';
import { readName } from './certificate-name.ts';
import { readTime } from './certificate-time.ts';
import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { openDer } from './der.ts';
import { AttestationError } from './errors.ts';

/**
 * An X.509 certificate of the Nitro PKI (RFC 5280): version 3, a P-384 key, signed by ecdsa-with-SHA384. Every array is a
 * view of `der`, except `signature`.
 */
export interface Certificate extends CertificateExtensions {
  /** The whole certificate in DER. */
  readonly der: Uint8Array;
  /** The TBSCertificate in DER, its tag and length included: the bytes that the issuer signed (RFC 5280 section 4.1). */
  readonly tbsCertificate: Uint8Array;
  /** The ECDSA signature as r ‖ s, 96 bytes. */
  readonly signature: Uint8Array;
  /** The serial number: positive, big-endian, 1 to 20 bytes without leading zeros. */
  readonly serial: Uint8Array;
  /** The issuer's Name in DER. */
  readonly issuer: Uint8Array;
  /** The subject's Name in DER. */
  readonly subject: Uint8Array;
  /** First moment of the validity, inclusive, in milliseconds since 1970: RFC 5280 section 4.1.2.5. */
  readonly notBefore: number;
  /** Last moment of the validity, inclusive, in milliseconds since 1970. */
  readonly notAfter: number;
  /** The public key: an uncompressed point of 97 bytes, which parsing does not check to lie on P-384. */
  readonly publicKey: Uint8Array;
}

/** AlgorithmIdentifier of ecdsa-with-SHA384, whose parameters are absent: RFC 5758 section 3.2. */
const ECDSA_WITH_SHA384 = Uint8Array.of(
  0x30,
  0x0a,
  0x06,
  0x08,
  0x2a,
  0x86,
  0x48,
  0xce,
  0x3d,
  0x04,
  0x03,
  0x03,
);

/** AlgorithmIdentifier of id-ecPublicKey with the named curve secp384r1: RFC 5480 section 2.1.1. */
const P384_PUBLIC_KEY = hexToBytes('301006072a8648ce3d020106052b81040022');

const FIELD_BYTES = 48;
const POINT_BYTES = 1 + 2 * FIELD_BYTES;
const MAX_SERIAL_BYTES = 20;

const TAG_VERSION = 0xa0;
const TAG_ISSUER_UNIQUE_ID = 0x81;
const TAG_SUBJECT_UNIQUE_ID = 0x82;
const TAG_EXTENSIONS = 0xa3;

/**
 * Parses a certificate in strict DER. Parsing checks one certificate by itself; `assertChain` checks its place in a chain,
 * and the signature checks who signed it.
 *
 * @throws AttestationError `DER_…`, `CERTIFICATE_…`
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const outer = openDer(der);
  const certificate = outer.enter(DER_TAG.sequence);
  outer.finish();
  const tbsCertificate = certificate.readWhole(DER_TAG.sequence);
  const fields = parseTbsCertificate(tbsCertificate);
  assertAlgorithm(certificate.readWhole(DER_TAG.sequence));
  const signature = readSignature(certificate);
  certificate.finish();
  return { der, tbsCertificate, signature, ...fields };
}

/** Parses a TBSCertificate: RFC 5280 section 4.1.2. */
function parseTbsCertificate(
  tbsCertificate: Uint8Array,
): Omit<Certificate, 'der' | 'tbsCertificate' | 'signature'> {
  const reader = openDer(tbsCertificate).enter(DER_TAG.sequence);
  readVersion(reader);
  const serial = readSerial(reader);
  assertAlgorithm(reader.readWhole(DER_TAG.sequence));
  const issuer = readName(reader);
  const validity = reader.enter(DER_TAG.sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.finish();
  if (notBefore > notAfter)
    throw new AttestationError('CERTIFICATE_DATES', 'notBefore is later than notAfter');
  const subject = readName(reader);
  const publicKey = readPublicKey(reader);
  const tag = reader.peekTag();
  if (tag === TAG_ISSUER_UNIQUE_ID || tag === TAG_SUBJECT_UNIQUE_ID) {
    throw new AttestationError(
      'CERTIFICATE_UNIQUE_ID',
      'the certificate has issuerUniqueID or subjectUniqueID: expected neither',
    );
  }
  const extensions = reader.atEnd ? NO_EXTENSIONS : readExtensions(reader.enter(TAG_EXTENSIONS));
  reader.finish();
  return { serial, issuer, notBefore, notAfter, subject, publicKey, ...extensions };
}

const NO_EXTENSIONS: CertificateExtensions = Object.freeze({
  basicConstraints: undefined,
  keyUsage: undefined,
});

function readVersion(reader: DerReader): void {
  if (reader.peekTag() !== TAG_VERSION)
    throw new AttestationError('CERTIFICATE_VERSION', 'the certificate is of version 1: expected version 3');
  const wrapper = reader.enter(TAG_VERSION);
  const version = wrapper.readInteger();
  wrapper.finish();
  if (version.length !== 1 || version[0] !== 2) {
    throw new AttestationError('CERTIFICATE_VERSION', 'the certificate is not of version 3');
  }
}

/** Reads CertificateSerialNumber: positive, at most 20 octets (RFC 5280 section 4.1.2.2). */
function readSerial(reader: DerReader): Uint8Array {
  const octets = reader.readInteger();
  const [first = 0] = octets;
  const magnitude = first === 0 ? octets.subarray(1) : octets;
  if (first > 0x7f || magnitude.length === 0 || magnitude.length > MAX_SERIAL_BYTES) {
    throw new AttestationError(
      'CERTIFICATE_SERIAL',
      `the serial number is not positive or longer than ${MAX_SERIAL_BYTES} octets`,
    );
  }
  return magnitude;
}

function assertAlgorithm(algorithm: Uint8Array): void {
  if (!equalBytes(algorithm, ECDSA_WITH_SHA384)) {
    throw new AttestationError('CERTIFICATE_ALGORITHM', 'the signature algorithm is not ecdsa-with-SHA384');
  }
}

/** Reads SubjectPublicKeyInfo (RFC 5480 section 2) and returns the point, 97 bytes. */
function readPublicKey(reader: DerReader): Uint8Array {
  const info = reader.enter(DER_TAG.sequence);
  if (!equalBytes(info.readWhole(DER_TAG.sequence), P384_PUBLIC_KEY)) {
    throw new AttestationError('CERTIFICATE_CURVE', 'the public key is not of the named curve P-384');
  }
  const { unusedBits, octets } = info.readBitString();
  info.finish();
  if (unusedBits !== 0 || octets.length !== POINT_BYTES || octets[0] !== 4) {
    throw new AttestationError(
      'CERTIFICATE_POINT',
      `the public key is not an uncompressed point of ${POINT_BYTES} bytes that begins with 04`,
    );
  }
  return octets;
}

/** Reads the Ecdsa-Sig-Value in a BIT STRING (RFC 5480 appendix A) and returns it as COSE has it: r ‖ s, 96 bytes. */
function readSignature(reader: DerReader): Uint8Array {
  const { offset } = reader;
  const { unusedBits, octets } = reader.readBitString();
  if (unusedBits !== 0)
    throw reader.error(
      'DER_BIT_STRING',
      `the signature has ${unusedBits} unused bits: expected none`,
      offset,
    );
  const outer = openDer(octets);
  const value = outer.enter(DER_TAG.sequence);
  outer.finish();
  const signature = new Uint8Array(2 * FIELD_BYTES);
  for (const end of [FIELD_BYTES, 2 * FIELD_BYTES]) {
    const integer = value.readInteger();
    const magnitude = integer[0] === 0 ? integer.subarray(1) : integer;
    if ((integer[0] ?? 0) > 0x7f || magnitude.length > FIELD_BYTES) {
      throw reader.error(
        'DER_INTEGER',
        `r or s of the signature is negative or longer than ${FIELD_BYTES} bytes`,
        offset,
      );
    }
    signature.set(magnitude, end - magnitude.length);
  }
  value.finish();
  return signature;
}
