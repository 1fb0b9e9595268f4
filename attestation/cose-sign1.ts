import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeCbor, type CborValue } from '../shared/cbor/index.ts';
import { equalBytes } from './bytes.ts';
import { AttestationError } from './errors.ts';
import { locate } from './location.ts';

/** The four parts of a COSE_Sign1 (RFC 9052 section 4.2), as views of the document. */
export interface CoseSign1 {
  /** The serialised protected header: the content of its byte string. */
  readonly protectedHeader: Uint8Array;
  readonly unprotectedHeader: ReadonlyMap<unknown, CborValue>;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Maximum length of a payload in bytes, 2^14: the limit of AWS's "Verifying the root of trust". */
export const MAX_PAYLOAD_BYTES = 16_384;

/** Maximum length of a document in bytes: a payload of full length, both headers, a signature, and their CBOR heads. */
export const MAX_DOCUMENT_BYTES = MAX_PAYLOAD_BYTES + 256;

const TAG_COSE_SIGN1 = 18;
const HEADER_ALGORITHM = 1;
const HEADER_CRITICAL = 2;
const ALGORITHM_ES384 = -35;
const SIGNATURE_BYTES = 96;

/** The one protected header that is accepted, serialised: {1: -35}, alg ES384 (RFC 9053 section 2.1). */
const PROTECTED_ES384 = hexToBytes('a1013822');

/**
 * Parses a COSE_Sign1, with its CBOR tag 18 or without; `assertCoseSign1` checks what the parts hold.
 *
 * @throws AttestationError `DOCUMENT_TOO_LARGE`, `CBOR_…`, `COSE_STRUCTURE`
 */
export function parseCoseSign1(document: Uint8Array): CoseSign1 {
  if (document.length > MAX_DOCUMENT_BYTES) {
    const message = `the document has ${document.length} bytes: expected at most ${MAX_DOCUMENT_BYTES}`;
    throw new AttestationError('DOCUMENT_TOO_LARGE', message, {
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
  if (!Array.isArray(value) || value.length !== 4) throw structure('document', 'is not an array of four');
  const [protectedHeader, unprotectedHeader, payload, signature] = value;
  if (!(protectedHeader instanceof Uint8Array)) throw structure('protected', 'is not a byte string');
  if (!(unprotectedHeader instanceof Map)) throw structure('unprotected', 'is not a map');
  if (!(payload instanceof Uint8Array)) throw structure('payload', 'is not a byte string');
  if (!(signature instanceof Uint8Array)) throw structure('signature', 'is not a byte string');
  return { protectedHeader, unprotectedHeader, payload, signature };
}

/**
 * Checks the parts of a message against what AWS signs: ES384 in the protected header and nothing else in either header,
 * so that no header parameter can change how the message is to be read; a payload and a signature of the right length.
 *
 * @throws AttestationError `CBOR_…`, `COSE_…`
 */
export function assertCoseSign1({ protectedHeader, unprotectedHeader, payload, signature }: CoseSign1): void {
  if (!equalBytes(protectedHeader, PROTECTED_ES384)) explainProtectedHeader(protectedHeader);
  if (unprotectedHeader.size > 0) {
    throw new AttestationError('COSE_UNPROTECTED_HEADER', 'the unprotected header is not empty', {
      field: 'unprotected',
      expected: 0,
      actual: unprotectedHeader.size,
    });
  }
  if (payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES) {
    const message = `the payload has ${payload.length} bytes: expected 1 to ${MAX_PAYLOAD_BYTES}`;
    throw new AttestationError('COSE_PAYLOAD_LENGTH', message, {
      field: 'payload',
      expected: MAX_PAYLOAD_BYTES,
      actual: payload.length,
    });
  }
  if (signature.length !== SIGNATURE_BYTES) {
    const message = `the signature has ${signature.length} bytes: expected ${SIGNATURE_BYTES}`;
    throw new AttestationError('COSE_SIGNATURE_LENGTH', message, {
      field: 'signature',
      expected: SIGNATURE_BYTES,
      actual: signature.length,
    });
  }
}

/** Throws the refusal of a protected header other than {@link PROTECTED_ES384}. */
function explainProtectedHeader(bytes: Uint8Array): never {
  const field = 'protected';
  const header = locate({ field }, () =>
    decodeCbor(bytes, { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 3, maxItems: 32 }),
  );
  if (!(header instanceof Map)) throw structure(field, 'is not a map');
  if (header.has(HEADER_CRITICAL)) {
    throw new AttestationError('COSE_CRITICAL', 'the protected header has crit: expected alg alone', {
      field,
    });
  }
  const algorithm = header.get(HEADER_ALGORITHM);
  if (algorithm !== ALGORITHM_ES384) {
    throw new AttestationError('COSE_ALGORITHM', 'alg in the protected header is not ES384 (-35)', {
      field,
      expected: ALGORITHM_ES384,
      actual: typeof algorithm === 'number' || typeof algorithm === 'string' ? algorithm : null,
    });
  }
  throw new AttestationError('COSE_PROTECTED_HEADER', 'the protected header is not {1: -35}, alg alone', {
    field,
  });
}

/** Sig_structure up to the payload, in CBOR: ["Signature1", {1: -35}, h'', …]; RFC 9052 section 4.4. */
const SIGNATURE_CONTEXT = concatBytes(
  Uint8Array.of(0x84, 0x6a),
  utf8ToBytes('Signature1'),
  Uint8Array.of(0x44),
  PROTECTED_ES384,
  Uint8Array.of(0x40),
);

/** Encodes Sig_structure: the bytes that the signature of a message with an ES384 header covers (RFC 9052 section 4.4). */
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
