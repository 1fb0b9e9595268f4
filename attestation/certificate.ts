import { hexToBytes } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import { readExtensions, type CertificateExtensions } from './certificate-extensions.ts';
import { readName } from './certificate-name.ts';
import { readTime } from './certificate-time.ts';
import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';
import { openDer } from './der.ts';
import { AttestationError } from './errors.ts';

/** An X.509 certificate as the Nitro PKI has them: P-384 keys, ecdsa-with-SHA384. Every array is a view of `der`. */
export interface Certificate extends CertificateExtensions {
  readonly der: Uint8Array;
  /** The TBSCertificate (RFC 5280, 4.1), header and all: what is signed. */
  readonly tbsCertificate: Uint8Array;
  /** r ‖ s, 96 bytes. */
  readonly signature: Uint8Array;
  /** Positive, big-endian, without leading zeros. */
  readonly serial: Uint8Array;
  /** Name, in DER. */
  readonly issuer: Uint8Array;
  /** Name, in DER. */
  readonly subject: Uint8Array;
  /** Milliseconds since 1970; valid at this very time: RFC 5280 section 4.1.2.5. */
  readonly notBefore: number;
  /** Milliseconds since 1970; still valid at this very time. */
  readonly notAfter: number;
  /** An uncompressed point, 97 bytes; not yet known to lie on the curve. */
  readonly publicKey: Uint8Array;
}

/** AlgorithmIdentifier ecdsa-with-SHA384, whose parameters are absent: RFC 5758 section 3.2. */
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

/** AlgorithmIdentifier id-ecPublicKey with secp384r1 by its name: RFC 5480 section 2.1.1. */
const P384_PUBLIC_KEY = hexToBytes('301006072a8648ce3d020106052b81040022');

const FIELD_BYTES = 48;
const POINT_BYTES = 1 + 2 * FIELD_BYTES;
const MAX_SERIAL_BYTES = 20;

const TAG_VERSION = 0xa0;
const TAG_ISSUER_UNIQUE_ID = 0x81;
const TAG_SUBJECT_UNIQUE_ID = 0x82;
const TAG_EXTENSIONS = 0xa3;

/**
 * Parses a certificate in strict DER. It checks what a certificate says about itself; whether it may stand where it
 * stands in a chain, and who signed it, is for `assertChain` and the signature checks.
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

/** TBSCertificate: RFC 5280 section 4.1.2. */
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
    throw new AttestationError('CERTIFICATE_DATES', 'a certificate that ends before it begins');
  const subject = readName(reader);
  const publicKey = readPublicKey(reader);
  const tag = reader.peekTag();
  if (tag === TAG_ISSUER_UNIQUE_ID || tag === TAG_SUBJECT_UNIQUE_ID) {
    throw new AttestationError('CERTIFICATE_UNIQUE_ID', 'a certificate with unique identifiers');
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
    throw new AttestationError('CERTIFICATE_VERSION', 'a certificate of version 1');
  const wrapper = reader.enter(TAG_VERSION);
  const version = wrapper.readInteger();
  wrapper.finish();
  if (version.length !== 1 || version[0] !== 2) {
    throw new AttestationError('CERTIFICATE_VERSION', 'a certificate of another version than 3');
  }
}

/** Positive, at most 20 octets: RFC 5280 section 4.1.2.2. */
function readSerial(reader: DerReader): Uint8Array {
  const octets = reader.readInteger();
  const [first = 0] = octets;
  const magnitude = first === 0 ? octets.subarray(1) : octets;
  if (first > 0x7f || magnitude.length === 0 || magnitude.length > MAX_SERIAL_BYTES) {
    throw new AttestationError('CERTIFICATE_SERIAL', 'a serial number that is not positive, or too long');
  }
  return magnitude;
}

function assertAlgorithm(algorithm: Uint8Array): void {
  if (!equalBytes(algorithm, ECDSA_WITH_SHA384)) {
    throw new AttestationError('CERTIFICATE_ALGORITHM', 'a signature algorithm other than ecdsa-with-SHA384');
  }
}

/** SubjectPublicKeyInfo: RFC 5480 section 2. */
function readPublicKey(reader: DerReader): Uint8Array {
  const info = reader.enter(DER_TAG.sequence);
  if (!equalBytes(info.readWhole(DER_TAG.sequence), P384_PUBLIC_KEY)) {
    throw new AttestationError('CERTIFICATE_CURVE', 'a public key that is not on P-384');
  }
  const { unusedBits, octets } = info.readBitString();
  info.finish();
  if (unusedBits !== 0 || octets.length !== POINT_BYTES || octets[0] !== 4) {
    throw new AttestationError(
      'CERTIFICATE_POINT',
      'a public key that is not an uncompressed point of P-384',
    );
  }
  return octets;
}

/** Ecdsa-Sig-Value in a BIT STRING (RFC 5480, appendix A), brought to the fixed length that COSE has. */
function readSignature(reader: DerReader): Uint8Array {
  const { offset } = reader;
  const { unusedBits, octets } = reader.readBitString();
  if (unusedBits !== 0) throw reader.error('DER_BIT_STRING', 'a signature with unused bits', offset);
  const outer = openDer(octets);
  const value = outer.enter(DER_TAG.sequence);
  outer.finish();
  const signature = new Uint8Array(2 * FIELD_BYTES);
  for (const end of [FIELD_BYTES, 2 * FIELD_BYTES]) {
    const integer = value.readInteger();
    const magnitude = integer[0] === 0 ? integer.subarray(1) : integer;
    if ((integer[0] ?? 0) > 0x7f || magnitude.length > FIELD_BYTES) {
      throw reader.error('DER_INTEGER', 'a number of the signature that is negative or too long', offset);
    }
    signature.set(magnitude, end - magnitude.length);
  }
  value.finish();
  return signature;
}
