import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import type { Certificate } from './certificate.ts';
import type { DocumentKind } from './document.ts';
import { AttestationError, type AttestationErrorCode } from './errors.ts';
import { measureInstanceId, type Sha384 } from './measurement.ts';
import type { ResolvedOptions } from './options.ts';
import { findDebugPcr, IMAGE_PCRS, isUnusedPcr, type PcrValues } from './pcr.ts';
import type { PreparedDocument } from './preparation.ts';

const verified: unique symbol = Symbol('verified');

/** A document that passed every check. Only the verifier makes this type: a function that takes it need not verify. */
export interface VerifiedDocument {
  readonly [verified]: true;
  readonly kind: DocumentKind;
  readonly moduleId: string;
  /** Instance that module_id names and PCR4 confirms; null when PCR4 is unused or module_id names none. */
  readonly instanceId: string | null;
  /** When the hypervisor signed the document, in milliseconds since 1970. */
  readonly timestamp: number;
  /** The time of the verdict, in milliseconds since 1970. */
  readonly verifiedAt: number;
  /** Last moment at which all certificates are valid, in milliseconds since 1970. */
  readonly validUntil: number;
  /** Whether the enclave is in debug mode, in which a document proves nothing. True only with `allowDebug`. */
  readonly debug: boolean;
  /** All PCRs of the document, 48 bytes each, those without an expectation included. */
  readonly pcrs: PcrValues;
  /** Position, from 0, of the first expected set of PCRs that matched. */
  readonly matched: number;
  /** Null when the document has none, as `userData` and `nonce`. */
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
  /** Certificates from the root to the leaf. */
  readonly certificates: readonly Certificate[];
}

/** module_id as the hypervisor writes it, `i-…-enc…`, with the id of the instance as its group. */
const INSTANCE_OF_MODULE = /^(i-(?:[0-9a-f]{8}|[0-9a-f]{17}))-enc[0-9a-f]+$/;

/**
 * Decides on a document whose signatures are good: the last of the four steps.
 *
 * @throws AttestationError `DEBUG_ENCLAVE`, `DOCUMENT_TOO_OLD`, `DOCUMENT_FROM_FUTURE`, `PCR_…`, `…_MISMATCH`
 */
export function decideDocument(
  { payload, chain, at }: PreparedDocument,
  options: ResolvedOptions,
  hash?: Sha384,
): VerifiedDocument {
  const { kind, moduleId, timestamp, pcrs, publicKey, userData, nonce } = payload;
  const debug = kind === 'enclave' && isDebugEnclave(pcrs, options.allowDebug);
  assertAge(timestamp, at, options);
  const instanceId = kind === 'enclave' ? confirmInstance(moduleId, pcrs, hash) : null;
  const matched = matchAlternatives(pcrs, options.alternatives, debug);
  assertBound('NONCE_MISMATCH', 'nonce', options.nonce, nonce);
  assertBound('USER_DATA_MISMATCH', 'user_data', options.userData, userData);
  assertBound('PUBLIC_KEY_MISMATCH', 'public_key', options.publicKey, publicKey);
  const certificates = chain.map(({ certificate }) => certificate);
  const validUntil = Math.min(...certificates.map(({ notAfter }) => notAfter));
  return Object.freeze({
    [verified]: true,
    kind,
    moduleId,
    instanceId,
    timestamp,
    verifiedAt: at,
    validUntil,
    debug,
    pcrs,
    matched,
    publicKey,
    userData,
    nonce,
    certificates,
  } satisfies VerifiedDocument);
}

