import { type FrostGroup, nobleSuites, SCALAR_BYTES } from '../shared/frost/index.ts';
import { type ShareType } from '../shared/algorithms.ts';
import { type NonceCommitment } from '../shared/api/bodies.ts';

/** One signer's share of a signature: the result of round two. */
export interface SignatureShare {
  /** Place of the signer in the quorum, from 1. */
  readonly participant: number;
  /** The share: a scalar of 32 bytes in hex, as the group serialises it. */
  readonly signatureShare: string;
}

/**
 * Finds the signers whose nonce commitments cannot be used, whatever the others have sent: a signer outside of the group,
 * a commitment that occurs twice, or a value that is no point of the group or its identity (RFC 9591 sections 3.1 and 6:
 * an element is refused unless it is canonical and of prime order).
 */
export function findFaultyCommitments(
  { type, signers }: Pick<FrostGroup, 'type' | 'signers'>,
  commitments: readonly NonceCommitment[],
): number[] {
  return findFaulty(
    commitments,
    ({ participant, hiding, binding }) =>
      signers.includes(participant) && isElement(type, hiding) && isElement(type, binding),
  );
}

/**
 * Finds the signers whose signature shares cannot be used, whatever the others have sent: a share that is missing, occurs
 * twice, comes from a signer without a nonce commitment, or is no scalar of the group (RFC 9591 section 3.1: 0 to the
 * order less 1; 0 is refused as well, as noble refuses it).
 */
export function findFaultyShares(
  type: ShareType,
  commitments: readonly Pick<NonceCommitment, 'participant'>[],
  shares: readonly SignatureShare[],
): number[] {
  const committed = new Set(commitments.map(({ participant }) => participant));
  const sent = new Set(shares.map(({ participant }) => participant));
  const faulty = findFaulty(
    shares,
    ({ participant, signatureShare }) => committed.has(participant) && isScalar(type, signatureShare),
  );
  const missing = [...committed].filter((participant) => !sent.has(participant));
  return sortSigners([...faulty, ...missing]);
}

/** Returns each signer once, in ascending order. */
export function sortSigners(signers: readonly number[]): number[] {
  return [...new Set(signers)].toSorted((left, right) => left - right);
}

function findFaulty<T extends { readonly participant: number }>(
  values: readonly T[],
  isUsable: (value: T) => boolean,
): number[] {
  const seen = new Set<number>();
  const faulty: number[] = [];
  for (const value of values) {
    if (seen.has(value.participant) || !isUsable(value)) faulty.push(value.participant);
    seen.add(value.participant);
  }
  return sortSigners(faulty);
}

/** Whether the hex is the canonical encoding, in lower case, of an element other than the identity. */
function isElement(type: ShareType, hex: string): boolean {
  const { group } = nobleSuites[type];
  const bytes = readHex(hex, group.elementBytes);
  return bytes !== undefined && group.decode(bytes) !== undefined;
}

function isScalar(type: ShareType, hex: string): boolean {
  const { scalars } = nobleSuites[type].group;
  const bytes = readHex(hex, SCALAR_BYTES);
  return bytes !== undefined && scalars.isCanonical(bytes) && !scalars.isZero(bytes);
}

function readHex(hex: string, length: number): Uint8Array | undefined {
  const isWellFormed = hex.length === 2 * length && /^[0-9a-f]*$/.test(hex);
  return isWellFormed ? new Uint8Array(Buffer.from(hex, 'hex')) : undefined;
}
