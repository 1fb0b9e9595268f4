import { createHash } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import { MAX_SIGNERS } from '../frost-group.ts';
import { TYPE_NUMBERS } from '../share-binding.ts';
import { type Suite } from '../suites/suite.ts';
import { CEREMONY_NUMBERS, type CeremonyKind, type Terms } from './terms.ts';

const PACKAGE_LABEL = Buffer.from('holdfast-frost-package/1\0');
const TRANSCRIPT_LABEL = Buffer.from('holdfast-frost-transcript/1\0');
const DIGEST_BYTES = 48;
const HEADER_BYTES = PACKAGE_LABEL.length + 2 + 2 + DIGEST_BYTES + 2;
const LARGEST_ELEMENT = 33;
const LARGEST_PROOF = 65;
/** The longest package in bytes. */
export const MAX_PACKAGE_BYTES = HEADER_BYTES + MAX_SIGNERS * (LARGEST_ELEMENT + LARGEST_PROOF);

/** What a participant of a ceremony sends to all others, the same to each. Nothing in it is secret. */
export interface CeremonyPackage {
  readonly kind: CeremonyKind;
  readonly sender: number;
  /** The digest of the sender's terms; the epoch is a part of those. */
  readonly terms: Uint8Array;
  /**
   * Encoded elements. Generation and reshare: to the coefficients of the sender's polynomial; refresh: the same without
   * the first, which is the identity; repair: to the delta of each helper, in their order.
   */
  readonly commitments: readonly Uint8Array[];
  /** Schnorr proofs, encoded like signatures. Generation: of the constant term; refresh and reshare: of each other one. */
  readonly proofs: readonly Uint8Array[];
}

/** Encodes a package: SPEC.md, "Packages". The one encoding there is. */
export function encodePackage(suite: Suite, message: CeremonyPackage): Buffer {
  const { kind, sender, terms, commitments, proofs } = message;
  const fits =
    terms.length === DIGEST_BYTES &&
    commitments.length <= MAX_SIGNERS &&
    proofs.length <= MAX_SIGNERS &&
    commitments.every(({ length }) => length === suite.group.elementBytes) &&
    proofs.every(({ length }) => length === suite.signatureBytes);
  if (!fits) throw new RangeError('expected commitments and proofs of the lengths of the suite');
  return Buffer.concat([
    PACKAGE_LABEL,
    Uint8Array.of(TYPE_NUMBERS[suite.type], CEREMONY_NUMBERS[kind], sender >> 8, sender & 255),
    terms,
    Uint8Array.of(commitments.length, proofs.length),
    ...commitments,
    ...proofs,
  ]);
}

/**
 * Decodes a package of a ceremony. Whether its elements are of the group is for {@link verifyPackages} to say.
 *
 * @throws ThresholdError PACKAGE_MALFORMED for other bytes than {@link encodePackage} writes
 */
export function decodePackage(suite: Suite, kind: CeremonyKind, bytes: Uint8Array): CeremonyPackage {
  const refuse = () => new ThresholdError('PACKAGE_MALFORMED', `expected a package of a ${kind}`);
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_PACKAGE_BYTES) throw refuse();
  const start = PACKAGE_LABEL.length;
  const [type, kindNumber, high = 0, low = 0] = bytes.subarray(start, start + 4);
  const sender = high * 256 + low;
  const [elements = 0, proofCount = 0] = bytes.subarray(HEADER_BYTES - 2, HEADER_BYTES);
  const { elementBytes } = suite.group;
  if (
    !PACKAGE_LABEL.equals(bytes.subarray(0, start)) ||
    type !== TYPE_NUMBERS[suite.type] ||
    kindNumber !== CEREMONY_NUMBERS[kind] ||
    sender === 0 ||
    bytes.length !== HEADER_BYTES + elements * elementBytes + proofCount * suite.signatureBytes
  ) {
    throw refuse();
  }
  const list = (count: number, length: number, offset: number) =>
    Array.from({ length: count }, (_, index) =>
      Uint8Array.from(bytes.subarray(offset + index * length, offset + (index + 1) * length)),
    );
  return {
    kind,
    sender,
    terms: Uint8Array.from(bytes.subarray(start + 4, start + 4 + DIGEST_BYTES)),
    commitments: list(elements, elementBytes, HEADER_BYTES),
    proofs: list(proofCount, suite.signatureBytes, HEADER_BYTES + elements * elementBytes),
  };
}

/**
 * Computes SHA-384 of a ceremony's terms and of all its packages, in ascending order of their senders. Participants
 * compare it before any of them uses what the ceremony makes: one who sends different packages to two others gives
 * them different hashes.
 *
 * @param packages of distinct senders, as {@link verifyPackages} and {@link verifyRepairPackages} require
 */
export function hashTranscript({ suite, digest }: Terms, packages: readonly CeremonyPackage[]): Uint8Array {
  const state = createHash('sha384').update(TRANSCRIPT_LABEL).update(digest);
  for (const message of packages.toSorted((left, right) => left.sender - right.sender)) {
    const bytes = encodePackage(suite, message);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    state.update(length).update(bytes);
  }
  return new Uint8Array(state.digest());
}
