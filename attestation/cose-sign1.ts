import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeCbor, type CborValue } from '../shared/cbor/index.ts';
import { equalBytes } from './bytes.ts';
import { AttestationError } from './errors.ts';
import { locate } from './location.ts';

/** The parts of a COSE_Sign1 (RFC 9052 section 4.2), as views of the document. */
export interface CoseSign1 {
  /** The serialised protected header, without its byte string's head. */
  readonly protectedHeader: Uint8Array;
  readonly unprotectedHeader: ReadonlyMap<unknown, CborValue>;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The longest payload that AWS's own checks take: 2^14 bytes. */
export const MAX_PAYLOAD_BYTES = 16_384;

/** A payload of full length, with headers, a signature and the most that their heads take. */
export const MAX_DOCUMENT_BYTES = MAX_PAYLOAD_BYTES + 256;

const TAG_COSE_SIGN1 = 18;
const HEADER_ALGORITHM = 1;
const HEADER_CRITICAL = 2;
const ALGORITHM_ES384 = -35;
const SIGNATURE_BYTES = 96;

/** {1: -35}, which is all that a protected header of ours can be. */
const PROTECTED_ES384 = hexToBytes('a1013822');

/**
 * Takes a COSE_Sign1 apart, with its CBOR tag or without.
 *
 * @throws AttestationError `DOCUMENT_TOO_LARGE`, `CBOR_…`, `COSE_STRUCTURE`
 */
export function parseCoseSign1(document: Uint8Array): CoseSign1 {
  if (document.length > MAX_DOCUMENT_BYTES) {
    throw new AttestationError('DOCUMENT_TOO_LARGE', `a document of more than ${MAX_DOCUMENT_BYTES} bytes`, {
      field: 'document',
      expected: MAX_DOCUMENT_BYTES,
      actual: document.length,
    });
  }
  const value = locate({ field: 'document' }, () =>
    decodeCbor(document, {
      maxBytes: MAX_DOCUMENT_BYTES,
      maxDepth: 3,
      maxItems: 32,
      topLevelTag: TAG_COSE_SIGN1,
    }),
  );
  if (!Array.isArray(value) || value.length !== 4) throw structure('document', 'is no array of four');
  const [protectedHeader, unprotectedHeader, payload, signature] = value;
  if (!(protectedHeader instanceof Uint8Array)) throw structure('protected', 'is no byte string');
  if (!(unprotectedHeader instanceof Map)) throw structure('unprotected', 'is no map');
  if (!(payload instanceof Uint8Array)) throw structure('payload', 'is no byte string');
  if (!(signature instanceof Uint8Array)) throw structure('signature', 'is no byte string');
  return { protectedHeader, unprotectedHeader, payload, signature };
}

/**
 * Checks that the message says what AWS's do: ES384 in the protected header and nothing else in either header, so that
 * no header can ask for anything that we would have to understand.
 *
 * @throws AttestationError `CBOR_…`, `COSE_…`
 */
export function assertCoseSign1({ protectedHeader, unprotectedHeader, payload, signature }: CoseSign1): void {
  if (!equalBytes(protectedHeader, PROTECTED_ES384)) explainProtectedHeader(protectedHeader);
  if (unprotectedHeader.size > 0) {
    throw new AttestationError('COSE_UNPROTECTED_HEADER', 'an unprotected header that is not empty', {
      field: 'unprotected',
      expected: 0,
      actual: unprotectedHeader.size,
    });
  }
  if (payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES) {
    throw new AttestationError('COSE_PAYLOAD_LENGTH', `a payload of ${payload.length} bytes`, {
      field: 'payload',
      expected: MAX_PAYLOAD_BYTES,
      actual: payload.length,
    });
  }
  if (signature.length !== SIGNATURE_BYTES) {
    throw new AttestationError('COSE_SIGNATURE_LENGTH', `a signature of ${signature.length} bytes`, {
      field: 'signature',
      expected: SIGNATURE_BYTES,
      actual: signature.length,
    });
  }
}

/** Says what is wrong with a protected header that is not the one. */
function explainProtectedHeader(bytes: Uint8Array): never {
  const field = 'protected';
  const header = locate({ field }, () =>
    decodeCbor(bytes, { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 3, maxItems: 32 }),
  );
  if (!(header instanceof Map)) throw structure(field, 'is no map');
  if (header.has(HEADER_CRITICAL)) {
    throw new AttestationError('COSE_CRITICAL', 'a protected header with critical labels', { field });
  }
  const algorithm = header.get(HEADER_ALGORITHM);
  if (algorithm !== ALGORITHM_ES384) {
    throw new AttestationError('COSE_ALGORITHM', 'a signature algorithm other than ES384', {
      field,
      expected: ALGORITHM_ES384,
      actual: typeof algorithm === 'number' || typeof algorithm === 'string' ? algorithm : null,
    });
  }
  throw new AttestationError('COSE_PROTECTED_HEADER', 'a protected header with more than the algorithm', {
    field,
  });
}

/** ["Signature1", {1: -35}, h'', …], but for the payload: RFC 9052 section 4.4. */
const SIGNATURE_CONTEXT = concatBytes(
  Uint8Array.of(0x84, 0x6a),
  utf8ToBytes('Signature1'),
  Uint8Array.of(0x44),
  PROTECTED_ES384,
  Uint8Array.of(0x40),
);

/** The bytes that the signature of a message with an ES384 header covers (Sig_structure). */
export function signatureInput(payload: Uint8Array): Uint8Array {
  const head = payload.length < 24 ? [0x40 + payload.length] : longHead(payload.length);
  const bytes = new Uint8Array(SIGNATURE_CONTEXT.length + head.length + payload.length);
  bytes.set(SIGNATURE_CONTEXT);
  bytes.set(head, SIGNATURE_CONTEXT.length);
  bytes.set(payload, SIGNATURE_CONTEXT.length + head.length);
  return bytes;
}

function longHead(length: number): number[] {
  return length < 0x100 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
}

function structure(field: string, what: string): AttestationError {
  return new AttestationError('COSE_STRUCTURE', `${field} ${what}`, { field });
}