/** Decides on debug mode. Every enclave has PCR0, PCR1 and PCR2, without which debug mode cannot be ruled out. */
function isDebugEnclave(pcrs: PcrValues, allowDebug: boolean): boolean {
  for (const index of IMAGE_PCRS) {
    if (!pcrs.has(index))
      throw new AttestationError('PCR_IMAGE_MISSING', `the document has no PCR${index}`, {
        field: 'pcrs',
        index,
      });
  }
  const index = findDebugPcr(pcrs);
  if (index === undefined) return false;
  const all = IMAGE_PCRS.every((each) => isUnusedPcr(pcrs.get(each)));
  if (allowDebug && all) return true;
  throw new AttestationError('DEBUG_ENCLAVE', `PCR${index} is zero: the enclave is in debug mode`, {
    field: 'pcrs',
    index,
  });
}

function assertAge(timestamp: number, at: number, { maxAgeMs, maxClockSkewMs }: ResolvedOptions): void {
  if (timestamp > at + maxClockSkewMs) {
    const details = {
      field: 'timestamp',
      expected: isoTime(at + maxClockSkewMs),
      actual: isoTime(timestamp),
    };
    throw new AttestationError(
      'DOCUMENT_FROM_FUTURE',
      `the document was signed at ${details.actual}: expected ${details.expected} at the latest`,
      details,
    );
  }
  if (maxAgeMs !== undefined && timestamp < at - maxAgeMs) {
    const [expected, actual] = [isoTime(at - maxAgeMs), isoTime(timestamp)];
    const message = `the document was signed at ${actual}: expected ${expected} at the earliest`;
    throw new AttestationError('DOCUMENT_TOO_OLD', message, {
      field: 'timestamp',
      expected,
      actual,
    });
  }
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function confirmInstance(moduleId: string, pcrs: PcrValues, hash: Sha384 | undefined): string | null {
  const instanceId = INSTANCE_OF_MODULE.exec(moduleId)?.[1];
  const actual = pcrs.get(4);
  if (instanceId === undefined || actual === undefined || isUnusedPcr(actual)) return null;
  const expected = measureInstanceId(instanceId, hash);
  if (equalBytes(expected, actual)) return instanceId;
  throw new AttestationError(
    'PCR_INSTANCE',
    `PCR4 is not the measurement of ${instanceId}, which module_id names`,
    {
      field: 'pcrs',
      index: 4,
      expected: bytesToHex(expected),
      actual: bytesToHex(actual),
    },
  );
}

/** Finds the first set that matches as a whole; when none does, the refusal describes the mismatch with the first set. */
function matchAlternatives(pcrs: PcrValues, alternatives: readonly PcrValues[], debug: boolean): number {
  let refusal: AttestationError | undefined;
  for (const [matched, expected] of alternatives.entries()) {
    const mismatch = findMismatch(pcrs, expected, debug);
    if (mismatch === undefined) return matched;
    refusal ??= mismatch;
  }
  throw refusal ?? new AttestationError('PCR_MISMATCH', 'there are no expected PCRs');
}

function findMismatch(pcrs: PcrValues, expectation: PcrValues, debug: boolean): AttestationError | undefined {
  for (const [index, expected] of expectation) {
    const isImagePcr = index <= 2;
    if (debug && isImagePcr) continue;
    const actual = pcrs.get(index);
    if (actual !== undefined && equalBytes(actual, expected)) continue;
    if (!isImagePcr && isUnusedPcr(expected) && isUnusedPcr(actual)) continue;
    return new AttestationError(
      actual === undefined ? 'PCR_MISSING' : 'PCR_MISMATCH',
      actual === undefined ? `the document has no PCR${index}` : `PCR${index} is not the expected value`,
      {
        field: 'pcrs',
        index,
        expected: bytesToHex(expected),
        actual: actual === undefined ? null : bytesToHex(actual),
      },
    );
  }
  return undefined;
}

function assertBound(
  code: AttestationErrorCode,
  field: string,
  expected: Uint8Array | undefined,
  actual: Uint8Array | null,
): void {
  if (expected === undefined || (actual !== null && equalBytes(actual, expected))) return;
  throw new AttestationError(code, `${field} is ${actual === null ? 'absent' : 'not the expected value'}`, {
    field,
    expected: bytesToHex(expected),
    actual: actual === null ? null : bytesToHex(actual),
  });
}
