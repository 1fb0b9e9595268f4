/**
 * The signature section: a CBOR array of `{signing_certificate, signature}`, both arrays of small integers. The
 * certificate is PEM; the signature is a COSE_Sign1 (RFC 9052) over `{register_index: 0, register_value: PCR0}`.
 */
import { verify } from 'node:crypto';
import { type CborValue, decodeCbor, encodeCbor } from '../../shared/cbor/index.ts';
import { equalBytes } from '../bytes.ts';
import {
  assertValidAt,
  parseSigningCertificate,
  type SigningCertificate,
  type SigningCurve,
} from './certificate.ts';
import { EifError, type EifErrorCode } from './errors.ts';
import { measureCertificate } from './measurement.ts';
import { MAX_SIGNATURE_BYTES } from './section-rules.ts';

/** COSE algorithm (RFC 9053 section 2.1), hash and signature length in bytes, by curve. */
export const SIGNATURE_ALGORITHMS = {
  'P-256': { name: 'ES256', id: -7, hash: 'sha256', bytes: 64 },
  'P-384': { name: 'ES384', id: -35, hash: 'sha384', bytes: 96 },
  'P-521': { name: 'ES512', id: -36, hash: 'sha512', bytes: 132 },
} as const satisfies Record<SigningCurve, unknown>;

const COSE_SIGN1_TAG = 18;
const HEADER_ALGORITHM = 1;

/** A signature that was verified. */
export interface EifSignature {
  readonly algorithm: 'ES256' | 'ES384' | 'ES512';
  readonly certificate: SigningCertificate;
  /** PCR8, 48 bytes. */
  readonly measurement: Uint8Array;
  /** Content of the signature section, byte for byte. */
  readonly section: Uint8Array;
}

interface CoseSign1 {
  readonly protectedHeader: Uint8Array;
  readonly algorithm: CborValue | undefined;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Parses a signature section and verifies its signature over PCR0 with the key of the certificate in the section.
 *
 * @param pcr0 48 bytes, as measured
 * @param at time at which the certificate has to be valid. Default: not checked
 * @throws EifError EIF_SIGNATURE_FORMAT, EIF_SIGNATURE_COUNT, EIF_CERTIFICATE, EIF_CERTIFICATE_TIME,
 *   EIF_SIGNATURE_PAYLOAD, EIF_SIGNATURE_INVALID
 */
export function verifySignatureSection(section: Uint8Array, pcr0: Uint8Array, at?: Date): EifSignature {
  const cose = readSignatureSection(section);
  const certificate = parseSigningCertificate(cose.certificate);
  if (at !== undefined) assertValidAt(certificate, at);
  const algorithm = SIGNATURE_ALGORITHMS[certificate.curve];
  if (cose.algorithm !== algorithm.id) {
    throw new EifError(
      'EIF_SIGNATURE_INVALID',
      `the signature's algorithm is not ${algorithm.name}, which the certificate's key takes`,
      {
        expected: algorithm.id,
        actual: cose.algorithm,
      },
    );
  }
  const payload = encodePayload(pcr0);
  assertPayload(cose.payload, payload);
  const signed = encodeSigStructure(cose.protectedHeader, cose.payload);
  const key = { key: certificate.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  if (cose.signature.length !== algorithm.bytes || !verify(algorithm.hash, signed, key, cose.signature)) {
    throw new EifError('EIF_SIGNATURE_INVALID', "the signature does not verify under the certificate's key");
  }
  return {
    algorithm: algorithm.name,
    certificate,
    measurement: measureCertificate(certificate.der),
    section,
  };
}

/** A signer of images. The key may be anywhere: a file, a KMS, a smart card. */
export interface EifSigner {
  /** One certificate in PEM, of a key on P-256, P-384 or P-521. */
  readonly certificate: Uint8Array;
  /** The only payload that the signer can sign; absent where it signs any. */
  readonly payload?: Uint8Array;
  /**
   * Signs a message by ECDSA with the SHA-2 of the certificate's curve (RFC 9053 section 2.1), and returns r ‖ s. The same
   * image gives the same file only if the signature is deterministic (RFC 6979).
   */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/**
 * Creates the content of a signature section for an image with this PCR0, and verifies the signature.
 *
 * @throws EifError EIF_CERTIFICATE, EIF_SIGNATURE_INVALID when the signer's key is not the certificate's,
 *   EIF_SIGNATURE_PAYLOAD when the signer can sign another image only
 */
export async function createSignatureSection(signer: EifSigner, pcr0: Uint8Array): Promise<Uint8Array> {
  const { curve } = parseSigningCertificate(signer.certificate);
  const protectedHeader = encodeCbor(new Map([[HEADER_ALGORITHM, SIGNATURE_ALGORITHMS[curve].id]]));
  const payload = encodePayload(pcr0);
  if (signer.payload !== undefined) assertPayload(signer.payload, payload);
  const signature = await signer.sign(encodeSigStructure(protectedHeader, payload));
  const section = encodeCbor([
    {
      signing_certificate: [...signer.certificate],
      signature: [...encodeCbor([protectedHeader, new Map(), payload, signature])],
    },
  ]);
  verifySignatureSection(section, pcr0);
  return section;
}

/**
 * Parses a signature section without verifying anything.
 *
 * @throws EifError EIF_SIGNATURE_FORMAT, EIF_SIGNATURE_COUNT
 */
export function readSignatureSection(section: Uint8Array): CoseSign1 & { readonly certificate: Uint8Array } {
  const entry = parseEntry(section);
  return { certificate: entry.certificate, ...parseCoseSign1(entry.signature) };
}

function assertPayload(actual: Uint8Array, expected: Uint8Array): void {
  if (equalBytes(actual, expected)) return;
  throw new EifError('EIF_SIGNATURE_PAYLOAD', 'the signed payload is not PCR0 of this image', {
    expected,
    actual,
  });
}

function parseEntry(section: Uint8Array): { certificate: Uint8Array; signature: Uint8Array } {
  const entries = decode(section, { maxBytes: MAX_SIGNATURE_BYTES, maxDepth: 3 });
  if (!Array.isArray(entries)) throw malformed('the signature section is not an array');
  if (entries.length !== 1) {
    // The hypervisor verifies the first signature and ignores the others.
    throw new EifError(
      'EIF_SIGNATURE_COUNT',
      `the signature section holds ${entries.length} signatures: expected one`,
      {
        expected: 1,
        actual: entries.length,
      },
    );
  }
  const [entry] = entries;
  // The order counts: some readers take the first member for the certificate, whatever its name.
  if (!(entry instanceof Map) || [...entry.keys()].join(' ') !== 'signing_certificate signature') {
    throw malformed('the members of a signature are not signing_certificate and signature, in this order');
  }
  return {
    certificate: toBytes(entry.get('signing_certificate')),
    signature: toBytes(entry.get('signature')),
  };
}

function parseCoseSign1(bytes: Uint8Array): CoseSign1 {
  const items = decode(bytes, { maxBytes: MAX_SIGNATURE_BYTES, maxDepth: 2, topLevelTag: COSE_SIGN1_TAG });
  if (!Array.isArray(items) || items.length !== 4)
    throw malformed('the signature is not a COSE_Sign1, an array of four');
  const [protectedHeader, unprotectedHeader, payload, signature] = items;
  if (!(unprotectedHeader instanceof Map) || unprotectedHeader.size !== 0) {
    throw malformed('the unprotected header is not an empty map');
  }
  if (!isBytes(protectedHeader) || !isBytes(payload) || !isBytes(signature)) {
    throw malformed('a part of the COSE_Sign1 is not a byte string');
  }
  const header = decode(protectedHeader, { maxBytes: MAX_SIGNATURE_BYTES, maxDepth: 1 });
  if (!(header instanceof Map) || header.size !== 1) {
    throw malformed('the protected header is not a map with alg alone');
  }
  return { protectedHeader, algorithm: header.get(HEADER_ALGORITHM), payload, signature };
}

function encodePayload(pcr0: Uint8Array): Uint8Array {
  return encodeCbor({ register_index: 0, register_value: [...pcr0] });
}

/** Encodes Sig_structure: RFC 9052 section 4.4. */
function encodeSigStructure(protectedHeader: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedHeader, new Uint8Array(), payload]);
}

function toBytes(value: CborValue | undefined): Uint8Array {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isByte)) {
    throw malformed('a member of a signature is not an array of bytes');
  }
  return Uint8Array.from(value as number[]);
}

function isByte(value: CborValue): boolean {
  return typeof value === 'number' && value >= 0 && value <= 0xff;
}

function isBytes(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array;
}

function decode(bytes: Uint8Array, limits: Parameters<typeof decodeCbor>[1]): CborValue {
  try {
    return decodeCbor(bytes, limits);
  } catch (error) {
    throw malformed('the signature section is not well-formed CBOR', error);
  }
}

function malformed(message: string, cause?: unknown): EifError {
  const code: EifErrorCode = 'EIF_SIGNATURE_FORMAT';
  return new EifError(code, message, {}, cause);
}
